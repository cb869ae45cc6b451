/*
 * store.h: where a relay keeps mail and cards, as a table of operations.
 *
 * Implementations: model.c (in memory, for the tests), sqlite*.c (the embedded
 * default); a PostgreSQL one is to come. The same conformance suite runs on
 * all of them (tests/unit/test_store_conformance.c).
 *
 * Durability. Changes are made between `begin` and `commit`. When commit
 * returns E2E_OK they are on stable storage, all of them: they outlive kill -9
 * and a power cut. When it fails, or the process dies before it returns, the
 * store may have all of them or none, never some. Nobody is told of a change
 * before its commit has returned.
 *
 * Words. A mailbox is named by the identity id of a card. A body is the bytes
 * of one envelope, kept once however many mailboxes hold it; an item is its
 * place in one mailbox, under a number (seq) that only grows there. Items are
 * handed out in the order of seq.
 *
 * Every item has its end from birth (`until`), and so has the memory that a
 * mailbox once had these bytes (`seen`), which outlives the item's
 * acknowledgement: the same bytes are not taken twice before their time is
 * over.
 *
 * Times are seconds since 1970, given by the caller (in a deposit at most
 * INT64_MAX, else E2E_ERR_USAGE); a store reads no clock. At `until` a thing
 * has ended; what has ended and is not deleted yet is not handed out, and
 * keeps nobody from depositing again, but still counts in sums and quotas.
 *
 * Errors: E2E_ERR_STORE (I/O), E2E_ERR_FULL, E2E_ERR_MEMORY; when opening also
 * _STORE_VERSION, _STORE_DAMAGED, _STORE_IN_USE, E2E_ERR_PERMISSIONS,
 * E2E_ERR_CREATE. E2E_ERR_USAGE: a change outside of a transaction, or
 * arguments that do not fit together. After a failed operation the
 * transaction can only be rolled back. After a failed commit or rollback the
 * store can only be closed.
 *
 * Threads: one at a time; see worker.h.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buffer.h"

#include <e2e/error.h>
#include <e2e/key.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STORE_ID_LEN = 32,		/* SHA-256 of an envelope */
	STORE_PIECE_LEN = 262144,	/* of a body that is not kept whole */
	STORE_NAME_MAX = 64,
	STORE_ITEMS_MAX = 256,		/* in one store_list */
	STORE_REVOCATION_MAX = 4096	/* as in lib/message/revocation.c */
};

typedef unsigned char store_id[STORE_ID_LEN];

/* ---- deposits ---- */

enum store_outcome {
	STORE_STORED,
	STORE_DUPLICATE,	/* this mailbox has, or had, these bytes */
	STORE_UNKNOWN,		/* no such mailbox here */
	STORE_QUOTA		/* the mailbox is full; counted for its owner */
};

struct store_deposit {
	/* in */
	store_id id;
	uint64_t now, until;
	uint64_t size;
	struct bytes body;		/* the whole, unless `staged` */
	uint64_t staged;		/* from `stage`; 0: none */
	const store_id *boxes;		/* all different */
	size_t box_count;
	uint64_t quota_bytes, quota_items; /* of a mailbox; 0: none */
	/* out */
	enum store_outcome *outcomes;	/* caller's, box_count of them */
	uint64_t kept_until;		/* the earliest `until` of the copies
					 * stored now or before; 0: no copy */
};

/* ---- items ---- */

struct store_item {
	uint64_t seq;
	store_id id;
	uint64_t stored, until, size;
	uint64_t body;		/* key for `read`; constant while the item is */
	struct bytes whole;	/* the bytes, if they were asked for and fit */
};

/* What an owner is told when he comes. */
struct store_summary {
	bool known;		/* is there such a mailbox? */
	uint64_t items, bytes;
	uint64_t oldest;	/* the first item, stored at; 0: empty */
	uint64_t dropped;	/* deposits refused for its quota, not yet told */
};

/* ---- directory ---- */

enum store_registration {
	STORE_REGISTERED,	/* new here */
	STORE_UPDATED,		/* higher serial */
	STORE_UNCHANGED,	/* the same card; one retired is back */
	STORE_NAME_TAKEN,	/* by another identity that is not retired;
				 * one that is loses it */
	STORE_ROLLBACK,		/* lower serial than the card that is here */
	STORE_CONFLICT,		/* same serial, other card */
	STORE_REVOKED		/* the identity was revoked here */
};

struct store_card {
	unsigned char id[E2E_ID_LEN];
	char name[STORE_NAME_MAX + 1];	/* "": found by id only */
	uint64_t serial;
	struct bytes card;		/* encoded, at most E2E_CARD_MAX */
	uint64_t registered;		/* for the first time */
	struct bytes revocation;	/* encoded; empty: none. Not looked at
					 * by `enroll` */
};

/* ---- counters ---- */

struct store_usage {
	uint64_t mailboxes, items, bodies, bytes /* of bodies */, seen;
	uint64_t free_bytes;	/* of the file system; UINT64_MAX: no telling */
};

struct store_expired {
	uint64_t items, bytes /* of items */, seen;
	uint64_t staged;	/* bodies that had not arrived when the store
				 * was opened: their room is free again */
};

/* ---- the operations ---- */

struct store;

struct store_ops {
	const char *name;

	void (*close)(struct store *);

	enum e2e_error (*begin)(struct store *);
	enum e2e_error (*commit)(struct store *);
	enum e2e_error (*rollback)(struct store *);

