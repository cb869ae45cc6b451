/*
 * What every store does, tried on each of them; and thousands of operations
 * drawn at random, done to each and compared.
 */
#include "../store/scene.c"

#include <e2e/error.h>

#define NOW 1000
#define END 2000

struct place {
	struct folder folder;
	struct store *store;
};

struct factory {
	const char *name;
	bool on_disk;
	enum e2e_error (*open)(struct store **store, const char *folder);
};

static enum e2e_error
open_model(struct store **store, const char *folder)
{
	return store_model_open(store);
}

static enum e2e_error
open_sqlite(struct store **store, const char *folder)
{
	return store_sqlite_open(store, folder, STORE_WRITE, NULL);
}

static const struct factory factories[] = {
	{ "model", false, open_model },
	{ "sqlite", true, open_sqlite }
};

static struct place
enter(const struct factory *factory)
{
	struct place p;

	folder_make(&p.folder);
	assert_int_equal(factory->open(&p.store, p.folder.store), E2E_OK);
	assert_non_null(p.store->ops->name);
	return p;
}

static void
leave(struct place *p)
{
	scene_check(p->store);
	p->store->ops->close(p->store);
	folder_remove(&p->folder);
}

/* ---- small questions ---- */

static struct store_usage
usage_of(struct store *s)
{
	struct store_usage quick, exact;

	assert_int_equal(s->ops->usage(s, false, &quick), E2E_OK);
	assert_int_equal(s->ops->usage(s, true, &exact), E2E_OK);
	assert_int_equal(quick.mailboxes, exact.mailboxes);
	assert_int_equal(quick.items, exact.items);
	assert_int_equal(quick.bodies, exact.bodies);
	assert_int_equal(quick.bytes, exact.bytes);
	assert_int_equal(quick.seen, exact.seen);
	return exact;
}

static struct store_summary
summary_of(struct store *s, char letter)
{
	unsigned char id[E2E_ID_LEN];
	struct store_summary summary;

	box_id(id, letter);
	assert_int_equal(s->ops->summary(s, id, &summary), E2E_OK);
	return summary;
}

struct listed {
	struct store_item items[STORE_ITEMS_MAX];
	size_t count;
	struct buffer bytes;
};

static void
list_box(struct store *s, char letter, uint64_t after, uint64_t now,
    size_t count, size_t limit, struct listed *l)
{
	unsigned char id[E2E_ID_LEN];

	box_id(id, letter);
	buffer_init(&l->bytes, limit);
	l->count = count;
	assert_int_equal(s->ops->list(s, id, after, now, l->items, &l->count,
	    &l->bytes), E2E_OK);
	assert_true(l->count <= count);
}

static void
expect_whole(const struct store_item *item, const struct message *m)
{
	assert_int_equal(item->size, m->size);
	assert_memory_equal(item->id, m->id, STORE_ID_LEN);
	assert_int_equal(item->whole.length, m->size);
	assert_memory_equal(item->whole.data, m->bytes, m->size);
}

static enum e2e_error
acknowledge(struct store *s, char letter, uint64_t seq, uint64_t told)
{
	unsigned char id[E2E_ID_LEN];
	enum e2e_error err;

	box_id(id, letter);
	scene_begin(s);
	err = s->ops->acknowledge(s, id, &seq, 1, told);
	scene_commit(s);
	return err;
}

static uint64_t
first_seq(struct store *s, char letter)
{
	struct listed l;

	list_box(s, letter, 0, 0, 1, 0, &l);
	assert_int_equal(l.count, 1);
	buffer_free(&l.bytes);
	return l.items[0].seq;
}

/* ---- scenarios ---- */

static void
test_mail_comes_in_order(void **state)
{
	struct place p = enter(*state);
	struct message m[5];
	struct listed l;
	struct store_summary summary;

	scene_enroll(p.store, "ab");
	for (uint64_t i = 0; i < 5; i++) {
		struct handed h;

		m[i] = message_make(i, 100 + i);
		h = scene_send(p.store, &m[i], "a", NOW + i, END + i);
		assert_int_equal(h.outcomes[0], STORE_STORED);
		assert_int_equal(h.until, END + i);
	}
	summary = summary_of(p.store, 'a');
	assert_true(summary.known);
	assert_int_equal(summary.items, 5);
	assert_int_equal(summary.bytes, 510);
	assert_int_equal(summary.oldest, NOW);
	assert_int_equal(summary.dropped, 0);
	assert_int_equal(summary_of(p.store, 'b').items, 0);
	assert_int_equal(summary_of(p.store, 'b').oldest, 0);
	assert_false(summary_of(p.store, 'x').known);

	list_box(p.store, 'a', 0, NOW, STORE_ITEMS_MAX, 10000, &l);
	assert_int_equal(l.count, 5);
	for (size_t i = 0; i < 5; i++) {
		expect_whole(&l.items[i], &m[i]);
		assert_int_equal(l.items[i].stored, NOW + i);
		assert_int_equal(l.items[i].until, END + i);
		if (i > 0)
			assert_true(l.items[i].seq > l.items[i - 1].seq);
	}
	buffer_free(&l.bytes);
	list_box(p.store, 'a', l.items[1].seq, NOW, 2, 0, &l);
	assert_int_equal(l.count, 2);
	assert_memory_equal(l.items[0].id, m[2].id, STORE_ID_LEN);
	assert_null(l.items[0].whole.data);
	buffer_free(&l.bytes);
	/* What has ended is not handed out, though still there. */
	list_box(p.store, 'a', 0, END + 1, STORE_ITEMS_MAX, 0, &l);
	assert_int_equal(l.count, 3);
	buffer_free(&l.bytes);
	list_box(p.store, 'x', 0, NOW, STORE_ITEMS_MAX, 0, &l);
	assert_int_equal(l.count, 0);
	buffer_free(&l.bytes);
	for (size_t i = 0; i < 5; i++)
		message_free(&m[i]);
	leave(&p);
}

