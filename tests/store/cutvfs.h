/*
 * cutvfs.h: files in memory for SQLite, on a disk whose power can be cut, or
 * of which any call can be made to fail.
 *
 * 1. Each file has its bytes as the program sees them, and as they are on
 *    the disk: what was written and not synced is on the way between.
 * 2. At a cut every write on the way is kept, dropped, or torn: of each
 *    512 bytes, then, it is drawn whether they arrived. A file may have grown
 *    without the bytes it grew for, and have zeros or rubbish there.
 * 3. Whether a file that was made or removed is there after a cut is drawn,
 *    too, unless the folder was synced since.
 *
 * It is made SQLite's default. One thread.
 */
#ifndef TESTS_CUTVFS_H
#define TESTS_CUTVFS_H

#include "scene.h"

#include <stdbool.h>

void cutvfs_install(void);
/* No files, power on, nothing fails. */
void cutvfs_reset(void);

/* The power goes at the n-th write, sync, truncation, making or removal from
 * now on (0: never), or now. From then on every call fails. */
void cutvfs_cut_at(unsigned n);
void cutvfs_cut_now(void);
bool cutvfs_is_cut(void);
/* Power on again, with what is left. */
void cutvfs_restart(struct dice *dice);
/* The folder was synced by somebody else. */
void cutvfs_folder_synced(void);
/* A disk that says it has synced and has not. */
void cutvfs_lie(bool lies);

/* The n-th call of any kind from now on fails once, with this code of SQLite
 * (for what is not a write: with an I/O error); 0: none. */
void cutvfs_fail_at(unsigned n, int code);
/* Did it come to that? */
bool cutvfs_has_failed(void);

#endif
