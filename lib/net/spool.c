/*
 * spool.c: envelopes wait here for the network, or for who takes them.
 *
 * A file without a name needs no removal, whoever dies. Its contents are
 * sealed; they may lie in a folder that others use.
 */
#include "net/spool.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "crypto/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 65536 };

/*
 * 1. fd is -1 while `memory` has all bytes; afterwards `memory` is empty and
 *    the file has them.
 */
struct spool {
	struct buffer memory;
	struct hash *hash;
	uint64_t size;
	int fd;
};

static enum e2e_error
make(struct spool **spool)
{
	struct spool *s = calloc(1, sizeof(*s));
	enum e2e_error error;

	*spool = NULL;
	if (s == NULL)
		return E2E_ERR_MEMORY;
	s->fd = -1;
	buffer_init(&s->memory, SPOOL_MEMORY_MAX);
	if ((error = hash_new(&s->hash)) != E2E_OK) {
		spool_free(s);
		return error;
	}
	*spool = s;		/* transferred */
	return E2E_OK;
}

enum e2e_error
spool_new(struct spool **spool)
{
	return make(spool);
}

void
spool_free(struct spool *spool)
{
	int saved = errno;

	if (spool == NULL)
		return;
	if (spool->fd >= 0)
		(void)close(spool->fd);
	buffer_free(&spool->memory);
	hash_free(spool->hash);
	free(spool);
	errno = saved;
}

/* Takes into the hash what the file holds. */
static enum e2e_error
catch_up(struct spool *s)
{
	unsigned char piece[PIECE];
	enum e2e_error error;
	size_t got;

	do {
		error = fd_read_at(s->fd, piece, sizeof(piece), s->size, &got);
		if (error == E2E_OK)
			error = hash_update(s->hash, piece, got);
		s->size += got;
	} while (error == E2E_OK && got == sizeof(piece));
	return error;
}

enum e2e_error
spool_resume(struct spool **spool, const char *path)
{
	struct spool *s;
	enum e2e_error error;

	if ((error = make(&s)) != E2E_OK) {
		*spool = NULL;
		return error;
	}
	s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	error = s->fd < 0 ? E2E_ERR_CREATE : catch_up(s);
	*spool = error == E2E_OK ? s : NULL;
	if (error != E2E_OK)
		spool_free(s);
	return error;
}

static int
open_nameless(void)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd, n;

	if (folder == NULL || folder[0] != '/')
		folder = "/tmp";
#ifdef O_TMPFILE
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
#endif
	n = snprintf(path, sizeof(path), "%s/.e2e-XXXXXX", folder);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = mkstemp(path)) < 0)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && unlink(path) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* From memory into a file. */
static enum e2e_error
move_out(struct spool *s)
{
	enum e2e_error error;
	int fd;

	if (s->fd >= 0)
		return E2E_OK;
	if ((fd = open_nameless()) < 0)
		return E2E_ERR_CREATE;
	error = fd_write(fd, s->memory.data, s->memory.length);
	if (error != E2E_OK) {
		(void)close(fd);
		return error;
	}
	s->fd = fd;
	buffer_free(&s->memory);
	return E2E_OK;
}

enum e2e_error
spool_add(struct spool *s, const void *data, size_t size)
{
	enum e2e_error error = hash_update(s->hash, data, size);

	if (error == E2E_OK && s->fd < 0 &&
	    size > SPOOL_MEMORY_MAX - s->memory.length)
		error = move_out(s);
	if (error != E2E_OK)
		return error;
	if (s->fd >= 0)
		error = fd_write_at(s->fd, data, size, s->size);
	else if (!buffer_append(&s->memory, data, size))
		error = E2E_ERR_MEMORY;
	if (error == E2E_OK)
		s->size += size;
	return error;
}

uint64_t
spool_size(const struct spool *s)
{
	return s->size;
}

enum e2e_error
spool_end(struct spool *s, unsigned char id[SPOOL_ID_LEN])
{
	return hash_final(s->hash, id);
}

enum e2e_error
spool_read(const struct spool *s, void *data, size_t size, uint64_t offset)
{
	enum e2e_error error;
	size_t got;

	if (offset > s->size || size > s->size - offset)
		return E2E_ERR_READ;
	if (size == 0)
		return E2E_OK;
	if (s->fd < 0) {
		memcpy(data, s->memory.data + offset, size);
		return E2E_OK;
	}
	error = fd_read_at(s->fd, data, size, offset, &got);
	return error == E2E_OK && got < size ? E2E_ERR_READ : error;
}

enum e2e_error
spool_copy(const struct spool *s, int fd)
{
	unsigned char piece[PIECE];
	enum e2e_error error = E2E_OK;
	uint64_t offset;
	size_t part;

	if (s->fd < 0)
		return fd_write(fd, s->memory.data, s->memory.length);
	for (offset = 0; error == E2E_OK && offset < s->size; offset += part) {
		part = s->size - offset < sizeof(piece) ?
		    (size_t)(s->size - offset) : sizeof(piece);
		error = spool_read(s, piece, part, offset);
		if (error == E2E_OK)
			error = fd_write(fd, piece, part);
	}
	return error;
}

enum e2e_error
spool_file(struct spool *s, int *fd)
{
	enum e2e_error error = move_out(s);

	*fd = -1;
	if (error != E2E_OK)
		return error;
	if (lseek(s->fd, 0, SEEK_SET) != 0)
		return E2E_ERR_READ;
	*fd = s->fd;
	return E2E_OK;
}
