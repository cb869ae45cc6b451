/* The pipeline: one order whatever the number of workers, and clean ends. */
#include "base/pipeline.h"

#include "base/random.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#define MANY 500

enum step { FILL, WORK, DRAIN, STEPS };

struct job {
	uint64_t index;
	bool worked;
};

/* What a run is to do, and what was seen of it. */
struct trial {
	uint64_t jobs;			/* 0: without end */
	uint64_t fail_at[STEPS];	/* the first job to fail there */
	int no_memory_from;		/* job_new fails from this call on */
	bool (*rendezvous)(struct trial *t, enum step step, uint64_t index);
	pthread_t caller;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool flags[4];

	atomic_int made, freed, filling, draining;
	atomic_int mistakes;
	uint64_t filled;
	uint64_t drained;
};

/* Both stand in place of random.c, so that streams can be looked at. */
static _Thread_local uint64_t stream;

bool
random_bytes(void *data, size_t size)
{
	memset(data, 0, size);
	return true;
}

void
random_stream(uint64_t number)
{
	stream = number;
}

static void *
job_new(void *context)
{
	struct trial *t = context;
	int n = atomic_fetch_add(&t->made, 1);

	if (n >= t->no_memory_from) {
		(void)atomic_fetch_sub(&t->made, 1);
		return NULL;
	}
	return calloc(1, sizeof(struct job));
}

static void
job_free(void *context, void *job)
{
	struct trial *t = context;

	(void)atomic_fetch_add(&t->freed, 1);
	free(job);
}

static enum e2e_error
end_step(struct trial *t, enum step step, uint64_t index)
{
	if (t->rendezvous != NULL && !t->rendezvous(t, step, index))
		(void)atomic_fetch_add(&t->mistakes, 1);
	if (index < t->fail_at[step])
		return E2E_OK;
	errno = 1000 + (int)(10 * index) + (int)step;
	return step == FILL ? E2E_ERR_READ : step == WORK ? E2E_ERR_CHUNK :
	    E2E_ERR_WRITE;
}

static void
check(struct trial *t, bool right)
{
	if (!right)
		(void)atomic_fetch_add(&t->mistakes, 1);
}

static enum e2e_error
fill(void *context, void *job, uint64_t index, bool *last)
{
	struct trial *t = context;
	struct job *j = job;
	enum e2e_error err;

	check(t, atomic_fetch_add(&t->filling, 1) == 0);
	check(t, index == t->filled);
	t->filled++;
	*j = (struct job){ .index = index };
	if (index + 1 == t->jobs)
		*last = true;
	err = end_step(t, FILL, index);
	(void)atomic_fetch_sub(&t->filling, 1);
	return err;
}

static enum e2e_error
work(void *context, void *job, uint64_t index)
{
	struct trial *t = context;
	struct job *j = job;

	check(t, j->index == index && !j->worked && stream == index + 1);
	j->worked = true;
	stream = 0;
	return end_step(t, WORK, index);
}

static enum e2e_error
drain(void *context, void *job, uint64_t index)
{
	struct trial *t = context;
	struct job *j = job;
	enum e2e_error err;

	check(t, atomic_fetch_add(&t->draining, 1) == 0);
	check(t, j->index == index && j->worked && stream == index + 1);
	check(t, index == t->drained);
	err = end_step(t, DRAIN, index);
	if (err == E2E_OK)
		t->drained++;
	(void)atomic_fetch_sub(&t->draining, 1);
	return err;
}

static void
trial_init(struct trial *t, uint64_t jobs)
{
	*t = (struct trial){ .jobs = jobs, .no_memory_from = 1000,
	    .fail_at = { UINT64_MAX, UINT64_MAX, UINT64_MAX },
	    .caller = pthread_self() };
	assert_int_equal(pthread_mutex_init(&t->lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&t->changed, NULL), 0);
}

