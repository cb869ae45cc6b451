/*
 * peer.h: what the files of the relay's end share (relay.h has the outside).
 *
 *	relay.c		the process: policy, jobs, wake-ups, counters
 *	task.c		jobs for the store
 *	peer.c		one connection: buffers and states
 *	deadline.c	its clocks
 *	origin.c	where it comes from
 *	arrival.c	an envelope that arrives, bare or by PUT
 *	deposit.c	what becomes of it: jobs, and the answer
 *	batch.c		the receipts of one commit, signed at once
 *	session.c	the frames of a session, and its clocks
 *	auth.c		HELLO to READY
 *	delivery.c	what is sent to an owner, and when
 *	stream.c	one item on its way out
 *	sent.c		what went out and was not acknowledged
 *	acknowledge.c	ACK, and what is noted without
 *	directory.c	REGISTER, LOOKUP, REVOKE
 *
 * A call from outside enters by one of the functions of relay.h, changes what
 * it changes, and at its very end tells the host which other peers have
 * something new (relay_leave): the host may do anything there.
 */
#ifndef RELAY_PEER_H
#define RELAY_PEER_H

#include "message/identity.h"
#include "relay/chain.h"
#include "relay/proof.h"
#include "relay/rate.h"
#include "relay/receipt.h"
#include "relay/relay.h"
#include "relay/transit.h"

enum {
	PEER_DEPOSITS_MAX = 64,		/* unanswered, of one peer */
	PEER_ACKS_MAX = 16,		/* not committed, of one peer */
	PEER_PENDING_MAX = 1 << 20,	/* read by the host, not yet looked at */
	PEER_OUTPUT_HIGH = 1 << 18,	/* nothing more is made beyond it */
	PEER_OUTPUT_MAX = 1 << 20,
	PEER_WINDOW_MS = 10000,		/* over which slowness is measured */
	PEER_RETRY = 5,			/* seconds, of drain and busy */
	PEER_STARVE_MS = 5000,		/* to wait for memory, then busy */
	SESSION_SENT_MAX = 1024,	/* unacknowledged items */
	SESSION_LIST_ITEMS = 64,
	SESSION_PIECE = 1 << 17,	/* of a body on its way out */
	RELAY_TABLE = 4096		/* chains of a table */
};

/* ---- jobs ---- */

/*
 * 1. `peer` and membership in its `tasks` go together; a task whose peer has
 *    gone has NULL there, and goes on.
 * 2. `done` gets the task back, and frees it or submits it anew.
 */
struct task {
	struct store_job job;		/* first: they have one address */
	struct relay *relay;
	struct peer *peer;
	struct chain of_peer;
	struct task *next;		/* of those the host did not take yet */
	bool waits;
	void (*done)(struct task *task);
};

void task_init(struct task *task, struct relay *relay, struct peer *peer,
    void (*done)(struct task *task));
/* Clears the job but for its buffer. */
void task_prepare(struct task *task, enum store_job_kind kind);
/* Now, or when there is room. */
void task_submit(struct task *task);
/* Leaves the peer. */
void task_leave(struct task *task);
/* Of a task that is nothing more. NULL is fine. */
void task_free(struct task *task);
/* Submits those that wait, while there is room. */
void task_submit_waiting(struct relay *relay);

/* ---- deposits ---- */

/*
 * 1. One job at a time (`busy`); no answer before the store's.
 * 2. Lives while it arrives, while it is in its peer's order, while a job is
 *    under way, and while something of it is staged.
 * 3. `held` bytes of its address's share of the budget are its own.
 */
struct deposit {
	struct task task;
	struct deposit *next;		/* in the order of arrival */
	bool is_put, arriving, admitted, ordered, complete, stored, answered;
	bool busy;
	bool given_up;			/* nothing more is to be stored */
	bool late;			/* began when the relay drained */
	struct address *address;	/* whose share `held` is of */
	struct buffer body;		/* whole, or the piece that is coming */
	uint64_t staged;
	uint64_t size;
	store_id id;
	store_id *boxes;
	enum store_outcome *outcomes;
	size_t box_count;
	size_t held;
	struct receipt receipt;
	struct buffer frame;		/* RECEIPT, made when signed */
	struct deposit *batch_next;	/* waits for its commit's signature */
};

