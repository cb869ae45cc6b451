/* Fingerprints for people: an identity id in base32, in groups of four. */
#include "base/encoding.h"

#include <e2e/key.h>

#include <string.h>

enum { CHARACTERS = 52, GROUP = 4 };

void
e2e_fingerprint(char text[E2E_FINGERPRINT_LEN + 1],
    const unsigned char id[E2E_ID_LEN])
{
	char plain[CHARACTERS];
	size_t i;

	base32_encode(plain, id, E2E_ID_LEN);
	for (i = 0; i < CHARACTERS; i++) {
		if (i > 0 && i % GROUP == 0)
			*text++ = '-';
		*text++ = plain[i];
	}
	*text = '\0';
}

bool
e2e_fingerprint_parse(unsigned char id[E2E_ID_LEN], const char *text)
{
	char plain[CHARACTERS];
	unsigned char decoded[CHARACTERS];
	size_t length = 0, size;

	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == ' ')
			continue;
		if (length == CHARACTERS)
			return false;
		plain[length++] = *text;
	}
	if (length != CHARACTERS ||
	    !base32_decode(decoded, &size, plain, length) ||
	    size != E2E_ID_LEN)
		return false;
	memcpy(id, decoded, E2E_ID_LEN);
	return true;
}
