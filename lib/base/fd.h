/*
 * fd.h: reading and writing file descriptors to the end of the matter.
 *
 * All of them go on after EINTR and after short counts, wait on descriptors
 * that do not block, and leave errno from the system call that failed.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <e2e/error.h>
#include <e2e/io.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

/* Up to `size` bytes; *got < size only at the end. E2E_ERR_READ. */
enum e2e_error fd_read(int fd, void *data, size_t size, size_t *got);
enum e2e_error fd_read_at(int fd, void *data, size_t size, uint64_t offset,
    size_t *got);
/* All of `size` bytes. E2E_ERR_WRITE. */
enum e2e_error fd_write(int fd, const void *data, size_t size);
enum e2e_error fd_write_at(int fd, const void *data, size_t size,
    uint64_t offset);
/* Appends the rest of fd to the buffer: E2E_ERR_LIMIT beyond the buffer's
 * limit, E2E_ERR_MEMORY, E2E_ERR_READ. */
enum e2e_error fd_read_all(int fd, struct buffer *into);
/* Asks for the largest pipe the system grants, up to 1 MiB; failure is fine. */
void fd_enlarge_pipe(int fd);
/* Asks the system to begin writing this range to the disk, so that a later
 * fsync has less to wait for. Where it cannot be asked, nothing happens. */
void fd_begin_flush(int fd, uint64_t offset, uint64_t size);
/* Is it a descriptor open for reading? */
bool fd_is_readable(int fd);
/* Is fd a regular file, open at `*position`, of `*size` bytes? */
bool fd_is_regular(int fd, uint64_t *position, uint64_t *size);
/* Do both descriptors name the same regular file? (Devices may be shared.) */
bool fd_same_file(int a, int b);
/*
 * Waits for the one byte at `offset`, which no other process has then until
 * it is let go of, or this process ends or closes any descriptor of the file
 * (record locks of POSIX). The byte need not be there. E2E_ERR_BUSY when
 * another has it still after `wait` milliseconds of sleep (0: at once);
 * E2E_ERR_WRITE.
 */
enum e2e_error fd_lock_at(int fd, uint64_t offset, unsigned wait);
enum e2e_error fd_unlock_at(int fd, uint64_t offset);
/* fsync(2): what was written is on stable storage. E2E_ERR_WRITE. */
enum e2e_error fd_flush(int fd);
/* close(2), reporting what a delayed write failed with. E2E_ERR_WRITE. */
enum e2e_error fd_close(int fd);

#endif
