/*
 * pipeline.c: every worker takes its job through all three steps.
 *
 * There is no reader and no writer thread: whoever is free fills the next
 * job, works on it and waits for its turn to drain it. So a job's bytes stay
 * with one processor, memory is one job for each worker, and with one worker
 * the same loop is a plain loop. Each worker that sees that the stream goes
 * on starts the next one; so there are never more threads than jobs.
 */
#define _GNU_SOURCE		/* sched_getaffinity */

#include "base/pipeline.h"

#include "base/random.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define NONE UINT64_MAX

/*
 * 1. The jobs filled and not yet drained are turn, turn + 1, ..., next - 1,
 *    each held by one worker; so `own_turn[index % workers]` is one job's.
 * 2. failed only decreases.
 * 3. Whoever holds `filling` may take `order`, never the other way round.
 */
struct run {
	const struct pipeline *p;
	unsigned int workers;

	pthread_mutex_t filling;	/* held during fill; guards: */
	uint64_t next;
	bool ended;			/* nothing more is to be filled */
	unsigned int started;
	pthread_t threads[WORKERS_MAX];

	pthread_mutex_t order;		/* never held during a step; guards: */
	uint64_t turn;
	uint64_t failed;		/* the lowest job that did, or NONE */
	enum e2e_error error;
	int error_errno;
	pthread_cond_t own_turn[WORKERS_MAX];
};

static void *worker(void *context);

static void
fail(struct run *r, uint64_t index, enum e2e_error err)
{
	int saved = errno;

	(void)pthread_mutex_lock(&r->order);
	if (index < r->failed) {
		r->failed = index;
		r->error = err;
		r->error_errno = saved;
	}
	for (unsigned int i = 0; i < r->workers; i++)
		(void)pthread_cond_signal(&r->own_turn[i]);
	(void)pthread_mutex_unlock(&r->order);
}

/* Has this job, or one before it, failed? */
static bool
is_pointless(struct run *r, uint64_t index)
{
	bool pointless;

	(void)pthread_mutex_lock(&r->order);
	pointless = r->failed <= index;
	(void)pthread_mutex_unlock(&r->order);
	return pointless;
}

static bool
wait_turn(struct run *r, uint64_t index)
{
	bool come;

	(void)pthread_mutex_lock(&r->order);
	while (r->turn != index && r->failed > index)
		(void)pthread_cond_wait(&r->own_turn[index % r->workers],
		    &r->order);
	come = r->failed > index;
	(void)pthread_mutex_unlock(&r->order);
	return come;
}

static void
hand_on(struct run *r)
{
	(void)pthread_mutex_lock(&r->order);
	r->turn++;
	(void)pthread_cond_signal(&r->own_turn[r->turn % r->workers]);
	(void)pthread_mutex_unlock(&r->order);
}

/*
 * Signals are left to the thread that was there before us. Not SIGPIPE: it is
 * sent to the thread that writes, and must end the process from there, too;
 * and not those that tell of this program's own mistakes.
 */
static void
start_worker(struct run *r)
{
	sigset_t blocked, before;

	(void)sigfillset(&blocked);
	(void)sigdelset(&blocked, SIGPIPE);
	(void)sigdelset(&blocked, SIGSEGV);
	(void)sigdelset(&blocked, SIGBUS);
	(void)sigdelset(&blocked, SIGFPE);
	(void)sigdelset(&blocked, SIGILL);
	(void)sigdelset(&blocked, SIGABRT);
	(void)pthread_sigmask(SIG_BLOCK, &blocked, &before);
	if (pthread_create(&r->threads[r->started], NULL, worker, r) == 0)
		r->started++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Takes and fills the next job. False: there is none, or it failed. */
static bool
fill_next(struct run *r, void *job, uint64_t *index)
{
	enum e2e_error err = E2E_OK;
	bool go;

	(void)pthread_mutex_lock(&r->filling);
	*index = r->next;
	go = !r->ended && !is_pointless(r, *index);
	if (go) {
		r->next++;
		err = r->p->fill(r->p->context, job, *index, &r->ended);
		if (err != E2E_OK) {
			fail(r, *index, err);
			r->ended = true;
			go = false;
		}
	}
	if (go && !r->ended && r->started + 1 < r->workers)
		start_worker(r);
	(void)pthread_mutex_unlock(&r->filling);
	return go;
}

static void
take_jobs(struct run *r, void *job)
{
	const struct pipeline *p = r->p;
	enum e2e_error err;
	uint64_t index;

	while (fill_next(r, job, &index) && !is_pointless(r, index)) {
		random_stream(index + 1);
		err = p->work(p->context, job, index);
		if (err == E2E_OK) {
			if (!wait_turn(r, index))
				return;
			random_stream(index + 1);
			err = p->drain(p->context, job, index);
		}
		if (err != E2E_OK) {
			fail(r, index, err);
			return;
		}
		hand_on(r);
	}
}

/* A thread of its own. Without memory for a job it leaves the work to the
 * others. */
static void *
worker(void *context)
{
	struct run *r = context;
	void *job = r->p->job_new(r->p->context);

	if (job != NULL) {
		take_jobs(r, job);
		r->p->job_free(r->p->context, job);
	}
	return NULL;
}

enum e2e_error
pipeline_run(const struct pipeline *p, unsigned workers, uint64_t *failed)
{
	struct run r = { .p = p, .failed = NONE };
	void *job;

	*failed = 0;
	if (workers == 0)
		workers = pipeline_processors();
	r.workers = workers < WORKERS_MAX ? workers : WORKERS_MAX;
	if ((job = p->job_new(p->context)) == NULL)
		return E2E_ERR_MEMORY;
	(void)pthread_mutex_init(&r.filling, NULL);
	(void)pthread_mutex_init(&r.order, NULL);
	for (unsigned int i = 0; i < r.workers; i++)
		(void)pthread_cond_init(&r.own_turn[i], NULL);

	take_jobs(&r, job);

	/* Threads are started under this lock and only before the end. */
	(void)pthread_mutex_lock(&r.filling);
	r.ended = true;
	(void)pthread_mutex_unlock(&r.filling);
	for (unsigned int i = 0; i < r.started; i++)
		(void)pthread_join(r.threads[i], NULL);

	for (unsigned int i = 0; i < r.workers; i++)
		(void)pthread_cond_destroy(&r.own_turn[i]);
	(void)pthread_mutex_destroy(&r.order);
	(void)pthread_mutex_destroy(&r.filling);
	p->job_free(p->context, job);
	random_stream(r.next + 1);
	if (r.failed != NONE) {
		*failed = r.failed;
		errno = r.error_errno;
	}
	return r.error;
}

unsigned
pipeline_processors(void)
{
	long n;
#ifdef CPU_COUNT
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
		return (unsigned)CPU_COUNT(&set);
#endif
	n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}
