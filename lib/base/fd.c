/*
 * fd.c: the loops that read(2) and write(2) want around them.
 *
 * A descriptor that somebody else set to non-blocking (a shared terminal, a
 * socket handed down) is waited for, since the one who shares it with us may
 * need it that way.
 */
#define _GNU_SOURCE		/* F_SETPIPE_SZ */

#include "base/fd.h"

#include "base/buffer.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* Some systems refuse more than INT_MAX at once. */
#define CALL_MAX ((size_t)1 << 30)
#define READ_STEP 65536
#define PIPE_MAX (1 << 20)
#define PIPE_MIN (1 << 16)
/* Milliseconds between two looks at a lock. */
#define NAP_MIN 5
#define NAP_MAX 200

static size_t
at_once(size_t size)
{
	return size < CALL_MAX ? size : CALL_MAX;
}

/* After a failed call: is it worth another one? */
static bool
try_again(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EINTR)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return false;
	return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

/* Is offset + size a position that off_t can name? Else sets errno. */
static bool
offset_fits(uint64_t offset, size_t size)
{
	if (offset > INT64_MAX || size > INT64_MAX - offset) {
		errno = EOVERFLOW;
		return false;
	}
	return true;
}

enum e2e_error
fd_read(int fd, void *data, size_t size, size_t *got)
{
	unsigned char *to = data;

	*got = 0;
	while (*got < size) {
		ssize_t n = read(fd, to + *got, at_once(size - *got));

		if (n == 0)
			break;
		if (n > 0)
			*got += (size_t)n;
		else if (!try_again(fd, POLLIN))
			return E2E_ERR_READ;
	}
	return E2E_OK;
}

enum e2e_error
fd_read_at(int fd, void *data, size_t size, uint64_t offset, size_t *got)
{
	unsigned char *to = data;

	*got = 0;
	if (!offset_fits(offset, size))
		return E2E_ERR_READ;
	while (*got < size) {
		ssize_t n = pread(fd, to + *got, at_once(size - *got),
		    (off_t)(offset + *got));

		if (n == 0)
			break;
		if (n > 0)
			*got += (size_t)n;
		else if (!try_again(fd, POLLIN))
			return E2E_ERR_READ;
	}
	return E2E_OK;
}

enum e2e_error
fd_write(int fd, const void *data, size_t size)
{
	const unsigned char *from = data;

	while (size > 0) {
		ssize_t n = write(fd, from, at_once(size));

		if (n >= 0) {
			from += n;
			size -= (size_t)n;
		} else if (!try_again(fd, POLLOUT)) {
			return E2E_ERR_WRITE;
		}
	}
	return E2E_OK;
}

enum e2e_error
fd_write_at(int fd, const void *data, size_t size, uint64_t offset)
{
	const unsigned char *from = data;

	if (!offset_fits(offset, size))
		return E2E_ERR_WRITE;
	while (size > 0) {
		ssize_t n = pwrite(fd, from, at_once(size), (off_t)offset);

		if (n >= 0) {
			from += n;
			offset += (uint64_t)n;
			size -= (size_t)n;
		} else if (!try_again(fd, POLLOUT)) {
			return E2E_ERR_WRITE;
		}
	}
	return E2E_OK;
}

/* A full buffer tells the end from one byte too many. */
static enum e2e_error
expect_end(int fd)
{
	unsigned char byte;
	enum e2e_error err;
	size_t got;

	err = fd_read(fd, &byte, 1, &got);
	secret_wipe(&byte, 1);
	if (err != E2E_OK)
		return err;
	return got == 0 ? E2E_OK : E2E_ERR_LIMIT;
}

