/*
 * fetch.h: the parts of e2e-fetch.
 *
 *	main.c		options, the lock, connecting again
 *	session.c	one session: what comes and what is acknowledged
 *	download.c	the bytes of one envelope, and those of a broken download
 *	deliver.c	to standard output, a folder, or a command
 *	refused.c	what a command has judged, kept for another time
 *	ledger.c	what was handed on and not yet acknowledged
 *	keep.c		a file that is on the disk when it has its name
 *
 * Unless it says otherwise, a function that fails has told it.
 */
#ifndef CMD_FETCH_H
#define CMD_FETCH_H

#include "cli/child.h"
#include "cli/ownkey.h"
#include "cli/relay.h"
#include "net/spool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	FETCH_CREDIT_ITEMS = 256,
	FETCH_CREDIT_BYTES = 8 * 1024 * 1024,
	FETCH_ID_TEXT = 2 * SPOOL_ID_LEN,
	FETCH_TAG_LEN = 32
};

enum fetch_manner { FETCH_OUTPUT, FETCH_FOLDER, FETCH_COMMAND };

/* Ids of what was handed on, until the relay has confirmed that it is gone. */
struct fetch_ledger {
	struct fetch_entry {
		unsigned char id[SPOOL_ID_LEN];
		uint64_t seq;		/* in this session; 0: of an earlier */
		bool safe;		/* flushed where it was handed on to */
	} *entries;
	size_t count, capacity;
	char *path;
};

struct fetch {
	/* asked for */
	struct relay_place place;
	enum fetch_manner manner;
	const char *command;		/* FETCH_COMMAND */
	const char *folder;		/* FETCH_FOLDER */
	bool wait;
	uint64_t max;			/* messages; 0: all */
	uint64_t refused_files, refused_bytes;

	/* found out */
	struct own_key key;
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	char tag[FETCH_TAG_LEN + 1];	/* of this identity at this address */
	struct fetch_ledger ledger;
	unsigned char (*present)[SPOOL_ID_LEN];	/* FETCH_FOLDER: at the start */
	size_t present_count;
	bool refused_full;		/* was said */

	/* done */
	uint64_t handled, left;		/* messages */
	bool progress;			/* the last session came to READY */
	bool again;			/* it ended for another one at once */
	bool renumbered;		/* once, and no data has come since */
};

struct fetch_item {
	struct fetch_item *next;
	uint64_t seq, size;
	unsigned char id[SPOOL_ID_LEN];
	struct spool *spool;
};

void fetch_item_free(struct fetch_item *item);
void fetch_id_text(char text[FETCH_ID_TEXT + 1],
    const unsigned char id[SPOOL_ID_LEN]);

/* ---- session.c ---- */

/* One session until nothing waits any more (with `wait`: until it breaks).
 * Not told: relay_client_tell(r, ..). Signals may be held (child.h). */
enum e2e_error fetch_session(struct fetch *f, struct relay_client *r);

/* ---- download.c ---- */

/* A download that broke: its file, and what it was of. The relay may give a
 * message another number: its id tells that it is the same. */
struct fetch_partial {
	char *path;			/* NULL: none */
	uint64_t seq, size, have;
	unsigned char id[SPOOL_ID_LEN];
};
/* id NULL: any. Of those that are too many, the file is removed. */
enum e2e_error fetch_partial_find(const struct fetch *f,
    const unsigned char *id, struct fetch_partial *p);
/* It has another number now. */
enum e2e_error fetch_partial_renumber(const struct fetch *f,
    struct fetch_partial *p, uint64_t seq);
void fetch_partial_drop(struct fetch_partial *p);	/* and the file */
void fetch_partial_free(struct fetch_partial *p);

/*
 * Reads the bytes that follow MSG or DATA; those before `offset` are
 * in `p`. The id is compared. Failures of the connection are not told, and
 * leave a partial download if it is worth it.
 */
enum e2e_error fetch_download(const struct fetch *f, struct relay_client *r,
    struct fetch_item *item, uint64_t offset, struct fetch_partial *p);

/* ---- deliver.c ---- */

/* Before the first session: is the place there? */
enum e2e_error fetch_deliver_prepare(struct fetch *f);
/* *kept: it is safe, and may be acknowledged. An error ends everything. */
enum e2e_error fetch_deliver(struct fetch *f, const struct fetch_item *item,
    const struct child_watch *watch, bool *kept);
/* Before an acknowledgement: what was written is on the disk. */
enum e2e_error fetch_deliver_flush(const struct fetch *f);

/* ---- refused.c ---- */

/* Runs the command; *status as child_shell has it. */
enum e2e_error fetch_run(const struct fetch *f, int input,
    const unsigned char id[SPOOL_ID_LEN], const struct child_watch *watch,
    int *status);
/* Keeps it; *kept false: there is no room. */
enum e2e_error fetch_refused_keep(struct fetch *f,
    const struct fetch_item *item, bool *kept);
/* The command once more over all of them. */
enum e2e_error fetch_refused_run(struct fetch *f);

/* ---- ledger.c ---- */

enum e2e_error fetch_ledger_load(struct fetch *f);
/* Writes what is not confirmed, or removes the file. */
enum e2e_error fetch_ledger_save(struct fetch *f);
void fetch_ledger_free(struct fetch_ledger *l);
struct fetch_entry *fetch_ledger_find(const struct fetch_ledger *l,
    const unsigned char id[SPOOL_ID_LEN]);
enum e2e_error fetch_ledger_add(struct fetch_ledger *l,
    const unsigned char id[SPOOL_ID_LEN], uint64_t seq);
/* Those of this session in the range; how many. */
uint64_t fetch_ledger_confirm(struct fetch_ledger *l, uint64_t first,
    uint64_t last);
/* All that was handed on so far is safe there; until then it is not. */
void fetch_ledger_flushed(struct fetch_ledger *l);
bool fetch_ledger_is_safe(const struct fetch_ledger *l);
/* Entries of this session become those of an earlier one; those that are not
 * safe are forgotten, and come again. Before fetch_ledger_save. */
void fetch_ledger_break(struct fetch_ledger *l);
/* The relay has none of those of earlier sessions any more. */
void fetch_ledger_settle(struct fetch_ledger *l);
/* How many of this session. */
uint64_t fetch_ledger_open(const struct fetch_ledger *l);

/* ---- keep.c ---- */

/* Writes FOLDER/NAME by way of TEMPORARY: flushed, and renamed. It has its name
 * for certain after keep_flush_folder, once for many. */
enum e2e_error keep_file(const char *temporary, const char *folder,
    const char *name, const struct spool *spool);
enum e2e_error keep_flush_folder(const char *folder);
/* "FOLDER/NAME", free() it; NULL, told. */
char *keep_path(const char *folder, const char *name);
/* Is this ID.e2e, perhaps with more behind it? */
bool keep_parse_name(unsigned char id[SPOOL_ID_LEN], const char *name);

#endif
