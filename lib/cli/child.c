/*
 * child.c: one program at a time.
 *
 * posix_spawn: no copy of this process, with its keys, ever runs other code.
 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const int held_signals[] = { SIGINT, SIGTERM, SIGHUP };

static struct {
	bool held;
	sigset_t before;	/* the mask to go back to */
} state;

void
child_hold_signals(void)
{
	sigset_t set;
	size_t i;

	if (state.held)
		return;
	(void)sigemptyset(&set);
	for (i = 0; i < sizeof(held_signals) / sizeof(held_signals[0]); i++)
		(void)sigaddset(&set, held_signals[i]);
	state.held = sigprocmask(SIG_BLOCK, &set, &state.before) == 0;
}

void
child_let_signals(void)
{
	if (!state.held)
		return;
	state.held = false;
	(void)sigprocmask(SIG_SETMASK, &state.before, NULL);
}

int
child_signal_waits(void)
{
	sigset_t set;
	size_t i;

	if (sigpending(&set) != 0)
		return 0;
	for (i = 0; i < sizeof(held_signals) / sizeof(held_signals[0]); i++)
		if (sigismember(&set, held_signals[i]) == 1)
			return 1;
	return 0;
}

static void
note_child(int sig)
{
	(void)sig;		/* it is enough that pselect ends */
}

/* ---- the environment ---- */

static bool
is_named_like(const char *entry, const char *variable)
{
	size_t length = strcspn(variable, "=");

	return strncmp(entry, variable, length) == 0 && entry[length] == '=';
}

static bool
is_replaced(const char *entry, char *const *variables)
{
	for (; *variables != NULL; variables++)
		if (is_named_like(entry, *variables))
			return true;
	return false;
}

/* Ours, with `variables` instead of others of their names, and `answer`. */
static char **
make_environment(char *const *variables, char *answer)
{
	char *const more[] = { answer, NULL };
	size_t count = 0, kept = 0, i;
	char **list;

	while (environ[count] != NULL)
		count++;
	for (i = 0; variables[i] != NULL; i++)
		count++;
	if ((list = calloc(count + 2, sizeof(*list))) == NULL)
		return NULL;
	for (i = 0; environ[i] != NULL; i++)
		if (!is_replaced(environ[i], variables) &&
		    !is_replaced(environ[i], more))
			list[kept++] = environ[i];
	for (i = 0; variables[i] != NULL; i++)
		if (strchr(variables[i], '=') != NULL)
			list[kept++] = variables[i];
	list[kept] = answer;
	return list;
}

/* ---- the answer ---- */

enum { DIGITS_BEGIN = 3, DIGITS_END = 10 };

struct channel {
	int from, to;			/* the ends of the pipe; -1 */
	int number;			/* of the one there */
	char variable[64];
};

static void
channel_close(struct channel *c)
{
	if (c->from >= 0)
		(void)close(c->from);
	if (c->to >= 0)
		(void)close(c->to);
	c->from = c->to = -1;
}

/*
 * A number that nobody has handed down to us for the command. Many shells
 * know only descriptors of one digit; people begin to count at 3.
 */
static int
find_number(int not)
{
	int n, flags, i;

	for (i = DIGITS_BEGIN; i < FD_SETSIZE; i++) {
		n = i < DIGITS_END ? DIGITS_BEGIN + DIGITS_END - 1 - i : i;
		if (n == not)
			continue;
		flags = fcntl(n, F_GETFD);
		if (flags < 0 || (flags & FD_CLOEXEC) != 0)
			return n;
	}
	return -1;
}

