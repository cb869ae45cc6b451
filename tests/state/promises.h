/*
 * promises.h: work drawn at random for a state, and what was promised by it:
 * no number twice, no message that is done admitted again, none that is not
 * done refused, nothing forgotten.
 *
 * Several processes may work on one state at once, with the promises in
 * memory that they share. Each notes what may have happened before it calls,
 * and what has happened when the call returns, so that dying in between
 * leaves a doubt and not a lie.
 *
 * Included as code, after scene.c, by the programs that need it.
 */
#ifndef TESTS_PROMISES_H
#define TESTS_PROMISES_H

#include "state/state.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PROMISES_NAMES = 3,
	PROMISES_NUMBERS = 16384,	/* of each name */
	PROMISES_MESSAGES = 16384,
	PROMISES_WORKERS = 8,
	PROMISES_NOW = 1800000000
};

struct promised_message {
	unsigned char doubt, done, inside;	/* inside: a worker, from 1 */
	unsigned char receipt;			/* state_sent has returned */
};

struct promises {
	uint64_t seed;
	/* The messages that are worked on. */
	uint64_t first, count;
	bool careless;			/* takes every answer for E2E_OK */
	struct promised_message messages[PROMISES_MESSAGES];
	unsigned char given[PROMISES_NAMES][PROMISES_NUMBERS];
	uint64_t told[PROMISES_NAMES], epoch[PROMISES_NAMES];
	/* What came of it. */
	unsigned kept, broken, admitted, interrupted, done, refused, numbers;
	char how[160];			/* one was broken */
};

/* One call or two. The error is one that no promise allows for. */
enum e2e_error promises_work(struct promises *p, struct state *s,
    unsigned worker, struct dice *dice);
/* This worker is no more. */
void promises_died(struct promises *p, unsigned worker);
/* Every message is as promised, and those that are not done are done now. */
enum e2e_error promises_settle(struct promises *p, struct state *s);

#endif