	/* Pieces of a body that is still arriving, STORE_PIECE_LEN each but
	 * the last. *staged 0 begins one. What was not deposited when the
	 * store is opened again is gone; `expire` frees its room. */
	enum e2e_error (*stage)(struct store *, uint64_t *staged,
	    struct bytes piece);
	enum e2e_error (*unstage)(struct store *, uint64_t staged);

	/* The body is kept if at least one mailbox took it, else a staged one
	 * is dropped. */
	enum e2e_error (*deposit)(struct store *, struct store_deposit *);

	enum e2e_error (*summary)(struct store *,
	    const unsigned char box[E2E_ID_LEN], struct store_summary *);
	/*
	 * The items behind `after` that have not ended at `now`, in order, at
	 * most *count (at most STORE_ITEMS_MAX), then *count of them. While
	 * their bodies fit into `bytes`, which remembers the limit it was made
	 * with, they are appended there and `whole` points to them (valid
	 * until the buffer changes); the first that does not fit ends this:
	 * it and those behind it come without. NULL: all come without.
	 */
	enum e2e_error (*list)(struct store *,
	    const unsigned char box[E2E_ID_LEN], uint64_t after, uint64_t now,
	    struct store_item *items, size_t *count, struct buffer *bytes);
	/* The item, for a download that goes on; *found. */
	enum e2e_error (*find)(struct store *,
	    const unsigned char box[E2E_ID_LEN], uint64_t seq,
	    struct store_item *item, bool *found);
	/* Appends up to `size` bytes of a body at `offset`; fewer at its end,
	 * none when the body is gone. */
	enum e2e_error (*read)(struct store *, uint64_t body, uint64_t offset,
	    size_t size, struct buffer *bytes);
	/* Deletes items, those that are there; the last one of a body deletes
	 * it. `told`: that many dropped deposits were told to the owner. */
	enum e2e_error (*acknowledge)(struct store *,
	    const unsigned char box[E2E_ID_LEN], const uint64_t *seqs,
	    size_t count, uint64_t told);
	/* The item was handed out and not acknowledged. At the `limit`-th time
	 * (0: never) it gets a new seq behind all others and starts at 0;
	 * *moved. */
	enum e2e_error (*unacknowledged)(struct store *,
	    const unsigned char box[E2E_ID_LEN], uint64_t seq, unsigned limit,
	    bool *moved);

	/* Registers or updates, and makes the mailbox, when `result` says so;
	 * else changes nothing. The name of the card before is given up. */
	enum e2e_error (*enroll)(struct store *, const struct store_card *,
	    enum store_registration *result);
	/* By id, or by name if id is NULL. card and revocation are appended
	 * to `bytes` and point into it. Those that are retired are not found
	 * unless `retired`. */
	enum e2e_error (*lookup)(struct store *,
	    const unsigned char *id, const char *name, bool retired,
	    struct store_card *card, struct buffer *bytes, bool *found);
	/* Keeps a verified revocation with the card, the first one for ever. */
	enum e2e_error (*revoke)(struct store *,
	    const unsigned char id[E2E_ID_LEN], struct bytes revocation,
	    bool *found);
	/* Retires every card: unknown to deposits and lookups until enrolled
	 * again; its mail can still be fetched. (`closed` registration reads
	 * its folder anew.) */
	enum e2e_error (*retire_all)(struct store *);

	/* Deletes what has ended, at most `limit` rows of each kind. */
	enum e2e_error (*expire)(struct store *, uint64_t now, size_t limit,
	    struct store_expired *);
	/* Not within a transaction. `exact` counts rows, which may take long;
	 * else only free_bytes and what is known without. */
	enum e2e_error (*usage)(struct store *, bool exact,
	    struct store_usage *);
	/* A consistent copy of a live store in a new file, mode 0600, on stable
	 * storage; not within a transaction. It is written as PATH.part and
	 * then named. E2E_ERR_EXISTS (either is there), E2E_ERR_CREATE; of the
	 * model, which has no file, E2E_ERR_USAGE. */
	enum e2e_error (*backup)(struct store *, const char *path);
	/* Reads everything and compares, ids with bytes too:
	 * E2E_ERR_STORE_DAMAGED, with a word about what in `report`. Changes
	 * nothing; not within a transaction. */
	enum e2e_error (*check)(struct store *, struct buffer *report);
};

/* The beginning of every implementation's struct. */
struct store {
	const struct store_ops *ops;
	/* When a commit failed: a static sentence about it, or NULL. Whoever
	 * has learned of that failure may read it. */
	const char *why;
};

/* An empty store in memory; gone when closed. E2E_ERR_MEMORY. */
enum e2e_error store_model_open(struct store **store);

enum store_manner {
	STORE_WRITE,		/* make it if there is none; one process only */
	STORE_READ,		/* a second handle, for reading alone: changes
				 * and transactions are E2E_ERR_USAGE */
	STORE_INSPECT		/* from another process, for --check and --backup,
				 * beside a relay that runs or without one */
};

/*
 * The store in a folder (mode 0700, made if need be; not its parents),
 * relay.db in it. E2E_ERR_CREATE when there is none to read, E2E_ERR_CONFIG
 * when something else stands there. *why, if not
 * NULL, gets a sentence about what is wrong, static, or NULL.
 */
enum e2e_error store_sqlite_open(struct store **store, const char *folder,
    enum store_manner manner, const char **why);

#endif
