/*
 * file.c: files that appear complete or not at all.
 *
 * Everything is done relative to an open folder, so a file ends up where it
 * was begun even if the path leads elsewhere by then. An unnamed file
 * (O_TMPFILE) is preferred: not even SIGKILL leaves a trace of it. It gets
 * its name through /proc/self/fd; without /proc a name is needed at once.
 */
#define _GNU_SOURCE		/* O_TMPFILE, O_PATH, renameat2 */

#include "base/file.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40		/* symbolic links in a row, as Linux has it */
#define TRIES_MAX 100
#define PERMISSIONS (S_IRWXU | S_IRWXG | S_IRWXO)

/* Opens a folder that may be written but not listed. */
#if defined(O_PATH)
#define SEARCH_ONLY O_PATH
#elif defined(O_SEARCH)
#define SEARCH_ONLY O_SEARCH
#else
#define SEARCH_ONLY O_RDONLY
#endif

/*
 * 1. Written in place: folder is -1, name and temporary are NULL.
 * 2. Else name is what it will be called in folder, and the bytes are in an
 *    unnamed file or in the temporary.
 */
struct file_out {
	int fd;
	int folder;
	char *name;
	enum file_manner manner;
	bool unnamed;
	struct temporary *temporary;
};

/* ---- opening ---- */

/* Where a path leads when the last name is a symbolic link, dangling ones
 * included. Freed by the caller; NULL and errno. */
static char *
follow(const char *path)
{
	char link[PATH_MAX], *now = strdup(path), *next;
	size_t folder;
	ssize_t n;

	for (int i = 0; now != NULL && i < LINKS_MAX; i++) {
		n = readlink(now, link, sizeof link);
		if (n < 0 && (errno == EINVAL || errno == ENOENT))
			return now;
		if (n < 0 || (size_t)n >= sizeof link) {
			errno = n < 0 ? errno : ENAMETOOLONG;
			goto out;
		}
		next = strrchr(now, '/');
		folder = link[0] == '/' || next == NULL ? 0 :
		    (size_t)(next - now) + 1;
		next = malloc(folder + (size_t)n + 1);
		if (next == NULL)
			goto out;
		memcpy(next, now, folder);
		memcpy(next + folder, link, (size_t)n);
		next[folder + (size_t)n] = '\0';
		free(now);
		now = next;	/* transferred */
	}
	errno = now == NULL ? ENOMEM : ELOOP;
out:
	free(now);
	return NULL;
}

