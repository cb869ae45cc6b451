/*
 * progress.h: a line on the terminal for work that takes long.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <e2e/io.h>

#include <stdbool.h>
#include <stdint.h>

struct progress {
	uint64_t total;		/* 0: unknown */
	uint64_t begun;		/* clock_monotonic */
	uint64_t shown;
};

/*
 * What to put into a request: nothing unless standard error is a terminal
 * (and not with -q); then a line after two seconds. *p must outlive the call.
 */
struct e2e_progress progress_start(struct progress *p, uint64_t total);
/* Wipes the line away. */
void progress_stop(void);

#endif
