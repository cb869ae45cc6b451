/*
 * state.h: what the commands remember about messages, in a folder of the
 * user's: which were opened (so that none is opened twice), which numbers of
 * a conversation were seen and given out, what is to be receipted, and the
 * epochs of groups.
 *
 * The folder holds a database, state.db, a file to be locked, lock, and one
 * that says that the database was made, format: so a database that is gone
 * or was emptied is never taken for a new one. An older copy of the folder
 * put in its place cannot be told: then what was opened since can be opened
 * again, and numbers are given out twice.
 *
 * 1. What a function has done when it returns E2E_OK is on stable storage,
 *    and happened at once. When it fails, nothing has happened, or (a failed
 *    commit) it is not known whether it has.
 * 2. What is there is done for good: a message after state_done is never
 *    admitted again, a number is never given out again. What is not was never
 *    delivered, and is not refused as if it had been.
 * 3. Any number of processes use one folder at once; one handle in each
 *    (record locks belong to the process).
 *
 * Errors of all functions: E2E_ERR_BUSY (others had the database for ten
 * seconds; or a lock, see state_policy), E2E_ERR_FULL, E2E_ERR_MEMORY,
 * E2E_ERR_STORE, E2E_ERR_LIMIT, E2E_ERR_STORE_DAMAGED; and those named with
 * them. After a failed commit the handle can only be closed (E2E_ERR_STORE).
 *
 * Threads: one at a time for each handle. Not across fork().
 */
#ifndef STATE_STATE_H
#define STATE_STATE_H

#include <e2e/error.h>
#include <e2e/key.h>
#include <e2e/message.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STATE_CONVERSATION_LEN = 16,
	STATE_GROUP_LEN = 16,
	STATE_NAME_MAX = 65536,
	STATE_KEEP = 400 * 86400,	/* seconds */
	STATE_ROWS = 1 << 20,
	STATE_WAIT = 10000		/* milliseconds */
};

struct state;

struct state_policy {
	uint64_t now;		/* seconds since 1970 */
	uint64_t keep;		/* how long, in seconds; 0: STATE_KEEP.
				 * Messages received by their own time, and
				 * before the newest of them, too */
	uint64_t rows;		/* messages received, conversations and groups
				 * that are remembered, each; 0: STATE_ROWS */
	unsigned wait;		/* how long, in milliseconds of sleep, for who
				 * opens the same message or makes the folder;
				 * 0: STATE_WAIT */
};

/*
 * Opens the folder, and makes it (mode 0700) and what belongs in it. It may
 * hold other things. A start that was cut off is finished. E2E_ERR_CREATE and
 * E2E_ERR_WRITE with errno; E2E_ERR_STORE_DAMAGED (also for what has one of
 * its files' names and is none, or a link) and E2E_ERR_STORE_VERSION, and
 * nothing is touched. *why, if not NULL: a static sentence, or NULL.
 */
E2E_CHECK enum e2e_error state_open(struct state **s, const char *folder,
    const struct state_policy *policy, const char **why);
/* A message that is admitted stays as if the process had been killed. NULL is
 * fine. */
void state_close(struct state *s);
/* More about the last error: a static sentence, or NULL. */
const char *state_why(const struct state *s);

/* ---- receiving ---- */

struct state_message {
	unsigned char hash[E2E_HASH_LEN];
	uint64_t time;		/* of its metadata; below INT64_MAX */
	bool numbered;		/* by a verified sender; else nothing below */
	unsigned char sender[E2E_ID_LEN];
	unsigned char conversation[STATE_CONVERSATION_LEN];
	uint64_t number;	/* up to INT64_MAX */
};

enum state_place {
	STATE_NONE,		/* not numbered */
	STATE_FIRST,		/* nothing is known of this conversation */
	STATE_NEXT,
	STATE_GAP,		/* numbers before it did not come yet, or are
				 * being opened */
	STATE_LATE		/* came after a higher one */
};

struct state_order {
	enum state_place place;
	uint64_t missing_from, missing_to;	/* STATE_GAP */
	bool interrupted;	/* an earlier attempt did not get to its end */
};

/*
 * May this message be opened? Called before the first byte of its payload is
 * released, and followed by state_done or state_abandon; one message at a
 * time (else E2E_ERR_USAGE). Waits while another process is between the two
 * with the same message; E2E_ERR_BUSY, and nothing is known of it, when that
 * takes longer than the policy says. E2E_ERR_REPEATED: it was done.
 * E2E_ERR_TOO_OLD: what is known of its time was forgotten.
 * E2E_ERR_NUMBER_REPEATED: another message of the sender and conversation
 * has, or had, its number. E2E_ERR_NUMBER_BEHIND: its number is below the
 * last 1024. E2E_ERR_STORE with errno: the file system has no locks.
 */
E2E_CHECK enum e2e_error state_admit(struct state *s,
    const struct state_message *message, struct state_order *order);
/* Its output is on stable storage. E2E_ERR_REPEATED: another handle said so
 * first. It is not admitted any more, whatever is returned. */
E2E_CHECK enum e2e_error state_done(struct state *s);
/* Nothing came of it: as if it had not been admitted. One that was pending
 * before, from an earlier attempt, is so still. */
E2E_CHECK enum e2e_error state_abandon(struct state *s);
/* It did not get to its end, but will: as if the process had been killed. */
E2E_CHECK enum e2e_error state_leave(struct state *s);

/* ---- sending ---- */

/*
 * The next number of what this sender writes under this name (a word of the
 * user's, the ids of recipients: at most STATE_NAME_MAX bytes, or
 * E2E_ERR_LIMIT), from 1 on, and the name's conversation, which is drawn when
 * it is first used. E2E_ERR_LIMIT after INT64_MAX; E2E_ERR_CRYPTO.
 */
E2E_CHECK enum e2e_error state_reserve(struct state *s,
    const unsigned char sender[E2E_ID_LEN], const void *name, size_t size,
    unsigned char conversation[STATE_CONVERSATION_LEN], uint64_t *number);

/* A message that asked for a receipt. */
struct state_sent {
	unsigned char id[E2E_MESSAGE_ID_LEN];
	unsigned char hash[E2E_HASH_LEN];
	unsigned char data_hash[E2E_HASH_LEN];
	uint64_t time;		/* below INT64_MAX */
};
/* Remembers it for as long as the policy says. Of one id the last counts. */
E2E_CHECK enum e2e_error state_sent(struct state *s,
    const struct state_sent *sent);
/* Fills in the rest for sent->id. */
E2E_CHECK enum e2e_error state_find_sent(struct state *s,
    struct state_sent *sent, bool *found);

/* ---- groups ---- */

/* A group is named by who made it, what was drawn for it, and its name (at
 * most STATE_NAME_MAX bytes, or E2E_ERR_LIMIT). Remembers the epoch if there
 * was no higher one; *highest: the highest one, this one included. */
E2E_CHECK enum e2e_error state_epoch(struct state *s,
    const unsigned char maker[E2E_ID_LEN],
    const unsigned char random[STATE_GROUP_LEN], const void *name,
    size_t size, uint64_t epoch, uint64_t *highest);

#endif
