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

/* The file on the disk, as far as it was compared, and where the data goes in
 * case that it is another. */
struct file {
	int fd;
	bool other;
	struct output *copy;	/* NULL: nowhere */
};

static enum e2e_error
compare(struct file *file, const unsigned char *expected, size_t size)
{
	unsigned char piece[PIECE];
	enum e2e_error error;
	size_t part, got;

	for (; size > 0 && !file->other; expected += part, size -= part) {
		part = size < PIECE ? size : PIECE;
		error = fd_read(file->fd, piece, part, &got);
		if (error != E2E_OK)
			return error;
		file->other = got < part || memcmp(piece, expected, part) != 0;
	}
	return E2E_OK;
}

static enum e2e_error
take(void *context, const void *data, size_t size)
{
	struct file *file = context;
	enum e2e_error error = compare(file, data, size);

	if (error != E2E_OK || file->copy == NULL)
		return error;
	return file->copy->io.write(file->copy->io.context, data, size);
}

static enum e2e_error
repeated(const char *path)
{
	return message_error(E2E_ERR_REPEATED, "%s: %s", path,
	    e2e_error_text(E2E_ERR_REPEATED));
}

/* *same: the file holds what this message says, and no more. */
static enum e2e_error
compare_file(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in, const char *path,
    struct output *copy, bool *same)
{
	struct file file = { .fd = open(path, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK), .copy = copy };
	struct output out = {
		.io = { .context = &file, .write = take }, .name = path
	};
	enum e2e_error error;
	unsigned char more;
	size_t got = 0;

	*same = false;
	if (file.fd < 0)
		return message_system(E2E_ERR_NO_INPUT, path);
	error = payload_write(job, reader, opened, in, &out);
	if (error == E2E_OK && !file.other) {
		errno = 0;
		error = fd_read(file.fd, &more, 1, &got);
		if (error != E2E_OK)
			(void)message_system(error, path);
	}
	(void)close(file.fd);
	*same = error == E2E_OK && !file.other && got == 0;
	return error;
}

/* The file is of an earlier attempt, or of another message with this id: then
 * what was cut off is written under the second name. */
static enum e2e_error
finish(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in)
{
	struct output copy;
	enum e2e_error error;
	bool same;

	error = output_open(&copy, job->second, OUTPUT_DATA, FILE_NEW, 0666,
	    in->fd);
	if (error != E2E_OK)
		return error;
	error = compare_file(job, reader, opened, in, job->file, &copy, &same);
	if (error == E2E_OK && !same) {
		error = output_commit(&copy);
		payload_use_second(job);
	}
	output_abort(&copy);
	return error;
}

enum e2e_error
again_release(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in)
{
	enum e2e_error error;
	bool same;

	if (job->remember.state == NULL || !job->order.interrupted)
		return repeated(job->file);
	error = sender_report(job, opened);
	if (error != E2E_OK)
		return error;
	order_report(job, opened);
	if (access(job->second, F_OK) != 0)
		return finish(job, reader, opened, in);
	payload_use_second(job);
	error = compare_file(job, reader, opened, in, job->file, NULL, &same);
	return error == E2E_OK && !same ? repeated(job->file) : error;
}
