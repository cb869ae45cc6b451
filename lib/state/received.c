/*
 * received.c: which messages were opened, and in which order.
 *
 * Two things keep a message from being opened twice. While it is being
 * opened, a lock on one byte of a file, whose place follows from the
 * message's hash: it goes away with the process, however that ends. Before
 * and after, its row: pending rows are attempts of which nobody knows how
 * they ended, so they are tried again; only what is done is refused.
 *
 * What is forgotten moves the horizon: a message of before it, and without a
 * row, may be one of those.
 */
#include "state/tables.h"

#include "base/fd.h"
#include "base/number.h"
#include "state/window.h"

#include <string.h>

/* ---- the lock ---- */

/* One of 2^62 bytes. Two messages that have the same one wait for each other
 * and that is all. */
static uint64_t
place_of(const struct state_message *m)
{
	return ((uint64_t)number_get32(m->hash) << 32 |
	    number_get32(m->hash + 4)) >> 2;
}

static enum e2e_error
let_go(struct state *s, enum e2e_error err)
{
	s->admitted = false;
	if (fd_unlock_at(s->lock, place_of(&s->message)) != E2E_OK &&
	    err == E2E_OK)
		err = E2E_ERR_STORE;
	return err;
}

/* ---- windows ---- */

static void
bind_conversation(struct sqlite_statement *statement, int at,
    const struct state_message *m)
{
	sqlite_bind_bytes(statement, at, m->sender, sizeof m->sender);
	sqlite_bind_bytes(statement, at + 1, m->conversation,
	    sizeof m->conversation);
}

/* One in which nothing was seen if there is none. */
static enum e2e_error
get_window(struct state *s, const struct state_message *m, struct window *w)
{
	struct sqlite_statement *get = state_get(s, NUMBERS_GET);
	enum e2e_error err;
	bool row;

	memset(w, 0, sizeof *w);
	bind_conversation(get, 1, m);
	err = sqlite_step(get, &row);
	if (err == E2E_OK && row) {
		w->highest = sqlite_column(get, 0);
		err = state_column(s, get, 1, w->bits, sizeof w->bits);
	}
	sqlite_reset(get);
	return err;
}

static enum e2e_error
put_window(struct state *s, const struct state_message *m,
    const struct window *w, bool is_new)
{
	struct sqlite_statement *put = state_get(s, is_new ? NUMBERS_ADD :
	    NUMBERS_PUT);

	bind_conversation(put, 1, m);
	sqlite_bind(put, 3, w->highest);
	sqlite_bind_bytes(put, 4, w->bits, sizeof w->bits);
	sqlite_bind(put, 5, s->policy.now);
	return sqlite_do(put);
}

static enum e2e_error
add_number(struct state *s, const struct state_message *m)
{
	struct state_self self;
	struct window w;
	enum e2e_error err;
	bool is_new;

	if ((err = get_window(s, m, &w)) != E2E_OK)
		return err;
	is_new = window_look(&w, m->number) == WINDOW_FIRST;
	if (is_new) {
		err = state_self(s, &self);
		if (err == E2E_OK)
			err = state_forget(s, NUMBERS_FORGET, self.numbers);
	}
	window_add(&w, m->number);
	return err == E2E_OK ? put_window(s, m, &w, is_new) : err;
}

/* ---- messages ---- */

static enum e2e_error
find_message(struct state *s, const struct state_message *m, bool *found,
    bool *done)
{
	struct sqlite_statement *get = state_get(s, MESSAGE_GET);
	enum e2e_error err;

	*done = false;
	sqlite_bind_bytes(get, 1, m->hash, sizeof m->hash);
	err = sqlite_step(get, found);
	if (err == E2E_OK && *found)
		*done = sqlite_column(get, 0) != 0;
	sqlite_reset(get);
	return err;
}

static enum e2e_error
add_message(struct state *s, const struct state_message *m, bool done)
{
	struct sqlite_statement *add = state_get(s, MESSAGE_ADD);

	sqlite_bind_bytes(add, 1, m->hash, sizeof m->hash);
	sqlite_bind(add, 2, m->time);
	sqlite_bind(add, 3, done);
	if (m->numbered && !done) {
		bind_conversation(add, 4, m);
		sqlite_bind(add, 6, m->number);
	} else {
		sqlite_bind_null(add, 4);
		sqlite_bind_null(add, 5);
		sqlite_bind_null(add, 6);
	}
	return sqlite_do(add);
}

