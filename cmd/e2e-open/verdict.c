/*
 * verdict.c: the status of each envelope of -d, for who handed several over
 * and has to know which ones were taken (e2e-fetch --batch).
 *
 * Not by fd_write: it waits where there is no room, and whoever is to read may
 * be waiting for the end of this process.
 */
#include "open.h"

#include "cli/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char what[] = "verdict descriptor";

enum e2e_error
verdict_use(struct open_job *job, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) {
		flags = -1;
		errno = EBADF;
	}
	if (flags < 0)
		return message_system(E2E_ERR_WRITE, what);
	job->verdict_fd = fd;
	return E2E_OK;
}

enum e2e_error
verdict_write(const struct open_job *job, enum e2e_error error)
{
	char line[16];
	ssize_t n;
	int length;

	if (job->verdict_fd < 0 || error == E2E_ERR_EMPTY)
		return E2E_OK;
	length = snprintf(line, sizeof(line), "%d\n", e2e_exit_status(error));
	do
		n = write(job->verdict_fd, line, (size_t)length);
	while (n < 0 && errno == EINTR);
	if (n == length)
		return E2E_OK;
	if (n >= 0)
		errno = ENOSPC;		/* the rest would have said so */
	return message_system(E2E_ERR_WRITE, what);
}
