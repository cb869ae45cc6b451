/*
 * card.h: the public form of an identity, inside the library
 * (docs/FORMAT.md, 7.4). include/e2e/key.h has the outside.
 */
#ifndef MESSAGE_CARD_H
#define MESSAGE_CARD_H

#include "message/key.h"

#include <e2e/key.h>

enum { CARD_ENCRYPTION_KEYS_MAX = 16 };

/* 1. Signature verified, all keys different. Constant once made. */
struct e2e_card {
	struct buffer encoded;		/* the COSE_Sign1 */
	char name[E2E_NAME_MAX + 1];
	uint64_t created, expires, serial;
	struct key *signing;
	struct key *encryption[CARD_ENCRYPTION_KEYS_MAX]; /* current first */
	size_t encryption_count;
};

/* Parses and verifies. E2E_ERR_CARD, E2E_ERR_CARD_SIGNATURE, E2E_ERR_LIMIT,
 * E2E_ERR_KEY_SIZE, E2E_ERR_MEMORY. */
enum e2e_error card_decode(struct e2e_card **card, struct bytes encoded);

/*
 * Makes and signs a card that lists these encryption keys; name may be "".
 */
enum e2e_error card_make(struct e2e_card **card, const struct key *signing,
    const struct key *const *encryption, size_t encryption_count,
    const char *name, uint64_t created, uint64_t expires, uint64_t serial);

/* May this become a card's name: short enough, one line, no controls? */
bool card_name_acceptable(const char *name);

#endif
