/*
 * temporary.h: names of files that are gone when this process is killed.
 *
 * 1. At most TEMPORARIES_MAX are taken at once.
 * 2. A temporary has a name from temporary_rename to temporary_forget; a file
 *    of that name in its folder is this process's to remove.
 *
 * Threads: one at a time; the signal handler may run on any.
 */
#ifndef BASE_TEMPORARY_H
#define BASE_TEMPORARY_H

#include <stdbool.h>

#define TEMPORARIES_MAX 4

struct temporary;

/* One without a name yet, in an open folder; NULL and EMFILE if all are
 * taken. The folder stays open until it is released. */
struct temporary *temporary_take(int folder);
/* Gives it a new name that begins with ".e2e-", for the caller to make a file
 * of. False: no randomness. */
bool temporary_rename(struct temporary *t);
const char *temporary_name(const struct temporary *t);
/* There is no such file any more, or it is not ours. Keeps errno. */
void temporary_forget(struct temporary *t);
/* Removes the file if it has a name; NULL is fine. */
void temporary_release(struct temporary *t);

/* As file_remove_on_signal says. */
void temporary_remove_on_signal(void);

#endif