/* Of the peer's, which begins to arrive; NULL: no memory. */
struct deposit *deposit_new(struct peer *peer);
/* The budget is told what it holds now. */
void deposit_account(struct deposit *d);
/* Submits the piece that is in `body`. */
void deposit_stage(struct deposit *d);
/* Does what is next, if anything can be done now; perhaps frees it. */
void deposit_advance(struct deposit *d);
/* Puts out the answers whose turn it is. */
void deposit_flush(struct peer *peer);
/* The answer is no: nothing of it is kept, the rest is passed over. */
void deposit_refuse(struct deposit *d, enum receipt_code code, uint64_t retry,
    const char *text);
/* The answer is there. May free the deposit. */
void deposit_answer(struct deposit *d);
/* Makes the RECEIPT; in `frame` the signed part, or nothing. */
void deposit_put_receipt(struct deposit *d, struct frame *frame);
/* The one that arrives is not wanted any more, nor an answer. */
void deposit_take_back(struct deposit *d);
/* The connection has gone: what is complete goes on. */
void deposit_abandon(struct peer *peer);

/* The next bytes are an envelope; of a peer that has starved for too long it
 * is refused. put: of PUT, else NULL. False: no memory, and the peer is
 * lost. */
bool arrival_begin(struct peer *peer, const struct frame *put);
/* Takes bytes of the envelope that arrives, or is passed over, or begins; may
 * stop early when blocked. */
size_t arrival_feed(struct peer *peer, const unsigned char *data,
    size_t size);
bool arrival_blocked(const struct peer *peer);
/* What arrives is not, or can no longer become, an envelope: says so, and
 * closes. */
void arrival_malformed(struct peer *peer, const char *text);
/* Nothing more of what arrives is wanted, nor an answer. */
void arrival_drop(struct peer *peer);

/* Collects a PUT that was stored, for the signature of its commit. */
void batch_add(struct deposit *d);
void batch_sign(struct relay *relay);

/* ---- sessions ---- */

enum session_state {
	SESSION_NEW,			/* before HELLO */
	SESSION_CHALLENGED,
	SESSION_VERIFYING,		/* the card is looked up */
	SESSION_SETTLING,		/* an older session's doings are written */
	SESSION_COUNTING,		/* before READY */
	SESSION_READY
};

/* An item that went out and was not acknowledged. */
struct sent {
	uint64_t seq, size;
	uint64_t end;			/* in all of the output, if complete */
	store_id id;
	bool complete;			/* its last byte was put */
};

/* An item whose bytes go out piece by piece. */
struct stream {
	bool active;			/* its frame was put, bytes are missing */
	bool is_data;			/* answers GET */
	bool reading;
	struct store_item item;
	uint64_t offset;
	struct task *task;		/* reads the next piece */
};

/*
 * 1. `sent` ascends by seq. out_items and out_bytes count every MSG there was,
 *    as credit_items and credit_bytes count all that was granted.
 * 2. While stream.active nothing but its bytes is put into the output: frames
 *    wait in `held`.
 */
struct session {
	enum session_state state;
	bool has_mailbox;
	bool busy;			/* frames wait for the store */
	bool pinged;
	bool leaving;			/* was told to go away */
	unsigned char mailbox[E2E_ID_LEN];
	struct chain by_mailbox;	/* from SESSION_VERIFYING's end on */
	struct proof_session proof;
	struct buffer handshake;	/* HELLO || CHAL, until AUTH */
	struct e2e_card *card;		/* whose session it is */
	struct peer *peer;
	uint64_t records;
	uint64_t useful;		/* steady: last deposit or question */
	uint64_t pinged_at;		/* steady */
	struct auth *settling;		/* of SESSION_SETTLING */
	uint64_t told;			/* dropped deposits that READY named */
	unsigned acks;			/* under way */

	uint64_t credit_items, credit_bytes, out_items, out_bytes;
	uint64_t cursor;		/* the last seq looked at */
	struct sent *sent;
	size_t sent_count, sent_room;
	struct listing *list;		/* under way, or in hand */
	bool listing, more, stalled, told_empty;
	bool get_pending, finding;
	uint64_t get_seq, get_offset;
	struct stream stream;
	struct buffer held;
};

bool session_begin(struct peer *peer);	/* false: no memory */
/* Takes whole frames; *taken of the bytes. */
size_t session_input(struct peer *peer, const unsigned char *data,
    size_t size);
