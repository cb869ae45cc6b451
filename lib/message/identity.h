/*
 * identity.h: a secret identity, inside the library (docs/FORMAT.md, 8).
 * include/e2e/key.h has the outside.
 */
#ifndef MESSAGE_IDENTITY_H
#define MESSAGE_IDENTITY_H

#include "message/card.h"
#include "message/key.h"

#include <e2e/key.h>

enum { IDENTITY_ENCRYPTION_KEYS_MAX = 64 };

/*
 * 1. Locked exactly when `signing` is NULL; then `item` holds the encrypted
 *    [card, secret], else it is empty.
 * 2. Unlocked: signing and encryption[0 .. the card's count) are the private
 *    halves of the card's keys in its order; retired keys follow.
 * 3. `file_key` is the content encryption key of the file that the identity
 *    was unlocked from, in memory of secret.h; NULL while locked, and where
 *    there is no such file.
 */
struct e2e_identity {
	struct e2e_card *card;
	struct buffer item;
	struct key *signing;
	struct key *encryption[IDENTITY_ENCRYPTION_KEYS_MAX];
	size_t encryption_count;
	unsigned char *file_key;
};

#endif