static void
test_list_ends_at_what_does_not_fit(void **state)
{
	struct place p = enter(*state);
	static const size_t sizes[] = { 100, 100, 5000, 10 };
	struct message m[4];
	struct listed l;

	scene_enroll(p.store, "a");
	for (size_t i = 0; i < 4; i++) {
		m[i] = message_make(i, sizes[i]);
		(void)scene_send(p.store, &m[i], "a", NOW, END);
	}
	list_box(p.store, 'a', 0, NOW, STORE_ITEMS_MAX, 1000, &l);
	assert_int_equal(l.count, 4);
	expect_whole(&l.items[0], &m[0]);
	expect_whole(&l.items[1], &m[1]);
	assert_null(l.items[2].whole.data);
	assert_null(l.items[3].whole.data);
	assert_int_equal(l.bytes.length, 200);
	buffer_free(&l.bytes);
	for (size_t i = 0; i < 4; i++)
		message_free(&m[i]);
	leave(&p);
}

static void
test_repeats_are_kept_for_who_had_not(void **state)
{
	struct place p = enter(*state);
	struct message m = message_make(1, 300);
	struct handed h;

	scene_enroll(p.store, "ab");
	h = scene_send(p.store, &m, "ax", NOW, END);
	assert_int_equal(h.outcomes[0], STORE_STORED);
	assert_int_equal(h.outcomes[1], STORE_UNKNOWN);
	assert_int_equal(h.until, END);
	h = scene_send(p.store, &m, "abx", NOW + 5, END + 5);
	assert_int_equal(h.outcomes[0], STORE_DUPLICATE);
	assert_int_equal(h.outcomes[1], STORE_STORED);
	assert_int_equal(h.outcomes[2], STORE_UNKNOWN);
	assert_int_equal(h.until, END);		/* the earliest */
	assert_int_equal(usage_of(p.store).bodies, 1);
	assert_int_equal(usage_of(p.store).items, 2);
	assert_int_equal(usage_of(p.store).bytes, 300);

	/* Acknowledged is not forgotten. */
	assert_int_equal(acknowledge(p.store, 'a', first_seq(p.store, 'a'),
	    0), E2E_OK);
	assert_int_equal(usage_of(p.store).bodies, 1);
	h = scene_send(p.store, &m, "a", NOW + 6, END + 6);
	assert_int_equal(h.outcomes[0], STORE_DUPLICATE);
	assert_int_equal(h.until, END);
	assert_int_equal(summary_of(p.store, 'a').items, 0);
	/* When its time is over it may come again. */
	h = scene_send(p.store, &m, "a", END, END + 100);
	assert_int_equal(h.outcomes[0], STORE_STORED);
	assert_int_equal(h.until, END + 100);
	assert_int_equal(usage_of(p.store).bodies, 1);
	/* Over, though nobody has acknowledged it: the old one is gone. */
	h = scene_send(p.store, &m, "b", END + 5, END + 105);
	assert_int_equal(h.outcomes[0], STORE_STORED);
	assert_int_equal(summary_of(p.store, 'b').items, 1);
	assert_int_equal(summary_of(p.store, 'b').oldest, END + 5);
	h = scene_send(p.store, &m, "xy", NOW, END);
	assert_int_equal(h.outcomes[0], STORE_UNKNOWN);
	assert_int_equal(h.until, 0);
	message_free(&m);
	leave(&p);
}

static void
test_one_body_for_all(void **state)
{
	struct place p = enter(*state);
	struct message m = message_make(1, 5000);
	struct listed l;

	scene_enroll(p.store, "abc");
	(void)scene_send(p.store, &m, "abc", NOW, END);
	assert_int_equal(usage_of(p.store).bodies, 1);
	assert_int_equal(usage_of(p.store).bytes, 5000);
	for (const char *c = "abc"; *c != '\0'; c++) {
		list_box(p.store, *c, 0, NOW, 1, 5000, &l);
		assert_int_equal(l.count, 1);
		expect_whole(&l.items[0], &m);
		assert_int_equal(acknowledge(p.store, *c, l.items[0].seq, 0),
		    E2E_OK);
		assert_int_equal(usage_of(p.store).bodies, *c != 'c');
		buffer_free(&l.bytes);
	}
	assert_int_equal(usage_of(p.store).bytes, 0);
	assert_int_equal(usage_of(p.store).seen, 3);
	message_free(&m);
	leave(&p);
}

static struct handed
send_limited(struct store *s, const struct message *m, char letter,
    uint64_t bytes, uint64_t items)
{
	store_id box;
	struct handed h = { .error = E2E_OK };
	struct store_deposit d = { .now = NOW, .until = END, .size = m->size,
	    .body = { m->bytes, m->size }, .boxes = (const store_id *)&box,
	    .box_count = 1, .quota_bytes = bytes, .quota_items = items,
	    .outcomes = h.outcomes };

	memcpy(d.id, m->id, sizeof d.id);
	box_id(box, letter);
	scene_begin(s);
	assert_int_equal(s->ops->deposit(s, &d), E2E_OK);
	scene_commit(s);
	h.until = d.kept_until;
	return h;
}

static void
test_full_mailboxes(void **state)
{
	struct place p = enter(*state);
	struct message m[4];
	struct handed h;

	scene_enroll(p.store, "a");
	for (uint64_t i = 0; i < 4; i++)
		m[i] = message_make(i, 100);
	assert_int_equal(send_limited(p.store, &m[0], 'a', 250, 0)
	    .outcomes[0], STORE_STORED);
	assert_int_equal(send_limited(p.store, &m[1], 'a', 200, 0)
	    .outcomes[0], STORE_STORED);
	h = send_limited(p.store, &m[2], 'a', 250, 0);
	assert_int_equal(h.outcomes[0], STORE_QUOTA);
	assert_int_equal(h.until, 0);
	assert_int_equal(send_limited(p.store, &m[2], 'a', 0, 2)
	    .outcomes[0], STORE_QUOTA);
	assert_int_equal(send_limited(p.store, &m[2], 'a', 1, 0)
	    .outcomes[0], STORE_QUOTA);
	/* Who had it is not told of a full mailbox. */
	assert_int_equal(send_limited(p.store, &m[1], 'a', 0, 2)
	    .outcomes[0], STORE_DUPLICATE);
	assert_int_equal(summary_of(p.store, 'a').dropped, 3);
	assert_int_equal(usage_of(p.store).bodies, 2);
	assert_int_equal(acknowledge(p.store, 'a', first_seq(p.store, 'a'),
	    2), E2E_OK);
	assert_int_equal(summary_of(p.store, 'a').dropped, 1);
	assert_int_equal(send_limited(p.store, &m[2], 'a', 250, 2)
	    .outcomes[0], STORE_STORED);
	assert_int_equal(acknowledge(p.store, 'a', 12345, 99), E2E_OK);
	assert_int_equal(summary_of(p.store, 'a').dropped, 0);
	assert_int_equal(summary_of(p.store, 'a').items, 2);
	for (size_t i = 0; i < 4; i++)
		message_free(&m[i]);
	leave(&p);
}