/* MESSAGE_DONE or MESSAGE_DELETE. */
static enum e2e_error
end_message(struct state *s, enum statement statement,
    const unsigned char hash[E2E_HASH_LEN])
{
	struct sqlite_statement *end = state_get(s, statement);

	sqlite_bind_bytes(end, 1, hash, E2E_HASH_LEN);
	return sqlite_do(end);
}

/*
 * The horizon does not come back, so a clock that is ahead for once must not
 * move it to where messages are still on their way. What is forgotten for its
 * age is that much older than the newest message, too, this one included.
 */
static enum e2e_error
find_cutoff(struct state *s, const struct state_message *m, uint64_t *cutoff)
{
	struct sqlite_statement *get = state_get(s, MESSAGE_NEWEST);
	uint64_t newest = m->time, keep = s->policy.keep;
	enum e2e_error err;
	bool row;

	*cutoff = state_cutoff(s);
	err = sqlite_step(get, &row);
	if (err != E2E_OK)
		return err;
	/* Of no message it is NULL, which reads as 0. */
	if (row && sqlite_column(get, 0) > newest)
		newest = sqlite_column(get, 0);
	sqlite_reset(get);
	newest = newest > keep ? newest - keep : 0;
	if (newest < *cutoff)
		*cutoff = newest;
	return E2E_OK;
}

/* Forgets the oldest message, if it is to be forgotten. */
static enum e2e_error
forget_one(struct state *s, struct state_self *self, uint64_t cutoff,
    bool *gone)
{
	struct sqlite_statement *oldest = state_get(s, MESSAGE_OLDEST);
	unsigned char hash[E2E_HASH_LEN];
	enum e2e_error err;
	uint64_t time = 0;
	bool row, done = false;

	*gone = false;
	err = sqlite_step(oldest, &row);
	if (err == E2E_OK && row) {
		time = sqlite_column(oldest, 1);
		done = sqlite_column(oldest, 2) != 0;
		*gone = time < cutoff || self->messages >= s->policy.rows;
		err = state_column(s, oldest, 0, hash, sizeof hash);
	}
	sqlite_reset(oldest);
	if (err != E2E_OK || !*gone)
		return err;
	self->messages--;
	/* What was not done may well come again. */
	if (done && time >= self->horizon)
		self->horizon = time + 1;
	return end_message(s, MESSAGE_DELETE, hash);
}

/* Before this one is added. */
static enum e2e_error
forget_messages(struct state *s, const struct state_message *m,
    struct state_self *self)
{
	struct sqlite_statement *put = state_get(s, SELF_HORIZON);
	uint64_t before, cutoff;
	enum e2e_error err;
	bool gone = true;

	if ((err = state_self(s, self)) != E2E_OK ||
	    (err = find_cutoff(s, m, &cutoff)) != E2E_OK)
		return err;
	before = self->horizon;
	for (int i = 0; i < FORGET_MAX && gone && err == E2E_OK; i++)
		err = forget_one(s, self, cutoff, &gone);
	if (err != E2E_OK || self->horizon == before)
		return err;
	sqlite_bind(put, 1, self->horizon);
	return sqlite_do(put);
}

/* ---- admitting ---- */

/* Has another message that is pending this number? */
static enum e2e_error
check_pending(struct state *s, const struct state_message *m)
{
	struct sqlite_statement *get = state_get(s, MESSAGE_NUMBERED);
	enum e2e_error err;
	bool row;

	bind_conversation(get, 1, m);
	sqlite_bind(get, 3, m->number);
	err = sqlite_step(get, &row);
	sqlite_reset(get);
	return err == E2E_OK && row ? E2E_ERR_NUMBER_REPEATED : err;
}

/* known: it was admitted once, and so is not asked for its number again. */
static enum e2e_error
put_in_order(struct state *s, const struct state_message *m, bool known,
    struct state_order *order)
{
	struct window w;
	enum e2e_error err;

