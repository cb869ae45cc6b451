/*
 * The worker: batches, their order, and what comes back when a store fails.
 * The store is the model with a wrapper that counts, waits and fails as told.
 */
#include "../store/scene.c"

#include "crypto/hash.h"
#include "store/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS_MAX = 400 };

#define NOW 1000
#define END 2000

/* ---- a store that does as it is told ---- */

struct faulty {
	struct store store;
	struct store *model;
	struct store_ops ops;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closed_gate;	/* commits wait */
	bool waiting;
	unsigned begins, commits, rollbacks, changes, closes, backups;
	unsigned fail_begin, fail_commit, fail_rollback; /* at the n-th */
	enum e2e_error change_error;	/* of deposits named so: */
	unsigned char poison;		/* the first byte of a body */
	bool in_transaction, read_inside;
};

static struct faulty *
faulty_of(struct store *s)
{
	return (struct faulty *)(void *)s;
}

static enum e2e_error
faulty_begin(struct store *s)
{
	struct faulty *f = faulty_of(s);

	if (++f->begins == f->fail_begin)
		return E2E_ERR_STORE;
	f->in_transaction = true;
	return f->model->ops->begin(f->model);
}

static enum e2e_error
faulty_commit(struct store *s)
{
	struct faulty *f = faulty_of(s);

	(void)pthread_mutex_lock(&f->lock);
	f->waiting = true;
	(void)pthread_cond_broadcast(&f->changed);
	while (f->closed_gate)
		(void)pthread_cond_wait(&f->changed, &f->lock);
	f->waiting = false;
	(void)pthread_mutex_unlock(&f->lock);
	f->in_transaction = false;
	if (++f->commits == f->fail_commit)
		return E2E_ERR_STORE;
	return f->model->ops->commit(f->model);
}

static enum e2e_error
faulty_rollback(struct store *s)
{
	struct faulty *f = faulty_of(s);

	f->in_transaction = false;
	if (++f->rollbacks == f->fail_rollback)
		return E2E_ERR_STORE;
	return f->model->ops->rollback(f->model);
}

static enum e2e_error
faulty_deposit(struct store *s, struct store_deposit *d)
{
	struct faulty *f = faulty_of(s);

	f->changes++;
	if (f->change_error != E2E_OK && d->body.length > 0 &&
	    d->body.data[0] == f->poison)
		return f->change_error;
	return f->model->ops->deposit(f->model, d);
}

static enum e2e_error
faulty_stage(struct store *s, uint64_t *staged, struct bytes piece)
{
	struct faulty *f = faulty_of(s);

	return f->model->ops->stage(f->model, staged, piece);
}

static enum e2e_error
faulty_summary(struct store *s, const unsigned char *box,
    struct store_summary *summary)
{
	struct faulty *f = faulty_of(s);

	f->read_inside = f->read_inside || f->in_transaction;
	return f->model->ops->summary(f->model, box, summary);
}

static enum e2e_error
faulty_backup(struct store *s, const char *path)
{
	struct faulty *f = faulty_of(s);

	f->read_inside = f->read_inside || f->in_transaction;
	f->backups++;
	return E2E_ERR_EXISTS;
}

static void
faulty_close(struct store *s)
{
	faulty_of(s)->closes++;
}

static void
faulty_make(struct faulty *f)
{
	memset(f, 0, sizeof *f);
	assert_int_equal(store_model_open(&f->model), E2E_OK);
	scene_enroll(f->model, "abc");
	f->ops = (struct store_ops){ .name = "faulty",
	    .close = faulty_close, .begin = faulty_begin,
	    .commit = faulty_commit, .rollback = faulty_rollback,
	    .stage = faulty_stage, .deposit = faulty_deposit,
	    .summary = faulty_summary, .backup = faulty_backup };
	f->store.ops = &f->ops;
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->changed, NULL);
}

static void
faulty_free(struct faulty *f)
{
	assert_int_equal(f->closes, 1);
	assert_false(f->read_inside);
	f->model->ops->close(f->model);
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->lock);
}

static void
gate(struct faulty *f, bool closed)
{
	(void)pthread_mutex_lock(&f->lock);
	f->closed_gate = closed;
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
}

/* Until the writer stands before a commit. */
static void
wait_at_gate(struct faulty *f)
{
	(void)pthread_mutex_lock(&f->lock);
	while (!f->waiting)
		(void)pthread_cond_wait(&f->changed, &f->lock);
	(void)pthread_mutex_unlock(&f->lock);
}

/* ---- jobs ---- */

struct bell {
	pthread_mutex_t lock;
	pthread_cond_t rung;
	unsigned rings;
};

