/*
 * signer.h: the card whose key has to verify a signature: the one that came
 * along, or one that the caller knows (docs/FORMAT.md, 5.1).
 */
#ifndef MESSAGE_SIGNER_H
#define MESSAGE_SIGNER_H

#include "message/card.h"
#include "wire/cose.h"

#include <e2e/message.h>

/* Who knows cards. find NULL: nobody. */
struct signer_source {
	e2e_find_card *find;
	void *context;
};

/*
 * A card of the signer, for the caller to free; its algorithm is that of the
 * signature, which is not verified yet. carried: data NULL if none came along.
 * E2E_ERR_MALFORMED, E2E_ERR_CARD_SIGNATURE, E2E_ERR_LIMIT, E2E_ERR_KEY_SIZE,
 * E2E_ERR_SENDER_UNKNOWN.
 */
enum e2e_error signer_find(struct e2e_card **signer,
    const struct cose_sign1 *sign1, struct bytes carried,
    const struct signer_source *source);

#endif
