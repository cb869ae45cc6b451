/*
 * message.c: lines for people and for programs.
 *
 * Every line leaves in one write, so that the lines of a pipeline do not mix.
 * Failing to write to standard error has nobody to be told to; failing to write
 * a status line is remembered, and makes the command fail.
 */
#include "cli/message.h"

#include "base/fd.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 8192 };

static struct {
	const char *command;
	bool quiet;
	bool verbose;
	int status_fd;
	bool status_failed;
	bool transient;
} state = { .command = "e2e", .status_fd = -1 };

void
message_start(const char *command)
{
	state.command = command;
}

const char *
message_command(void)
{
	return state.command;
}

void
message_quiet(void)
{
	state.quiet = true;
	state.verbose = false;
}

void
message_verbose(void)
{
	state.verbose = true;
	state.quiet = false;
}

bool
message_is_verbose(void)
{
	return state.verbose;
}

bool
message_is_quiet(void)
{
	return state.quiet;
}

bool
message_set_status_fd(int fd)
{
	int flags = fd < 0 ? O_WRONLY : fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return false;
	state.status_fd = fd;
	return true;
}

int
message_status_fd(void)
{
	return state.status_fd;
}

bool
message_status_failed(void)
{
	return state.status_failed;
}

/* Writes "COMMAND: KINDtext"; errno is kept. */
static void
say(const char *kind, const char *text)
{
	char line[LINE_SIZE];
	int saved = errno, n;
	size_t length;

	message_transient(NULL);
	n = snprintf(line, sizeof(line), "%s: %s", state.command, kind);
	if (n < 0 || (size_t)n > sizeof(line) - 32)
		n = 0;
	(void)utf8_escape(line + n, sizeof(line) - (size_t)n - 1, text,
	    strlen(text));
	length = strlen(line);
	line[length] = '\n';
	(void)fd_write(STDERR_FILENO, line, length + 1);
	errno = saved;
}

static void say_v(const char *kind, const char *format, va_list ap)
    TEXT_FORMAT(2, 0);

static void
say_v(const char *kind, const char *format, va_list ap)
{
	char text[LINE_SIZE];

	(void)vsnprintf(text, sizeof(text), format, ap);
	say(kind, text);
}

static enum e2e_error
say_error(enum e2e_error code, const char *text)
{
	struct json j;

	say("error: ", text);
	message_event(&j, "error");
	json_number(&j, "code", (uint64_t)code);
	json_number(&j, "status", (uint64_t)e2e_exit_status(code));
	json_string(&j, "text", text);
	message_status(&j);
	return code;
}

enum e2e_error
message_error(enum e2e_error code, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return say_error(code, text);
}

enum e2e_error
message_system(enum e2e_error code, const char *subject)
{
	struct e2e_diag diag = { .code = code, .sys_errno = errno };

	return message_diag(code, &diag, subject);
}

enum e2e_error
message_diag(enum e2e_error code, const struct e2e_diag *diag,
    const char *subject)
{
	char text[LINE_SIZE], place[80] = "", why[256] = "";

	if (diag != NULL && diag->unit != NULL)
		(void)snprintf(place, sizeof(place), " at %s %" PRIu64,
		    diag->unit, diag->position);
	if (diag != NULL && diag->sys_errno != 0)
		(void)snprintf(why, sizeof(why), ": %s",
		    strerror(diag->sys_errno));
	(void)snprintf(text, sizeof(text), "%s%s%s%s%s",
	    subject == NULL ? "" : subject, subject == NULL ? "" : ": ",
	    e2e_error_text(code), place, why);
	return say_error(code, text);
}

enum e2e_error
message_no_memory(void)
{
	return say_error(E2E_ERR_MEMORY, e2e_error_text(E2E_ERR_MEMORY));
}

void
message_hint(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_v("hint: ", format, ap);
	va_end(ap);
}

void
message_warn(const char *format, ...)
{
	char text[LINE_SIZE];
	struct json j;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (!state.quiet)
		say("warning: ", text);
	message_event(&j, "warning");
	json_string(&j, "text", text);
	message_status(&j);
}

void
message_note(const char *format, ...)
{
	va_list ap;

	if (state.quiet)
		return;
	va_start(ap, format);
	say_v("", format, ap);
	va_end(ap);
}

void
message_detail(const char *format, ...)
{
	va_list ap;

	if (!state.verbose)
		return;
	va_start(ap, format);
	say_v("", format, ap);
	va_end(ap);
}

void
message_event(struct json *j, const char *event)
{
	json_init(j);
	/* What nobody reads takes no memory. */
	if (state.status_fd < 0)
		j->text.limit = 0;
	json_object(j, NULL);
	json_string(j, "event", event);
}

void
message_status(struct json *j)
{
	int saved = errno;

	json_end(j, '}');
	(void)buffer_append_byte(&j->text, '\n');
	if (state.status_fd >= 0 && (j->text.failed ||
	    fd_write(state.status_fd, j->text.data, j->text.length) != E2E_OK))
		state.status_failed = true;
	json_free(j);
	errno = saved;
}

void
message_transient(const char *text)
{
	char line[160];

	if (text == NULL && !state.transient)
		return;
	(void)snprintf(line, sizeof(line), "\r\033[K%s",
	    text == NULL ? "" : text);
	(void)fd_write(STDERR_FILENO, line, strlen(line));
	state.transient = text != NULL;
}