static enum e2e_error
trial_run(struct trial *t, unsigned int workers, uint64_t *failed)
{
	struct pipeline p = {
		.context = t, .job_new = job_new, .job_free = job_free,
		.fill = fill, .work = work, .drain = drain
	};
	enum e2e_error err;

	*failed = 12345;
	err = pipeline_run(&p, workers, failed);
	assert_int_equal(atomic_load(&t->mistakes), 0);
	assert_int_equal(atomic_load(&t->made), atomic_load(&t->freed));
	(void)pthread_mutex_destroy(&t->lock);
	(void)pthread_cond_destroy(&t->changed);
	return err;
}

/* ---- order ---- */

static const unsigned int workers[] = { 1, 2, 3, 8, 64, 1000, 0 };
#define WORKERS (sizeof workers / sizeof workers[0])

static void
jobs_are_drained_in_order_once(void **state)
{
	static const uint64_t counts[] = { 1, 2, 3, 7, 64, 65, MANY };
	struct trial t;
	uint64_t failed;

	for (size_t w = 0; w < WORKERS; w++)
		for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
			trial_init(&t, counts[c]);
			assert_int_equal(trial_run(&t, workers[w], &failed),
			    E2E_OK);
			assert_true(failed == 0);
			assert_true(t.filled == counts[c]);
			assert_true(t.drained == counts[c]);
			/* And the caller goes on with a number of its own. */
			assert_true(stream == counts[c] + 1);
		}
}

static void
threads_are_no_more_than_workers_and_jobs(void **state)
{
	struct trial t;
	uint64_t failed;

	for (size_t w = 0; w < WORKERS; w++)
		for (uint64_t jobs = 1; jobs < 80; jobs += 3) {
			trial_init(&t, jobs);
			assert_int_equal(trial_run(&t, workers[w], &failed),
			    E2E_OK);
			assert_true((uint64_t)t.made <= jobs);
			assert_true(t.made <= 64);
			if (workers[w] > 0)
				assert_true((unsigned)t.made <= workers[w]);
		}
}

static bool
on_caller(struct trial *t, enum step step, uint64_t index)
{
	return pthread_equal(pthread_self(), t->caller);
}

static void
one_job_or_one_worker_starts_no_thread(void **state)
{
	struct trial t;
	uint64_t failed;

	trial_init(&t, 1);
	t.rendezvous = on_caller;
	assert_int_equal(trial_run(&t, 8, &failed), E2E_OK);
	assert_int_equal(t.made, 1);
	trial_init(&t, MANY);
	t.rendezvous = on_caller;
	assert_int_equal(trial_run(&t, 1, &failed), E2E_OK);
	assert_int_equal(t.made, 1);
	assert_true(t.drained == MANY);
	/* Nor does a stream that fails to begin. */
	trial_init(&t, MANY);
	t.rendezvous = on_caller;
	t.fail_at[FILL] = 0;
	assert_int_equal(trial_run(&t, 8, &failed), E2E_ERR_READ);
	assert_int_equal(t.made, 1);
}

/* ---- what runs beside what ---- */

static void
raise_flag(struct trial *t, int flag)
{
	(void)pthread_mutex_lock(&t->lock);
	t->flags[flag] = true;
	(void)pthread_cond_broadcast(&t->changed);
	(void)pthread_mutex_unlock(&t->lock);
}

static void
await_flag(struct trial *t, int flag)
{
	(void)pthread_mutex_lock(&t->lock);
	while (!t->flags[flag])
		(void)pthread_cond_wait(&t->changed, &t->lock);
	(void)pthread_mutex_unlock(&t->lock);
}

static bool
meet_in_work(struct trial *t, enum step step, uint64_t index)
{
	if (step == WORK && index < 3) {
		raise_flag(t, (int)index);
		for (int i = 0; i < 3; i++)
			await_flag(t, i);
	}
	return true;
}