static void
expect_range(struct store *s, uint64_t body, const struct message *m,
    uint64_t offset, size_t size)
{
	struct buffer b;
	size_t expected = 0;

	if (offset < m->size)
		expected = m->size - offset < size ?
		    (size_t)(m->size - offset) : size;
	buffer_init(&b, SCENE_MESSAGE_MAX);
	assert_int_equal(s->ops->read(s, body, offset, size, &b), E2E_OK);
	assert_int_equal(b.length, expected);
	if (expected > 0)
		assert_memory_equal(b.data, m->bytes + offset, expected);
	buffer_free(&b);
}

/* Of three pieces, or of one that is not full. */
static void
try_pieces(struct store *s, size_t size, bool staged)
{
	struct message m = message_make(size + staged, size);
	unsigned char id[E2E_ID_LEN];
	struct store_item item;
	struct listed l;
	struct buffer b;
	bool found;

	scene_begin(s);
	assert_int_equal(scene_deposit(s, &m, "ab", NOW, END, staged)
	    .outcomes[1], STORE_STORED);
	scene_commit(s);
	list_box(s, 'a', 0, NOW, 1, SCENE_MESSAGE_MAX, &l);
	assert_int_equal(l.count, 1);
	expect_whole(&l.items[0], &m);
	box_id(id, 'a');
	assert_int_equal(s->ops->find(s, id, l.items[0].seq, &item, &found),
	    E2E_OK);
	assert_true(found);
	assert_int_equal(item.body, l.items[0].body);
	assert_int_equal(item.size, size);
	assert_memory_equal(item.id, m.id, STORE_ID_LEN);
	assert_int_equal(s->ops->find(s, id, l.items[0].seq + 1, &item,
	    &found), E2E_OK);
	assert_false(found);
	buffer_free(&l.bytes);

	item.body = l.items[0].body;
	expect_range(s, item.body, &m, 0, size);
	expect_range(s, item.body, &m, 0, 1);
	expect_range(s, item.body, &m, size - 1, 100);
	expect_range(s, item.body, &m, size, 100);
	expect_range(s, item.body, &m, size / 2, size);
	expect_range(s, item.body, &m, STORE_PIECE_LEN - 1, 2);
	expect_range(s, item.body, &m, STORE_PIECE_LEN, STORE_PIECE_LEN + 1);
	expect_range(s, item.body, &m, UINT64_MAX, 2);

	assert_int_equal(acknowledge(s, 'a', l.items[0].seq, 0), E2E_OK);
	expect_range(s, item.body, &m, 0, size);
	assert_int_equal(acknowledge(s, 'b', first_seq(s, 'b'), 0), E2E_OK);
	buffer_init(&b, 100);
	assert_int_equal(s->ops->read(s, item.body, 0, 100, &b), E2E_OK);
	assert_int_equal(b.length, 0);
	buffer_free(&b);
	message_free(&m);
}

static void
test_pieces(void **state)
{
	static const size_t sizes[] = { 1, 3000, STORE_PIECE_LEN - 1,
	    STORE_PIECE_LEN, STORE_PIECE_LEN + 1, 2 * STORE_PIECE_LEN, 700000 };
	struct place p = enter(*state);

	scene_enroll(p.store, "ab");
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		try_pieces(p.store, sizes[i], true);
		try_pieces(p.store, sizes[i], false);
	}
	leave(&p);
}

static void
test_what_is_staged_and_not_kept_is_dropped(void **state)
{
	struct place p = enter(*state);
	struct message m = message_make(1, 300000);
	struct handed h;
	uint64_t staged = 0;

	scene_enroll(p.store, "ab");
	/* Nobody takes it; somebody has it already. */
	for (int i = 0; i < 2; i++) {
		scene_begin(p.store);
		h = scene_deposit(p.store, &m, "x", NOW, END, true);
		assert_int_equal(h.error, E2E_OK);
		assert_int_equal(h.outcomes[0], STORE_UNKNOWN);
		h = scene_deposit(p.store, &m, "a", NOW, END, true);
		assert_int_equal(h.error, E2E_OK);
		assert_int_equal(h.outcomes[0], i == 0 ? STORE_STORED :
		    STORE_DUPLICATE);
		scene_commit(p.store);
		scene_check(p.store);
	}
	/* Another mailbox, while the body is there, and after it has gone. */
	for (int i = 0; i < 2; i++) {
		scene_begin(p.store);
		h = scene_deposit(p.store, &m, i == 0 ? "b" : "c", NOW, END,
		    true);
		assert_int_equal(h.error, E2E_OK);
		assert_int_equal(h.outcomes[0], STORE_STORED);
		scene_commit(p.store);
		scene_check(p.store);
		assert_int_equal(usage_of(p.store).bodies, 1);
		if (i == 1)
			break;
		assert_int_equal(acknowledge(p.store, 'a',
		    first_seq(p.store, 'a'), 0), E2E_OK);
		assert_int_equal(acknowledge(p.store, 'b',
		    first_seq(p.store, 'b'), 0), E2E_OK);
		assert_int_equal(usage_of(p.store).bodies, 0);
		scene_enroll(p.store, "c");
	}
	/* Nobody can read what has not arrived. */
	scene_begin(p.store);
	assert_int_equal(p.store->ops->stage(p.store, &staged,
	    (struct bytes){ m.bytes, 100 }), E2E_OK);
	scene_commit(p.store);
	assert_int_not_equal(staged, 0);
	{
		struct buffer b;

		buffer_init(&b, 100);
		assert_int_equal(p.store->ops->read(p.store, staged, 0, 100,
		    &b), E2E_OK);
		assert_int_equal(b.length, 0);
		buffer_free(&b);
	}
	assert_int_equal(usage_of(p.store).bodies, 1);
	scene_begin(p.store);
	assert_int_equal(p.store->ops->unstage(p.store, staged), E2E_OK);
	assert_int_equal(p.store->ops->unstage(p.store, staged), E2E_OK);
	scene_commit(p.store);
	message_free(&m);
	leave(&p);
}

