/*
 * wrapped_key.h: the claims of a wrapped key (docs/FORMAT.md, 9), bytes to
 * struct and back.
 */
#ifndef MESSAGE_WRAPPED_KEY_H
#define MESSAGE_WRAPPED_KEY_H

#include "message/derive.h"

/* Pointers lead into what was parsed, or to the caller's own. */
struct wrapped_key {
	uint64_t issued;
	const unsigned char *id;	/* DERIVE_MESSAGE_ID_LEN */
	const unsigned char *key;	/* E2E_GROUP_KEY_LEN; secret */
	struct bytes name;		/* data NULL: absent */
	uint64_t epoch;
	struct bytes members;	/* the ids one after the other, when written;
				 * the encoded array, when parsed */
	const unsigned char *random;	/* DERIVE_GROUP_RANDOM_LEN */
	struct bytes card;		/* data NULL: absent */
};

/* E2E_ERR_MALFORMED, E2E_ERR_LIMIT. */
enum e2e_error wrapped_key_parse(struct wrapped_key *w, struct bytes claims);
void wrapped_key_put(struct buffer *b, const struct wrapped_key *w);

#endif
