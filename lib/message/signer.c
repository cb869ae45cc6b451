/* Finding the card that verifies. */
#include "message/signer.h"

#include <string.h>

static enum e2e_error
find(struct e2e_card **signer, const unsigned char *kid,
    struct bytes carried, const struct signer_source *source)
{
	const struct e2e_card *known;
	enum e2e_error error;

	if (carried.data != NULL) {
		error = card_decode(signer, carried);
		if (error == E2E_ERR_CARD)
			return E2E_ERR_MALFORMED;
		if (error != E2E_OK)
			return error;
		return memcmp(e2e_card_id(*signer), kid, E2E_ID_LEN) == 0 ?
		    E2E_OK : E2E_ERR_MALFORMED;
	}
	known = source->find == NULL ? NULL :
	    source->find(source->context, kid);
	if (known == NULL ||
	    memcmp(e2e_card_id(known), kid, E2E_ID_LEN) != 0)
		return E2E_ERR_SENDER_UNKNOWN;
	*signer = e2e_card_dup(known);
	return *signer != NULL ? E2E_OK : E2E_ERR_MEMORY;
}

enum e2e_error
signer_find(struct e2e_card **signer, const struct cose_sign1 *sign1,
    struct bytes carried, const struct signer_source *source)
{
	enum e2e_error error;

	*signer = NULL;
	error = find(signer, sign1->kid, carried, source);
	if (error == E2E_OK && sign1->alg != (*signer)->signing->type->alg)
		error = E2E_ERR_MALFORMED;
	if (error != E2E_OK) {
		e2e_card_free(*signer);
		*signer = NULL;
	}
	return error;
}
