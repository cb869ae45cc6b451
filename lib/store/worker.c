/*
 * worker.c: two threads, each with a queue of what it is to do, and one list
 * of what is done.
 *
 * A thread takes its whole queue at once. The writer makes all the changes in
 * it, in their order, in one transaction, then answers what is only read, then
 * hands everything back in the order it was submitted: so nobody reads
 * what might yet be undone, and reading does not cut a batch in two.
 */
#include "store/worker.h"

#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* So often a batch is made again without the change that failed; then each
 * of those left is committed by itself. */
#define ROUNDS_MAX 4

struct queue {
	struct store_job *first, **end;
	size_t count;
};

enum { WRITER, READER, THREADS };

struct thread {
	struct worker *worker;
	struct store *store;		/* NULL: not there */
	struct queue queue;
	pthread_cond_t changed;
	pthread_t thread;
	bool started;
};

/*
 * 1. submitted counts the jobs in both queues, in both threads' hands and in
 *    done.
 * 2. failed is set once and for all.
 */
struct worker {
	size_t queue_max;
	void (*wake)(void *context);
	void *context;

	pthread_mutex_t lock;		/* guards what follows */
	size_t submitted;
	struct queue done;
	bool stopping, failed;
	struct worker_stats stats;
	struct thread threads[THREADS];
	uint64_t batch;			/* the writer's */
};

/* ---- queues ---- */

static void
queue_init(struct queue *q)
{
	*q = (struct queue){ .first = NULL };
	q->end = &q->first;
}

static void
queue_add(struct queue *q, struct store_job *job)
{
	job->next = NULL;
	*q->end = job;
	q->end = &job->next;
	q->count++;
}

/* Everything in it. */
static struct store_job *
queue_take(struct queue *q)
{
	struct store_job *first = q->first;

	queue_init(q);
	return first;
}

static bool
is_reading(const struct store_job *job)
{
	return job->kind >= JOB_SUMMARY;
}

/* ---- batches ---- */

/* The rest is about the store, not about one change. */
static bool
is_own_fault(enum e2e_error err)
{
	return err == E2E_ERR_FULL || err == E2E_ERR_MEMORY ||
	    err == E2E_ERR_USAGE || err == E2E_ERR_LIMIT;
}

/* In a batch and not failed by itself. */
static bool
is_taken(const struct store_job *j)
{
	return store_job_changes(j) && j->error == E2E_OK;
}

static void
set_failed(struct worker *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->failed = true;
	(void)pthread_mutex_unlock(&w->lock);
}

static enum e2e_error
commit(struct worker *w, struct store *store, size_t changes)
{
	uint64_t start = clock_monotonic(), took;
	enum e2e_error err = store->ops->commit(store);

	took = clock_monotonic() - start;
	(void)pthread_mutex_lock(&w->lock);
	if (err == E2E_OK) {
		w->stats.commits++;
		w->stats.changes += changes;
	}
	w->stats.commit_ns_total += took;
	if (took > w->stats.commit_ns_max)
		w->stats.commit_ns_max = took;
	(void)pthread_mutex_unlock(&w->lock);
	return err;
}

/* A batch may be made again: from what was submitted. */
static enum e2e_error
make(struct store *store, struct store_job *j)
{
	if (j->kind == JOB_STAGE)
		j->stage.staged = j->before;
	return store_job_do(store, j);
}

/*
 * Makes the changes of a run (up to `end`) in one transaction. *again: one
 * failed for itself, which is marked, and nothing was changed. Another error
 * is the store's.
 */
