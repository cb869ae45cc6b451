/*
 * Delivery receipts. The first byte: 0 a receipt as it stands, else claims
 * that the harness signs. Nobody but the people of the targets can have signed
 * one, and each only for himself.
 */
#include "fuzz.h"

#include "message/identity.h"
#include "message/sign1.h"
#include "wire/labels.h"

#include <stdlib.h>
#include <string.h>

static enum e2e_error
read_it(struct e2e_delivery *d, const void *data, size_t size,
    enum fuzz_person signer)
{
	/* At the end of its memory, where reading on is noticed. */
	unsigned char *copy = malloc(size > 0 ? size : 1);
	enum e2e_error error;

	FUZZ_REQUIRE(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	error = e2e_delivery_read(d, copy, size,
	    e2e_identity_card(fuzz_identity(signer)));
	free(copy);
	FUZZ_REQUIRE(error == E2E_OK || error == E2E_ERR_DELIVERY ||
	    error == E2E_ERR_DELIVERY_SIGNATURE || error == E2E_ERR_LIMIT);
	FUZZ_REQUIRE((error == E2E_ERR_LIMIT) == (size > E2E_DELIVERY_MAX));
	return error;
}

/* The three values stand in what was signed. */
static bool
holds(struct bytes claims, const unsigned char *value, size_t size)
{
	for (size_t i = 0; i + size <= claims.length; i++) {
		if (memcmp(claims.data + i, value, size) == 0)
			return true;
	}
	return false;
}

static void
check(const struct e2e_delivery *d, struct bytes claims)
{
	fuzz_accepted();
	FUZZ_REQUIRE(holds(claims, d->message_id, E2E_MESSAGE_ID_LEN));
	FUZZ_REQUIRE(holds(claims, d->context_hash, E2E_HASH_LEN));
	FUZZ_REQUIRE(holds(claims, d->data_hash, E2E_HASH_LEN));
}

static void
try_claims(struct bytes claims)
{
	const struct bytes none = { NULL, 0 };
	struct e2e_delivery d;
	struct buffer encoded;
	enum e2e_error error;

	buffer_init(&encoded, 2 * E2E_DELIVERY_MAX);
	FUZZ_REQUIRE(sign1_make(&encoded, fuzz_identity(FUZZ_CURVE)->signing,
	    TYP_DELIVERY, none, claims) == E2E_OK);
	error = read_it(&d, encoded.data, encoded.length, FUZZ_CURVE);
	FUZZ_REQUIRE(error != E2E_ERR_DELIVERY_SIGNATURE);
	if (error == E2E_OK)
		check(&d, claims);
	FUZZ_REQUIRE(read_it(&d, encoded.data, encoded.length,
	    FUZZ_SENDER) != E2E_OK);
	buffer_free(&encoded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct e2e_delivery d;
	int person, signers = 0;

	if (size == 0 || size > E2E_DELIVERY_MAX + 100)
		return 0;
	if (data[0] != 0) {
		try_claims((struct bytes){ data + 1, size - 1 });
		return 0;
	}
	for (person = 0; person < FUZZ_PEOPLE; person++) {
		if (read_it(&d, data + 1, size - 1,
		    (enum fuzz_person)person) == E2E_OK) {
			check(&d, (struct bytes){ data + 1, size - 1 });
			signers++;
		}
	}
	FUZZ_REQUIRE(signers <= 1);
	return 0;
}
