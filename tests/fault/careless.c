/*
 * careless.c: what a command is like in which nobody looks whether a write
 * succeeded, or takes temporary files away. The tests of faults must not be
 * content with it.
 */
#include "careless.h"

enum e2e_error
__wrap_fd_write(int fd, const void *data, size_t size)
{
	(void)__real_fd_write(fd, data, size);
	return E2E_OK;
}

enum e2e_error
__wrap_fd_write_at(int fd, const void *data, size_t size, uint64_t offset)
{
	(void)__real_fd_write_at(fd, data, size, offset);
	return E2E_OK;
}

void
__wrap_temporary_release(struct temporary *t)
{
	if (t == NULL)
		return;
	temporary_forget(t);
	__real_temporary_release(t);
}
