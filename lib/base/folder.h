/*
 * folder.h: folders that keep something for long.
 */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include <e2e/error.h>

/* "FOLDER/NAME", free() it. NULL: no memory. */
char *folder_join(const char *folder, const char *name);

/* The names in it are on stable storage. E2E_ERR_CREATE, with errno. */
enum e2e_error folder_flush(const char *folder);

/* Makes it, mode 0700, and flushes its name; one that is there is left as it
 * is. E2E_ERR_CREATE, with errno; E2E_ERR_MEMORY. */
enum e2e_error folder_create(const char *folder);

#endif
