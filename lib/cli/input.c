/*
 * input.c: reading.
 */
#include "cli/input.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "cli/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *stdin_purpose;

/* Every regular file that was opened, for input_was_read. */
static struct seen {
	dev_t device;
	ino_t number;
} *seen;
static size_t seen_count;

bool
input_was_read(const struct stat *st)
{
	size_t i;

	for (i = 0; i < seen_count; i++)
		if (S_ISREG(st->st_mode) && seen[i].device == st->st_dev &&
		    seen[i].number == st->st_ino)
			return true;
	return false;
}

static enum e2e_error
remember(const struct stat *st)
{
	struct seen *more;

	if (!S_ISREG(st->st_mode) || input_was_read(st))
		return E2E_OK;
	more = realloc(seen, (seen_count + 1) * sizeof(*more));
	if (more == NULL)
		return message_no_memory();
	seen = more;
	seen[seen_count].device = st->st_dev;
	seen[seen_count++].number = st->st_ino;
	return E2E_OK;
}

enum e2e_error
input_claim_stdin(const char *purpose)
{
	if (stdin_purpose != NULL)
		return message_error(E2E_ERR_USAGE,
		    "standard input cannot be both %s and %s", stdin_purpose,
		    purpose);
	stdin_purpose = purpose;
	return E2E_OK;
}

static enum e2e_error
read_next(void *context, void *buffer, size_t size, size_t *got)
{
	const struct input *in = context;

	return fd_read(in->fd, buffer, size, got);
}

static enum e2e_error
read_at(void *context, void *buffer, size_t size, uint64_t offset, size_t *got)
{
	const struct input *in = context;

	return fd_read_at(in->fd, buffer, size, in->base + offset, got);
}

static enum e2e_error
open_fd(struct input *in, const char *path, const char *purpose)
{
	struct stat st;

	if (path == NULL || strcmp(path, "-") == 0) {
		in->name = "standard input";
		in->fd = STDIN_FILENO;
		return input_claim_stdin(purpose);
	}
	in->name = path;
	if ((in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		return message_system(E2E_ERR_NO_INPUT, path);
	in->own = true;
	if (fstat(in->fd, &st) != 0)
		return message_system(E2E_ERR_NO_INPUT, path);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return message_system(E2E_ERR_NO_INPUT, path);
	}
	return remember(&st);
}

enum e2e_error
input_open(struct input *in, const char *path, const char *purpose)
{
	enum e2e_error error;
	uint64_t size;

	memset(in, 0, sizeof(*in));
	in->fd = -1;
	if ((error = open_fd(in, path, purpose)) != E2E_OK)
		return error;
	in->io.context = in;
	in->io.read = read_next;
	/* Files of /proc say that they are empty, and are not. */
	if (fd_is_regular(in->fd, &in->base, &size) && size > in->base) {
		in->io.read_at = read_at;
		in->io.size = size - in->base;
	} else {
		fd_enlarge_pipe(in->fd);
	}
	return E2E_OK;
}

void
input_close(struct input *in)
{
	if (in->own)
		(void)close(in->fd);
	in->own = false;
	in->fd = -1;
}

enum e2e_error
input_read_file(struct buffer *into, const char *path, const char *purpose)
{
	struct input in;
	enum e2e_error error;

	if ((error = input_open(&in, path, purpose)) == E2E_OK) {
		errno = 0;
		if ((error = fd_read_all(in.fd, into)) != E2E_OK)
			(void)message_system(error, in.name);
	}
	input_close(&in);
	return error;
}