static void
test_what_was_staged_wrongly(void **state)
{
	struct place p = enter(*state);
	struct store_ops const *ops = p.store->ops;
	unsigned char bytes[100] = { 0 };
	struct bytes piece = { bytes, sizeof bytes };
	struct store_deposit d = { .now = NOW, .until = END, .size = 100 };
	uint64_t staged;

	/* Behind a short piece, behind none, of nothing. */
	scene_begin(p.store);
	staged = 0;
	assert_int_equal(ops->stage(p.store, &staged, piece), E2E_OK);
	assert_int_equal(ops->stage(p.store, &staged, piece), E2E_ERR_USAGE);
	/* Then nothing is possible but to roll back. */
	assert_int_not_equal(ops->unstage(p.store, staged), E2E_OK);
	assert_int_not_equal(ops->commit(p.store), E2E_OK);
	assert_int_equal(ops->rollback(p.store), E2E_OK);
	scene_begin(p.store);
	staged = 999;
	assert_int_equal(ops->stage(p.store, &staged, piece), E2E_ERR_USAGE);
	assert_int_equal(ops->rollback(p.store), E2E_OK);
	scene_begin(p.store);
	staged = 0;
	assert_int_equal(ops->stage(p.store, &staged,
	    (struct bytes){ NULL, 0 }), E2E_ERR_USAGE);
	assert_int_equal(ops->rollback(p.store), E2E_OK);
	/* A deposit of another size; of what is not there. */
	scene_begin(p.store);
	staged = 0;
	assert_int_equal(ops->stage(p.store, &staged, piece), E2E_OK);
	d.staged = staged;
	d.size = 99;
	assert_int_equal(ops->deposit(p.store, &d), E2E_ERR_USAGE);
	assert_int_equal(ops->rollback(p.store), E2E_OK);
	scene_begin(p.store);
	d.staged = 12345;
	assert_int_equal(ops->deposit(p.store, &d), E2E_ERR_USAGE);
	assert_int_equal(ops->rollback(p.store), E2E_OK);
	scene_begin(p.store);
	d.staged = 0;
	d.body = piece;
	assert_int_equal(ops->deposit(p.store, &d), E2E_ERR_USAGE);
	assert_int_equal(ops->rollback(p.store), E2E_OK);
	leave(&p);
}

static bool
unacknowledged(struct store *s, char letter, uint64_t seq, unsigned limit)
{
	unsigned char id[E2E_ID_LEN];
	bool moved;

	box_id(id, letter);
	scene_begin(s);
	assert_int_equal(s->ops->unacknowledged(s, id, seq, limit, &moved),
	    E2E_OK);
	scene_commit(s);
	return moved;
}

static void
test_poison_moves_behind(void **state)
{
	struct place p = enter(*state);
	struct message m[2] = { message_make(1, 10), message_make(2, 20) };
	struct listed l;
	uint64_t seq;

	scene_enroll(p.store, "ab");
	(void)scene_send(p.store, &m[0], "ab", NOW, END);
	(void)scene_send(p.store, &m[1], "a", NOW + 1, END);
	for (int round = 0; round < 2; round++) {
		seq = first_seq(p.store, 'a');
		assert_false(unacknowledged(p.store, 'a', seq, 3));
		assert_false(unacknowledged(p.store, 'a', seq, 3));
		assert_true(unacknowledged(p.store, 'a', seq, 3));
		assert_false(unacknowledged(p.store, 'a', seq, 3));
		list_box(p.store, 'a', 0, NOW, 5, 1000, &l);
		assert_int_equal(l.count, 2);
		expect_whole(&l.items[0], &m[1 - round]);
		expect_whole(&l.items[1], &m[round]);
		assert_int_equal(l.items[1].stored, NOW + (uint64_t)round);
		buffer_free(&l.bytes);
		scene_check(p.store);
	}
	assert_false(unacknowledged(p.store, 'a', 12345, 1));
	assert_false(unacknowledged(p.store, 'x', 1, 1));
	/* It is known as seen, and found when it ends. */
	assert_int_equal(scene_send(p.store, &m[0], "a", NOW, END)
	    .outcomes[0], STORE_DUPLICATE);
	assert_int_equal(first_seq(p.store, 'b'), 1);
	message_free(&m[0]);
	message_free(&m[1]);
	leave(&p);
}

static struct store_expired
expire(struct store *s, uint64_t now, size_t limit)
{
	struct store_expired gone;

	scene_begin(s);
	assert_int_equal(s->ops->expire(s, now, limit, &gone), E2E_OK);
	scene_commit(s);
	return gone;
}

static void
test_everything_ends(void **state)
{
	struct place p = enter(*state);
	struct message m[10];
	struct store_expired gone;

	scene_enroll(p.store, "ab");
	for (uint64_t i = 0; i < 10; i++) {
		m[i] = message_make(i, 100);
		(void)scene_send(p.store, &m[i], i % 2 == 0 ? "a" : "ab", NOW,
		    END + i);
	}
	assert_int_equal(acknowledge(p.store, 'a', first_seq(p.store, 'a'),
	    0), E2E_OK);
	assert_true(unacknowledged(p.store, 'b', first_seq(p.store, 'b'), 1));
	gone = expire(p.store, END - 1, 100);
	assert_int_equal(gone.seen, 0);
	gone = expire(p.store, END + 1, 100);	/* 0 was acknowledged */
	assert_int_equal(gone.seen, 3);
	assert_int_equal(gone.items, 2);
	assert_int_equal(gone.bytes, 200);
	assert_int_equal(usage_of(p.store).bodies, 8);
	gone = expire(p.store, UINT64_MAX, 5);
	assert_int_equal(gone.seen, 5);
	assert_int_equal(gone.items, 5);
	scene_check(p.store);
	gone = expire(p.store, UINT64_MAX, 100);
	assert_int_equal(gone.items, 7);
	assert_int_equal(usage_of(p.store).items, 0);
	assert_int_equal(usage_of(p.store).bodies, 0);
	assert_int_equal(usage_of(p.store).seen, 0);
	assert_int_equal(usage_of(p.store).bytes, 0);
	assert_int_equal(summary_of(p.store, 'a').bytes, 0);
	for (size_t i = 0; i < 10; i++)
		message_free(&m[i]);
	leave(&p);
}

/* ---- the directory ---- */

