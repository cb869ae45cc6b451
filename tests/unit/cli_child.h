/*
 * cli_child.h: runs a piece of lib/cli in a child process, as a command
 * would, and keeps what it says.
 */
#ifndef UNIT_CLI_CHILD_H
#define UNIT_CLI_CHILD_H

#include <stddef.h>

enum { CHILD_TEXT_MAX = 16384 };

struct child {
	int status;			/* exit status, or -signal */
	char out[CHILD_TEXT_MAX];	/* standard output, NUL-terminated */
	char err[CHILD_TEXT_MAX];
	int on_terminal;		/* set first: out and /dev/tty are a
					 * terminal, on which `input` is typed */
	const char *input;
};

/* The child exits with what `body` returns. */
void child_run(struct child *c, int (*body)(void *context), void *context);

/* A fresh folder below TMPDIR, and its removal with all it holds. */
char *child_folder(void);
void child_folder_remove(char *folder);

/* Group set-up and teardown: what errors say in between goes nowhere. */
int child_mute(void **state);
int child_unmute(void **state);

#endif
