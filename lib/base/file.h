/*
 * file.h: files that appear complete or not at all.
 *
 * A file_out on a regular name writes to an unnamed or temporary file in the
 * same folder (O_TMPFILE where the system has it, else a name that begins
 * with ".e2e-"), and on commit is flushed to stable storage, renamed over the
 * name, and the folder flushed. Whoever dies before that leaves what was
 * there. On a device or a fifo, and on the names of this process's own
 * descriptors (/dev/stdout, /dev/stderr, /dev/fd/N, /proc/self/fd/N), the
 * bytes go straight to it, whatever it is. A symbolic link's target is
 * replaced, not the link.
 *
 * 1. At most 4 file_outs are open at once (a fifth: E2E_ERR_CREATE, EMFILE);
 *    each one's temporary name is known to the signal handler of
 *    file_remove_on_signal.
 *
 * Threads: file_outs are opened and ended by one thread.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buffer;
struct file_out;

enum file_manner {
	FILE_REPLACE,		/* replace what is there, as cp does */
	FILE_NEW		/* E2E_ERR_EXISTS if there is anything, also
				 * when it appears before the commit */
};

/*
 * Opens for writing. mode: permissions of a new file, before the umask. When
 * replacing a regular file its own permissions are kept unless `mode` has
 * no bits for group and others (secrets: exactly `mode`); owner and group
 * are kept if this process may. A file that may not be written is not
 * replaced. E2E_ERR_CREATE, E2E_ERR_EXISTS, with errno; E2E_ERR_MEMORY.
 */
enum e2e_error file_out_open(struct file_out **out, const char *path,
    mode_t mode, enum file_manner manner);
int file_out_fd(const struct file_out *out);
/* Nobody sees the bytes before the commit (a temporary, not a device). */
bool file_out_is_hidden(const struct file_out *out);
/*
 * Flush, rename, flush the folder, free. On failure the temporary is gone and
 * the name untouched, a new one not there, unless it was the flush of the
 * folder that failed after something was replaced: then the file is complete,
 * and only not certain to outlive a power cut.
 * E2E_ERR_WRITE, E2E_ERR_EXISTS. Frees in any case.
 */
enum e2e_error file_out_commit(struct file_out *out);
/* Removes the temporary and frees; NULL is fine. Keeps errno. */
void file_out_abort(struct file_out *out);

/* Writes a whole file in one go by the rules above. */
enum e2e_error file_write(const char *path, const void *data, size_t size,
    mode_t mode, enum file_manner manner);
/* Appends a whole file. E2E_ERR_NO_INPUT (also for a folder), E2E_ERR_READ,
 * E2E_ERR_LIMIT, E2E_ERR_MEMORY. */
enum e2e_error file_read(const char *path, struct buffer *into);
/*
 * Waits until nobody else changes files in the folder of `path` by way of
 * this function. Held until *lock is closed, or the process ends; -1 where
 * the file system has no locks. E2E_ERR_CREATE when there is no such folder.
 */
enum e2e_error file_lock_folder(int *lock, const char *path);

/* Does fd name something that nobody but its owner may read or write? */
bool file_is_private(int fd);

/*
 * SIGINT, SIGTERM, SIGHUP and SIGPIPE remove the temporaries and then kill the
 * process by that same signal. Signals that were ignored stay ignored.
 */
void file_remove_on_signal(void);

#endif