static enum store_registration
enroll(struct store *s, char letter, const char *name, uint64_t serial,
    const char *text)
{
	struct store_card card = { .serial = serial, .registered = serial };
	enum store_registration result;

	box_id(card.id, letter);
	(void)snprintf(card.name, sizeof card.name, "%s", name);
	card.card = (struct bytes){ (const unsigned char *)text,
	    strlen(text) };
	scene_begin(s);
	assert_int_equal(s->ops->enroll(s, &card, &result), E2E_OK);
	scene_commit(s);
	return result;
}

/* Looks up by letter, or by name if it is 0; "" in `text`: not found. */
static void
expect_card(struct store *s, char letter, const char *name, bool retired,
    const char *text, const char *revocation)
{
	unsigned char id[E2E_ID_LEN];
	struct store_card card;
	struct buffer b;
	bool found;

	box_id(id, letter);
	buffer_init(&b, 1000);
	assert_true(buffer_append(&b, "before", 6));
	assert_int_equal(s->ops->lookup(s, letter != 0 ? id : NULL, name,
	    retired, &card, &b, &found), E2E_OK);
	assert_int_equal(found, text[0] != '\0');
	if (found) {
		assert_int_equal(card.card.length, strlen(text));
		assert_memory_equal(card.card.data, text, strlen(text));
		assert_int_equal(card.revocation.length, strlen(revocation));
		assert_memory_equal(card.revocation.data, revocation,
		    strlen(revocation));
		if (letter != 0)
			assert_memory_equal(card.id, id, sizeof id);
		if (letter == 0)
			assert_string_equal(card.name, name);
		assert_int_equal(card.registered, 5);
	}
	buffer_free(&b);
}

static void
test_registration(void **state)
{
	struct place p = enter(*state);
	struct store *s = p.store;

	assert_int_equal(enroll(s, 'a', "alice", 5, "A5"), STORE_REGISTERED);
	assert_int_equal(enroll(s, 'a', "alice", 5, "A5"), STORE_UNCHANGED);
	assert_int_equal(enroll(s, 'a', "alice", 5, "A?"), STORE_CONFLICT);
	assert_int_equal(enroll(s, 'a', "alice", 4, "A4"), STORE_ROLLBACK);
	assert_int_equal(enroll(s, 'b', "alice", 5, "B5"), STORE_NAME_TAKEN);
	expect_card(s, 'b', NULL, true, "", "");
	assert_false(summary_of(s, 'b').known);
	expect_card(s, 'a', NULL, false, "A5", "");
	expect_card(s, 0, "alice", false, "A5", "");
	expect_card(s, 0, "alic", false, "", "");
	expect_card(s, 'x', NULL, false, "", "");

	assert_int_equal(enroll(s, 'a', "", 6, "A6"), STORE_UPDATED);
	/* A card without a name gives up the one before. */
	expect_card(s, 0, "alice", false, "", "");
	assert_int_equal(enroll(s, 'a', "al", 7, "A7"), STORE_UPDATED);
	expect_card(s, 0, "alice", false, "", "");
	expect_card(s, 0, "al", false, "A7", "");
	assert_int_equal(enroll(s, 'b', "alice", 5, "B5"), STORE_REGISTERED);
	assert_int_equal(enroll(s, 'a', "alice", 8, "A8"), STORE_NAME_TAKEN);
	expect_card(s, 'a', NULL, false, "A7", "");
	/* Nameless ones do not stand in each other's way. */
	assert_int_equal(enroll(s, 'c', "", 5, "C5"), STORE_REGISTERED);
	assert_int_equal(enroll(s, 'd', "", 5, "D5"), STORE_REGISTERED);
	expect_card(s, 0, "", false, "", "");
	expect_card(s, 'c', NULL, false, "C5", "");
	/* Serials are as large as they like. */
	assert_int_equal(enroll(s, 'a', "al", UINT64_MAX, "A9"),
	    STORE_UPDATED);
	assert_int_equal(enroll(s, 'a', "al", UINT64_MAX - 1, "A?"),
	    STORE_ROLLBACK);
	assert_int_equal(usage_of(s).mailboxes, 4);
	leave(&p);
}

static bool
take_back(struct store *s, char letter, const char *text)
{
	unsigned char id[E2E_ID_LEN];
	bool found;

	box_id(id, letter);
	scene_begin(s);
	assert_int_equal(s->ops->revoke(s, id, (struct bytes){
	    (const unsigned char *)text, strlen(text) }, &found), E2E_OK);
	scene_commit(s);
	return found;
}

static void
test_revocation_is_for_ever(void **state)
{
	struct place p = enter(*state);
	struct store *s = p.store;
	struct message m = message_make(1, 100);

	assert_int_equal(enroll(s, 'a', "alice", 5, "A5"), STORE_REGISTERED);
	assert_false(take_back(s, 'x', "R"));
	assert_true(take_back(s, 'a', "R1"));
	assert_true(take_back(s, 'a', "R2"));
	expect_card(s, 'a', NULL, false, "A5", "R1");
	assert_int_equal(enroll(s, 'a', "alice", 5, "A5"), STORE_REVOKED);
	assert_int_equal(enroll(s, 'a', "alice", 6, "A6"), STORE_REVOKED);
	assert_int_equal(enroll(s, 'b', "alice", 6, "B6"), STORE_NAME_TAKEN);
	expect_card(s, 0, "alice", false, "A5", "R1");
	assert_int_equal(scene_send(s, &m, "a", NOW, END).outcomes[0],
	    STORE_STORED);
	message_free(&m);
	leave(&p);
}

