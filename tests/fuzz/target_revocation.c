/*
 * Revocations. Nobody but the three people of the targets can have signed
 * one, and only for himself.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum e2e_revocation_reason reason;
	unsigned char id[E2E_ID_LEN];
	const struct e2e_card *card;
	enum e2e_error subject, check;
	char *text = malloc(size + 1);
	uint64_t made;
	int i;

	FUZZ_REQUIRE(text != NULL);
	memcpy(text, data, size);
	text = realloc(text, size > 0 ? size : 1);
	FUZZ_REQUIRE(text != NULL);
	memset(id, 0, sizeof(id));
	subject = e2e_revocation_subject(text, size, id);
	FUZZ_REQUIRE(subject == E2E_OK || subject == E2E_ERR_STATEMENT ||
	    subject == E2E_ERR_LIMIT);
	for (i = 0; i < FUZZ_PEOPLE; i++) {
		card = e2e_identity_card(fuzz_identity((enum fuzz_person)i));
		check = e2e_revocation_check(text, size, card, &reason,
		    &made);
		FUZZ_REQUIRE(subject == E2E_OK || check == subject);
		FUZZ_REQUIRE(subject != E2E_OK || check == E2E_OK ||
		    check == E2E_ERR_STATEMENT ||
		    check == E2E_ERR_STATEMENT_SIGNATURE);
		if (check != E2E_OK)
			continue;
		fuzz_accepted();
		FUZZ_REQUIRE(memcmp(id, e2e_card_id(card), E2E_ID_LEN) == 0);
	}
	free(text);
	return 0;
}
