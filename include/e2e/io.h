/*
 * e2e/io.h: where bytes come from and go to.
 *
 * Callbacks return E2E_OK or an error (E2E_ERR_READ, E2E_ERR_WRITE); they may
 * leave errno set, which then appears in the diagnostic. `read`, `write` are
 * called by one thread at a time; `read_at`, `write_at` by several at once.
 */
#ifndef E2E_IO_H
#define E2E_IO_H

#include <e2e/error.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * read: fills up to `size` bytes and says how many in *got; fewer than size
 *	means the end. (A callback over a pipe loops until size or end.)
 * read_at: NULL, or the same at an absolute offset, without moving anything.
 *	Set only for input whose whole extent is known to be `size` bytes
 *	(a regular file): then a truncated envelope is refused before its
 *	first byte, and several threads read at once.
 */
struct e2e_input {
	void *context;
	enum e2e_error (*read)(void *context, void *buffer, size_t size,
	    size_t *got);
	enum e2e_error (*read_at)(void *context, void *buffer, size_t size,
	    uint64_t offset, size_t *got);
	uint64_t size;
};

/*
 * write: takes all `size` bytes or fails.
 * write_at: NULL, or the same at an offset, in any order, possibly beyond what
 *	will be the end; the library then calls set_size (not NULL) once, at
 *	the end, with the number of bytes that count. Set only for output that
 *	nobody reads before the whole call has succeeded (a temporary file).
 */
struct e2e_output {
	void *context;
	enum e2e_error (*write)(void *context, const void *data, size_t size);
	enum e2e_error (*write_at)(void *context, const void *data, size_t size,
	    uint64_t offset);
	enum e2e_error (*set_size)(void *context, uint64_t size);
};

/* Called now and then, by one thread at a time, with the payload bytes done
 * so far. */
struct e2e_progress {
	void (*report)(void *context, uint64_t bytes);
	void *context;
};

#ifdef __cplusplus
}
#endif
#endif
