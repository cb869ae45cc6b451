/* Children with captured output, and with a terminal of their own. */
#define _GNU_SOURCE		/* nftw, posix_openpt */

#include "cli_child.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static _Noreturn void
be_child(const struct child *c, int out, int err, const char *terminal,
    int (*body)(void *), void *context)
{
	int fd;

	(void)setsid();
	if (c->on_terminal) {
		fd = open(terminal, O_RDWR);
		if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0)
			_exit(99);
		(void)dup2(fd, STDOUT_FILENO);
	} else {
		(void)dup2(out, STDOUT_FILENO);
	}
	(void)dup2(err, STDERR_FILENO);
	exit(body(context));
}

/* Appends what there is; false at the end. */
static int
take(int fd, char *text)
{
	size_t used = strlen(text);
	ssize_t n = read(fd, text + used, CHILD_TEXT_MAX - 1 - used);

	if (n <= 0)
		return 0;
	text[used + (size_t)n] = '\0';
	return 1;
}

/* Reads both ends; types the input, a line for each prompt (": "). */
static void
converse(struct child *c, int out, int err)
{
	struct pollfd fds[2] = {
		{ .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN }
	};
	const char *input = c->input == NULL ? "" : c->input;
	size_t answered = 0, length;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		assert_true(poll(fds, 2, -1) > 0);
		if (fds[0].revents != 0 && !take(out, c->out))
			fds[0].fd = -1;
		if (fds[1].revents != 0 && !take(err, c->err))
			fds[1].fd = -1;
		length = strlen(c->out);
		if (!c->on_terminal || length <= answered + 1 ||
		    strcmp(c->out + length - 2, ": ") != 0 || *input == '\0')
			continue;
		answered = length;
		length = strcspn(input, "\n") + 1;
		assert_int_equal(write(out, input, length), length);
		input += length;
	}
}

void
child_run(struct child *c, int (*body)(void *), void *context)
{
	int out[2], err[2], terminal = -1, status;
	char name[64] = "";
	pid_t pid;

	c->out[0] = c->err[0] = '\0';
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	if (c->on_terminal) {
		terminal = posix_openpt(O_RDWR | O_NOCTTY);
		assert_true(terminal >= 0);
		assert_int_equal(grantpt(terminal), 0);
		assert_int_equal(unlockpt(terminal), 0);
		assert_int_equal(ptsname_r(terminal, name, sizeof(name)), 0);
	}
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		be_child(c, out[1], err[1], name, body, context);
	(void)close(out[1]);
	(void)close(err[1]);
	converse(c, c->on_terminal ? terminal : out[0], err[0]);
	(void)close(out[0]);
	(void)close(err[0]);
	if (terminal >= 0)
		(void)close(terminal);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	c->status = WIFEXITED(status) ? WEXITSTATUS(status) :
	    -WTERMSIG(status);
}

char *
child_folder(void)
{
	const char *base = getenv("TMPDIR");
	char *folder = malloc(4096);

	assert_non_null(folder);
	(void)snprintf(folder, 4096, "%s/e2e-unit-XXXXXX",
	    base == NULL ? "/tmp" : base);
	assert_non_null(mkdtemp(folder));
	return folder;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

void
child_folder_remove(char *folder)
{
	assert_int_equal(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS),
	    0);
	free(folder);
}

static int standard_error = -1;

int
child_mute(void **state)
{
	int fd = open("/dev/null", O_WRONLY);

	standard_error = dup(STDERR_FILENO);
	if (fd < 0 || standard_error < 0 || dup2(fd, STDERR_FILENO) < 0)
		return -1;
	return close(fd);
}

int
child_unmute(void **state)
{
	return dup2(standard_error, STDERR_FILENO) < 0 ? -1 :
	    close(standard_error);
}