	if (!m->numbered)
		return E2E_OK;
	if ((err = get_window(s, m, &w)) != E2E_OK)
		return err;
	switch (window_look(&w, m->number)) {
	case WINDOW_FIRST:
		order->place = STATE_FIRST;
		break;
	case WINDOW_NEXT:
		order->place = STATE_NEXT;
		break;
	case WINDOW_GAP:
		order->place = STATE_GAP;
		order->missing_from = w.highest + 1;
		order->missing_to = m->number - 1;
		break;
	case WINDOW_LATE:
		order->place = STATE_LATE;
		break;
	case WINDOW_SEEN:
		order->place = STATE_LATE;
		err = known ? E2E_OK : E2E_ERR_NUMBER_REPEATED;
		break;
	case WINDOW_BEHIND:
		order->place = STATE_LATE;
		err = known ? E2E_OK : E2E_ERR_NUMBER_BEHIND;
		break;
	}
	return err == E2E_OK && !known ? check_pending(s, m) : err;
}

static enum e2e_error
admit(struct state *s, const struct state_message *m,
    struct state_order *order)
{
	struct state_self self;
	enum e2e_error err;
	bool found, done;

	if ((err = find_message(s, m, &found, &done)) != E2E_OK)
		return err;
	if (done)
		return E2E_ERR_REPEATED;
	if (found) {
		order->interrupted = true;
		return put_in_order(s, m, true, order);
	}
	/* Only now: what is known is not forgotten for its own sake. */
	err = forget_messages(s, m, &self);
	if (err == E2E_OK)
		err = state_forget(s, NUMBERS_FORGET, 0);
	if (err == E2E_OK && m->time < self.horizon)
		err = E2E_ERR_TOO_OLD;
	if (err == E2E_OK)
		err = put_in_order(s, m, false, order);
	return err == E2E_OK ? add_message(s, m, false) : err;
}

enum e2e_error
state_admit(struct state *s, const struct state_message *message,
    struct state_order *order)
{
	enum e2e_error err;

	memset(order, 0, sizeof *order);
	s->why = NULL;
	if (s->admitted)
		return E2E_ERR_USAGE;
	if (message->time >= INT64_MAX ||
	    (message->numbered && message->number > INT64_MAX))
		return E2E_ERR_LIMIT;
	s->message = *message;
	err = state_lock(s, place_of(message), "another process is opening "
	    "the same message", &s->why);
	if (err != E2E_OK)
		return err;
	if ((err = state_begin(s)) == E2E_OK)
		err = state_end(s, admit(s, message, order));
	s->admitted = true;
	s->was_pending = order->interrupted;
	return err == E2E_OK ? E2E_OK : let_go(s, err);
}

/* ---- and after ---- */

static enum e2e_error
mark_done(struct state *s)
{
	const struct state_message *m = &s->message;
	struct state_self self;
	bool found, done;
	enum e2e_error err;

	if ((err = find_message(s, m, &found, &done)) != E2E_OK)
		return err;
	if (done)
		return E2E_ERR_REPEATED;
	if (found) {
		err = end_message(s, MESSAGE_DONE, m->hash);
	} else {
		/* Its row was forgotten meanwhile; behind the horizon none
		 * is needed. */
		err = state_self(s, &self);
		if (err == E2E_OK && m->time >= self.horizon)
			err = add_message(s, m, true);
	}
	return err == E2E_OK && m->numbered ? add_number(s, m) : err;
}

static enum e2e_error
unmark(struct state *s)
{
	bool found, done;
	enum e2e_error err;

	/* That this one failed says nothing about the one that was cut off:
	 * an altered copy must not make the good one look like a repeat. */
	if (s->was_pending)
		return E2E_OK;
	err = find_message(s, &s->message, &found, &done);
	/* Another handle may have done it. */
	return err == E2E_OK && found && !done ?
	    end_message(s, MESSAGE_DELETE, s->message.hash) : err;
}

enum e2e_error
state_done(struct state *s)
{
	enum e2e_error err;

	if (!s->admitted)
		return E2E_ERR_USAGE;
	if ((err = state_begin(s)) == E2E_OK)
		err = state_end(s, mark_done(s));
	return let_go(s, err);
}

enum e2e_error
state_leave(struct state *s)
{
	return s->admitted ? let_go(s, E2E_OK) : E2E_ERR_USAGE;
}

enum e2e_error
state_abandon(struct state *s)
{
	enum e2e_error err;

	if (!s->admitted)
		return E2E_ERR_USAGE;
	if ((err = state_begin(s)) == E2E_OK)
		err = state_end(s, unmark(s));
	return let_go(s, err);
}