static struct bell bell = { PTHREAD_MUTEX_INITIALIZER,
    PTHREAD_COND_INITIALIZER, 0 };

static void
ring(void *context)
{
	struct bell *b = context;

	(void)pthread_mutex_lock(&b->lock);
	b->rings++;
	(void)pthread_cond_signal(&b->rung);
	(void)pthread_mutex_unlock(&b->lock);
}

struct order {
	struct store_job job;
	store_id box;
	enum store_outcome outcome;
	struct message message;
};

static struct order orders[JOBS_MAX];

static struct store_job *
deposit_job(unsigned i, char letter)
{
	struct order *o = &orders[i];

	memset(o, 0, sizeof *o);
	o->message = message_make(i, 20);
	o->message.bytes[0] = (unsigned char)i;
	assert_int_equal(hash_sha256(o->message.id, o->message.bytes, 20),
	    E2E_OK);
	box_id(o->box, letter);
	o->job.kind = JOB_DEPOSIT;
	o->job.owner = o;
	o->job.deposit = (struct store_deposit){ .now = NOW, .until = END,
	    .size = 20, .body = { o->message.bytes, 20 },
	    .boxes = (const store_id *)&o->box, .box_count = 1,
	    .outcomes = &o->outcome };
	memcpy(o->job.deposit.id, o->message.id, STORE_ID_LEN);
	return &o->job;
}

static struct store_job *
plain_job(unsigned i, enum store_job_kind kind)
{
	struct order *o = &orders[i];

	memset(o, 0, sizeof *o);
	o->job.kind = kind;
	o->job.owner = o;
	box_id(o->job.box, 'a');
	buffer_init(&o->job.bytes, 1000);
	if (kind == JOB_STAGE)
		assert_true(buffer_append(&o->job.bytes, "piece", 5));
	if (kind == JOB_BACKUP)
		o->job.backup.path = "/nonexistent";
	return &o->job;
}

static void
orders_free(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		message_free(&orders[i].message);
		buffer_free(&orders[i].job.bytes);
	}
}

/* Takes until `count` have come back; in which order is in `came`. */
static void
take(struct worker *w, unsigned count, unsigned came[JOBS_MAX])
{
	struct store_job *j;
	unsigned n = 0;

	while (n < count) {
		(void)pthread_mutex_lock(&bell.lock);
		while (bell.rings == 0)
			(void)pthread_cond_wait(&bell.rung, &bell.lock);
		bell.rings = 0;
		(void)pthread_mutex_unlock(&bell.lock);
		for (j = worker_take(w); j != NULL; j = j->next) {
			assert_true(n < count);
			came[n++] = (unsigned)((struct order *)j->owner -
			    orders);
		}
	}
	assert_null(worker_take(w));
}

static struct worker *
start(struct faulty *f, struct store *reader, size_t queue)
{
	struct worker *w;

	bell.rings = 0;
	assert_int_equal(worker_start(&w, &f->store, reader, queue, ring,
	    &bell), E2E_OK);
	return w;
}

/* ---- tests ---- */

static void
test_the_next_batch_gathers_meanwhile(void **state)
{
	struct faulty f;
	struct worker *w;
	struct worker_stats stats;
	unsigned came[JOBS_MAX];

	faulty_make(&f);
	w = start(&f, NULL, JOBS_MAX);
	gate(&f, true);
	assert_true(worker_submit(w, deposit_job(0, 'a')));
	wait_at_gate(&f);
	assert_null(worker_take(w));
	for (unsigned i = 1; i < 100; i++)
		assert_true(worker_submit(w, deposit_job(i, "abc"[i % 3])));
	assert_null(worker_take(w));	/* nobody is told before */
	gate(&f, false);
	take(w, 100, came);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(came[i], i);
		assert_int_equal(orders[i].job.error, E2E_OK);
		assert_int_equal(orders[i].outcome, STORE_STORED);
		assert_int_equal(orders[i].job.batch, i == 0 ? 1 : 2);
	}
	worker_stats(w, &stats);
	assert_int_equal(stats.commits, 2);
	assert_int_equal(stats.changes, 100);
	assert_int_equal(stats.queued, 0);
	assert_true(stats.commit_ns_max <= stats.commit_ns_total);
	assert_false(worker_failed(w));
	assert_null(worker_stop(w));
	assert_int_equal(f.commits, 2);
	orders_free(100);
	faulty_free(&f);
}

