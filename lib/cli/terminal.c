/*
 * terminal.c: the prompt.
 *
 * Signals that would end or stop the process are caught while echo is off, only
 * noted, and sent again once the terminal is as it was and their former
 * dispositions are back. The handlers are installed without SA_RESTART, so that read(2) ends.
 */
#include "cli/terminal.h"

#include "base/fd.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int signals[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU
};

enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static volatile sig_atomic_t caught[SIGNALS];

static void
note_signal(int number)
{
	size_t i;

	for (i = 0; i < SIGNALS; i++)
		if (signals[i] == number)
			caught[i] = 1;
}

static bool
any_caught(void)
{
	size_t i;

	for (i = 0; i < SIGNALS; i++)
		if (caught[i])
			return true;
	return false;
}

static bool
is_stop(int number)
{
	return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

static void
catch_signals(struct sigaction saved[SIGNALS])
{
	struct sigaction action;
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = note_signal;
	(void)sigemptyset(&action.sa_mask);
	for (i = 0; i < SIGNALS; i++) {
		caught[i] = 0;
		(void)sigaction(signals[i], NULL, &saved[i]);
		if (saved[i].sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
}

/* Gives signals back, and delivers those noted. True: stopped, now awake. */
static bool
release_signals(const struct sigaction saved[SIGNALS])
{
	bool stopped = false;
	size_t i;

	for (i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &saved[i], NULL);
	for (i = 0; i < SIGNALS; i++) {
		if (!caught[i])
			continue;
		(void)kill(getpid(), signals[i]);
		stopped = stopped || is_stop(signals[i]);
	}
	return stopped;
}

static enum e2e_error
read_line(int fd, unsigned char *answer, size_t size, size_t *length)
{
	unsigned char c = 0;
	size_t used = 0;
	ssize_t n;
	bool fits = true;

	for (;;) {
		n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR && !any_caught())
			continue;
		if (n <= 0) {
			/* The end, or a signal: a cut line is no answer. */
			secret_wipe(&c, 1);
			return E2E_ERR_PASSPHRASE_NEEDED;
		}
		if (c == '\n' || c == '\r')
			break;
		if (used < size)
			answer[used++] = c;
		else
			fits = false;
	}
	secret_wipe(&c, 1);
	*length = used;
	return fits ? E2E_OK : E2E_ERR_LIMIT;
}

/* One round. *again is set when the process was stopped meanwhile. */
static enum e2e_error
ask_once(int fd, const char *prompt, unsigned char *answer, size_t size,
    size_t *length, bool *again)
{
	struct sigaction saved[SIGNALS];
	struct termios before, silent;
	enum e2e_error error = E2E_ERR_PASSPHRASE_NEEDED;

	*again = false;
	catch_signals(saved);
	if (tcgetattr(fd, &before) != 0)
		goto out;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	/* What was typed before the question is no answer to it. */
	if (tcsetattr(fd, TCSAFLUSH, &silent) != 0)
		goto out;
	if (fd_write(fd, prompt, strlen(prompt)) == E2E_OK)
		error = read_line(fd, answer, size, length);
	(void)fd_write(fd, "\n", 1);
	while (tcsetattr(fd, TCSAFLUSH, &before) != 0 && errno == EINTR &&
	    !caught[SIGNALS - 1])
		continue;
out:
	*again = release_signals(saved);
	return error;
}

enum e2e_error
terminal_ask(const char *prompt, unsigned char *answer, size_t size,
    size_t *length)
{
	enum e2e_error error;
	bool again;
	int fd;

	*length = 0;
	if ((fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0)
		return E2E_ERR_PASSPHRASE_NEEDED;
	do
		error = ask_once(fd, prompt, answer, size, length, &again);
	while (error != E2E_OK && again);
	(void)close(fd);
	return error;
}
