/*
 * message.h: the only place of the commands that says anything.
 *
 * People read standard error, one line at a time:
 *
 *	e2e-open: error: letter: a chunk of the payload is not authentic
 *	e2e-open: hint: ...
 *
 * Programs read the descriptor given with --status-fd, one JSON object a line.
 * Every text is escaped here as a whole: what came from a message, a card or
 * a file name cannot move the cursor or begin a line of its own.
 *
 * Convention of lib/cli and cmd: a function that returns an enum e2e_error has
 * told the user already. (Callbacks given to libe2e have not: their error
 * comes back in the e2e_diag, and message_diag tells it.)
 *
 * Threads: the main thread.
 */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "cli/text.h"

#include <e2e/error.h>

#include <stdbool.h>

/* The name of the command, for every line. */
void message_start(const char *command);
/* The name as given to message_start. */
const char *message_command(void);
void message_quiet(void);		/* errors only */
void message_verbose(void);		/* details, too */
bool message_is_verbose(void);
bool message_is_quiet(void);
/* -1: none. False, and nothing said: not a descriptor open for writing. */
bool message_set_status_fd(int fd);
int message_status_fd(void);		/* -1: none */
/* Did a line to the status descriptor fail to be written? */
bool message_status_failed(void);

/* Each error is said at the place that knows most. Both return the code. */
enum e2e_error message_error(enum e2e_error code, const char *format, ...)
    TEXT_FORMAT(2, 3);
/* "SUBJECT: the code's sentence: why, by errno"; errno 0 leaves that out. */
enum e2e_error message_system(enum e2e_error code, const char *subject);
/* The same from a library's diagnostic, with the place it names. `code` is
 * what the library returned (it has not filled in diag when it is E2E_OK). */
enum e2e_error message_diag(enum e2e_error code, const struct e2e_diag *diag,
    const char *subject);

/* E2E_ERR_MEMORY, told. */
enum e2e_error message_no_memory(void);

void message_hint(const char *format, ...) TEXT_FORMAT(1, 2);
void message_warn(const char *format, ...) TEXT_FORMAT(1, 2);
/* Not with -q. */
void message_note(const char *format, ...) TEXT_FORMAT(1, 2);
/* With -v alone. */
void message_detail(const char *format, ...) TEXT_FORMAT(1, 2);

/* The start of a status line: {"event":EVENT; the caller adds members. */
void message_event(struct json *j, const char *event);
/* Ends it, writes it where one is wanted, and frees it. */
void message_status(struct json *j);

/* A line on the terminal that the next one replaces; NULL wipes it away. */
void message_transient(const char *text);

#endif
