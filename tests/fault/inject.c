/* inject.c: the count, and the calls of the system. */
#define _GNU_SOURCE		/* O_TMPFILE */

#include "inject.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static const char *const names[FAULT_KINDS] = {
	"alloc", "map", "read", "write", "sync", "name", "open", "close",
	"random", "crypto", "cbor", "thread", "advice", "look"
};

static atomic_uint counts[FAULT_KINDS];
static atomic_bool hit;
static enum fault_kind wanted = FAULT_KINDS;
static unsigned wanted_at;
static bool no_unnamed;

bool
fault_here(enum fault_kind kind)
{
	unsigned at = atomic_fetch_add(&counts[kind], 1) + 1;

	if (kind != wanted || at != wanted_at)
		return false;
	atomic_store(&hit, true);
	return true;
}

static void __attribute__((constructor))
fault_start(void)
{
	const char *fault = getenv("E2E_FAULT"), *colon;

	no_unnamed = getenv("E2E_FAULT_NAMED") != NULL;
	if (fault == NULL || (colon = strchr(fault, ':')) == NULL)
		return;
	for (unsigned i = 0; i < FAULT_KINDS; i++)
		if (strncmp(names[i], fault, (size_t)(colon - fault)) == 0 &&
		    names[i][colon - fault] == '\0')
			wanted = (enum fault_kind)i;
	wanted_at = (unsigned)strtoul(colon + 1, NULL, 10);
}

/* ---- memory ---- */

WRAP(malloc, FAULT_ALLOC, void *, NULL, ENOMEM, (size_t n), (n));
WRAP(calloc, FAULT_ALLOC, void *, NULL, ENOMEM, (size_t n, size_t s), (n, s));
WRAP(realloc, FAULT_ALLOC, void *, NULL, ENOMEM, (void *p, size_t n), (p, n));
WRAP(strdup, FAULT_ALLOC, char *, NULL, ENOMEM, (const char *s), (s));
WRAP(mmap64, FAULT_MAP, void *, MAP_FAILED, ENOMEM,
    (void *p, size_t n, int protection, int flags, int fd, off_t offset),
    (p, n, protection, flags, fd, offset));
WRAP(mprotect, FAULT_MAP, int, -1, ENOMEM, (void *p, size_t n, int protection),
    (p, n, protection));

/* ---- reading and writing ---- */

static bool
is_data(int fd)
{
	return fd != STDERR_FILENO;
}

int __real_fstat64(int fd, struct stat *st);

/* A file that is empty is there to be locked. */
static bool
is_written(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY &&
	    __real_fstat64(fd, &st) == 0 &&
	    !(S_ISREG(st.st_mode) && st.st_size == 0);
}

WRAP(read, FAULT_READ, ssize_t, -1, EIO, (int fd, void *p, size_t n),
    (fd, p, n));
WRAP(pread64, FAULT_READ, ssize_t, -1, EIO,
    (int fd, void *p, size_t n, off_t at), (fd, p, n, at));
WRAP(__read_chk, FAULT_READ, ssize_t, -1, EIO,
    (int fd, void *p, size_t n, size_t room), (fd, p, n, room));
WRAP(__pread64_chk, FAULT_READ, ssize_t, -1, EIO,
    (int fd, void *p, size_t n, off_t at, size_t room), (fd, p, n, at, room));
WRAP(readdir64, FAULT_READ, struct dirent *, NULL, EIO, (DIR *d), (d));
/* What people are told is lost without harm. */
WRAP_IF(write, is_data(fd), FAULT_WRITE, ssize_t, -1, ENOSPC,
    (int fd, const void *p, size_t n), (fd, p, n));
WRAP(pwrite64, FAULT_WRITE, ssize_t, -1, ENOSPC,
    (int fd, const void *p, size_t n, off_t at), (fd, p, n, at));
WRAP(ftruncate64, FAULT_WRITE, int, -1, EIO, (int fd, off_t n), (fd, n));
WRAP(fsync, FAULT_SYNC, int, -1, EIO, (int fd), (fd));
WRAP_IF(close, is_data(fd) && is_written(fd), FAULT_CLOSE, int, -1, EDQUOT,
    (int fd), (fd));

/* ---- names ---- */

WRAP(linkat, FAULT_NAME, int, -1, EIO,
    (int from, const char *old, int to, const char *new, int flags),
    (from, old, to, new, flags));
WRAP(renameat, FAULT_NAME, int, -1, EIO,
    (int from, const char *old, int to, const char *new),
    (from, old, to, new));
WRAP(renameat2, FAULT_NAME, int, -1, EIO,
    (int from, const char *old, int to, const char *new, unsigned flags),
    (from, old, to, new, flags));
