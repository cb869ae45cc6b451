/*
 * unlocked.c: makes a state that does not wait for another process with the
 * same message. Linked around the lock (--wrap); tests/suites/state-crash must
 * find out. Making the folder is still for one process at a time.
 */
#include "base/fd.h"

#define MESSAGES (UINT64_C(1) << 62)

enum e2e_error __real_fd_lock_at(int, uint64_t, unsigned);
enum e2e_error __wrap_fd_lock_at(int, uint64_t, unsigned);

enum e2e_error
__wrap_fd_lock_at(int fd, uint64_t offset, unsigned wait)
{
	return offset < MESSAGES ? E2E_OK :
	    __real_fd_lock_at(fd, offset, wait);
}
