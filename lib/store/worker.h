/*
 * worker.h: the threads that own a store: group commit.
 *
 * The event loop submits jobs and never waits for the disk. One thread takes
 * all the changes that are there, makes them in one transaction, commits once,
 * and hands them back as one batch; while it commits, the next batch
 * gathers. It never waits to fill one. A second thread answers what is only
 * read, from a handle of its own (STORE_READ), or the first does when there is
 * none.
 *
 * 1. Every job submitted comes back exactly once, by worker_take, in the
 *    order of its kind's thread.
 * 2. A change that comes back E2E_OK is on stable storage.
 * 3. When a commit fails, all changes of its batch come back with the error,
 *    `failed` is set, every later change fails with E2E_ERR_STORE at once,
 *    and worker_failed says so: the relay answers and ends.
 * 4. A change that fails for itself (E2E_ERR_FULL, _MEMORY, _USAGE, _LIMIT)
 *    rolls the batch back; the others of the batch are then made again without
 *    it. Every other error of a change, of a begin or of a rollback is the
 *    store's, as in 3. A failed backup is nobody else's.
 *
 * Threads: submit, take and stop are called by one thread, the loop's; `wake`
 * is called by the worker's threads.
 */
#ifndef STORE_WORKER_H
#define STORE_WORKER_H

#include "store/job.h"

struct worker;

struct worker_stats {
	uint64_t commits, changes, reads;
	uint64_t commit_ns_total, commit_ns_max;
	size_t queued;
};

/*
 * Starts the threads. `reader` may be NULL. queue_max: jobs that may be
 * submitted and not yet taken back. wake(context) is called when there is
 * something to take. The stores are closed by worker_stop. E2E_ERR_MEMORY.
 */
enum e2e_error worker_start(struct worker **worker, struct store *writer,
    struct store *reader, size_t queue_max, void (*wake)(void *context),
    void *context);
/* False when the queue is full: try again after worker_take returned some. */
bool worker_submit(struct worker *worker, struct store_job *job);
size_t worker_room(const struct worker *worker);
/* All the jobs that are done, linked by `next`, in order; NULL: none. */
struct store_job *worker_take(struct worker *worker);
bool worker_failed(const struct worker *worker);
void worker_stats(struct worker *worker, struct worker_stats *stats);
/* Does what was submitted, ends the threads, closes the stores. Jobs still
 * untaken are returned as by worker_take. */
struct store_job *worker_stop(struct worker *worker);

#endif
