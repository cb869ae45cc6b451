/*
 * timer MODE INPUT OUTPUT COMMAND...: runs a command once and prints what it
 * took: wall clock in nanoseconds, user and system time in microseconds, peak
 * memory in KiB, exit status.
 *
 *	file	INPUT is standard input, OUTPUT standard output
 *	pipe	cat INPUT | COMMAND | cat > OUTPUT; the wall clock of all
 *		three, the rest of COMMAND alone
 *
 * In C, because Linux counts the memory of the process that starts another
 * one into the peak of the other: so the starter has to be small.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void
need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static pid_t
start(char **argv, int in, int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	need(posix_spawn_file_actions_init(&actions) == 0, "spawn");
	need(posix_spawn_file_actions_adddup2(&actions, in, 0) == 0 &&
	    posix_spawn_file_actions_adddup2(&actions, out, 1) == 0 &&
	    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null",
	    O_WRONLY, 0) == 0, "spawn");
	need(posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) == 0,
	    argv[0]);
	(void)posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static long long
now(void)
{
	struct timespec t;

	need(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "clock");
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long
micro(struct timeval t)
{
	return t.tv_sec * 1000000L + t.tv_usec;
}

static void
make_pipe(int ends[2])
{
	need(pipe2(ends, O_CLOEXEC) == 0, "pipe");
}

int
main(int argc, char **argv)
{
	char *cat[] = { (char *)"cat", NULL };
	int in, out, first[2], second[2], status, other, piped;
	pid_t pid, before = -1, behind = -1;
	struct rusage usage;
	long long begin;

	if (argc < 5)
		return 64;
	piped = strcmp(argv[1], "pipe") == 0;
	in = open(argv[2], O_RDONLY | O_CLOEXEC);
	need(in >= 0, argv[2]);
	out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	need(out >= 0, argv[3]);
	begin = now();
	if (piped) {
		make_pipe(first);
		make_pipe(second);
		before = start(cat, in, first[1]);
		pid = start(argv + 4, first[0], second[1]);
		behind = start(cat, second[0], out);
		(void)close(first[0]);
		(void)close(first[1]);
		(void)close(second[0]);
		(void)close(second[1]);
	} else {
		pid = start(argv + 4, in, out);
	}
	need(wait4(pid, &status, 0, &usage) == pid, "wait");
	if (piped)
		need(waitpid(before, &other, 0) == before &&
		    waitpid(behind, &other, 0) == behind, "wait");
	printf("%lld %ld %ld %ld %d\n", now() - begin, micro(usage.ru_utime),
	    micro(usage.ru_stime), usage.ru_maxrss,
	    WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status));
	return 0;
}
