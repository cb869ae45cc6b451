/*
 * rate.h: how often, at most: token buckets by key, in bounded memory.
 *
 * A key is an address prefix or a mailbox id, hashed with a secret of the
 * process. The table has a fixed number of places; a key that finds none
 * takes the place of the one that is fullest again, so that whoever is being
 * slowed down stays so. Time is given in milliseconds of a steady clock.
 */
#ifndef RELAY_RATE_H
#define RELAY_RATE_H

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rate;

/* per_second 0: no limit at all. burst >= 1. places: rounded up to a power
 * of two. NULL: no memory. */
struct rate *rate_new(uint32_t per_second, uint32_t burst, size_t places);
void rate_free(struct rate *rate);
/* Takes one token. False: none left; *retry seconds until there is one. */
bool rate_take(struct rate *rate, const void *key, size_t size, uint64_t now_ms,
    uint64_t *retry);

#endif