WRAP(mkdir, FAULT_NAME, int, -1, EIO, (const char *path, mode_t mode),
    (path, mode));
WRAP(opendir, FAULT_OPEN, DIR *, NULL, EMFILE, (const char *path), (path));
WRAP(__open64_2, FAULT_OPEN, int, -1, EMFILE, (const char *path, int flags),
    (path, flags));
WRAP(__openat64_2, FAULT_OPEN, int, -1, EMFILE,
    (int folder, const char *path, int flags), (folder, path, flags));

/* What the macro cannot do: three dots. A call without a mode passes none,
 * and then nobody looks at it. */
#define WRAP_OPEN int __real_open64(const char *, int, mode_t);		\
	int __wrap_open64(const char *, int, mode_t);			\
	int __real_openat64(int, const char *, int, mode_t);		\
	int __wrap_openat64(int, const char *, int, mode_t);		\
	int __real_fcntl64(int, int, intptr_t);				\
	int __wrap_fcntl64(int, int, intptr_t)

WRAP_OPEN;

int
__wrap_open64(const char *path, int flags, mode_t mode)
{
	if (fault_here(FAULT_OPEN)) {
		errno = EMFILE;
		return -1;
	}
	return __real_open64(path, flags, mode);
}

int
__wrap_openat64(int folder, const char *path, int flags, mode_t mode)
{
	bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;

	if (unnamed && no_unnamed) {
		errno = EOPNOTSUPP;
		return -1;
	}
	/* Without an unnamed file there is still a named one. */
	if (fault_here(unnamed ? FAULT_LOOK : FAULT_OPEN)) {
		errno = EMFILE;
		return -1;
	}
	return __real_openat64(folder, path, flags, mode);
}

int
__wrap_fcntl64(int fd, int command, intptr_t argument)
{
	if (fault_here(command == F_DUPFD_CLOEXEC ? FAULT_OPEN :
	    FAULT_ADVICE)) {
		errno = EINVAL;
		return -1;
	}
	return __real_fcntl64(fd, command, argument);
}

/* ---- questions and wishes ---- */

WRAP(fstat64, FAULT_LOOK, int, -1, EIO, (int fd, struct stat *st), (fd, st));
WRAP(stat64, FAULT_LOOK, int, -1, EIO, (const char *path, struct stat *st),
    (path, st));
WRAP(lstat64, FAULT_LOOK, int, -1, EIO, (const char *path, struct stat *st),
    (path, st));
WRAP(fstatat64, FAULT_LOOK, int, -1, EIO,
    (int fd, const char *path, struct stat *st, int flags),
    (fd, path, st, flags));
WRAP(lseek64, FAULT_LOOK, off_t, -1, EIO, (int fd, off_t at, int whence),
    (fd, at, whence));
WRAP(access, FAULT_LOOK, int, -1, EIO, (const char *path, int mode),
    (path, mode));
WRAP(faccessat, FAULT_LOOK, int, -1, EIO,
    (int fd, const char *path, int mode, int flags), (fd, path, mode, flags));
WRAP(readlink, FAULT_LOOK, ssize_t, -1, EIO,
    (const char *path, char *to, size_t n), (path, to, n));
WRAP(__readlink_chk, FAULT_LOOK, ssize_t, -1, EIO,
    (const char *path, char *to, size_t n, size_t room), (path, to, n, room));
WRAP(fchmod, FAULT_LOOK, int, -1, EIO, (int fd, mode_t mode), (fd, mode));
WRAP(mlock, FAULT_ADVICE, int, -1, ENOMEM, (const void *p, size_t n), (p, n));
WRAP(madvise, FAULT_ADVICE, int, -1, EINVAL, (void *p, size_t n, int advice),
    (p, n, advice));
WRAP(setrlimit64, FAULT_ADVICE, int, -1, EPERM,
    (int which, const struct rlimit *limit), (which, limit));
WRAP(getrandom, FAULT_RANDOM, ssize_t, -1, ENOSYS,
    (void *p, size_t n, unsigned flags), (p, n, flags));
WRAP(pthread_create, FAULT_THREAD, int, EAGAIN, EAGAIN,
    (pthread_t *thread, const pthread_attr_t *attributes,
    void *(*start)(void *), void *context),
    (thread, attributes, start, context));

/* ---- the report ---- */

static void __attribute__((destructor))
fault_report(void)
{
	const char *path = getenv("E2E_FAULT_REPORT");
	FILE *report = path != NULL ? fopen(path, "w") : NULL;

	if (report == NULL)
		return;
	for (unsigned i = 0; i < FAULT_KINDS; i++)
		(void)fprintf(report, "%s %u\n", names[i],
		    atomic_load(&counts[i]));
	if (atomic_load(&hit))
		(void)fputs("hit 1\n", report);
	(void)fclose(report);
}
