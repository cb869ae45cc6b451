/*
 * session.h: what the two parts of a session share: session.c takes, hand.c
 * hands on and acknowledges.
 */
#ifndef CMD_FETCH_SESSION_H
#define CMD_FETCH_SESSION_H

#include "fetch.h"

enum {
	SESSION_ACK_MAX = 64,
	/* Handed on, and waiting for signals to be let. */
	SESSION_KEPT_MAX = FETCH_BATCH_ITEMS
};

/*
 * 1. queue: what came and was not handed on.
 * 2. kept are handed on and not acknowledged; the ledger has them, too.
 * 3. granted counts the items for which credit was given, and those before
 *    this session; allowed and came those of this session. used is to be
 *    given again: for what was handed on, or with --batch, which gathers, for
 *    what came.
 * 4. searching: the relay does not know the number of `partial` any more.
 */
struct session {
	struct fetch *f;
	struct relay_client *r;
	struct fetch_queue queue;
	struct client_kept kept[SESSION_KEPT_MAX];
	size_t kept_count;
	uint64_t granted, used_items, used_bytes, left;
	uint64_t allowed, came, last_seq, most_bytes;
	unsigned idle;
	bool empty, searching, unflushed;
	struct fetch_partial partial;
	enum e2e_error broken;		/* while a command ran */
};

/* Of a failure that was told where it happened; gives it back. */
enum e2e_error session_told(struct session *s, enum e2e_error error);
/* For what was taken up, credit may be given again. */
void session_use_credit(struct session *s, const struct fetch_item *item);
/* While a command runs (child_watch; context is the session): the relay may
 * ask whether we are there. */
int session_take_meanwhile(void *context);

/* ---- hand.c ---- */

/* Have as many been handed on as --max says? */
bool hand_reached_max(const struct session *s);
/* What was handed on is safe where it is now. */
enum e2e_error hand_flush(struct session *s);
/* Acknowledges what is kept; signals are let, unless it fails. */
enum e2e_error hand_send_ack(struct session *s);
/* As much as was used up, but never for more than --max. */
enum e2e_error hand_send_credit(struct session *s);
/* The first of the queue; with --batch, as many as go together. */
enum e2e_error hand_on_next(struct session *s);
/*
 * The session broke, and what has come is whole: it is handed on, and
 * remembered, for it will come again. Signals stay held until it is written
 * down.
 */
enum e2e_error hand_on_rest(struct session *s);

#endif
