/* ledger.c: transactions drawn at random, and their promises. */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdef"

enum { POOL = 40, LARGE = 2 };

static struct message pool[POOL];

static void
fill_pool(void)
{
	struct dice dice = { 7 };

	for (uint64_t i = 0; i < POOL && pool[i].bytes == NULL; i++)
		pool[i] = message_make(i, i < LARGE ? 300000 + (size_t)i :
		    1 + (size_t)dice_roll(&dice, 3000));
}

static void
empty_pool(void)
{
	for (int i = 0; i < POOL; i++)
		message_free(&pool[i]);
}

void
ledger_open(struct ledger *l)
{
	fill_pool();
	*l = (struct ledger){ .now = 1000 };
	assert_int_equal(store_model_open(&l->before), E2E_OK);
	assert_int_equal(store_model_open(&l->after), E2E_OK);
}

void
ledger_close(struct ledger *l)
{
	l->before->ops->close(l->before);
	l->after->ops->close(l->after);
	empty_pool();
}

/* ---- work ---- */

static enum e2e_error
enroll_one(struct store *s, char letter, uint64_t serial)
{
	struct store_card card = { .serial = serial, .registered = 5 };
	enum store_registration result;

	box_id(card.id, letter);
	card.name[0] = letter;
	card.card = (struct bytes){ (unsigned char *)&card.serial,
	    sizeof card.serial };
	return s->ops->enroll(s, &card, &result);
}

static enum e2e_error
do_deposit(struct store *s, struct dice *dice, uint64_t now)
{
	/* Large ones now and then. */
	uint64_t pick = dice_roll(dice, 30) == 0 ? dice_roll(dice, LARGE) :
	    LARGE + dice_roll(dice, POOL - LARGE);
	uint64_t until = now + 1 + dice_roll(dice, 60);
	char letters[SCENE_BOXES_MAX + 1];
	size_t n = 0;

	for (const char *c = LETTERS; *c != '\0'; c++)
		if (dice_roll(dice, 3) == 0)
			letters[n++] = *c;
	letters[n] = '\0';
	return scene_deposit(s, &pool[pick], letters, now, until,
	    dice_roll(dice, 4) == 0).error;
}

static enum e2e_error
do_acknowledge(struct store *s, struct dice *dice, bool not)
{
	struct store_item items[3];
	unsigned char id[E2E_ID_LEN];
	uint64_t seqs[3];
	size_t count = 1 + (size_t)dice_roll(dice, 3);
	enum e2e_error err;
	bool moved;

	box_id(id, LETTERS[dice_roll(dice, strlen(LETTERS))]);
	err = s->ops->list(s, id, 0, 0, items, &count, NULL);
	if (err != E2E_OK || count == 0)
		return err;
	for (size_t i = 0; i < count; i++)
		seqs[i] = items[i].seq;
	return not ? s->ops->unacknowledged(s, id, seqs[0], 2, &moved) :
	    s->ops->acknowledge(s, id, seqs, count, 1);
}

static enum e2e_error
do_one(struct store *s, struct dice *dice, uint64_t now)
{
	struct store_expired gone;
	uint64_t staged = 0;
	char letter;

	switch (dice_roll(dice, 16)) {
	case 0:
		return s->ops->expire(s, now, 10, &gone);
	case 1:
		letter = LETTERS[dice_roll(dice, strlen(LETTERS))];
		return enroll_one(s, letter, 2 + dice_roll(dice, 100));
	case 2:		/* and never deposited */
		return dice_roll(dice, 4) != 0 ? E2E_OK : s->ops->stage(s,
		    &staged, (struct bytes){ pool[0].bytes, 5000 });
	case 3:
		return do_acknowledge(s, dice, true);
	case 4: case 5: case 6: case 7:
		return do_acknowledge(s, dice, false);
	default:
		return do_deposit(s, dice, now);
	}
}

/* All of a transaction but its end. Number 0 makes the mailboxes. */
static enum e2e_error
make(struct store *s, uint64_t number, uint64_t now)
{
	struct dice dice = { number };
	enum e2e_error err = E2E_OK;

	if (number == 0) {
		for (const char *c = LETTERS; *c != '\0' && err == E2E_OK;)
			err = enroll_one(s, *c++, 1);
		return err;
	}
	for (uint64_t n = 1 + dice_roll(&dice, 6); n > 0 && err == E2E_OK; n--)
		err = do_one(s, &dice, now);
	return err;
}

