/*
 * Secret key files. One that is accepted is written as a text that is accepted
 * and written as the same text, and holds the same item. Unlocking is tried
 * now and then, and only where it costs little.
 */
#include "fuzz.h"

#include "wire/armor.h"

#include <string.h>

enum { CHEAP_KIB = 8192 };

static void
require_item(const struct buffer *item, const void *text, size_t length)
{
	struct buffer again;

	buffer_init(&again, E2E_KEY_FILE_MAX);
	FUZZ_REQUIRE(armor_decode(&again, ARMOR_SECRET_KEY, true, text,
	    length) == E2E_OK);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&again), buffer_bytes(item)));
	buffer_free(&again);
}

static void
check_open(const struct e2e_identity *identity, const struct buffer *item)
{
	const struct e2e_kdf_cost none = { 0, 0, 0 };
	struct e2e_identity *again;
	char *first, *second;
	size_t length, second_length;

	FUZZ_REQUIRE(e2e_identity_text(identity, NULL, 0, none, &first,
	    &length) == E2E_OK);
	if (item != NULL)
		require_item(item, first, length);
	FUZZ_REQUIRE(e2e_identity_parse(&again, first, length) == E2E_OK);
	FUZZ_REQUIRE(e2e_identity_text(again, NULL, 0, none, &second,
	    &second_length) == E2E_OK);
	FUZZ_REQUIRE(length == second_length &&
	    memcmp(first, second, length) == 0);
	e2e_secret_free(first);
	e2e_secret_free(second);
	e2e_identity_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct e2e_identity *identity;
	struct buffer item;
	enum e2e_error error;

	error = e2e_identity_parse(&identity, data, size);
	FUZZ_REQUIRE((error == E2E_OK) == (identity != NULL));
	if (error != E2E_OK) {
		FUZZ_REQUIRE(error / 100 == 5 || error / 100 == 6 ||
		    error == E2E_ERR_CARD_SIGNATURE);
		return 0;
	}
	fuzz_accepted();
	FUZZ_REQUIRE(e2e_identity_card(identity) != NULL);
	if (e2e_identity_locked(identity)) {
		if (fuzz_sometimes(data, size, FUZZ_DEAR_ODDS))
			error = e2e_identity_unlock(identity,
			    FUZZ_PASSPHRASE, strlen(FUZZ_PASSPHRASE),
			    CHEAP_KIB);
		FUZZ_REQUIRE(error == E2E_OK ||
		    e2e_identity_locked(identity));
		if (!e2e_identity_locked(identity))
			check_open(identity, NULL);
	} else {
		buffer_init(&item, E2E_KEY_FILE_MAX);
		FUZZ_REQUIRE(armor_decode(&item, ARMOR_SECRET_KEY, true, data,
		    size) == E2E_OK);
		check_open(identity, &item);
		buffer_free(&item);
	}
	e2e_identity_free(identity);
	return 0;
}