static void
work_runs_in_parallel(void **state)
{
	struct trial t;
	uint64_t failed;

	trial_init(&t, 10);
	t.rendezvous = meet_in_work;
	assert_int_equal(trial_run(&t, 3, &failed), E2E_OK);
	assert_true(t.drained == 10);
}

/* The next input comes only after the last output was seen: a dialog. */
static bool
fill_awaits_drain(struct trial *t, enum step step, uint64_t index)
{
	if (step == DRAIN && index < 4)
		raise_flag(t, (int)index);
	if (step == FILL && index > 0 && index < 5)
		await_flag(t, (int)index - 1);
	return true;
}

static void
input_that_stalls_holds_nothing_back(void **state)
{
	struct trial t;
	uint64_t failed;

	for (size_t w = 0; w < WORKERS; w++) {
		trial_init(&t, 20);
		t.rendezvous = fill_awaits_drain;
		assert_int_equal(trial_run(&t, workers[w], &failed), E2E_OK);
		assert_true(t.drained == 20);
	}
}

/* A drain that takes long does not keep others from being filled. */
static bool
drain_awaits_fill(struct trial *t, enum step step, uint64_t index)
{
	if (step == FILL && index == 2)
		raise_flag(t, 0);
	if (step == DRAIN && index == 0)
		await_flag(t, 0);
	return true;
}

static void
output_that_stalls_lets_input_go_on(void **state)
{
	struct trial t;
	uint64_t failed;

	trial_init(&t, 20);
	t.rendezvous = drain_awaits_fill;
	assert_int_equal(trial_run(&t, 3, &failed), E2E_OK);
	assert_true(t.drained == 20);
}

/* ---- failures ---- */

static void
failure_is_reported_and_nothing_after_it_drained(void **state)
{
	static const enum e2e_error errors[STEPS] = {
		E2E_ERR_READ, E2E_ERR_CHUNK, E2E_ERR_WRITE
	};
	struct trial t;
	uint64_t failed;

	for (size_t w = 0; w < WORKERS; w++)
		for (int step = 0; step < STEPS; step++)
			for (uint64_t at = 0; at < 12; at++) {
				trial_init(&t, at % 2 == 0 ? 12 : 0);
				t.fail_at[step] = at;
				errno = 0;
				assert_int_equal(trial_run(&t, workers[w],
				    &failed), errors[step]);
				assert_int_equal(errno, 1000 + 10 * (int)at +
				    step);
				assert_true(failed == at);
				assert_true(t.drained == at);
			}
}

/* Job 0 fails, or does not, only after job 1 has. */
static bool
later_job_fails_first(struct trial *t, enum step step, uint64_t index)
{
	if (step == WORK && index == 1)
		raise_flag(t, 0);
	if (step == WORK && index == 0)
		await_flag(t, 0);
	return true;
}

static void
lowest_failure_is_the_one_reported(void **state)
{
	struct trial t;
	uint64_t failed;

	for (int round = 0; round < 200; round++) {
		trial_init(&t, 0);
		t.rendezvous = later_job_fails_first;
		t.fail_at[WORK] = 0;
		assert_int_equal(trial_run(&t, 4, &failed), E2E_ERR_CHUNK);
		assert_true(failed == 0);
		assert_int_equal(errno, 1000 + WORK);
		assert_true(t.drained == 0);

		/* The job before it is drained all the same. */
		trial_init(&t, 0);
		t.rendezvous = later_job_fails_first;
		t.fail_at[WORK] = 1;
		assert_int_equal(trial_run(&t, 4, &failed), E2E_ERR_CHUNK);
		assert_true(failed == 1);
		assert_true(t.drained == 1);

		/* And its own failure to drain counts more. */
		trial_init(&t, 0);
		t.rendezvous = later_job_fails_first;
		t.fail_at[WORK] = 1;
		t.fail_at[DRAIN] = 0;
		assert_int_equal(trial_run(&t, 4, &failed), E2E_ERR_WRITE);
		assert_true(failed == 0);
		assert_true(t.drained == 0);
	}
}