static void
test_reading_waits_for_no_batch_and_splits_none(void **state)
{
	struct faulty f;
	struct worker *w;
	unsigned came[JOBS_MAX];

	faulty_make(&f);
	w = start(&f, NULL, JOBS_MAX);
	gate(&f, true);
	assert_true(worker_submit(w, deposit_job(0, 'a')));
	wait_at_gate(&f);
	for (unsigned i = 1; i < 20; i++)
		assert_true(worker_submit(w, i % 2 == 0 ? deposit_job(i, 'a') :
		    plain_job(i, JOB_SUMMARY)));
	gate(&f, false);
	take(w, 20, came);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(came[i], i);
		assert_int_equal(orders[i].job.error, E2E_OK);
		if (i % 2 == 1)
			assert_int_equal(orders[i].job.summary.items, 10);
	}
	assert_int_equal(f.commits, 2);
	assert_null(worker_stop(w));
	orders_free(20);
	faulty_free(&f);
}

static void
test_a_reader_of_its_own_does_not_wait(void **state)
{
	struct faulty f, reader;
	struct worker *w;
	unsigned came[JOBS_MAX];

	faulty_make(&f);
	faulty_make(&reader);
	w = start(&f, &reader.store, JOBS_MAX);
	gate(&f, true);
	assert_true(worker_submit(w, deposit_job(0, 'a')));
	wait_at_gate(&f);
	for (unsigned i = 1; i < 10; i++)
		assert_true(worker_submit(w, plain_job(i, JOB_SUMMARY)));
	take(w, 9, came);
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(came[i], i + 1);
		assert_int_equal(orders[came[i]].job.error, E2E_OK);
		assert_true(orders[came[i]].job.summary.known);
	}
	gate(&f, false);
	take(w, 1, came);
	assert_int_equal(came[0], 0);
	assert_null(worker_stop(w));
	orders_free(10);
	faulty_free(&f);
	faulty_free(&reader);
}

static void
test_the_queue_is_bounded(void **state)
{
	struct faulty f;
	struct worker *w;
	unsigned came[JOBS_MAX];

	faulty_make(&f);
	w = start(&f, NULL, 4);
	assert_int_equal(worker_room(w), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_true(worker_submit(w, deposit_job(i, 'a')));
	assert_int_equal(worker_room(w), 0);
	assert_false(worker_submit(w, deposit_job(4, 'a')));
	/* Done is not taken. */
	(void)pthread_mutex_lock(&bell.lock);
	while (bell.rings == 0)
		(void)pthread_cond_wait(&bell.rung, &bell.lock);
	(void)pthread_mutex_unlock(&bell.lock);
	assert_false(worker_submit(w, &orders[4].job));
	take(w, 4, came);
	assert_int_equal(worker_room(w), 4);
	assert_true(worker_submit(w, &orders[4].job));
	take(w, 1, came);
	assert_null(worker_stop(w));
	orders_free(5);
	faulty_free(&f);
}

static void
test_a_failed_commit_fails_its_batch_and_all_after(void **state)
{
	struct faulty f;
	struct worker *w;
	unsigned came[JOBS_MAX];

	faulty_make(&f);
	f.fail_commit = 2;
	w = start(&f, NULL, JOBS_MAX);
	gate(&f, true);
	assert_true(worker_submit(w, deposit_job(0, 'a')));
	wait_at_gate(&f);
	for (unsigned i = 1; i < 10; i++)
		assert_true(worker_submit(w, i == 5 ?
		    plain_job(i, JOB_SUMMARY) : deposit_job(i, 'a')));
	assert_true(worker_submit(w, plain_job(10, JOB_BACKUP)));
	assert_true(worker_submit(w, deposit_job(11, 'a')));
	gate(&f, false);
	take(w, 12, came);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(came[i], i);
		assert_int_equal(orders[i].job.error, i == 0 || i == 5 ?
		    E2E_OK : E2E_ERR_STORE);
		assert_int_equal(orders[i].job.batch, i == 0);
	}
	assert_true(worker_failed(w));
	assert_int_equal(f.backups, 0);
	assert_true(worker_submit(w, deposit_job(12, 'a')));
	take(w, 1, came);
	assert_int_equal(orders[12].job.error, E2E_ERR_STORE);
	assert_int_equal(f.commits, 2);
	assert_int_equal(f.begins, 2);
	assert_null(worker_stop(w));
	orders_free(13);
	faulty_free(&f);
}

/* A change that fails for itself, a store that fails in a change, a begin or
 * a rollback: which of the twenty come back well. */
