/*
 * fetch.h: the parts of e2e-fetch.
 *
 *	main.c		options, the lock, connecting again
 *	session.c	one session: what comes, and when it is handed on
 *	hand.c		handing on, acknowledgements, credit
 *	queue.c		envelopes in their order
 *	download.c	the bytes of one envelope, and those of a broken download
 *	deliver.c	to standard output, a folder, or a command
 *	batch.c		many to one command, and its verdicts
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
	/* What is at hand at a time, and goes into a batch: its verdicts, of
	 * at most four bytes each, must fit into the smallest pipe. */
	FETCH_BATCH_ITEMS = 4 * FETCH_CREDIT_ITEMS,
	FETCH_BATCH_BYTES = 4 * FETCH_CREDIT_BYTES,
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
	bool batch;			/* several at a time */
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

/* AGAIN: the command has not come to it. */
enum fetch_outcome { FETCH_LEFT, FETCH_KEPT, FETCH_AGAIN };

struct fetch_item {
	struct fetch_item *next;
	uint64_t seq, size;
	unsigned char id[SPOOL_ID_LEN];
	struct spool *spool;
	bool alone;			/* in a batch of its own */
	enum fetch_outcome outcome;	/* of a batch */
};

void fetch_id_text(char text[FETCH_ID_TEXT + 1],
    const unsigned char id[SPOOL_ID_LEN]);

/* ---- queue.c ---- */

/* 1. items and bytes are the sums over all from first to *last. */
struct fetch_queue {
	struct fetch_item *first, **last;
	uint64_t items, bytes;
};

void fetch_item_free(struct fetch_item *item);
/* A queue is not moved: `last` points into it. */
void fetch_queue_init(struct fetch_queue *queue);
void fetch_queue_free(struct fetch_queue *queue);
void fetch_queue_add(struct fetch_queue *queue, struct fetch_item *item);
struct fetch_item *fetch_queue_pop(struct fetch_queue *queue);	/* or NULL */
/* All of `front` before the others; `front` is empty then. */
void fetch_queue_put_back(struct fetch_queue *queue,
    struct fetch_queue *front);
/* For another one, of whatever size. */
bool fetch_queue_has_room(const struct fetch_queue *queue);

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
/* The status line of one that was handed on. */
void fetch_deliver_report(const struct fetch_item *item, bool kept);
/* Before an acknowledgement: what was written is on the disk. */
enum e2e_error fetch_deliver_flush(const struct fetch *f);

/* ---- batch.c ---- */

/* What a command said of the envelopes of a batch; statuses as child_shell
 * has them. */
struct fetch_verdicts {
	int status[FETCH_BATCH_ITEMS];
	size_t count;			/* so many of the first */
	bool alone;			/* the others are run one by one */
};

/* Takes from the queue what goes together, at most `most`: one or more. */
void fetch_batch_take(struct fetch_queue *batch, struct fetch_queue *queue,
    uint64_t most);
/*
 * The items of `batch` back to back, in a regular file, at its beginning; its
 * descriptor is that of *spool, to be freed, or of the one item.
 */
enum e2e_error fetch_batch_file(struct fetch_item *const *items,
    size_t count, struct spool **spool, int *fd);
/*
 * Runs the command once over `count` envelopes, 1 to FETCH_BATCH_ITEMS. There
 * is at least one verdict, or more than one envelope and `alone`.
 */
enum e2e_error fetch_batch_run(const struct fetch *f, int input,
    size_t count, const struct child_watch *watch, struct fetch_verdicts *v);
/* Hands on all of `batch`, but what was handed on before, and each id once:
 * their outcomes are set, also when it fails. */
enum e2e_error fetch_batch(struct fetch *f, struct fetch_queue *batch,
    const struct child_watch *watch);

/* ---- refused.c ---- */

/* Is it a verdict on the message (1 to 6)? */
bool fetch_is_verdict(int status);

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
