/*
 * Cards, as bytes and as lines. An accepted card writes a line that is
 * accepted again and means the same. The first byte chooses: 0 a line, else
 * bytes.
 */
#include "fuzz.h"

#include "message/card.h"

#include <stdlib.h>
#include <string.h>

static void
check_card(const struct e2e_card *card)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	unsigned char id[E2E_ID_LEN];
	struct e2e_card *again;
	char *line = e2e_card_line(card);

	FUZZ_REQUIRE(line != NULL);
	FUZZ_REQUIRE(strchr(line, '\n') == line + strlen(line) - 1);
	FUZZ_REQUIRE(e2e_card_parse(&again, line, strlen(line)) == E2E_OK);
	FUZZ_REQUIRE(e2e_card_equal(card, again));
	FUZZ_REQUIRE(strcmp(e2e_card_name(card), e2e_card_name(again)) == 0);
	FUZZ_REQUIRE(strlen(e2e_card_name(card)) <= E2E_NAME_MAX);
	FUZZ_REQUIRE(memcmp(e2e_card_id(card), e2e_card_id(again),
	    E2E_ID_LEN) == 0);
	FUZZ_REQUIRE(e2e_card_encryption_keys(card) >= 1);
	FUZZ_REQUIRE(e2e_card_type(card) != NULL);
	e2e_fingerprint(fingerprint, e2e_card_id(card));
	FUZZ_REQUIRE(e2e_fingerprint_parse(id, fingerprint) &&
	    memcmp(id, e2e_card_id(card), E2E_ID_LEN) == 0);
	e2e_card_free(again);
	free(line);
}

static enum e2e_error
parse(struct e2e_card **card, const uint8_t *data, size_t size, bool bytes)
{
	/* Exactly so much memory: a line has no NUL behind it. */
	unsigned char *copy = malloc(size);
	enum e2e_error error;

	*card = NULL;
	if (copy == NULL)
		return E2E_ERR_MEMORY;
	memcpy(copy, data, size);
	error = bytes ? card_decode(card, (struct bytes){ copy, size }) :
	    e2e_card_parse(card, (const char *)copy, size);
	free(copy);
	return error;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct e2e_card *card;
	enum e2e_error error;

	if (size < 2)
		return 0;
	error = parse(&card, data + 1, size - 1, data[0] != 0);
	FUZZ_REQUIRE((error == E2E_OK) == (card != NULL));
	FUZZ_REQUIRE(error == E2E_OK || error == E2E_ERR_CARD ||
	    error == E2E_ERR_CARD_SIGNATURE || error == E2E_ERR_LIMIT ||
	    error == E2E_ERR_KEY_SIZE);
	if (card != NULL) {
		fuzz_accepted();
		check_card(card);
	}
	e2e_card_free(card);
	return 0;
}