static int
open_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == EACCES)
		fd = open(folder, SEARCH_ONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

/* Sets folder and name from the path. */
static bool
find_place(struct file_out *o, const char *path)
{
	char *target = follow(path), *slash;
	bool ok = false;

	if (target == NULL)
		return false;
	slash = strrchr(target, '/');
	o->name = strdup(slash != NULL ? slash + 1 : target);
	if (o->name == NULL)
		goto out;
	if (o->name[0] == '\0') {
		errno = slash != NULL ? EISDIR : ENOENT;
		goto out;
	}
	if (slash != NULL)
		slash[1] = '\0';
	o->folder = open_folder(slash != NULL ? target : ".");
	ok = o->folder >= 0;
out:
	free(target);
	return ok;
}

/*
 * Is what has the name now what `old` told of (NULL: nothing)? The system may
 * refuse to follow a link somebody else has put in a shared folder; follow
 * above does not, so it must not lead to anything but what stat found.
 */
static bool
is_still(const struct file_out *o, const struct stat *old)
{
	struct stat now;
	bool exists = fstatat(o->folder, o->name, &now,
	    AT_SYMLINK_NOFOLLOW) == 0;

	if (exists ? old != NULL && old->st_dev == now.st_dev &&
	    old->st_ino == now.st_ino : old == NULL && errno == ENOENT)
		return true;
	errno = EACCES;
	return false;
}

static void
proc_path(char path[static 32], int fd)
{
	(void)snprintf(path, 32, "/proc/self/fd/%d", fd);
}

static bool
create_unnamed(struct file_out *o, mode_t mode)
{
#ifdef O_TMPFILE
	char path[32];

	o->fd = openat(o->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	if (o->fd < 0)
		return false;
	proc_path(path, o->fd);
	if (access(path, F_OK) == 0) {
		o->unnamed = true;
		return true;
	}
	(void)close(o->fd);
	o->fd = -1;
#else
	(void)o;
	(void)mode;
#endif
	return false;
}

static bool
create_named(struct file_out *o, mode_t mode)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		if (!temporary_rename(o->temporary))
			return false;
		o->fd = openat(o->folder, temporary_name(o->temporary),
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (o->fd >= 0)
			return true;
		/* Not ours: neither to be removed now nor by a signal. */
		temporary_forget(o->temporary);
		if (errno != EEXIST)
			break;
	}
	return false;
}

/* As the file it replaces, or stricter. */
static bool
keep_permissions(int fd, const struct stat *old, mode_t mode)
{
	struct stat now;

	if (fstat(fd, &now) != 0)
		return false;
	if ((mode & (S_IRWXG | S_IRWXO)) != 0)
		mode = old->st_mode & PERMISSIONS;
	/* Only root can give files away; a group that cannot be kept must not
	 * pass its rights on to another one. */
	if (now.st_uid != old->st_uid)
		(void)!fchown(fd, old->st_uid, (gid_t)-1);
	if (now.st_gid != old->st_gid &&
	    fchown(fd, (uid_t)-1, old->st_gid) != 0)
		mode &= ~(mode_t)S_IRWXG;
	return fchmod(fd, mode) == 0;
}

static bool
open_hidden(struct file_out *o, const char *path, mode_t mode,
    const struct stat *old)
{
	/* Nobody else opens it before its permissions are what they will be. */
	mode_t first = old != NULL ? S_IRUSR | S_IWUSR : mode;

	return find_place(o, path) && is_still(o, old) &&
	    (o->temporary = temporary_take(o->folder)) != NULL &&
	    (create_unnamed(o, first) || create_named(o, first)) &&
	    (old == NULL || keep_permissions(o->fd, old, mode));
}

/* The number in the names that stand for a descriptor of this process, -1
 * for any other. Opening such a name anew would lose position and O_APPEND. */
static int
own_descriptor(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
	uint64_t fd;

	if (strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		size_t n = strlen(folders[i]);

		if (strncmp(path, folders[i], n) == 0 &&
		    number_parse(&fd, path + n, INT_MAX))
			return (int)fd;
	}
	return -1;
}

static enum e2e_error
open_out(struct file_out *o, const char *path, mode_t mode)
{
	int descriptor = own_descriptor(path);
	struct stat st;
	bool exists;

	if (o->manner == FILE_NEW && lstat(path, &st) == 0) {
		errno = EEXIST;
		return E2E_ERR_EXISTS;
	}
	exists = stat(path, &st) == 0;
	if (!exists && errno != ENOENT)
		return E2E_ERR_CREATE;
	if (exists && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return E2E_ERR_CREATE;
	}
	if (exists && (descriptor >= 0 || !S_ISREG(st.st_mode))) {
		o->fd = descriptor >= 0 ?
		    fcntl(descriptor, F_DUPFD_CLOEXEC, 0) :
		    open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		return o->fd >= 0 ? E2E_OK : E2E_ERR_CREATE;
	}
	if (exists && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
		return E2E_ERR_CREATE;
	return open_hidden(o, path, mode, exists ? &st : NULL) ?
	    E2E_OK : E2E_ERR_CREATE;
}

enum e2e_error
file_out_open(struct file_out **out, const char *path, mode_t mode,
    enum file_manner manner)
{
	struct file_out *o = calloc(1, sizeof *o);
	enum e2e_error err;

	*out = NULL;
	if (o == NULL)
		return E2E_ERR_MEMORY;
	o->fd = o->folder = -1;
	o->manner = manner;
	err = open_out(o, path, mode);
	if (err != E2E_OK) {
		file_out_abort(o);
		return err;
	}
	*out = o;	/* transferred */
	return E2E_OK;
}

int
file_out_fd(const struct file_out *out)
{
	return out->fd;
}

bool
file_out_is_hidden(const struct file_out *out)
{
	return out->name != NULL;
}

/* ---- closing ---- */

/* What has nothing to flush (a pipe, a terminal) is flushed. */
static bool
flush(int fd)
{
	return fd_flush(fd) == E2E_OK || errno == EINVAL ||
	    errno == ENOTSUP || errno == EROFS;
}

/* A folder opened for searching only cannot be flushed at all. */
static bool
flush_folder(int fd)
{
	return flush(fd) || errno == EBADF;
}

static bool
link_unnamed(const struct file_out *o, const char *name)
{
	char path[32];

	proc_path(path, o->fd);
	return linkat(AT_FDCWD, path, o->folder, name, AT_SYMLINK_FOLLOW) == 0;
}

/* Gives the unnamed file a temporary name, since link replaces nothing. */
static bool
name_unnamed(struct file_out *o)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		if (!temporary_rename(o->temporary))
			return false;
		if (link_unnamed(o, temporary_name(o->temporary)))
			return true;
		temporary_forget(o->temporary);
		if (errno != EEXIST)
			break;
	}
	return false;
}

