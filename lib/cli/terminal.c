/*
 * terminal.c: the prompt.
 *
 * Signals that would end or stop the process are caught while echo is off, only
 * noted, and sent again once the terminal is as it was and their former
 * dispositions are back.
 */
#include "cli/terminal.h"

#include "base/fd.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/select.h>
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

/* What the signals were before the prompt. */
struct before {
	struct sigaction action[SIGNALS];
	sigset_t mask;
};

static void
catch_signals(struct before *before)
{
	struct sigaction action;
	sigset_t ours;
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = note_signal;
	(void)sigemptyset(&action.sa_mask);
	(void)sigemptyset(&ours);
	/* The terminal's own two answer what is being done: blocked, a process
	 * in the background could change the terminal of the one in front. */
	for (i = 0; i < SIGNALS; i++)
		if (signals[i] != SIGTTIN && signals[i] != SIGTTOU)
			(void)sigaddset(&ours, signals[i]);
	(void)sigprocmask(SIG_BLOCK, &ours, &before->mask);
	for (i = 0; i < SIGNALS; i++) {
		caught[i] = 0;
		(void)sigaction(signals[i], NULL, &before->action[i]);
		if (before->action[i].sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
}

/* Gives signals back, and delivers those noted. True: stopped, now awake. */
static bool
release_signals(const struct before *before)
{
	bool stopped = false;
	size_t i;

	/* What still waits is noted now. */
	(void)sigprocmask(SIG_SETMASK, &before->mask, NULL);
	for (i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &before->action[i], NULL);
	for (i = 0; i < SIGNALS; i++) {
		if (!caught[i])
			continue;
		(void)kill(getpid(), signals[i]);
		stopped = stopped || is_stop(signals[i]);
	}
	return stopped;
}

/*
 * Waits for a key or a signal. Signals are blocked but while it waits, so none
 * can slip in between a look at what was noted and the wait.
 */
static bool
wait_for_key(int fd, const sigset_t *mask)
{
	fd_set set;
	int n;

	do {
		if (any_caught())
			return false;
		FD_ZERO(&set);
		FD_SET(fd, &set);
		n = pselect(fd + 1, &set, NULL, NULL, NULL, mask);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

static enum e2e_error
read_line(int fd, const sigset_t *mask, unsigned char *answer, size_t size,
    size_t *length)
{
	unsigned char c = 0;
	size_t used = 0;
	ssize_t n;
	bool fits = true;

	for (;;) {
		n = wait_for_key(fd, mask) ? read(fd, &c, 1) : 0;
		if (n < 0 && errno == EINTR)
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
	struct before signals_before;
	struct termios before, silent;
	enum e2e_error error = E2E_ERR_PASSPHRASE_NEEDED;

	*again = false;
	catch_signals(&signals_before);
	if (fd >= FD_SETSIZE || tcgetattr(fd, &before) != 0)
		goto out;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	/* What was typed before the question is no answer to it. */
	if (tcsetattr(fd, TCSAFLUSH, &silent) != 0)
		goto out;
	if (fd_write(fd, prompt, strlen(prompt)) == E2E_OK)
		error = read_line(fd, &signals_before.mask, answer,
		    size, length);
	(void)fd_write(fd, "\n", 1);
	while (tcsetattr(fd, TCSAFLUSH, &before) != 0 && errno == EINTR &&
	    !caught[SIGNALS - 1])
		continue;
out:
	*again = release_signals(&signals_before);
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
