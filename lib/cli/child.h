/*
 * child.h: the only place that runs another program: a command line of the
 * user's own, by /bin/sh.
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <e2e/error.h>

#include <stddef.h>

/*
 * What to do meanwhile: `ready` is called when `fd` can be read (-1: never);
 * false: no more of that. It must not wait for long.
 */
struct child_watch {
	int fd;
	int (*ready)(void *context);
	void *context;
};

/*
 * What is run, and what it finds.
 *
 * With `answer_name` it finds in the variable of this name the number, of one
 * digit if there is one left, of a descriptor to which it may write an answer:
 * a pipe, read after its end. Who writes more than a pipe holds gets EAGAIN.
 */
struct child_task {
	const char *command;
	int input;			/* its standard input */
	/* "NAME=value", or "NAME" for one that is not to be there; NULL. */
	char *const *variables;
	const char *answer_name;	/* NULL: none is wanted */
	char *answer;			/* the caller's */
	size_t answer_size;
	size_t answer_length;		/* found out; not more than the size */
};

/*
 * Runs the task, and waits for its end. *status: its exit status, or minus
 * the number of the signal that killed it. Signals that are blocked here by
 * child_hold_signals are not blocked there. E2E_ERR_MEMORY (it could not be
 * started), with errno. Not told.
 */
enum e2e_error child_shell(struct child_task *task,
    const struct child_watch *watch, int *status);

/*
 * SIGINT, SIGTERM and SIGHUP wait from child_hold_signals to
 * child_let_signals, which then does what they do. child_signal_waits: has one
 * come?
 */
void child_hold_signals(void);
void child_let_signals(void);
int child_signal_waits(void);

#endif
