/*
 * The secret key set, which lies behind base64 and mostly behind a passphrase:
 * the input becomes the key set of a person whose card is fixed. The first
 * byte chooses the person.
 */
#include "fuzz.h"

#include "message/identity.h"
#include "wire/armor.h"
#include "wire/keyfile.h"

#include <string.h>

static void
check(const struct e2e_identity *identity, const struct buffer *item)
{
	const struct e2e_kdf_cost none = { 0, 0, 0 };
	struct buffer again;
	char *text;
	size_t length;

	FUZZ_REQUIRE(!e2e_identity_locked(identity));
	FUZZ_REQUIRE(e2e_identity_text(identity, NULL, 0, none, &text,
	    &length) == E2E_OK);
	buffer_init(&again, E2E_KEY_FILE_MAX);
	FUZZ_REQUIRE(armor_decode(&again, ARMOR_SECRET_KEY, true, text,
	    length) == E2E_OK);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&again), buffer_bytes(item)));
	buffer_free(&again);
	e2e_secret_free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct e2e_card *card;
	struct e2e_identity *identity;
	struct buffer item, text;
	enum e2e_error error;

	if (size == 0)
		return 0;
	card = e2e_identity_card(fuzz_identity(data[0] % FUZZ_PEOPLE));
	buffer_init(&item, E2E_KEY_FILE_MAX);
	buffer_init(&text, 2 * E2E_KEY_FILE_MAX);
	keyfile_put(&item, buffer_bytes(&card->encoded),
	    (struct bytes){ data + 1, size - 1 }, false);
	FUZZ_REQUIRE(armor_encode(&text, ARMOR_SECRET_KEY, item.data,
	    item.length) == E2E_OK);
	error = e2e_identity_parse(&identity, text.data, text.length);
	FUZZ_REQUIRE(error == E2E_OK || error == E2E_ERR_KEY_FILE ||
	    error == E2E_ERR_KEY_SIZE || error == E2E_ERR_LIMIT);
	if (error == E2E_OK) {
		fuzz_accepted();
		check(identity, &item);
	}
	e2e_identity_free(identity);
	buffer_free(&item);
	buffer_free(&text);
	return 0;
}