static enum e2e_error
try_batch(struct worker *w, struct store *store, struct store_job *first,
    const struct store_job *end, bool *again)
{
	enum e2e_error err = E2E_OK;
	struct store_job *j;
	size_t changes = 0;

	*again = false;
	for (j = first; j != end; j = j->next)
		if (is_taken(j))
			changes++;
	if (changes == 0)
		return E2E_OK;
	if ((err = store->ops->begin(store)) != E2E_OK)
		return err;
	for (j = first; j != end; j = j->next)
		if (is_taken(j) && (err = make(store, j)) != E2E_OK)
			break;
	if (err == E2E_OK) {
		if ((err = commit(w, store, changes)) != E2E_OK)
			return err;
		w->batch++;
		for (j = first; j != end; j = j->next)
			if (is_taken(j))
				j->batch = w->batch;
		return E2E_OK;
	}
	if (!is_own_fault(err)) {
		(void)store->ops->rollback(store);	/* it is the end */
		return err;
	}
	j->error = err;
	*again = true;
	return store->ops->rollback(store);
}

/* The changes from first on, up to what is not to be in a transaction. */
static enum e2e_error
make_batch(struct worker *w, struct store *store, struct store_job *first,
    const struct store_job *end)
{
	enum e2e_error err;
	bool again = true;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		err = try_batch(w, store, first, end, &again);
		if (err != E2E_OK || !again)
			return err;
	}
	for (; first != end; first = first->next) {
		err = try_batch(w, store, first, first->next, &again);
		if (err != E2E_OK)
			return err;
	}
	return E2E_OK;
}

static void
fail_changes(struct store_job *first, const struct store_job *end,
    enum e2e_error err)
{
	for (; first != end; first = first->next)
		if (!is_reading(first) && first->error == E2E_OK &&
		    first->batch == 0)
			first->error = err;
}

/* Writes all that is to be written, in order: batches between backups. */
static void
write_all(struct worker *w, struct store *store, struct store_job *first,
    bool failed)
{
	struct store_job *j = first, *end;
	enum e2e_error err = failed ? E2E_ERR_STORE : E2E_OK;

	while (j != NULL && err == E2E_OK) {
		for (end = j; end != NULL && end->kind != JOB_BACKUP;)
			end = end->next;
		err = make_batch(w, store, j, end);
		if (err != E2E_OK) {
			set_failed(w);
			fail_changes(j, end, err);
			j = end;
			err = E2E_ERR_STORE;
			break;
		}
		if ((j = end) != NULL) {
			j->error = store->ops->backup(store, j->backup.path);
			j = j->next;
		}
	}
	fail_changes(j, NULL, err);
}

static void
read_all(struct store *store, struct store_job *first)
{
	for (; first != NULL; first = first->next)
		if (is_reading(first))
			first->error = store_job_do(store, first);
}

/* ---- threads ---- */

static void
hand_back(struct worker *w, struct store_job *first)
{
	struct store_job *next;

	(void)pthread_mutex_lock(&w->lock);
	for (; first != NULL; first = next) {
		next = first->next;
		if (is_reading(first))
			w->stats.reads++;
		queue_add(&w->done, first);
	}
	(void)pthread_mutex_unlock(&w->lock);
	w->wake(w->context);
}

static void *
run(void *context)
{
	struct thread *t = context;
	struct worker *w = t->worker;
	struct store_job *jobs;
	bool failed;

	for (;;) {
		(void)pthread_mutex_lock(&w->lock);
		while (t->queue.first == NULL && !w->stopping)
			(void)pthread_cond_wait(&t->changed, &w->lock);
		jobs = queue_take(&t->queue);
		failed = w->failed;
		(void)pthread_mutex_unlock(&w->lock);
		if (jobs == NULL)
			return NULL;
		if (t == &w->threads[WRITER])
			write_all(w, t->store, jobs, failed);
		read_all(t->store, jobs);
		hand_back(w, jobs);
	}
}

/* Signals are the loop's. Not those that tell of this program's mistakes. */
static enum e2e_error
start_thread(struct thread *t)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	sigset_t blocked, before;

	(void)sigfillset(&blocked);
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		(void)sigdelset(&blocked, own[i]);
	(void)pthread_sigmask(SIG_BLOCK, &blocked, &before);
	t->started = pthread_create(&t->thread, NULL, run, t) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return t->started ? E2E_OK : E2E_ERR_MEMORY;
}