enum e2e_error
fd_read_all(int fd, struct buffer *into)
{
	uint64_t position, size;
	enum e2e_error err;
	size_t step, got;

	/* A regular file of n bytes fits without growing, and its end is
	 * seen by the one byte more. */
	if (fd_is_regular(fd, &position, &size) && position < size &&
	    size - position < into->limit - into->length &&
	    !buffer_reserve(into, (size_t)(size - position) + 1))
		return E2E_ERR_MEMORY;
	for (;;) {
		if (into->length == into->limit)
			return expect_end(fd);
		step = into->capacity - into->length;
		if (step == 0) {
			step = into->limit - into->length;
			step = step < READ_STEP ? step : READ_STEP;
			if (!buffer_reserve(into, step))
				return E2E_ERR_MEMORY;
			step = into->capacity - into->length;
		}
		err = fd_read(fd, into->data + into->length, step, &got);
		into->length += got;
		if (err != E2E_OK || got < step)
			return err;
	}
}

void
fd_begin_flush(int fd, uint64_t offset, uint64_t size)
{
#ifdef SYNC_FILE_RANGE_WRITE
	int saved = errno;

	/* Only ever a hint: what it would say, fsync says again. */
	if (offset_fits(offset, 0) && size <= INT64_MAX)
		(void)sync_file_range(fd, (off_t)offset, (off_t)size,
		    SYNC_FILE_RANGE_WRITE);
	errno = saved;
#else
	(void)fd;
	(void)offset;
	(void)size;
#endif
}

void
fd_enlarge_pipe(int fd)
{
#if defined(F_SETPIPE_SZ) && defined(F_GETPIPE_SZ)
	int saved = errno, now = fcntl(fd, F_GETPIPE_SZ);

	if (now > 0)
		for (int n = PIPE_MAX; n > now && n > PIPE_MIN; n /= 2)
			if (fcntl(fd, F_SETPIPE_SZ, n) >= 0)
				break;
	errno = saved;
#else
	(void)fd;
#endif
}

bool
fd_is_readable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}

bool
fd_is_regular(int fd, uint64_t *position, uint64_t *size)
{
	struct stat st;
	off_t now;

	*position = 0;
	*size = 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	now = lseek(fd, 0, SEEK_CUR);
	if (now < 0 || st.st_size < 0)
		return false;
	*position = (uint64_t)now;
	*size = (uint64_t)st.st_size;
	return true;
}

bool
fd_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 &&
	    S_ISREG(x.st_mode) && S_ISREG(y.st_mode) &&
	    x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static enum e2e_error
lock_at(int fd, uint64_t offset, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	if (!offset_fits(offset, 1))
		return E2E_ERR_WRITE;
	lock.l_start = (off_t)offset;
	lock.l_len = 1;
	while (fcntl(fd, F_SETLK, &lock) != 0) {
		if (errno == EACCES || errno == EAGAIN)
			return E2E_ERR_BUSY;
		if (errno != EINTR)
			return E2E_ERR_WRITE;
	}
	return E2E_OK;
}

/* POSIX waits for a lock for ever, or until a signal, and those are not ours
 * to use. So it is asked again and again, and only sleep is counted: on a slow
 * machine the other one is slow, too. */
enum e2e_error
fd_lock_at(int fd, uint64_t offset, unsigned wait)
{
	unsigned nap = NAP_MIN;
	enum e2e_error err;

	while ((err = lock_at(fd, offset, F_WRLCK)) == E2E_ERR_BUSY &&
	    wait > 0) {
		nap = nap < wait ? nap : wait;
		/* A signal makes it shorter, and that is all. */
		(void)poll(NULL, 0, (int)nap);
		wait -= nap;
		nap = nap < NAP_MAX / 2 ? nap * 2 : NAP_MAX;
	}
	return err;
}

enum e2e_error
fd_unlock_at(int fd, uint64_t offset)
{
	return lock_at(fd, offset, F_UNLCK);
}

enum e2e_error
fd_flush(int fd)
{
	while (fsync(fd) != 0)
		if (errno != EINTR)
			return E2E_ERR_WRITE;
	return E2E_OK;
}

enum e2e_error
fd_close(int fd)
{
	/* After EINTR the descriptor is gone where it matters to us, and
	 * closing it once more might hit somebody else's. */
	if (close(fd) != 0 && errno != EINTR)
		return E2E_ERR_WRITE;
	return E2E_OK;
}
