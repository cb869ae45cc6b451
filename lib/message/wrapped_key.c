/* Claims of a wrapped key. */
#include "message/wrapped_key.h"

#include "message/claims.h"
#include "wire/labels.h"

#include <e2e/message.h>

#include <string.h>

/* Which claims were there. */
enum {
	SEEN_IAT = 1, SEEN_CTI = 2, SEEN_KEY = 4, SEEN_EPOCH = 8,
	SEEN_MEMBERS = 16, SEEN_RANDOM = 32, SEEN_ALL = 63
};

/* The closed COSE_Key {1: 4, 3: -5, -1: k}. */
static bool
take_key(struct dcbor_reader *r, const unsigned char **key)
{
	struct dcbor_map map;
	int64_t label, kty, alg;
	bool ok;

	ok = dcbor_enter_map(r, &map) && map.left == 3 &&
	    dcbor_next_key(r, &map, &label) && label == KEY_KTY &&
	    dcbor_get_int(r, &kty) && kty == KTY_SYMMETRIC &&
	    dcbor_next_key(r, &map, &label) && label == KEY_ALG &&
	    dcbor_get_int(r, &alg) && alg == ALG_A256KW &&
	    dcbor_next_key(r, &map, &label) && label == SYMMETRIC_K &&
	    dcbor_get_bytes_of(r, key, E2E_GROUP_KEY_LEN);
	dcbor_leave(r);
	return ok;
}

struct reading {
	struct wrapped_key *w;
	unsigned seen;
};

static enum e2e_error
take_claim(void *context, struct dcbor_reader *r, int64_t claim)
{
	struct reading *reading = context;
	struct wrapped_key *w = reading->w;

	switch (claim) {
	case CLAIM_IAT:
		reading->seen |= SEEN_IAT;
		return claims_judge(dcbor_get_uint(r, &w->issued));
	case CLAIM_CTI:
		reading->seen |= SEEN_CTI;
		return claims_judge(dcbor_get_bytes_of(r, &w->id,
		    DERIVE_MESSAGE_ID_LEN));
	case CLAIM_CARD:
		return claims_take_card(r, &w->card);
	case CLAIM_GROUP_KEY:
		reading->seen |= SEEN_KEY;
		return claims_judge(take_key(r, &w->key));
	case CLAIM_GROUP_NAME:
		return claims_take_text(r, &w->name);
	case CLAIM_EPOCH:
		reading->seen |= SEEN_EPOCH;
		return claims_take_number(r, &w->epoch);
	case CLAIM_MEMBERS:
		reading->seen |= SEEN_MEMBERS;
		return claims_take_hashes(r, &w->members, 0,
		    E2E_RECIPIENTS_MAX);
	case CLAIM_RANDOM:
		reading->seen |= SEEN_RANDOM;
		return claims_judge(dcbor_get_bytes_of(r, &w->random,
		    DERIVE_GROUP_RANDOM_LEN));
	default:
		return claims_judge(dcbor_skip(r, NULL));
	}
}

enum e2e_error
wrapped_key_parse(struct wrapped_key *w, struct bytes claims)
{
	struct reading reading = { w, 0 };
	enum e2e_error error;

	memset(w, 0, sizeof(*w));
	error = claims_walk(claims, take_claim, &reading);
	return error == E2E_OK && reading.seen != SEEN_ALL ?
	    E2E_ERR_MALFORMED : error;
}

static void
put_key(struct buffer *b, const unsigned char *key)
{
	dcbor_put_int(b, CLAIM_GROUP_KEY);
	dcbor_put_map(b, 3);
	dcbor_put_int(b, KEY_KTY);
	dcbor_put_int(b, KTY_SYMMETRIC);
	dcbor_put_int(b, KEY_ALG);
	dcbor_put_int(b, ALG_A256KW);
	dcbor_put_int(b, SYMMETRIC_K);
	dcbor_put_bytes(b, key, E2E_GROUP_KEY_LEN);
}

/* In the order that deterministic encoding asks for. */
void
wrapped_key_put(struct buffer *b, const struct wrapped_key *w)
{
	dcbor_put_map(b, (size_t)6 + (w->card.data != NULL) +
	    (w->name.data != NULL));
	claims_put_uint(b, CLAIM_IAT, w->issued);
	claims_put_bytes(b, CLAIM_CTI, w->id, DERIVE_MESSAGE_ID_LEN);
	if (w->card.data != NULL)
		claims_put_bytes(b, CLAIM_CARD, w->card.data, w->card.length);
	put_key(b, w->key);
	if (w->name.data != NULL)
		claims_put_text(b, CLAIM_GROUP_NAME, w->name);
	claims_put_uint(b, CLAIM_EPOCH, w->epoch);
	claims_put_hashes(b, CLAIM_MEMBERS, w->members);
	claims_put_bytes(b, CLAIM_RANDOM, w->random, DERIVE_GROUP_RANDOM_LEN);
}
