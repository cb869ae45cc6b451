/*
 * early.c: makes a relay that breaks its promise: it says OK before the
 * commit. Linked around the worker (--wrap), so that everything else is the
 * real thing: a deposit comes back at once as stored, and a copy of it goes
 * the usual way. tests/relay/crash.py must find out.
 */
#include "store/worker.h"

#include <stdlib.h>
#include <string.h>

enum e2e_error __real_worker_start(struct worker **, struct store *,
    struct store *, size_t, void (*)(void *), void *);
bool __real_worker_submit(struct worker *, struct store_job *);
struct store_job *__real_worker_take(struct worker *);
struct store_job *__real_worker_stop(struct worker *);
enum e2e_error __wrap_worker_start(struct worker **, struct store *,
    struct store *, size_t, void (*)(void *), void *);
bool __wrap_worker_submit(struct worker *, struct store_job *);
struct store_job *__wrap_worker_take(struct worker *);
struct store_job *__wrap_worker_stop(struct worker *);

static char is_copy;			/* its address: owner of all copies */
static struct store_job *early, **early_end = &early;
static uint64_t batch = UINT64_MAX / 2;
static void (*wake)(void *);
static void *wake_context;

static void *
duplicate(const void *data, size_t size)
{
	void *copy = malloc(size + 1);

	if (copy != NULL && size > 0)
		memcpy(copy, data, size);
	return copy;
}

static void
free_copy(struct store_job *copy)
{
	free((void *)(uintptr_t)copy->deposit.body.data);
	free((void *)(uintptr_t)copy->deposit.boxes);
	free(copy->deposit.outcomes);
	free(copy);
}

/* What lies behind the pointers will be gone when the first has come back. */
static struct store_job *
copy_of(const struct store_job *job)
{
	const struct store_deposit *d = &job->deposit;
	struct store_job *copy = calloc(1, sizeof *copy);

	if (copy == NULL)
		abort();
	copy->kind = JOB_DEPOSIT;
	copy->owner = &is_copy;
	memcpy(copy->box, job->box, sizeof copy->box);
	copy->deposit = *d;
	if (d->body.data != NULL)
		copy->deposit.body.data = duplicate(d->body.data,
		    d->body.length);
	copy->deposit.boxes = duplicate(d->boxes,
	    d->box_count * sizeof *d->boxes);
	copy->deposit.outcomes = calloc(d->box_count,
	    sizeof *d->outcomes);
	return copy;
}

enum e2e_error
__wrap_worker_start(struct worker **worker, struct store *writer,
    struct store *reader, size_t queue_max, void (*function)(void *),
    void *context)
{
	wake = function;
	wake_context = context;
	return __real_worker_start(worker, writer, reader, queue_max, function,
	    context);
}

bool
__wrap_worker_submit(struct worker *worker, struct store_job *job)
{
	struct store_job *copy;

	if (job->kind != JOB_DEPOSIT)
		return __real_worker_submit(worker, job);
	copy = copy_of(job);
	if (!__real_worker_submit(worker, copy)) {
		free_copy(copy);
		return false;
	}
	for (size_t i = 0; i < job->deposit.box_count; i++)
		job->deposit.outcomes[i] = STORE_STORED;
	job->deposit.kept_until = job->deposit.until;
	job->error = E2E_OK;
	job->batch = ++batch;
	job->next = NULL;
	*early_end = job;
	early_end = &job->next;
	wake(wake_context);
	return true;
}

/* Jobs without the copies, and behind them those that are done early. */
static struct store_job *
sorted(struct store_job *jobs)
{
	struct store_job *first = NULL, **end = &first, *next;

	for (; jobs != NULL; jobs = next) {
		next = jobs->next;
		if (jobs->owner == &is_copy) {
			free_copy(jobs);
			continue;
		}
		jobs->next = NULL;
		*end = jobs;
		end = &jobs->next;
	}
	*end = early;
	early = NULL;
	early_end = &early;
	return first;
}

struct store_job *
__wrap_worker_take(struct worker *worker)
{
	return sorted(__real_worker_take(worker));
}

struct store_job *
__wrap_worker_stop(struct worker *worker)
{
	return sorted(__real_worker_stop(worker));
}
