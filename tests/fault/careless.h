/* careless.h: what the linker puts in place of the careful functions. */
#ifndef FAULT_CARELESS_H
#define FAULT_CARELESS_H

#include "base/fd.h"
#include "base/temporary.h"

enum e2e_error __real_fd_write(int fd, const void *data, size_t size);
enum e2e_error __wrap_fd_write(int fd, const void *data, size_t size);
enum e2e_error __real_fd_write_at(int fd, const void *data, size_t size,
    uint64_t offset);
enum e2e_error __wrap_fd_write_at(int fd, const void *data, size_t size,
    uint64_t offset);
void __real_temporary_release(struct temporary *t);
void __wrap_temporary_release(struct temporary *t);

#endif