enum e2e_error
ledger_work(struct ledger *l, struct store *s, uint64_t number)
{
	enum e2e_error err;

	l->now++;
	assert_false(l->open);
	if ((err = s->ops->begin(s)) != E2E_OK)
		return err;
	if ((err = make(s, number, l->now)) != E2E_OK) {
		(void)s->ops->rollback(s);	/* may fail as well */
		return err;
	}
	scene_begin(l->after);
	assert_int_equal(make(l->after, number, l->now), E2E_OK);
	if ((err = s->ops->commit(s)) != E2E_OK) {
		l->open = true;
		l->number = number;
		return err;
	}
	scene_commit(l->after);
	scene_begin(l->before);
	assert_int_equal(make(l->before, number, l->now), E2E_OK);
	scene_commit(l->before);
	l->promises++;
	return E2E_OK;
}

enum e2e_error
ledger_enroll(struct ledger *l, struct store *s)
{
	return ledger_work(l, s, 0);
}

/* ---- comparing ---- */

static bool
same_box(struct store *a, struct store *b, char letter)
{
	struct store *stores[2] = { a, b };
	static struct store_item items[2][STORE_ITEMS_MAX];
	size_t count[2] = { STORE_ITEMS_MAX, STORE_ITEMS_MAX };
	struct store_summary sums[2];
	struct store_card cards[2];
	struct buffer bytes[2], more[2];
	unsigned char id[E2E_ID_LEN];
	bool same = true, found[2];

	box_id(id, letter);
	for (int i = 0; i < 2; i++) {
		const struct store_ops *ops = stores[i]->ops;

		buffer_init(&bytes[i], 8 << 20);
		buffer_init(&more[i], 8 << 20);
		same = ops->summary(stores[i], id, &sums[i]) == E2E_OK &&
		    ops->list(stores[i], id, 0, 0, items[i], &count[i],
		    &bytes[i]) == E2E_OK &&
		    ops->lookup(stores[i], id, NULL, true, &cards[i],
		    &more[i], &found[i]) == E2E_OK && same;
	}
	same = same && found[0] == found[1] && count[0] == count[1] &&
	    sums[0].items == sums[1].items &&
	    sums[0].bytes == sums[1].bytes &&
	    sums[0].dropped == sums[1].dropped &&
	    sums[0].oldest == sums[1].oldest &&
	    cards[0].serial == cards[1].serial &&
	    bytes_equal(cards[0].card, cards[1].card);
	for (size_t i = 0; same && i < count[0]; i++)
		same = items[0][i].seq == items[1][i].seq &&
		    items[0][i].stored == items[1][i].stored &&
		    items[0][i].until == items[1][i].until &&
		    memcmp(items[0][i].id, items[1][i].id,
		    STORE_ID_LEN) == 0 &&
		    bytes_equal(items[0][i].whole, items[1][i].whole);
	for (int i = 0; i < 2; i++) {
		buffer_free(&bytes[i]);
		buffer_free(&more[i]);
	}
	return same;
}

static bool
same(struct store *a, struct store *b)
{
	struct store_usage x, y;

	if (a->ops->usage(a, true, &x) != E2E_OK ||
	    b->ops->usage(b, true, &y) != E2E_OK)
		return false;
	if (x.mailboxes != y.mailboxes || x.items != y.items ||
	    x.bodies != y.bodies || x.bytes != y.bytes || x.seen != y.seen)
		return false;
	for (const char *c = LETTERS; *c != '\0'; c++)
		if (!same_box(a, b, *c))
			return false;
	return true;
}

bool
ledger_settle(struct ledger *l, struct store *s, const char **why)
{
	struct buffer report;
	bool sound, is_before;

	*why = "the store says it is damaged";
	buffer_init(&report, 4096);
	sound = s->ops->check(s, &report) == E2E_OK;
	buffer_free(&report);
	is_before = sound && same(l->before, s);
	if (!l->open) {
		if (sound)
			*why = "not what was committed";
		return is_before;
	}
	l->open = false;
	l->unsure++;
	if (is_before || !sound) {
		assert_int_equal(l->after->ops->rollback(l->after), E2E_OK);
		return sound;
	}
	scene_commit(l->after);
	*why = "neither with nor without the last transaction";
	l->arrived++;
	if (!same(l->after, s))
		return false;
	scene_begin(l->before);
	assert_int_equal(make(l->before, l->number, l->now), E2E_OK);
	scene_commit(l->before);
	return true;
}
