/*
 * pipeline.h: many workers, one order.
 *
 * A stream is cut into jobs 0, 1, 2, ... For each: `fill` gets it (in order,
 * one at a time), `work` does what is expensive (in parallel), `drain` hands
 * it on (in order, one at a time). So output bytes do not depend on the
 * number of workers, and no more jobs exist than workers.
 *
 * 1. fill(i) happens before fill(i + 1), drain(i) before drain(i + 1).
 * 2. After a failure of job i no job above i is drained, every job below i
 *    is; the failure reported is that of the lowest job.
 * 3. A stream that ends with its first job, or one worker, starts no thread.
 *
 * Threads: `fill` and `drain` of different jobs may run at the same time as
 * each other and as `work`; a fill never runs beside a fill, nor a drain
 * beside a drain.
 */
#ifndef BASE_PIPELINE_H
#define BASE_PIPELINE_H

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipeline {
	void *context;
	/* A job's memory, made once for each worker, by itself: the calls may
	 * run beside each other and everything else. NULL: no memory; if any
	 * worker has some, the others' jobs are its own. */
	void *(*job_new)(void *context);
	void (*job_free)(void *context, void *job);
	/* Sets *last with the last job. */
	enum e2e_error (*fill)(void *context, void *job, uint64_t index,
	    bool *last);
	enum e2e_error (*work)(void *context, void *job, uint64_t index);
	enum e2e_error (*drain)(void *context, void *job, uint64_t index);
};

/*
 * Runs to the end. workers: 0 as many as processors; never more than 64.
 * Fewer threads than asked for is no failure. *failed is the index of the job
 * that failed, else 0. errno is that of the thread whose error is returned.
 * Before `work` and before `drain` the thread calls random_stream with the
 * job's number + 1, and at the end the caller with the number of jobs + 1.
 */
enum e2e_error pipeline_run(const struct pipeline *p, unsigned workers,
    uint64_t *failed);

/* Processors this process may run on, at least 1. */
unsigned pipeline_processors(void);

#endif
