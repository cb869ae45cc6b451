/*
 * die.c: a process that is killed, as by kill -9, before the call that the
 * environment names:
 *
 *	E2E_DIE=N		before the N-th call
 *	E2E_DIE=N+		the N-th call is done by half, if it writes
 *	E2E_DIE_REPORT=FILE	at the end, the names of all calls, a line each
 *
 * Calls are those that change what others see: files, names, locks. Between
 * two of them a process can be killed anywhere, and leaves the same. Linked
 * into a program, these definitions stand before those of the C library for
 * whatever libraries it has, too, SQLite's among them.
 *
 * Nothing is flushed: a kill loses nothing that was written. (Whether it is
 * flushed is for tests/state to ask, and for tests/fault.)
 */
#undef _FORTIFY_SOURCE		/* defines some of these itself */
#define _GNU_SOURCE		/* O_TMPFILE, renameat2, syscall */

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define SEEN __attribute__((visibility("default")))

enum { CALLS_MAX = 4096 };

static const char *names[CALLS_MAX];
static atomic_uint count;
static unsigned long wanted;
static bool by_half;

static void __attribute__((constructor))
start(void)
{
	const char *text = getenv("E2E_DIE");
	char *end;

	if (text == NULL)
		return;
	wanted = strtoul(text, &end, 10);
	by_half = *end == '+';
}

static void
die(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

/* Counts a call. True: it is the last one, to be done by half. */
static bool
here(const char *name)
{
	unsigned at = atomic_fetch_add(&count, 1) + 1;

	if (at <= CALLS_MAX)
		names[at - 1] = name;
	if (at != wanted)
		return false;
	if (!by_half)
		die();
	return true;
}

static void
call(const char *name)
{
	if (here(name))
		die();
}

/* ---- bytes ---- */

SEEN ssize_t
write(int fd, const void *p, size_t n)
{
	/* What people are told changes nothing. */
	if (fd != STDERR_FILENO && here("write")) {
		(void)syscall(SYS_write, fd, p, n / 2);
		die();
	}
	return syscall(SYS_write, fd, p, n);
}

SEEN ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (here("pwrite")) {
		(void)syscall(SYS_pwrite64, fd, p, n / 2, at);
		die();
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

SEEN int
ftruncate(int fd, off_t n)
{
	call("ftruncate");
	return (int)syscall(SYS_ftruncate, fd, n);
}

SEEN int
fsync(int fd)
{
	(void)fd;
	return 0;
}

SEEN int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

/* ---- names ---- */

static bool
changes(int flags)
{
	return (flags & O_CREAT) != 0 || (flags & O_TRUNC) != 0 ||
	    (flags & O_TMPFILE) == O_TMPFILE;
}

/* Without O_CREAT and O_TMPFILE there is none to be taken. */
#define MODE_OF(flags, mode)						\
	mode_t mode = 0;						\
	if (((flags) & O_CREAT) != 0 ||					\
	    ((flags) & O_TMPFILE) == O_TMPFILE) {			\
		va_list list;						\
									\
		va_start(list, flags);					\
		mode = va_arg(list, mode_t);				\
		va_end(list);						\
	}								\
	if (changes(flags))						\
		call("open")

SEEN int
open(const char *path, int flags, ...)
{
	MODE_OF(flags, mode);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

SEEN int
openat(int folder, const char *path, int flags, ...)
{
	MODE_OF(flags, mode);
	return (int)syscall(SYS_openat, folder, path, flags, mode);
}

SEEN int
mkdir(const char *path, mode_t mode)
{
	call("mkdir");
	return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

SEEN int
linkat(int from, const char *old, int to, const char *new, int flags)
{
	call("linkat");
	return (int)syscall(SYS_linkat, from, old, to, new, flags);
}

SEEN int
renameat(int from, const char *old, int to, const char *new)
{
	call("renameat");
	return (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

SEEN int
renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	call("renameat2");
	return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

SEEN int
unlink(const char *path)
{
	call("unlink");
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

SEEN int
unlinkat(int folder, const char *path, int flags)
{
	call("unlinkat");
	return (int)syscall(SYS_unlinkat, folder, path, flags);
}

/* ---- locks ---- */

SEEN int
fcntl(int fd, int command, ...)
{
	intptr_t argument;
	va_list list;

	va_start(list, command);
	argument = va_arg(list, intptr_t);
	va_end(list);
	if (command == F_SETLK || command == F_SETLKW)
		call("lock");
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

/* ---- the report ---- */

static void __attribute__((destructor))
report(void)
{
	const char *path = getenv("E2E_DIE_REPORT");
	unsigned calls = atomic_load(&count);
	FILE *file = path != NULL ? fopen(path, "w") : NULL;

	if (file == NULL)
		return;
	for (unsigned i = 0; i < calls && i < CALLS_MAX; i++)
		(void)fprintf(file, "%s\n", names[i]);
	(void)fclose(file);
}
