/*
 * Token buckets. Tokens are counted in thousandths, of which a rate per
 * second adds that many in a millisecond: nothing is ever rounded. A key may
 * lie in any of a few places that stand together, as in a processor's cache.
 */
#include "relay/rate.h"

#include "base/number.h"
#include "base/random.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, SECRET_LEN = 16, KEY_MAX = 64, TOKEN = 1000 };

struct place {
	uint64_t key[2];		/* hashed */
	uint64_t tokens, when;
	bool used;
};

struct rate {
	uint32_t per_second;
	uint64_t full;			/* thousandths */
	size_t mask;			/* sets - 1 */
	unsigned char secret[SECRET_LEN];
	struct place places[];
};

struct rate *
rate_new(uint32_t per_second, uint32_t burst, size_t places)
{
	struct rate *rate;
	size_t size, sets = 1;

	if (per_second == 0)
		places = 0;
	while (sets * WAYS < places) {
		if (!number_mul(&size, sets, 2 * WAYS))
			return NULL;
		sets *= 2;
	}
	if (!number_mul(&size, sets * WAYS, sizeof(struct place)) ||
	    !number_add(&size, size, sizeof(*rate)))
		return NULL;
	rate = calloc(1, size);
	if (rate == NULL)
		return NULL;
	rate->per_second = per_second;
	rate->full = (uint64_t)burst * TOKEN;
	rate->mask = sets - 1;
	if (!random_bytes(rate->secret, sizeof(rate->secret))) {
		free(rate);
		return NULL;
	}
	return rate;
}

void
rate_free(struct rate *rate)
{
	free(rate);
}

/* Longer keys are cut: addresses and ids are not. */
static bool
hash_key(uint64_t hashed[4], const struct rate *rate, const void *key,
    size_t size)
{
	unsigned char input[SECRET_LEN + KEY_MAX], hash[HASH_LEN];

	if (size > KEY_MAX)
		size = KEY_MAX;
	memcpy(input, rate->secret, SECRET_LEN);
	memcpy(input + SECRET_LEN, key, size);
	if (hash_sha256(hash, input, SECRET_LEN + size) != E2E_OK)
		return false;
	memcpy(hashed, hash, sizeof(hash));
	return true;
}

static uint64_t
tokens_now(const struct rate *rate, const struct place *place, uint64_t now)
{
	uint64_t elapsed, more;

	if (!place->used)
		return rate->full;
	elapsed = now > place->when ? now - place->when : 0;
	if (__builtin_mul_overflow(elapsed, rate->per_second, &more) ||
	    !number_add64(&more, more, place->tokens) || more > rate->full)
		return rate->full;
	return more;
}

/* The key's place, or the fullest one, made its own. */
static struct place *
find_place(struct rate *rate, const uint64_t hashed[4], uint64_t now)
{
	struct place *set = rate->places +
	    (size_t)(hashed[2] & rate->mask) * WAYS, *fullest = set;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].key[0] == hashed[0] &&
		    set[i].key[1] == hashed[1])
			return &set[i];
		if (tokens_now(rate, &set[i], now) >
		    tokens_now(rate, fullest, now))
			fullest = &set[i];
	}
	memset(fullest, 0, sizeof(*fullest));
	fullest->key[0] = hashed[0];
	fullest->key[1] = hashed[1];
	fullest->tokens = rate->full;
	fullest->when = now;
	fullest->used = true;
	return fullest;
}

bool
rate_take(struct rate *rate, const void *key, size_t size, uint64_t now_ms,
    uint64_t *retry)
{
	struct place *place;
	uint64_t hashed[4], wait;

	*retry = 0;
	if (rate->per_second == 0)
		return true;
	if (!hash_key(hashed, rate, key, size)) {
		*retry = 1;
		return false;
	}
	place = find_place(rate, hashed, now_ms);
	place->tokens = tokens_now(rate, place, now_ms);
	/* A clock that stood still or went back gives nothing twice. */
	if (now_ms > place->when)
		place->when = now_ms;
	if (place->tokens >= TOKEN) {
		place->tokens -= TOKEN;
		return true;
	}
	wait = (TOKEN - place->tokens + rate->per_second - 1) /
	    rate->per_second;
	*retry = (wait + 999) / 1000;
	return false;
}