static void
stop_threads(struct worker *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->stopping = true;
	for (int i = 0; i < THREADS; i++)
		(void)pthread_cond_signal(&w->threads[i].changed);
	(void)pthread_mutex_unlock(&w->lock);
	for (int i = 0; i < THREADS; i++) {
		if (w->threads[i].started)
			(void)pthread_join(w->threads[i].thread, NULL);
		(void)pthread_cond_destroy(&w->threads[i].changed);
	}
	(void)pthread_mutex_destroy(&w->lock);
}

enum e2e_error
worker_start(struct worker **worker, struct store *writer,
    struct store *reader, size_t queue_max, void (*wake)(void *context),
    void *context)
{
	struct worker *w = calloc(1, sizeof *w);
	enum e2e_error err;

	*worker = NULL;
	if (w == NULL)
		return E2E_ERR_MEMORY;
	w->queue_max = queue_max;
	w->wake = wake;
	w->context = context;
	queue_init(&w->done);
	(void)pthread_mutex_init(&w->lock, NULL);
	w->threads[WRITER].store = writer;
	w->threads[READER].store = reader;
	for (int i = 0; i < THREADS; i++) {
		w->threads[i].worker = w;
		queue_init(&w->threads[i].queue);
		(void)pthread_cond_init(&w->threads[i].changed, NULL);
	}
	err = start_thread(&w->threads[WRITER]);
	if (err == E2E_OK && reader != NULL)
		err = start_thread(&w->threads[READER]);
	if (err != E2E_OK) {
		stop_threads(w);
		free(w);
		return err;
	}
	*worker = w;
	return E2E_OK;
}

struct store_job *
worker_stop(struct worker *w)
{
	struct store_job *left;

	if (w == NULL)
		return NULL;
	stop_threads(w);
	left = queue_take(&w->done);
	/* The last to close leaves nothing in the log: the writer. */
	if (w->threads[READER].store != NULL)
		w->threads[READER].store->ops->close(w->threads[READER].store);
	w->threads[WRITER].store->ops->close(w->threads[WRITER].store);
	free(w);
	return left;
}

/* ---- the loop's side ---- */

bool
worker_submit(struct worker *w, struct store_job *job)
{
	struct thread *t = &w->threads[WRITER];
	bool room;

	if (is_reading(job) && w->threads[READER].store != NULL)
		t = &w->threads[READER];
	(void)pthread_mutex_lock(&w->lock);
	room = w->submitted < w->queue_max;
	if (room) {
		w->submitted++;
		job->error = E2E_OK;
		job->batch = 0;
		if (job->kind == JOB_STAGE)
			job->before = job->stage.staged;
		queue_add(&t->queue, job);
		(void)pthread_cond_signal(&t->changed);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return room;
}

/* Who only looks may lock all the same. */
static pthread_mutex_t *
lock_of(const struct worker *w)
{
	return &((struct worker *)(uintptr_t)w)->lock;
}

size_t
worker_room(const struct worker *w)
{
	size_t room;

	(void)pthread_mutex_lock(lock_of(w));
	room = w->queue_max - w->submitted;
	(void)pthread_mutex_unlock(lock_of(w));
	return room;
}

struct store_job *
worker_take(struct worker *w)
{
	struct store_job *jobs;

	(void)pthread_mutex_lock(&w->lock);
	w->submitted -= w->done.count;
	jobs = queue_take(&w->done);
	(void)pthread_mutex_unlock(&w->lock);
	return jobs;
}

bool
worker_failed(const struct worker *w)
{
	bool failed;

	(void)pthread_mutex_lock(lock_of(w));
	failed = w->failed;
	(void)pthread_mutex_unlock(lock_of(w));
	return failed;
}

void
worker_stats(struct worker *w, struct worker_stats *stats)
{
	(void)pthread_mutex_lock(&w->lock);
	*stats = w->stats;
	stats->queued = w->submitted;
	(void)pthread_mutex_unlock(&w->lock);
}