static void
test_retirement(void **state)
{
	struct place p = enter(*state);
	struct store *s = p.store;
	struct message m[2] = { message_make(1, 100), message_make(2, 100) };
	struct listed l;

	assert_int_equal(enroll(s, 'a', "alice", 5, "A5"), STORE_REGISTERED);
	assert_int_equal(enroll(s, 'b', "bob", 5, "B5"), STORE_REGISTERED);
	(void)scene_send(s, &m[0], "ab", NOW, END);
	scene_begin(s);
	assert_int_equal(s->ops->retire_all(s), E2E_OK);
	scene_commit(s);
	assert_int_equal(scene_send(s, &m[1], "a", NOW, END).outcomes[0],
	    STORE_UNKNOWN);
	expect_card(s, 'a', NULL, false, "", "");
	expect_card(s, 0, "alice", false, "", "");
	expect_card(s, 'a', NULL, true, "A5", "");
	list_box(s, 'a', 0, NOW, 5, 1000, &l);
	assert_int_equal(l.count, 1);
	expect_whole(&l.items[0], &m[0]);
	buffer_free(&l.bytes);
	assert_true(summary_of(s, 'a').known);
	/* Back again. */
	assert_int_equal(enroll(s, 'a', "alice", 5, "A5"), STORE_UNCHANGED);
	expect_card(s, 0, "alice", false, "A5", "");
	assert_int_equal(scene_send(s, &m[1], "a", NOW, END).outcomes[0],
	    STORE_STORED);
	/* The name of one that is not is free. */
	assert_int_equal(enroll(s, 'c', "bob", 5, "C5"), STORE_REGISTERED);
	expect_card(s, 0, "bob", true, "C5", "");
	expect_card(s, 'b', NULL, true, "B5", "");
	assert_int_equal(enroll(s, 'b', "bob", 6, "B6"), STORE_NAME_TAKEN);
	assert_int_equal(enroll(s, 'b', "", 6, "B6"), STORE_UPDATED);
	expect_card(s, 'b', NULL, false, "B6", "");
	message_free(&m[0]);
	message_free(&m[1]);
	leave(&p);
}

/* ---- transactions ---- */

static void
test_rollback_undoes_all(void **state)
{
	struct place p = enter(*state);
	struct store *s = p.store;
	struct message m[2] = { message_make(1, 100), message_make(2, 400000) };
	struct store_expired gone;
	uint64_t seq = 1;
	unsigned char id[E2E_ID_LEN];
	struct store_card card = { .serial = 1 };
	enum store_registration result;
	bool yes;
	struct listed l;

	scene_enroll(s, "ab");
	(void)scene_send(s, &m[0], "a", NOW, END);
	scene_begin(s);
	box_id(id, 'a');
	box_id(card.id, 'c');
	assert_int_equal(scene_deposit(s, &m[1], "ab", NOW, END, true)
	    .outcomes[0], STORE_STORED);
	assert_int_equal(s->ops->acknowledge(s, id, &seq, 1, 0), E2E_OK);
	assert_int_equal(s->ops->enroll(s, &card, &result), E2E_OK);
	assert_int_equal(s->ops->revoke(s, id, (struct bytes){ id, 4 }, &yes),
	    E2E_OK);
	assert_int_equal(s->ops->retire_all(s), E2E_OK);
	assert_int_equal(s->ops->expire(s, END, 1, &gone), E2E_OK);
	assert_int_equal(s->ops->rollback(s), E2E_OK);

	assert_int_equal(usage_of(s).mailboxes, 2);
	assert_int_equal(usage_of(s).items, 1);
	assert_int_equal(usage_of(s).seen, 1);
	assert_int_equal(usage_of(s).bytes, 100);
	list_box(s, 'a', 0, NOW, 5, 1000, &l);
	assert_int_equal(l.count, 1);
	expect_whole(&l.items[0], &m[0]);
	buffer_free(&l.bytes);
	assert_int_equal(enroll(s, 'a', "a", 2, "A2"), STORE_UPDATED);
	assert_int_equal(scene_send(s, &m[1], "ab", NOW, END).outcomes[1],
	    STORE_STORED);
	message_free(&m[0]);
	message_free(&m[1]);
	leave(&p);
}

static void
test_manners(void **state)
{
	struct place p = enter(*state);
	struct store *s = p.store;
	const struct store_ops *ops = s->ops;
	struct message m = message_make(1, 100);
	struct store_usage usage;
	struct buffer b;
	uint64_t n = 0;
	bool yes;

	buffer_init(&b, 100);
	assert_int_equal(ops->commit(s), E2E_ERR_USAGE);
	assert_int_equal(ops->rollback(s), E2E_ERR_USAGE);
	assert_int_equal(scene_deposit(s, &m, "a", NOW, END, false).error,
	    E2E_ERR_USAGE);
	assert_int_equal(ops->stage(s, &n, (struct bytes){ m.bytes, 1 }),
	    E2E_ERR_USAGE);
	assert_int_equal(ops->unstage(s, 1), E2E_ERR_USAGE);
	assert_int_equal(ops->retire_all(s), E2E_ERR_USAGE);
	assert_int_equal(ops->acknowledge(s, m.id, &n, 1, 1), E2E_ERR_USAGE);
	assert_int_equal(ops->unacknowledged(s, m.id, 1, 1, &yes),
	    E2E_ERR_USAGE);
	assert_int_equal(ops->revoke(s, m.id, (struct bytes){ m.id, 1 },
	    &yes), E2E_ERR_USAGE);
	scene_begin(s);
	assert_int_equal(ops->begin(s), E2E_ERR_USAGE);
	assert_int_equal(ops->usage(s, false, &usage), E2E_ERR_USAGE);
	assert_int_equal(ops->check(s, &b), E2E_ERR_USAGE);
	assert_int_equal(ops->backup(s, "/nonexistent/x"), E2E_ERR_USAGE);
	scene_commit(s);
	buffer_free(&b);
	message_free(&m);
	leave(&p);
}

/* ---- at random ---- */

enum { MESSAGES = 24, OPERATIONS = 6000, STORES = 2 };

struct contest {
	struct place places[STORES];
	struct store *stores[STORES];
	struct message messages[MESSAGES];
	uint64_t now;
	struct dice dice;
	unsigned counts[16];
};

#define LETTERS "abcdefgh"

static void
pick_letters(struct contest *c, char letters[SCENE_BOXES_MAX + 1])
{
	size_t n = 0;

	for (const char *l = LETTERS; *l != '\0'; l++)
		if (dice_roll(&c->dice, 3) == 0)
			letters[n++] = *l;
	letters[n] = '\0';
}

static char
pick_letter(struct contest *c)
{
	return LETTERS[dice_roll(&c->dice, strlen(LETTERS))];
}