static void
without_memory_for_one_job_nothing_runs(void **state)
{
	struct trial t;
	uint64_t failed;

	trial_init(&t, 10);
	t.no_memory_from = 0;
	assert_int_equal(trial_run(&t, 4, &failed), E2E_ERR_MEMORY);
	assert_true(t.filled == 0);
}

static void
less_memory_means_fewer_workers(void **state)
{
	struct trial t;
	uint64_t failed;

	for (int jobs = 1; jobs < 4; jobs++) {
		trial_init(&t, MANY);
		t.no_memory_from = jobs;
		assert_int_equal(trial_run(&t, 8, &failed), E2E_OK);
		assert_true(t.drained == MANY);
		assert_true(t.made <= jobs);
	}
}

static void
without_threads_the_caller_does_it_all(void **state)
{
#ifdef SANITIZED
	skip();
#else
	static const struct rlimit nothing_more = { 1, 1 };
	const char *preloaded = getenv("LD_PRELOAD");
	struct trial t;
	uint64_t failed;
	int status;
	pid_t pid;

	/* Valgrind itself cannot do without memory. */
	if (preloaded != NULL && strstr(preloaded, "vgpreload") != NULL)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct pipeline p = {
			.context = &t, .job_new = job_new,
			.job_free = job_free, .fill = fill, .work = work,
			.drain = drain
		};

		trial_init(&t, MANY);
		t.rendezvous = on_caller;
		/* No room for a stack. */
		if (setrlimit(RLIMIT_AS, &nothing_more) != 0)
			_exit(1);
		_exit(pipeline_run(&p, 8, &failed) == E2E_OK &&
		    t.drained == MANY && t.mistakes == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
#endif
}

/* ---- signals ---- */

static bool
signals_are_the_callers(struct trial *t, enum step step, uint64_t index)
{
	bool caller = pthread_equal(pthread_self(), t->caller);
	sigset_t mask;

	if (pthread_sigmask(SIG_SETMASK, NULL, &mask) != 0 ||
	    sigismember(&mask, SIGPIPE) != 0 ||
	    sigismember(&mask, SIGSEGV) != 0)
		return false;
	return sigismember(&mask, SIGINT) == !caller &&
	    sigismember(&mask, SIGTERM) == !caller &&
	    sigismember(&mask, SIGCHLD) == !caller &&
	    meet_in_work(t, step, index);
}

static void
workers_leave_signals_to_the_caller(void **state)
{
	struct trial t;
	uint64_t failed;
	sigset_t mask;

	trial_init(&t, 30);
	t.rendezvous = signals_are_the_callers;
	assert_int_equal(trial_run(&t, 3, &failed), E2E_OK);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, SIGINT), 0);
}

static void
there_is_at_least_one_processor(void **state)
{
	assert_true(pipeline_processors() >= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: the stacks of threads that were are kept. */
		cmocka_unit_test(without_threads_the_caller_does_it_all),
		cmocka_unit_test(jobs_are_drained_in_order_once),
		cmocka_unit_test(threads_are_no_more_than_workers_and_jobs),
		cmocka_unit_test(one_job_or_one_worker_starts_no_thread),
		cmocka_unit_test(work_runs_in_parallel),
		cmocka_unit_test(input_that_stalls_holds_nothing_back),
		cmocka_unit_test(output_that_stalls_lets_input_go_on),
		cmocka_unit_test(
		    failure_is_reported_and_nothing_after_it_drained),
		cmocka_unit_test(lowest_failure_is_the_one_reported),
		cmocka_unit_test(without_memory_for_one_job_nothing_runs),
		cmocka_unit_test(less_memory_means_fewer_workers),
		cmocka_unit_test(workers_leave_signals_to_the_caller),
		cmocka_unit_test(there_is_at_least_one_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