bool session_blocked(const struct peer *peer);
/* The last words, and no further input. */
void session_fail(struct peer *peer, const char *code, const char *text);
void session_goaway(struct peer *peer, const char *reason, uint64_t retry);
/* The store could not be read. */
void session_unreadable(struct peer *peer);
/* Where frames are put; NULL: nothing may be put any more. */
struct buffer *session_output(struct peer *peer);
void session_put(struct peer *peer, const struct frame *frame);
void session_update(struct peer *peer);
/* Is an answer under way? */
bool session_is_owed(const struct peer *peer);
/* ERROR or GOAWAY, if the session ends for one. */
void session_last_words(struct peer *peer);
void session_tick(struct peer *peer);
void session_deadline(const struct peer *peer, uint64_t *deadline);
void session_free(struct peer *peer);
struct peer *session_find(const struct relay *relay,
    const unsigned char box[E2E_ID_LEN]);

void auth_hello(struct peer *peer, const struct frame *frame,
    struct bytes whole);
void auth_take(struct peer *peer, const struct frame *frame,
    struct bytes whole);
/* Does it wait until what older sessions did to the mailbox is written? */
bool auth_is_settling(const struct peer *peer);
/* It is. */
void auth_settled(struct peer *peer);
void auth_free(struct auth *auth);		/* NULL is fine */

/* Sends what can be sent. */
void delivery_pump(struct peer *peer);
void delivery_get(struct peer *peer, uint64_t seq, uint64_t offset);
/* There may be something new. */
void delivery_push(struct peer *peer);
void delivery_credit(struct peer *peer, uint64_t items, uint64_t bytes);
/* The session leaves its mailbox: what was not acknowledged is noted. */
void delivery_end(struct peer *peer);

/* An item's frame; MSG counts against the credit. */
void stream_head(struct session *s, struct buffer *out,
    const struct store_item *item, bool is_data, uint64_t offset);
/* Counts and tells of an item that went out whole. */
void stream_count(struct peer *peer, const struct store_item *item);
void stream_begin(struct peer *peer, const struct store_item *item,
    bool is_data, uint64_t offset);
/* The next piece, when there is room for it. */
void stream_read(struct peer *peer);
/* Nothing more of it goes out. */
void stream_cut(struct session *s);

/* Where it is, or would be. */
size_t sent_place(const struct session *s, uint64_t seq);
struct sent *sent_find(const struct session *s, uint64_t seq);
/* False: no memory. */
bool sent_add(struct session *s, const struct store_item *item);
/* It ends at the end of the output. */
void sent_complete(struct peer *peer, uint64_t seq);
void sent_forget(struct session *s);

void acknowledge_take(struct peer *peer, const struct frame *ack);
/* The owner knows what READY said about dropped deposits. */
void acknowledge_told(struct peer *peer);
/* The session ends: the oldest item that went out whole and was not
 * acknowledged gets its mark. */
void acknowledge_note(struct peer *peer);
/* Is an acknowledgement or such a mark still being written? */
bool acknowledge_is_settling(const struct relay *relay,
    const unsigned char box[E2E_ID_LEN]);

void directory_register(struct peer *peer, const struct frame *frame);
void directory_lookup(struct peer *peer, const struct frame *frame);
void directory_revoke(struct peer *peer, const struct frame *frame);

/* ---- peers ---- */

enum peer_mode { MODE_FRESH, MODE_BARE, MODE_SESSION };

/*
 * What shares one limit of connections and one share of the memory: the peers
 * of one address, or all those of Unix sockets.
 *
 * 1. Lives while it has connections, or deposits that are not finished.
 * 2. `hungry` is a member of the relay's while `starved` is not empty.
 */
struct address {
	struct chain all, hungry, starved;
	uint64_t prefix;
	uint32_t count;			/* connections */
	size_t deposits;
	size_t memory;
	size_t starved_memory;		/* of that, by peers that wait for it */
};

struct window {
	uint64_t start;			/* steady; 0: not measured */
	uint64_t bytes;
};

/*
 * 1. Everything that is allocated apart from this is there only while it is
 *    needed: a connection that waits is this and nothing else.
 * 2. `closing`: input is thrown away, and the write side ends once all
 *    answers are out.
 * 3. No output is put once the state is not PEER_OPEN.
 */
struct peer {
	struct relay *relay;
	void *data;
	struct chain all, woken, starved;
	struct address *address;
	struct peer_origin origin;