static void
try_fault(struct faulty *f, bool own_fault, bool first_well)
{
	struct worker *w = start(f, NULL, JOBS_MAX);
	unsigned came[JOBS_MAX];

	gate(f, true);
	assert_true(worker_submit(w, deposit_job(0, 'b')));
	wait_at_gate(f);
	for (unsigned i = 1; i < 20; i++)
		assert_true(worker_submit(w, deposit_job(i, 'a')));
	gate(f, false);
	take(w, 20, came);
	for (unsigned i = 0; i < 20; i++) {
		bool well = i == 0 ? first_well : own_fault && i != 7;

		assert_int_equal(came[i], i);
		assert_int_equal(orders[i].job.error == E2E_OK, well);
		assert_int_equal(orders[i].job.batch != 0, well);
	}
	assert_int_equal(worker_failed(w), !own_fault);
	assert_null(worker_stop(w));
	orders_free(20);
}

static void
test_a_change_that_fails_for_itself(void **state)
{
	static const enum e2e_error own[] = { E2E_ERR_FULL, E2E_ERR_MEMORY,
	    E2E_ERR_USAGE };
	struct store_summary summary;
	unsigned char id[E2E_ID_LEN];
	struct faulty f;

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		faulty_make(&f);
		f.poison = 7;
		f.change_error = own[i];
		try_fault(&f, true, true);
		assert_int_equal(orders[7].job.error, own[i]);
		assert_int_equal(f.rollbacks, 1);
		assert_int_equal(f.commits, 2);
		box_id(id, 'a');
		assert_int_equal(f.model->ops->summary(f.model, id,
		    &summary), E2E_OK);
		assert_int_equal(summary.items, 18);
		faulty_free(&f);
	}
}

static void
test_many_changes_that_fail_for_themselves(void **state)
{
	struct faulty f;
	struct worker *w;
	unsigned came[JOBS_MAX];

	faulty_make(&f);
	f.poison = 7;
	f.change_error = E2E_ERR_FULL;
	w = start(&f, NULL, JOBS_MAX);
	gate(&f, true);
	assert_true(worker_submit(w, deposit_job(0, 'b')));
	wait_at_gate(&f);
	for (unsigned i = 1; i < JOBS_MAX; i++) {
		struct store_job *j = deposit_job(i, 'a');

		if (i % 2 == 0)
			orders[i].message.bytes[0] = 7;
		else if (orders[i].message.bytes[0] == 7)
			orders[i].message.bytes[0] = 8;
		assert_true(worker_submit(w, j));
	}
	gate(&f, false);
	take(w, JOBS_MAX, came);
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		assert_int_equal(came[i], i);
		assert_int_equal(orders[i].job.error, i > 0 && i % 2 == 0 ?
		    E2E_ERR_FULL : E2E_OK);
	}
	/* Not each of them made all the others again. */
	assert_true(f.changes < 10 * JOBS_MAX);
	assert_false(worker_failed(w));
	assert_null(worker_stop(w));
	orders_free(JOBS_MAX);
	faulty_free(&f);
}

static void
test_a_store_that_fails(void **state)
{
	struct faulty f;

	faulty_make(&f);	/* reading, in the middle of a change */
	f.poison = 7;
	f.change_error = E2E_ERR_STORE;
	try_fault(&f, false, true);
	assert_int_equal(f.commits, 1);
	faulty_free(&f);

	faulty_make(&f);
	f.fail_begin = 2;
	try_fault(&f, false, true);
	faulty_free(&f);

	faulty_make(&f);
	f.poison = 7;
	f.change_error = E2E_ERR_FULL;
	f.fail_rollback = 1;
	try_fault(&f, false, true);
	faulty_free(&f);
}

/* What a batch that is made again has got in the first round is not there. */
static void
test_staging_is_made_again(void **state)
{
	struct faulty f;
	struct worker *w;
	unsigned came[JOBS_MAX];

	faulty_make(&f);
	f.poison = 2;
	f.change_error = E2E_ERR_FULL;
	w = start(&f, NULL, JOBS_MAX);
	gate(&f, true);
	assert_true(worker_submit(w, deposit_job(0, 'b')));
	wait_at_gate(&f);
	assert_true(worker_submit(w, plain_job(1, JOB_STAGE)));
	assert_true(worker_submit(w, deposit_job(2, 'a')));
	gate(&f, false);
	take(w, 3, came);
	assert_int_equal(orders[1].job.error, E2E_OK);
	assert_int_equal(orders[2].job.error, E2E_ERR_FULL);
	assert_int_not_equal(orders[1].job.stage.staged, 0);
	assert_null(worker_stop(w));
	orders_free(3);
	faulty_free(&f);
}

