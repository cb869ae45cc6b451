/*
 * again.c: a file of a message's name is there already. As a rule the message
 * is a repeat; but an attempt that was killed between its file and the note of
 * it (--state) leaves both, and then the message is finished here: the file is
 * compared, and nothing is written.
 */
#include "open.h"

#include "base/fd.h"
#include "cli/message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 65536 };

/* The file on the disk, as far as it was compared. */
struct file {
	int fd;
	bool other;
};

static enum e2e_error
compare(void *context, const void *data, size_t size)
{
	const unsigned char *expected = data;
	struct file *file = context;
	unsigned char piece[PIECE];
	enum e2e_error error;
	size_t part, got;

	for (; size > 0; expected += part, size -= part) {
		part = size < PIECE ? size : PIECE;
		error = fd_read(file->fd, piece, part, &got);
		if (error != E2E_OK)
			return error;
		if (got < part || memcmp(piece, expected, part) != 0) {
			file->other = true;
			errno = 0;
			return E2E_ERR_REPEATED;
		}
	}
	return E2E_OK;
}

static enum e2e_error
repeated(const char *path)
{
	return message_error(E2E_ERR_REPEATED, "%s: %s", path,
	    e2e_error_text(E2E_ERR_REPEATED));
}

/* Does the file hold what this message says, and no more? */
static enum e2e_error
compare_file(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in, const char *path)
{
	struct file file = { .fd = open(path, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK) };
	struct output out = {
		.io = { .context = &file, .write = compare }, .name = path
	};
	enum e2e_error error;
	unsigned char more;
	size_t got;

	if (file.fd < 0)
		return message_system(E2E_ERR_NO_INPUT, path);
	error = payload_write(job, reader, opened, in, &out);
	if (error == E2E_OK) {
		errno = 0;
		error = fd_read(file.fd, &more, 1, &got);
		if (error != E2E_OK)
			(void)message_system(error, path);
		else if (got > 0)
			error = repeated(path);
	}
	(void)close(file.fd);
	return error;
}

enum e2e_error
again_release(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in, const char *path)
{
	enum e2e_error error;

	if (job->remember.state == NULL || !job->order.interrupted)
		return repeated(path);
	error = sender_report(job, opened);
	if (error != E2E_OK)
		return error;
	order_report(job, opened);
	return compare_file(job, reader, opened, in, path);
}