static void
contest_deposit(struct contest *c)
{
	const struct message *m =
	    &c->messages[dice_roll(&c->dice, MESSAGES)];
	char letters[SCENE_BOXES_MAX + 1];
	uint64_t until = c->now + 1 + dice_roll(&c->dice, 40);
	bool staged = dice_roll(&c->dice, 3) == 0;
	uint64_t quota = dice_roll(&c->dice, 2) * 700000;
	struct handed h[STORES];

	pick_letters(c, letters);
	for (int i = 0; i < STORES; i++) {
		if (quota == 0) {
			h[i] = scene_deposit(c->stores[i], m, letters, c->now,
			    until, staged);
		} else {
			store_id boxes[SCENE_BOXES_MAX];
			struct store_deposit d = { .now = c->now,
			    .until = until, .size = m->size,
			    .body = { m->bytes, m->size },
			    .boxes = (const store_id *)boxes,
			    .box_count = strlen(letters),
			    .quota_bytes = quota, .quota_items = 6,
			    .outcomes = h[i].outcomes };

			memcpy(d.id, m->id, sizeof d.id);
			for (size_t j = 0; j < d.box_count; j++)
				box_id(boxes[j], letters[j]);
			h[i].error = c->stores[i]->ops->deposit(c->stores[i],
			    &d);
			h[i].until = d.kept_until;
		}
		assert_int_equal(h[i].error, E2E_OK);
		assert_int_equal(h[i].until, h[0].until);
		for (size_t j = 0; letters[j] != '\0'; j++)
			assert_int_equal(h[i].outcomes[j], h[0].outcomes[j]);
	}
}

static void
contest_list(struct contest *c)
{
	char letter = pick_letter(c);
	uint64_t after = dice_roll(&c->dice, 2) * dice_roll(&c->dice, 100);
	size_t limit = (size_t)dice_roll(&c->dice, 3) * 3000;
	struct listed l[STORES];

	for (int i = 0; i < STORES; i++) {
		list_box(c->stores[i], letter, after, c->now, 10, limit,
		    &l[i]);
		assert_int_equal(l[i].count, l[0].count);
		for (size_t j = 0; j < l[i].count; j++) {
			const struct store_item *a = &l[i].items[j];
			const struct store_item *b = &l[0].items[j];

			assert_int_equal(a->seq, b->seq);
			assert_int_equal(a->stored, b->stored);
			assert_int_equal(a->until, b->until);
			assert_int_equal(a->size, b->size);
			assert_memory_equal(a->id, b->id, STORE_ID_LEN);
			assert_true(bytes_equal(a->whole, b->whole));
		}
	}
	for (int i = 0; i < STORES; i++)
		buffer_free(&l[i].bytes);
}

static void
contest_read(struct contest *c)
{
	char letter = pick_letter(c);
	uint64_t seq = dice_roll(&c->dice, 200), offset =
	    dice_roll(&c->dice, 400000), size = dice_roll(&c->dice, 400000);
	unsigned char id[E2E_ID_LEN];
	struct buffer b[STORES];
	struct store_item item;
	bool found[STORES];

	box_id(id, letter);
	for (int i = 0; i < STORES; i++) {
		struct store *s = c->stores[i];

		buffer_init(&b[i], SCENE_MESSAGE_MAX);
		assert_int_equal(s->ops->find(s, id, seq, &item, &found[i]),
		    E2E_OK);
		assert_int_equal(found[i], found[0]);
		if (found[i])
			assert_int_equal(s->ops->read(s, item.body, offset,
			    size, &b[i]), E2E_OK);
		assert_true(bytes_equal(buffer_bytes(&b[i]),
		    buffer_bytes(&b[0])));
	}
	for (int i = 0; i < STORES; i++)
		buffer_free(&b[i]);
}

static void
contest_summary(struct contest *c)
{
	struct store_summary a[STORES];
	char letter = pick_letter(c);

	for (int i = 0; i < STORES; i++) {
		a[i] = summary_of(c->stores[i], letter);
		assert_int_equal(a[i].known, a[0].known);
		assert_int_equal(a[i].items, a[0].items);
		assert_int_equal(a[i].bytes, a[0].bytes);
		assert_int_equal(a[i].oldest, a[0].oldest);
		assert_int_equal(a[i].dropped, a[0].dropped);
	}
}

static void
contest_acknowledge(struct contest *c)
{
	char letter = pick_letter(c);
	unsigned char id[E2E_ID_LEN];
	uint64_t seqs[4], told = dice_roll(&c->dice, 2);
	struct listed l;

	box_id(id, letter);
	list_box(c->stores[0], letter, dice_roll(&c->dice, 50), 0, 4, 0, &l);
	for (size_t i = 0; i < 4; i++)
		seqs[i] = i < l.count ? l.items[i].seq :
		    dice_roll(&c->dice, 100);
	for (int i = 0; i < STORES; i++)
		assert_int_equal(c->stores[i]->ops->acknowledge(c->stores[i],
		    id, seqs, dice_roll(&c->dice, 1) + 3, told), E2E_OK);
	buffer_free(&l.bytes);
}

static void
contest_unacknowledged(struct contest *c)
{
	char letter = pick_letter(c);
	unsigned char id[E2E_ID_LEN];
	unsigned limit = (unsigned)dice_roll(&c->dice, 3);
	struct listed l;
	bool moved[STORES];

	box_id(id, letter);
	list_box(c->stores[0], letter, 0, 0, 1, 0, &l);
	for (int i = 0; i < STORES && l.count > 0; i++) {
		assert_int_equal(c->stores[i]->ops->unacknowledged(
		    c->stores[i], id, l.items[0].seq, limit, &moved[i]),
		    E2E_OK);
		assert_int_equal(moved[i], moved[0]);
	}
	buffer_free(&l.bytes);
}

static void
contest_enroll(struct contest *c)
{
	static const char *const texts[] = { "one", "two", "three" };
	struct store_card card = { .serial = dice_roll(&c->dice, 60),
	    .registered = c->now };
	const char *text = texts[dice_roll(&c->dice, 3)];
	enum store_registration result[STORES];

	box_id(card.id, pick_letter(c));
	card.name[0] = (char)("\0pqrstuvwxyz"[dice_roll(&c->dice, 12)]);
	card.card = (struct bytes){ (const unsigned char *)text,
	    strlen(text) };
	for (int i = 0; i < STORES; i++) {
		assert_int_equal(c->stores[i]->ops->enroll(c->stores[i],
		    &card, &result[i]), E2E_OK);
		assert_int_equal(result[i], result[0]);
	}
}

