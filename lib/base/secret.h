/*
 * secret.h: the one allocator for keys, passphrases and plaintext keys.
 *
 * Memory comes with a guard page on both sides, is locked against swapping
 * where the limit allows, left out of core dumps where the system can, and is
 * wiped before it is freed. A child of fork has copies: it frees them, or
 * execs, as it would with any other secret.
 *
 * 1. A size is never changed in place: there is no realloc.
 * 2. Small objects share pages of one arena; a canary behind each tells an
 *    overrun when it is freed (a programmer's mistake: it aborts).
 *
 * Threads: safe.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory of `size` bytes (0 counts as 1); NULL when there is none. */
void *secret_alloc(size_t size);

/* Wipes and frees; NULL is fine. */
void secret_free(void *secret);

/* Wipes memory in a way that no compiler removes. */
void secret_wipe(void *data, size_t size);

/* Constant time in the contents: are both runs of bytes the same? */
bool secret_equal(const void *a, const void *b, size_t size);

/*
 * No core dump and no ptrace of this process by others of the same user, from
 * now on. Best effort; called by every command before the first key is read.
 */
void secret_harden_process(void);

#endif
