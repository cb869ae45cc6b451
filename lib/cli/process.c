/*
 * process.c: the first and the last steps of every command, and the only
 * place that turns an error into an exit status.
 */
#include "cli/process.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/secret.h"
#include "cli/message.h"

#include <e2e/e2e.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A descriptor that was closed becomes /dev/null, open the wrong way around:
 * it is taken, but data that should have come from it or gone to it is an
 * error and not silently nothing.
 */
static void
take_descriptor(int fd)
{
	int opened;

	if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
		return;
	opened = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	if (opened >= 0 && opened != fd)
		(void)close(opened);
}

void
process_start(const char *command)
{
	int fd;

	message_start(command);
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		take_descriptor(fd);
	secret_harden_process();
	file_remove_on_signal();
	/* A failure comes again, and is told, where it matters. */
	if (e2e_init() != E2E_OK)
		errno = 0;
}

int
process_finish(enum e2e_error error)
{
	enum e2e_error closed = fd_close(STDOUT_FILENO);

	if (closed != E2E_OK && error == E2E_OK)
		error = message_system(closed, "standard output");
	if (message_status_failed() && error == E2E_OK)
		error = message_system(E2E_ERR_WRITE, "status descriptor");
	return e2e_exit_status(error);
}
