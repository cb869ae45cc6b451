/*
 * ledger.h: work drawn at random for a store, and what must be in it after it
 * was interrupted.
 *
 * Two models go along. `before` has what was committed; `after` has, besides,
 * the transaction whose commit was begun and has not returned. What is found
 * when the store is opened again must be one of the two, all of it.
 */
#ifndef TESTS_LEDGER_H
#define TESTS_LEDGER_H

#include "scene.h"

struct ledger {
	struct store *before, *after;
	uint64_t now;
	bool open;		/* a transaction may or may not be there: */
	uint64_t number;
	uint64_t unsure, arrived, promises;
};

void ledger_open(struct ledger *l);
void ledger_close(struct ledger *l);
/* The mailboxes, in a transaction like any other. */
enum e2e_error ledger_enroll(struct ledger *l, struct store *s);
/* One transaction; the same number, the same transaction. An error is that
 * of the store. */
enum e2e_error ledger_work(struct ledger *l, struct store *s,
    uint64_t number);
/* Compares with a store opened again, which is checked as well. False: it
 * is not as promised; *why. */
bool ledger_settle(struct ledger *l, struct store *s, const char **why);

#endif