static void
test_backup_stands_alone(void **state)
{
	struct faulty f;
	struct worker *w;
	unsigned came[JOBS_MAX];

	faulty_make(&f);
	w = start(&f, NULL, JOBS_MAX);
	gate(&f, true);
	assert_true(worker_submit(w, deposit_job(0, 'b')));
	wait_at_gate(&f);
	assert_true(worker_submit(w, deposit_job(1, 'a')));
	assert_true(worker_submit(w, plain_job(2, JOB_BACKUP)));
	assert_true(worker_submit(w, deposit_job(3, 'a')));
	assert_true(worker_submit(w, plain_job(4, JOB_BACKUP)));
	gate(&f, false);
	take(w, 5, came);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(came[i], i);
	assert_int_equal(orders[1].job.batch, 2);
	assert_int_equal(orders[3].job.batch, 3);
	/* Its own error is nobody else's. */
	assert_int_equal(orders[2].job.error, E2E_ERR_EXISTS);
	assert_int_equal(orders[3].job.error, E2E_OK);
	assert_false(worker_failed(w));
	assert_int_equal(f.backups, 2);
	assert_null(worker_stop(w));
	orders_free(5);
	faulty_free(&f);
}

static void
test_stopping_does_what_was_submitted(void **state)
{
	struct faulty f;
	struct worker *w;
	struct store_job *j;
	unsigned n = 0;

	faulty_make(&f);
	w = start(&f, NULL, JOBS_MAX);
	for (unsigned i = 0; i < 50; i++)
		assert_true(worker_submit(w, deposit_job(i, 'a')));
	for (j = worker_stop(w); j != NULL; j = j->next) {
		assert_ptr_equal(j, &orders[n++].job);
		assert_int_equal(j->error, E2E_OK);
	}
	assert_int_equal(n, 50);
	orders_free(50);
	faulty_free(&f);
}

/* On the real store, with the reader beside it, many jobs of all kinds. */
static void
test_two_threads_on_one_file(void **state)
{
	struct store *writer, *reader;
	struct folder folder;
	struct worker *w;
	unsigned came[JOBS_MAX], well = 0;

	folder_make(&folder);
	assert_int_equal(store_sqlite_open(&writer, folder.store, STORE_WRITE,
	    NULL), E2E_OK);
	scene_enroll(writer, "abc");
	assert_int_equal(store_sqlite_open(&reader, folder.store, STORE_READ,
	    NULL), E2E_OK);
	bell.rings = 0;
	assert_int_equal(worker_start(&w, writer, reader, JOBS_MAX, ring,
	    &bell), E2E_OK);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < JOBS_MAX; i++)
			assert_true(worker_submit(w, i % 3 == 2 ?
			    plain_job(i, i % 2 == 0 ? JOB_SUMMARY :
			    JOB_USAGE) : deposit_job(i, "abc"[i % 3])));
		take(w, JOBS_MAX, came);
		for (unsigned i = 0; i < JOBS_MAX; i++) {
			assert_int_equal(orders[i].job.error, E2E_OK);
			well += i % 3 != 2 && orders[i].outcome ==
			    STORE_STORED;
		}
		orders_free(JOBS_MAX);
	}
	assert_int_equal(well, JOBS_MAX - JOBS_MAX / 3);
	assert_true(worker_submit(w, plain_job(0, JOB_SUMMARY)));
	take(w, 1, came);
	assert_int_equal(orders[0].job.summary.items, (JOBS_MAX + 2) / 3);
	orders_free(1);
	assert_null(worker_stop(w));
	assert_int_equal(store_sqlite_open(&writer, folder.store, STORE_WRITE,
	    NULL), E2E_OK);
	scene_check(writer);
	writer->ops->close(writer);
	folder_remove(&folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_next_batch_gathers_meanwhile),
		cmocka_unit_test(
		    test_reading_waits_for_no_batch_and_splits_none),
		cmocka_unit_test(test_a_reader_of_its_own_does_not_wait),
		cmocka_unit_test(test_the_queue_is_bounded),
		cmocka_unit_test(
		    test_a_failed_commit_fails_its_batch_and_all_after),
		cmocka_unit_test(test_a_change_that_fails_for_itself),
		cmocka_unit_test(test_many_changes_that_fail_for_themselves),
		cmocka_unit_test(test_a_store_that_fails),
		cmocka_unit_test(test_staging_is_made_again),
		cmocka_unit_test(test_backup_stands_alone),
		cmocka_unit_test(test_stopping_does_what_was_submitted),
		cmocka_unit_test(test_two_threads_on_one_file)
	};

	return cmocka_run_group_tests_name("store worker", tests, NULL, NULL);
}