static bool
publish_new(struct file_out *o)
{
	const char *now = temporary_name(o->temporary);

	if (o->unnamed)
		return link_unnamed(o, o->name);
#ifdef RENAME_NOREPLACE
	/* For file systems without hard links; others may not know it. */
	if (renameat2(o->folder, now, o->folder, o->name,
	    RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
#endif
	return linkat(o->folder, now, o->folder, o->name, 0) == 0;
}

static bool
publish_replacing(struct file_out *o)
{
	if (o->unnamed && !name_unnamed(o))
		return false;
	if (renameat(o->folder, temporary_name(o->temporary), o->folder,
	    o->name) != 0)
		return false;
	temporary_forget(o->temporary);
	return true;
}

enum e2e_error
file_out_commit(struct file_out *out)
{
	enum e2e_error err = E2E_ERR_WRITE;
	bool published = false;
	int fd = out->fd, saved;

	if (!flush(fd))
		goto out;
	if (file_out_is_hidden(out)) {
		if (out->manner == FILE_NEW && !publish_new(out)) {
			err = errno == EEXIST ? E2E_ERR_EXISTS : E2E_ERR_WRITE;
			goto out;
		}
		if (out->manner == FILE_REPLACE && !publish_replacing(out))
			goto out;
		published = true;
		if (!flush_folder(out->folder))
			goto out;
	}
	out->fd = -1;	/* transferred */
	err = fd_close(fd);
out:
	if (err != E2E_OK && published && out->manner == FILE_NEW) {
		saved = errno;
		(void)unlinkat(out->folder, out->name, 0);
		errno = saved;
	}
	file_out_abort(out);
	return err;
}

void
file_out_abort(struct file_out *out)
{
	int saved = errno;

	if (out == NULL)
		return;
	temporary_release(out->temporary);
	if (out->fd >= 0)
		(void)close(out->fd);
	if (out->folder >= 0)
		(void)close(out->folder);
	free(out->name);
	free(out);
	errno = saved;
}

/* ---- whole files ---- */

enum e2e_error
file_write(const char *path, const void *data, size_t size, mode_t mode,
    enum file_manner manner)
{
	struct file_out *out = NULL;
	enum e2e_error err;

	err = file_out_open(&out, path, mode, manner);
	if (err != E2E_OK)
		return err;
	err = fd_write(file_out_fd(out), data, size);
	if (err != E2E_OK) {
		file_out_abort(out);
		return err;
	}
	return file_out_commit(out);
}

enum e2e_error
file_read(const char *path, struct buffer *into)
{
	int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC), saved;
	enum e2e_error err;

	if (fd < 0)
		return E2E_ERR_NO_INPUT;
	err = fd_read_all(fd, into);
	if (err == E2E_ERR_READ && errno == EISDIR)
		err = E2E_ERR_NO_INPUT;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return err;
}

enum e2e_error
file_lock_folder(int *lock, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	char *folder = malloc(length + 2);

	*lock = -1;
	if (folder == NULL)
		return E2E_ERR_MEMORY;
	memcpy(folder, path, length);
	memcpy(folder + length, ".", 2);
	*lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (*lock < 0)
		return E2E_ERR_CREATE;
	while (flock(*lock, LOCK_EX) != 0) {
		if (errno == EINTR)
			continue;
		/* No locks here: then it is up to the user, as before. */
		(void)close(*lock);
		*lock = -1;
		break;
	}
	return E2E_OK;
}

bool
file_is_private(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 &&
	    (st.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) == 0;
}

void
file_remove_on_signal(void)
{
	temporary_remove_on_signal();
}
