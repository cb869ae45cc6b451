/*
 * output.c: writing.
 */
#include "cli/output.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "base/utf8.h"
#include "cli/input.h"
#include "cli/message.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Smaller writes are not worth a system call. */
enum { FLUSH_MIN = 262144 };

static enum e2e_error
write_plain(void *context, const void *data, size_t size)
{
	const struct output *out = context;

	return fd_write(out->fd, data, size);
}

static enum e2e_error
write_at(void *context, const void *data, size_t size, uint64_t offset)
{
	const struct output *out = context;
	enum e2e_error error = fd_write_at(out->fd, data, size, offset);

	/* The disk works while the next bytes are made. */
	if (error == E2E_OK && size >= FLUSH_MIN)
		fd_begin_flush(out->fd, offset, size);
	return error;
}

static enum e2e_error
set_size(void *context, uint64_t size)
{
	const struct output *out = context;

	while (ftruncate(out->fd, (off_t)size) != 0)
		if (errno != EINTR)
			return E2E_ERR_WRITE;
	return E2E_OK;
}

/* Bytes at the end that begin a character and do not finish it; at most 3. */
static size_t
unfinished(const unsigned char *data, size_t size)
{
	size_t n;

	for (n = 1; n <= 3 && n <= size; n++)
		if (data[size - n] >= 0xc0)
			return n;
	return size < 3 ? size : 3;
}

/*
 * To a terminal. What begins a character at the end of a piece waits for the
 * rest: it could become a control character.
 */
static enum e2e_error
write_checked(void *context, const void *data, size_t size)
{
	struct output *out = context;
	const unsigned char *bytes = data;
	enum e2e_error error;
	size_t hold;

	if (size == 0)
		return E2E_OK;
	if (!utf8_printable(&out->utf8_state, bytes, size)) {
		errno = 0;
		return E2E_ERR_TERMINAL;
	}
	hold = out->utf8_state == 0 ? 0 : unfinished(bytes, size);
	if (hold < size) {
		error = fd_write(out->fd, out->held, out->held_length);
		out->held_length = 0;
		if (error == E2E_OK)
			error = fd_write(out->fd, bytes, size - hold);
		if (error != E2E_OK)
			return error;
	}
	memcpy(out->held + out->held_length, bytes + (size - hold), hold);
	out->held_length += hold;
	return E2E_OK;
}

enum e2e_error
output_check_same(const char *path, int input_fd)
{
	struct stat in, out;
	bool same;

	if ((path == NULL ? fstat(STDOUT_FILENO, &out) : stat(path, &out)) != 0 ||
	    !S_ISREG(out.st_mode))
		return E2E_OK;
	same = input_fd >= 0 && fstat(input_fd, &in) == 0 &&
	    in.st_dev == out.st_dev && in.st_ino == out.st_ino;
	if (!same && !input_was_read(&out))
		return E2E_OK;
	return message_error(E2E_ERR_SAME_FILE, "%s: %s",
	    path == NULL ? "standard output" : path,
	    e2e_error_text(E2E_ERR_SAME_FILE));
}

static enum e2e_error
check_terminal(struct output *out, enum output_kind kind)
{
	if (kind == OUTPUT_TEXT || !isatty(out->fd))
		return E2E_OK;
	if (kind == OUTPUT_BINARY)
		return message_error(E2E_ERR_TERMINAL, "%s: %s", out->name,
		    e2e_error_text(E2E_ERR_TERMINAL));
	out->checked = true;
	return E2E_OK;
}

enum e2e_error
output_open(struct output *out, const char *path, enum output_kind kind,
    enum file_manner manner, mode_t mode, int input_fd)
{
	enum e2e_error error;

	memset(out, 0, sizeof(*out));
	if (path != NULL && strcmp(path, "-") == 0)
		path = NULL;
	out->name = path == NULL ? "standard output" : path;
	out->fd = STDOUT_FILENO;
	if ((error = output_check_same(path, input_fd)) != E2E_OK)
		return error;
	if (path == NULL && message_status_fd() == STDOUT_FILENO)
		return message_error(E2E_ERR_USAGE, "status lines and data "
		    "cannot both go to standard output");
	if (path != NULL) {
		errno = 0;
		error = file_out_open(&out->file, path, mode, manner);
		if (error == E2E_ERR_EXISTS)
			errno = 0;
		if (error != E2E_OK)
			return message_system(error, path);
		out->fd = file_out_fd(out->file);
	}
	if ((error = check_terminal(out, kind)) != E2E_OK) {
		output_abort(out);
		return error;
	}
	out->io.context = out;
	out->io.write = out->checked ? write_checked : write_plain;
	if (out->file != NULL && file_out_is_hidden(out->file)) {
		out->io.write_at = write_at;
		out->io.set_size = set_size;
	}
	fd_enlarge_pipe(out->fd);
	return E2E_OK;
}

enum e2e_error
output_commit(struct output *out)
{
	struct file_out *file = out->file;
	enum e2e_error error;

	if (out->held_length > 0) {
		output_abort(out);
		return message_error(E2E_ERR_TERMINAL, "%s: %s", out->name,
		    e2e_error_text(E2E_ERR_TERMINAL));
	}
	out->file = NULL;	/* transferred */
	if (file == NULL)
		return E2E_OK;
	errno = 0;
	if ((error = file_out_commit(file)) != E2E_OK)
		return message_system(error, out->name);
	return E2E_OK;
}

void
output_abort(struct output *out)
{
	file_out_abort(out->file);
	out->file = NULL;
}

enum e2e_error
output_text(struct buffer *text)
{
	enum e2e_error error;

	if (text->failed)
		return message_no_memory();
	error = fd_write(STDOUT_FILENO, text->data, text->length);
	if (error != E2E_OK)
		(void)message_system(error, "standard output");
	return error;
}

bool
output_is_terminal(void)
{
	return isatty(STDOUT_FILENO) != 0;
}