	enum peer_mode mode;
	enum peer_state state;
	bool ended, closing, skipping;
	bool working;			/* input is being processed */
	unsigned waiting;		/* jobs the host did not take yet */
	unsigned deposit_count;

	struct chain tasks;
	struct buffer pending, output;
	size_t output_at;
	uint64_t sent_total;		/* of all output */
	size_t held;			/* of the budget: pending, header */
	size_t early;			/* of pending: was there at the drain */
	struct deposit *first, *last;	/* unanswered, in order */
	struct deposit *arriving;
	struct transit *transit;
	struct session *session;
	const char *last_code, *last_text;	/* static */

	uint64_t begun;			/* steady: of this connection... */
	uint64_t part_begun;		/* ...envelope or frame; 0: none */
	uint64_t last_input, last_sent, half_at;
	uint64_t starved_since;		/* steady; 0: not since it last began */
	struct window in, out;
};

/* Something changed for this peer: goes on with its input, and the host will
 * be told. */
void peer_resume(struct peer *peer);
/* What follows from its state: answers, closing. */
void peer_update(struct peer *peer);
/* No further input; the write side ends when all answers are out. */
void peer_close(struct peer *peer);
/* At once; nothing more goes out. */
void peer_lose(struct peer *peer);
void peer_account(struct peer *peer);
/* Memory is short, so this peer waits for it before it begins something. False
 * also when it has waited long enough: what it begins then is refused. */
bool peer_starves(struct peer *peer);
/* It does not wait any more. */
void peer_feed(struct peer *peer);
/* Bytes put and not yet sent. */
size_t peer_backlog(const struct peer *peer);
/* To put into; NULL when nothing may be put any more. */
struct buffer *peer_put(struct peer *peer);

/* Blocked by its own doings, or by the store, or by the budget. */
bool peer_is_blocked(const struct peer *peer);

/* One more connection of this address; NULL: too many, or no memory. */
struct address *origin_take(struct relay *relay,
    const struct peer_origin *origin);
void origin_give(struct address *address);
/* Frees it if nothing is left of it. */
void origin_settle(struct address *address);
/* One token of the address; false: *retry. */
bool origin_take_rate(struct peer *peer, uint64_t *retry);

/* Starts and stops the clocks by what the peer is doing now. */
void deadline_set(struct peer *peer);
/* Nothing is under way, and nothing came for a while? */
bool deadline_has_lingered(const struct peer *peer);
/* Does what follows when one is over. */
void deadline_tick(struct peer *peer);

/* ---- the process ---- */

struct relay {
	struct e2e_identity *identity;
	struct frame_succession successions[FRAME_SUCCESSIONS_MAX];
	size_t succession_count;
	struct buffer succession_bytes;
	struct relay_policy policy;
	struct relay_host host;
	struct relay_counters counters;
	bool has_tls, draining, failed;
	uint64_t now, steady, free_space, table_key;

	struct chain peers, woken;
	struct chain hungry;		/* addresses that wait for memory */
	struct address local;		/* of all Unix sockets */
	struct chain *by_address, *by_mailbox;	/* RELAY_TABLE each */
	struct chain settling;		/* changes of mailboxes, being written */
	struct peer *current;		/* whom the host calls about */
	struct rate *rate_address, *rate_mailbox;

	struct task *waiting, **waiting_end;
	size_t flying;			/* jobs that the host has */
	size_t deposits;		/* that are not finished */
	size_t memory;			/* held for what arrives */
	size_t starved_memory;		/* of that, by peers that wait for it */
	struct deposit *batch;
	bool expiring, measuring;
};

/* Around every call from outside. */
void relay_enter(struct relay *relay, struct peer *peer);
void relay_leave(struct relay *relay);
void relay_wake(struct peer *peer);
void relay_tell(struct relay *relay, const struct relay_report *report);
/* Change of the budget's use. */
void relay_account(struct relay *relay, struct address *address, size_t *held,
    size_t now);
/* The same, of what is held by those who wait. */
void relay_starve(struct relay *relay, struct address *address, size_t more,
    size_t less);
/* May nobody of this address begin anything? Apart from `own` bytes. */
bool relay_memory_short(const struct relay *relay,
    const struct address *address, size_t own);
/* Would `more` bytes be beyond the budget, or beyond its address's share? */
bool relay_memory_over(const struct relay *relay,
    const struct address *address, size_t more);
struct chain *relay_mailbox_chain(const struct relay *relay,
    const unsigned char box[E2E_ID_LEN]);

#endif
