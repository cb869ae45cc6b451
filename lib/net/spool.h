/*
 * spool.h: the bytes of one envelope at a client, and their SHA-256: in memory
 * while they are few, else in a file without a name, or in a named one
 * that outlives a broken download.
 *
 * E2E_ERR_MEMORY, E2E_ERR_CRYPTO; with errno E2E_ERR_CREATE, E2E_ERR_READ,
 * E2E_ERR_WRITE. Threads: one.
 */
#ifndef NET_SPOOL_H
#define NET_SPOOL_H

#include <e2e/error.h>

#include <stddef.h>
#include <stdint.h>

enum { SPOOL_ID_LEN = 32, SPOOL_MEMORY_MAX = 1024 * 1024 };

struct spool;

/* Empty. Its file, if it comes to one, lies in TMPDIR or /tmp. */
enum e2e_error spool_new(struct spool **spool);
/* In the file `path`, going on behind what it holds; made (mode 0600) if
 * there is none. */
enum e2e_error spool_resume(struct spool **spool, const char *path);
/* A named file stays; NULL is fine. */
void spool_free(struct spool *spool);

enum e2e_error spool_add(struct spool *spool, const void *data, size_t size);
uint64_t spool_size(const struct spool *spool);
/* SHA-256 of all bytes; nothing is added any more. */
enum e2e_error spool_end(struct spool *spool, unsigned char id[SPOOL_ID_LEN]);

/* Exactly `size` bytes at `offset`. */
enum e2e_error spool_read(const struct spool *spool, void *data, size_t size,
    uint64_t offset);
/* Writes all of it to a descriptor. */
enum e2e_error spool_copy(const struct spool *spool, int fd);
/* A descriptor of a regular file that holds all of it, at its beginning; the
 * spool's. */
enum e2e_error spool_file(struct spool *spool, int *fd);

#endif