/* 0, or an errno. */
static int
channel_open(struct channel *c, const char *name)
{
	int ends[2], fd, flags, problem, i;

	if (pipe(ends) != 0)
		return errno;
	c->from = ends[0];
	/* Out of the way: what has the number already is not made another. */
	c->to = fcntl(ends[1], F_DUPFD_CLOEXEC, DIGITS_END);
	problem = errno;
	(void)close(ends[1]);
	if (c->to < 0)
		return problem;
	for (i = 0; i < 2; i++) {
		fd = i == 0 ? c->from : c->to;
		flags = fcntl(fd, F_GETFL);
		if (flags < 0 ||
		    fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
		    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
			return errno;
	}
	if ((c->number = find_number(c->to)) < 0)
		return EMFILE;
	(void)snprintf(c->variable, sizeof(c->variable), "%s=%d", name,
	    c->number);
	return 0;
}

/* What is there now: somebody may still have the other end, and never close
 * it. */
static void
channel_read(const struct channel *c, struct child_task *task)
{
	ssize_t n;

	while (task->answer_length < task->answer_size) {
		n = read(c->from, task->answer + task->answer_length,
		    task->answer_size - task->answer_length);
		if (n > 0)
			task->answer_length += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return;
	}
}

/* ---- the command ---- */

/* 0, or an errno. */
static int
start(pid_t *pid, const struct child_task *task, const struct channel *c,
    char **environment, const sigset_t *mask)
{
	char shell[] = "sh", option[] = "-c", *copy = strdup(task->command);
	char *argv[] = { shell, option, copy, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int problem;

	if (copy == NULL)
		return ENOMEM;
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGCHLD);
	if ((problem = posix_spawn_file_actions_init(&actions)) != 0)
		goto out;
	if ((problem = posix_spawnattr_init(&attributes)) != 0)
		goto actions;
	problem = posix_spawn_file_actions_adddup2(&actions, task->input,
	    STDIN_FILENO);
	if (problem == 0 && c->to >= 0)
		problem = posix_spawn_file_actions_adddup2(&actions, c->to,
		    c->number);
	if (problem == 0 &&
	    (problem = posix_spawnattr_setsigmask(&attributes, mask)) == 0 &&
	    (problem = posix_spawnattr_setsigdefault(&attributes,
	    &defaults)) == 0 &&
	    (problem = posix_spawnattr_setflags(&attributes,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0)
		problem = posix_spawn(pid, "/bin/sh", &actions, &attributes,
		    argv, environment);
	(void)posix_spawnattr_destroy(&attributes);
actions:
	(void)posix_spawn_file_actions_destroy(&actions);
out:
	free(copy);
	return problem;
}

/* SIGCHLD is blocked but while this waits, so that no end is missed. */
static bool
await(pid_t pid, const struct child_watch *watch, const sigset_t *waiting,
    int *status)
{
	bool watching = watch->fd >= 0 && watch->fd < FD_SETSIZE;
	const struct timespec limit = { .tv_sec = 5 };
	fd_set set;
	pid_t ended;
	int n;

	while ((ended = waitpid(pid, status, WNOHANG)) == 0) {
		FD_ZERO(&set);
		if (watching)
			FD_SET(watch->fd, &set);
		n = pselect(watching ? watch->fd + 1 : 0, &set, NULL, NULL,
		    &limit, waiting);
		if (n > 0 && watching)
			watching = watch->ready(watch->context) != 0;
	}
	return ended == pid;
}

/* Runs it in this environment: 0, or an errno. */
static int
run(const struct child_task *task, const struct channel *c,
    char **environment, const struct child_watch *watch, int *status)
{
	struct sigaction ours = { .sa_handler = note_child }, before;
	sigset_t block, outside, waiting;
	int problem, ended = 0;
	bool seen = false;
	pid_t pid;

	/* Also where SIGCHLD was ignored, and nobody could be waited for. */
	(void)sigemptyset(&ours.sa_mask);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &block, &outside);
	(void)sigaction(SIGCHLD, &ours, &before);
	waiting = outside;
	(void)sigdelset(&waiting, SIGCHLD);
	problem = start(&pid, task, c, environment,
	    state.held ? &state.before : &outside);
	if (problem == 0)
		seen = await(pid, watch, &waiting, &ended);
	(void)sigaction(SIGCHLD, &before, NULL);
	(void)sigprocmask(SIG_SETMASK, &outside, NULL);
	*status = !seen ? 255 : WIFEXITED(ended) ? WEXITSTATUS(ended) :
	    -WTERMSIG(ended);
	return problem;
}

enum e2e_error
child_shell(struct child_task *task, const struct child_watch *watch,
    int *status)
{
	struct channel c = { .from = -1, .to = -1 };
	char **environment = NULL;
	int problem = 0;

	*status = 0;
	task->answer_length = 0;
	if (task->answer_name != NULL)
		problem = channel_open(&c, task->answer_name);
	if (problem == 0) {
		environment = make_environment(task->variables,
		    task->answer_name == NULL ? NULL : c.variable);
		problem = environment == NULL ? ENOMEM :
		    run(task, &c, environment, watch, status);
	}
	if (problem == 0 && c.from >= 0)
		channel_read(&c, task);
	channel_close(&c);
	free(environment);
	errno = problem;
	return problem == 0 ? E2E_OK : E2E_ERR_MEMORY;
}
