/*
 * group_key.h: a key that a group shares, inside the library
 * (docs/FORMAT.md, 9). include/e2e/key.h has the outside.
 */
#ifndef MESSAGE_GROUP_KEY_H
#define MESSAGE_GROUP_KEY_H

#include "message/card.h"
#include "message/derive.h"

#include <e2e/key.h>
#include <e2e/message.h>

/*
 * 1. The maker's signature was verified; `kid` was computed from what he
 *    signed. Constant once made.
 */
struct e2e_group_key {
	unsigned char *secret;		/* E2E_GROUP_KEY_LEN, of secret.h */
	unsigned char kid[E2E_ID_LEN];
	struct e2e_card *maker;
	unsigned char random[E2E_GROUP_RANDOM_LEN];
	bool has_name;
	char name[E2E_TEXT_MAX + 1];
	uint64_t epoch;
	uint64_t created;
	unsigned char (*members)[E2E_ID_LEN];
	size_t member_count;
};

/* May this identity speak to the group, by any of these keys that has the
 * same kid? (Whoever was added is in the newer one of an epoch.) */
bool group_key_admits(const struct e2e_group_key *const *keys, size_t count,
    const struct e2e_group_key *group, const unsigned char id[E2E_ID_LEN]);

/* The name as it is hashed and written: data NULL where there is none. */
struct bytes group_key_name(const struct e2e_group_key *group);

#endif
