/* promises.c: keeps the other side of the books. */
#include "promises.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#define load(at) __atomic_load_n(at, __ATOMIC_SEQ_CST)
#define store(at, value) __atomic_store_n(at, value, __ATOMIC_SEQ_CST)
#define count(at) ((void)__atomic_fetch_add(at, 1, __ATOMIC_SEQ_CST))

static void
broken(struct promises *p, const char *what, uint64_t which, int code)
{
	if (__atomic_fetch_add(&p->broken, 1, __ATOMIC_SEQ_CST) == 0)
		(void)snprintf(p->how, sizeof p->how, "%s (%llu, %s)", what,
		    (unsigned long long)which,
		    e2e_error_text((enum e2e_error)code));
}

static void
raise_to(uint64_t *at, uint64_t value)
{
	uint64_t now = load(at);

	while (now < value && !__atomic_compare_exchange_n(at, &now, value,
	    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		continue;
}

static void
fill(unsigned char *bytes, size_t size, uint64_t number)
{
	struct dice dice = { number };

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)dice_roll(&dice, 256);
}

/* Every third one has no number; the others are of two conversations. */
static struct state_message
message_at(const struct promises *p, uint64_t at)
{
	struct state_message m = { .time = PROMISES_NOW - 1000 + at % 100 };

	fill(m.hash, sizeof m.hash, p->seed * 1000003 + at);
	m.numbered = at % 3 != 0;
	m.number = at;
	memset(m.sender, 7, sizeof m.sender);
	memset(m.conversation, (int)(at % 3), sizeof m.conversation);
	return m;
}

/* ---- numbers ---- */

static enum e2e_error
reserve(struct promises *p, struct state *s, struct dice *dice)
{
	unsigned char sender[E2E_ID_LEN] = { 1 };
	unsigned char conversation[STATE_CONVERSATION_LEN];
	unsigned name = (unsigned)dice_roll(dice, PROMISES_NAMES);
	uint64_t told = load(&p->told[name]), number;
	enum e2e_error err;

	err = state_reserve(s, sender, &name, sizeof name, conversation,
	    &number);
	if (err != E2E_OK)
		return err;
	if (number <= told || number >= PROMISES_NUMBERS) {
		broken(p, "a number that does not rise", number, err);
		return E2E_OK;
	}
	if (__atomic_exchange_n(&p->given[name][number], 1,
	    __ATOMIC_SEQ_CST) != 0)
		broken(p, "a number given out twice", number, err);
	raise_to(&p->told[name], number);
	count(&p->numbers);
	return E2E_OK;
}

/* ---- messages ---- */

/* What it takes to hand a message on, and lets others run. */
static void
deliver(void)
{
	for (int i = 0; i < 5; i++)
		(void)sched_yield();
}

static enum e2e_error
end(struct promises *p, struct state *s, uint64_t at, bool well)
{
	struct promised_message *m = &p->messages[at];
	enum e2e_error err;

	if (well)
		store(&m->doubt, 1);
	store(&m->inside, 0);
	err = well ? state_done(s) : state_abandon(s);
	if (p->careless)
		err = E2E_OK;
	if (err == E2E_ERR_REPEATED) {
		broken(p, "opened by two at once", at, err);
		return E2E_OK;
	}
	if (err != E2E_OK || !well)
		return err;
	if (__atomic_exchange_n(&m->done, 1, __ATOMIC_SEQ_CST) != 0)
		broken(p, "a message done twice", at, err);
	count(&p->done);
	return E2E_OK;
}

static enum e2e_error
open_message(struct promises *p, struct state *s, unsigned worker,
    uint64_t at, bool well)
{
	struct promised_message *m = &p->messages[at];
	struct state_message message = message_at(p, at);
	bool was_done = load(&m->done);
	struct state_order order;
	enum e2e_error err;

	err = state_admit(s, &message, &order);
	if (err == E2E_ERR_REPEATED) {
		if (!load(&m->doubt))
			broken(p, "refused, though it was never done", at,
			    err);
		count(&p->refused);
		return E2E_OK;
	}
	if (err == E2E_ERR_TOO_OLD || err == E2E_ERR_NUMBER_REPEATED ||
	    err == E2E_ERR_NUMBER_BEHIND) {
		broken(p, "refused for no reason", at, err);
		return E2E_OK;
	}
	if (err != E2E_OK)
		return err;
	if (was_done)
		broken(p, "admitted again after it was done", at, err);
	if (__atomic_exchange_n(&m->inside, (unsigned char)worker,
	    __ATOMIC_SEQ_CST) != 0)
		broken(p, "opened by two at once", at, err);
	count(&p->admitted);
	if (order.interrupted)
		count(&p->interrupted);
	deliver();
	return end(p, s, at, well);
}

/* ---- receipts and epochs ---- */

static struct state_sent
sent_at(const struct promises *p, uint64_t at)
{
	struct state_sent sent = { .time = PROMISES_NOW };

	fill(sent.id, sizeof sent.id, p->seed + at);
	fill(sent.hash, sizeof sent.hash, p->seed + at * 3);
	fill(sent.data_hash, sizeof sent.data_hash, p->seed + at * 5);
	return sent;
}

static enum e2e_error
expect_receipt(struct promises *p, struct state *s, uint64_t at)
{
	struct state_sent sent = sent_at(p, at);
	enum e2e_error err = state_sent(s, &sent);

	if (err == E2E_OK || p->careless)
		store(&p->messages[at].receipt, 1);
	return p->careless ? E2E_OK : err;
}

static enum e2e_error
look_for_receipt(struct promises *p, struct state *s, uint64_t at)
{
	bool there = load(&p->messages[at].receipt), found;
	struct state_sent want = sent_at(p, at), sent = want;
	enum e2e_error err;

	memset(sent.hash, 0, sizeof sent.hash);
	memset(sent.data_hash, 0, sizeof sent.data_hash);
	if ((err = state_find_sent(s, &sent, &found)) != E2E_OK)
		return err;
	if ((there && !found) || (found && (sent.time != want.time ||
	    memcmp(sent.hash, want.hash, sizeof sent.hash) != 0 ||
	    memcmp(sent.data_hash, want.data_hash,
	    sizeof sent.data_hash) != 0)))
		broken(p, "a receipt is not expected any more", at, err);
	return E2E_OK;
}

static enum e2e_error
raise_epoch(struct promises *p, struct state *s, uint64_t name,
    uint64_t epoch)
{
	static const unsigned char maker[E2E_ID_LEN] = { 3 },
	    random[STATE_GROUP_LEN] = { 4 };
	uint64_t told = load(&p->epoch[name]), highest;
	enum e2e_error err;

	err = state_epoch(s, maker, random, &name, sizeof name, epoch,
	    &highest);
	if (err != E2E_OK)
		return err;
	if (highest < told || highest < epoch)
		broken(p, "a lower epoch than is known", highest, err);
	raise_to(&p->epoch[name], highest);
	return E2E_OK;
}

/* ---- all of it ---- */

enum e2e_error
promises_work(struct promises *p, struct state *s, unsigned worker,
    struct dice *dice)
{
	uint64_t at = p->first + dice_roll(dice, p->count);
	enum e2e_error err;

	switch (dice_roll(dice, 8)) {
	case 0: case 1: case 2:
		err = reserve(p, s, dice);
		break;
	case 3:
		err = expect_receipt(p, s, at);
		break;
	case 4:
		err = dice_roll(dice, 2) == 0 ? look_for_receipt(p, s, at) :
		    raise_epoch(p, s, at % PROMISES_NAMES,
		    dice_roll(dice, UINT64_MAX));
		break;
	default:
		err = open_message(p, s, worker, at, dice_roll(dice, 6) != 0);
	}
	if (err == E2E_OK)
		count(&p->kept);
	return err;
}

void
promises_died(struct promises *p, unsigned worker)
{
	for (uint64_t i = p->first; i < p->first + p->count; i++)
		if (load(&p->messages[i].inside) == worker)
			store(&p->messages[i].inside, 0);
}

enum e2e_error
promises_settle(struct promises *p, struct state *s)
{
	struct dice dice = { p->seed };
	enum e2e_error err = E2E_OK;

	for (uint64_t i = p->first; i < p->first + p->count &&
	    err == E2E_OK; i++) {
		struct promised_message *m = &p->messages[i];

		err = open_message(p, s, PROMISES_WORKERS, i, true);
		/* It was done, and the answer did not arrive. */
		m->done = 1;
		if (err == E2E_OK)
			err = open_message(p, s, PROMISES_WORKERS, i, true);
		if (err == E2E_OK)
			err = look_for_receipt(p, s, i);
	}
	for (uint64_t i = 0; i < PROMISES_NAMES && err == E2E_OK; i++) {
		err = raise_epoch(p, s, i, 0);
		if (err == E2E_OK)
			err = reserve(p, s, &dice);
	}
	return err;
}
