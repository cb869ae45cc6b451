/*
 * encoding.h: base64 and base32 (RFC 4648), in constant time in the contents,
 * for keys pass through here.
 */
#ifndef BASE_ENCODING_H
#define BASE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

enum encoding_alphabet {
	BASE64,			/* + and /, padded to a multiple of four */
	BASE64URL		/* - and _, without padding */
};

/* Characters that `size` bytes make (without a NUL). */
size_t base64_encoded_length(enum encoding_alphabet alphabet, size_t size);
/* Writes exactly that many characters, no NUL. */
void base64_encode(enum encoding_alphabet alphabet, char *text,
    const void *data, size_t size);
/*
 * Decodes `length` characters into data, which has room for length / 4 * 3 + 3
 * bytes. False for anything but the canonical form: other characters,
 * missing or extra padding, unused bits that are not zero; then *size is 0 and
 * data unspecified.
 */
bool base64_decode(enum encoding_alphabet alphabet, void *data, size_t *size,
    const char *text, size_t length);

/* base32, lower case, no padding: 32 bytes make 52 characters. No NUL. */
void base32_encode(char *text, const void *data, size_t size);
/* Exactly `length` characters of either case into data, which has room for
 * length * 5 / 8 bytes; canonical as above. */
bool base32_decode(void *data, size_t *size, const char *text, size_t length);

#endif
