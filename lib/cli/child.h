/*
 * child.h: the only place that runs another program: a command line of the
 * user's own, by /bin/sh.
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <e2e/error.h>

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
 * Runs `command` with `input` as its standard input and one more variable in
 * its environment ("NAME=value"), and waits for its end. *status: its exit
 * status, or minus the number of the signal that killed it. Signals that are
 * blocked here by child_hold_signals are not blocked there. E2E_ERR_MEMORY
 * (it could not be started), with errno. Not told.
 */
enum e2e_error child_shell(const char *command, int input,
    const char *variable, const struct child_watch *watch, int *status);

/*
 * SIGINT, SIGTERM and SIGHUP wait from child_hold_signals to
 * child_let_signals, which then does what they do. child_signal_waits: has one
 * come?
 */
void child_hold_signals(void);
void child_let_signals(void);
int child_signal_waits(void);

#endif