static void
contest_lookup(struct contest *c)
{
	char name[2] = { (char)('p' + dice_roll(&c->dice, 11)), '\0' };
	bool by_name = dice_roll(&c->dice, 2) == 0, found[STORES];
	bool retired = dice_roll(&c->dice, 2) == 0;
	unsigned char id[E2E_ID_LEN];
	struct store_card card[STORES];
	struct buffer b[STORES];

	box_id(id, pick_letter(c));
	for (int i = 0; i < STORES; i++) {
		buffer_init(&b[i], 1000);
		assert_int_equal(c->stores[i]->ops->lookup(c->stores[i],
		    by_name ? NULL : id, name, retired, &card[i], &b[i],
		    &found[i]), E2E_OK);
		assert_int_equal(found[i], found[0]);
		assert_memory_equal(card[i].id, card[0].id, E2E_ID_LEN);
		assert_string_equal(card[i].name, card[0].name);
		assert_int_equal(card[i].serial, card[0].serial);
		assert_int_equal(card[i].registered, card[0].registered);
		assert_true(bytes_equal(card[i].card, card[0].card));
		assert_true(bytes_equal(card[i].revocation,
		    card[0].revocation));
	}
	for (int i = 0; i < STORES; i++)
		buffer_free(&b[i]);
}

static void
contest_rare(struct contest *c)
{
	unsigned char id[E2E_ID_LEN];
	bool retire = dice_roll(&c->dice, 3) == 0, found;

	box_id(id, pick_letter(c));
	for (int i = 0; i < STORES; i++)
		if (retire)
			assert_int_equal(c->stores[i]->ops->retire_all(
			    c->stores[i]), E2E_OK);
		else if (c->now > 1300)	/* a revoked one never comes back */
			assert_int_equal(c->stores[i]->ops->revoke(
			    c->stores[i], id, (struct bytes){ id, 5 },
			    &found), E2E_OK);
}

static void
contest_expire(struct contest *c)
{
	struct store_expired gone[STORES];
	size_t limit = (size_t)dice_roll(&c->dice, 8);

	for (int i = 0; i < STORES; i++) {
		assert_int_equal(c->stores[i]->ops->expire(c->stores[i],
		    c->now, limit, &gone[i]), E2E_OK);
		assert_int_equal(gone[i].items, gone[0].items);
		assert_int_equal(gone[i].bytes, gone[0].bytes);
		assert_int_equal(gone[i].seen, gone[0].seen);
	}
}

static void
contest_usage(struct contest *c)
{
	struct store_usage usage[STORES];

	for (int i = 0; i < STORES; i++) {
		usage[i] = usage_of(c->stores[i]);
		assert_int_equal(usage[i].mailboxes, usage[0].mailboxes);
		assert_int_equal(usage[i].items, usage[0].items);
		assert_int_equal(usage[i].bodies, usage[0].bodies);
		assert_int_equal(usage[i].bytes, usage[0].bytes);
		assert_int_equal(usage[i].seen, usage[0].seen);
	}
}

static const struct {
	void (*run)(struct contest *c);
	unsigned weight;
} moves[] = {
	{ contest_deposit, 30 }, { contest_list, 12 }, { contest_read, 12 },
	{ contest_summary, 8 }, { contest_acknowledge, 12 },
	{ contest_unacknowledged, 8 }, { contest_enroll, 8 },
	{ contest_lookup, 6 }, { contest_expire, 4 }, { contest_rare, 1 }
};

static void
contest_move(struct contest *c)
{
	uint64_t drawn = dice_roll(&c->dice, 101);

	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		if (drawn < moves[i].weight) {
			c->counts[i]++;
			moves[i].run(c);
			return;
		}
		drawn -= moves[i].weight;
	}
}

static void
contest_end(struct contest *c)
{
	bool undo = dice_roll(&c->dice, 4) == 0;

	for (int i = 0; i < STORES; i++)
		assert_int_equal(undo ?
		    c->stores[i]->ops->rollback(c->stores[i]) :
		    c->stores[i]->ops->commit(c->stores[i]), E2E_OK);
	contest_usage(c);
	contest_list(c);
	contest_read(c);
	contest_lookup(c);
	c->now += dice_roll(&c->dice, 4);
}

static void
test_same_answers_at_random(void **state)
{
	struct contest c = { .now = NOW, .dice = { 20261121 } };

	for (int i = 0; i < STORES; i++) {
		c.places[i] = enter(&factories[i]);
		c.stores[i] = c.places[i].store;
		scene_enroll(c.stores[i], "abcde");
	}
	for (uint64_t i = 0; i < MESSAGES; i++)
		c.messages[i] = message_make(i, i < 20 ?
		    1 + (size_t)dice_roll(&c.dice, 3000) :
		    STORE_PIECE_LEN + (size_t)dice_roll(&c.dice, 100000));
	for (int done = 0; done < OPERATIONS;) {
		int together = 1 + (int)dice_roll(&c.dice, 30);

		for (int i = 0; i < STORES; i++)
			scene_begin(c.stores[i]);
		for (; together-- > 0; done++)
			contest_move(&c);
		contest_end(&c);
		if (dice_roll(&c.dice, 40) == 0)
			scene_check(c.stores[1]);
	}
	/* The moves that are to be compared were made. */
	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
		assert_true(c.counts[i] > 5);
	for (int i = 0; i < STORES; i++)
		leave(&c.places[i]);
	for (size_t i = 0; i < MESSAGES; i++)
		message_free(&c.messages[i]);
}

#define EACH(test) \
	{ "model: " #test, test_##test, NULL, NULL, (void *)(uintptr_t) \
	    &factories[0] }, \
	{ "sqlite: " #test, test_##test, NULL, NULL, (void *)(uintptr_t) \
	    &factories[1] }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(mail_comes_in_order),
		EACH(list_ends_at_what_does_not_fit),
		EACH(repeats_are_kept_for_who_had_not),
		EACH(one_body_for_all),
		EACH(full_mailboxes),
		EACH(pieces),
		EACH(what_is_staged_and_not_kept_is_dropped),
		EACH(what_was_staged_wrongly),
		EACH(poison_moves_behind),
		EACH(everything_ends),
		EACH(registration),
		EACH(revocation_is_for_ever),
		EACH(retirement),
		EACH(rollback_undoes_all),
		EACH(manners),
		cmocka_unit_test(test_same_answers_at_random)
	};

	return cmocka_run_group_tests_name("store conformance", tests, NULL,
	    NULL);
}
