/*
 * crash.c: kill -9 of processes that use one folder of state, at their n-th
 * system call, so that nothing depends on how fast a machine is.
 *
 *	state_crash FOLDER each		one process does a little of all;
 *					it is killed at its first system call,
 *					then one at its second, ...; each has
 *					a new folder
 *	state_crash FOLDER together ROUNDS WORKERS SEED
 *					many on one folder, each killed at a
 *					system call that was drawn
 *
 * Prints one line of figures; a broken promise is told, and is status 1.
 * Whatever the harness itself cannot do is status 2. Processes are stopped at
 * each system call by ptrace(2).
 */
#include "../store/scene.c"
#include "promises.c"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { EACH_CALLS = 8, TOGETHER_CALLS = 30, TOGETHER_MESSAGES = 8 };

static const struct state_policy policy = { .now = PROMISES_NOW };

struct worker {
	pid_t process;		/* 0: it has ended */
	unsigned stops, kill_at;	/* stops: before each call, and after */
};

struct campaign {
	const char *folder;
	struct promises *p;
	struct worker workers[PROMISES_WORKERS];
	unsigned count, calls;
	unsigned kills, ended, failed;
};

static void
give_up(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- a worker ---- */

/* Status: 0, or 1 when the state has an error that no promise allows for. */
static void
work(const struct campaign *c, unsigned number, uint64_t seed)
{
	struct dice dice = { seed };
	struct state *s;
	const char *why;
	enum e2e_error err;

	err = state_open(&s, c->folder, &policy, &why);
	if (err != E2E_OK)
		print_error("open: %s\n", why != NULL ? why :
		    e2e_error_text(err));
	for (unsigned i = 0; i < c->calls && err == E2E_OK; i++) {
		err = promises_work(c->p, s, number, &dice);
		if (err != E2E_OK)
			print_error("call %u: %s\n", i,
			    state_why(s) != NULL ? state_why(s) :
			    e2e_error_text(err));
	}
	state_close(s);
	_exit(err == E2E_OK ? 0 : 1);
}

static void
start(struct campaign *c, unsigned i, unsigned kill_at, uint64_t seed)
{
	struct worker *w = &c->workers[i];

	w->stops = 0;
	w->kill_at = kill_at;
	w->process = fork();
	if (w->process < 0)
		give_up("fork");
	if (w->process == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			give_up("ptrace");
		(void)raise(SIGSTOP);
		work(c, i + 1, seed);
	}
}

/* ---- watching them ---- */

static struct worker *
worker_of(struct campaign *c, pid_t process)
{
	for (unsigned i = 0; i < c->count; i++)
		if (c->workers[i].process == process)
			return &c->workers[i];
	return NULL;
}

static void
ended(struct campaign *c, struct worker *w, int status)
{
	w->process = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		c->kills++;
		return;
	}
	c->ended++;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		c->failed++;
}

/* It waits to be told how to go on. */
static void
stopped(struct campaign *c, struct worker *w, int signal)
{
	unsigned number = (unsigned)(w - c->workers) + 1;

	w->stops++;
	if (w->stops == w->kill_at) {
		/* It stands still: what it did last is noted. */
		promises_died(c->p, number);
		if (kill(w->process, SIGKILL) != 0)
			give_up("kill");
		return;
	}
	if (signal == SIGTRAP || signal == SIGSTOP)
		signal = 0;
	if (ptrace(PTRACE_SYSCALL, w->process, NULL,
	    (void *)(uintptr_t)signal) != 0 && errno != ESRCH)
		give_up("ptrace");
}

static void
watch(struct campaign *c)
{
	struct worker *w;
	pid_t process;
	int status;

	while ((process = waitpid(-1, &status, __WALL)) > 0) {
		if ((w = worker_of(c, process)) == NULL)
			continue;
		if (WIFSTOPPED(status))
			stopped(c, w, WSTOPSIG(status));
		else
			ended(c, w, status);
	}
}

/* ---- afterwards ---- */

static void
settle(struct campaign *c)
{
	struct state *s;
	const char *why = NULL;
	enum e2e_error err;

	err = state_open(&s, c->folder, &policy, &why);
	if (err == E2E_OK)
		err = promises_settle(c->p, s);
	if (err != E2E_OK) {
		print_error("afterwards: %s\n", why != NULL ? why :
		    e2e_error_text(err));
		c->failed++;
	}
	state_close(s);
}

static int
remove_one_of(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	return ftw->level == 0 ? 0 : remove(path);
}

static void
empty_folder(const char *folder)
{
	if (nftw(folder, remove_one_of, 16, FTW_DEPTH | FTW_PHYS) != 0)
		give_up(folder);
}

static bool
goes_on(const struct campaign *c)
{
	return c->p->broken == 0 && c->failed == 0;
}

static void
each(struct campaign *c)
{
	unsigned before;

	c->calls = EACH_CALLS;
	c->count = 1;
	/* After a call is as good as before the next one. */
	for (unsigned n = 1; c->ended == 0 && goes_on(c); n += 2) {
		empty_folder(c->folder);
		memset(c->p->given, 0, sizeof c->p->given);
		memset(c->p->told, 0, sizeof c->p->told);
		memset(c->p->epoch, 0, sizeof c->p->epoch);
		memset(c->p->messages, 0, sizeof c->p->messages);
		c->p->count = 3;
		before = c->kills;
		start(c, 0, n, 5);
		watch(c);
		if (c->kills == before && c->ended == 0)
			give_up("a process that was not killed");
		settle(c);
	}
}

static void
together(struct campaign *c, unsigned rounds, struct dice *dice)
{
	unsigned longest = 2000;

	for (unsigned round = 0; round < rounds && goes_on(c); round++) {
		c->p->first = round * TOGETHER_MESSAGES;
		c->p->count = TOGETHER_MESSAGES;
		for (unsigned i = 0; i < c->count; i++)
			start(c, i, 1 + (unsigned)dice_roll(dice, longest),
			    dice_roll(dice, UINT64_MAX));
		watch(c);
		settle(c);
	}
}

static int
usage(void)
{
	fputs("usage: state_crash FOLDER each\n"
	    "       state_crash FOLDER together ROUNDS WORKERS SEED\n",
	    stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	struct campaign c = { .calls = TOGETHER_CALLS };
	struct dice dice;

	if (argc < 3 || (strcmp(argv[2], "each") != 0 && argc < 6))
		return usage();
	c.folder = argv[1];
	c.p = mmap(NULL, sizeof *c.p, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c.p == MAP_FAILED)
		give_up("mmap");
	if (strcmp(argv[2], "each") == 0) {
		each(&c);
	} else {
		c.count = (unsigned)strtoul(argv[4], NULL, 10);
		if (c.count < 1 || c.count >= PROMISES_WORKERS)
			return usage();
		c.p->seed = dice.state = strtoull(argv[5], NULL, 10);
		together(&c, (unsigned)strtoul(argv[3], NULL, 10), &dice);
	}
	printf("%u kills, %u processes that ended by themselves, %u calls; "
	    "%u numbers given out, %u messages admitted (%u a second time), "
	    "%u done, %u refused; %u promises broken, %u errors\n", c.kills,
	    c.ended, c.p->kept, c.p->numbers, c.p->admitted,
	    c.p->interrupted, c.p->done, c.p->refused, c.p->broken,
	    c.failed);
	if (c.p->broken > 0)
		printf("%s\n", c.p->how);
	return goes_on(&c) ? 0 : 1;
}
