/*
 * child.c: one program at a time.
 *
 * posix_spawn: no copy of this process, with its keys, ever runs other code.
 */
#include "cli/child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
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

/* Ours, without another of this name, and `variable`. */
static char **
make_environment(const char *variable)
{
	size_t count = 0, kept = 0, name = strcspn(variable, "=") + 1, i;
	char **list;

	while (environ[count] != NULL)
		count++;
	if ((list = calloc(count + 2, sizeof(*list))) == NULL)
		return NULL;
	for (i = 0; i < count; i++)
		if (strncmp(environ[i], variable, name) != 0)
			list[kept++] = environ[i];
	/* posix_spawn's type has no const, and changes nothing. */
	if ((list[kept] = strdup(variable)) == NULL) {
		free(list);
		return NULL;
	}
	return list;
}

static void
free_environment(char **list)
{
	size_t last = 0;

	if (list == NULL)
		return;
	while (list[last + 1] != NULL)
		last++;
	free(list[last]);
	free(list);
}

/* 0, or an errno. */
static int
start(pid_t *pid, const char *command, int input, char **environment,
    const sigset_t *mask)
{
	char shell[] = "sh", option[] = "-c", *copy = strdup(command);
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
	if ((problem = posix_spawn_file_actions_adddup2(&actions, input,
	    STDIN_FILENO)) == 0 &&
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

enum e2e_error
child_shell(const char *command, int input, const char *variable,
    const struct child_watch *watch, int *status)
{
	struct sigaction ours = { .sa_handler = note_child }, before;
	sigset_t block, outside, waiting;
	char **environment = make_environment(variable);
	int problem = ENOMEM, ended = 0;
	bool seen = false;
	pid_t pid;

	*status = 0;
	if (environment == NULL) {
		errno = problem;
		return E2E_ERR_MEMORY;
	}
	/* Also where SIGCHLD was ignored, and nobody could be waited for. */
	(void)sigemptyset(&ours.sa_mask);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &block, &outside);
	(void)sigaction(SIGCHLD, &ours, &before);
	waiting = outside;
	(void)sigdelset(&waiting, SIGCHLD);
	problem = start(&pid, command, input, environment,
	    state.held ? &state.before : &outside);
	if (problem == 0)
		seen = await(pid, watch, &waiting, &ended);
	(void)sigaction(SIGCHLD, &before, NULL);
	(void)sigprocmask(SIG_SETMASK, &outside, NULL);
	free_environment(environment);
	if (problem != 0) {
		errno = problem;
		return E2E_ERR_MEMORY;
	}
	*status = !seen ? 255 : WIFEXITED(ended) ? WEXITSTATUS(ended) :
	    -WTERMSIG(ended);
	return E2E_OK;
}
