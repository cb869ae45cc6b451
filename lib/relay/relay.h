/*
 * relay.h: the relay's end of everything, without I/O: bytes and the results
 * of the store come in, bytes and jobs for the store go out.
 *
 * One `struct relay` for the process, one `struct peer` for each connection.
 * The surroundings (lib/net in the daemon; a simulator, a fuzzer in the tests)
 * own sockets, clock and store threads:
 *
 *	relay_set_time at every turn of the loop;
 *	peer_input, peer_end when bytes, or their end, have come;
 *	peer_output, peer_sent to send; peer_state to know when to close;
 *	peer_tick when peer_deadline is over;
 *	relay_done with every job the host's `submit` took.
 *
 * Whenever something changes for a peer outside of a call on that very peer
 * (a push, a completed job, a newer session), host.wake names it.
 *
 * 1. A peer asks for no input (peer_wants_input) while what it has to do is
 *    bounded by somebody else: a full store queue, unread output, the budget
 *    of memory. Nothing is read ahead of that.
 * 2. A job in flight outlives its peer; its result is then dropped.
 * 3. No answer that says OK leaves before its commit.
 *
 * Threads: one, the loop's.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "message/identity.h"
#include "relay/frame.h"
#include "store/worker.h"

#include <stdarg.h>

/* Defaults stand in relay_policy_default; each has its flag in e2e-relayd. */
struct relay_policy {
	enum frame_registration registration;
	char token[FRAME_TEXT_MAX + 1];
	uint64_t envelope_max;		/* 64 MiB */
	uint64_t ttl;			/* 30 days */
	uint64_t box_bytes;		/* 1 GiB */
	uint64_t box_items;		/* 100000 */
	uint64_t disk_low;		/* 256 MiB free: below it ERR full */
	uint32_t connections;		/* 10000 */
	uint32_t connections_each;	/* per address: 256 */
	uint32_t rate_address, burst_address;	/* deposits a second: 200, 2000 */
	uint32_t rate_mailbox, burst_mailbox;	/* 100, 1000 */
	uint64_t memory;		/* for what is arriving: 64 MiB, a
					 * quarter of it for one address */
	uint32_t header_ms;		/* 10 s from the first byte to a header */
	uint32_t slow_bytes;		/* 1024 a second at least */
	uint32_t idle_ms;		/* 60 s (a session that waits pings) */
	uint32_t unauthenticated_ms;	/* 15 s */
	uint32_t linger_ms;		/* 2 s after the last byte: half-close */
	uint32_t drain_ms;		/* 2 s */
	uint32_t attempts;		/* 5 without ACK: behind the others */
};
void relay_policy_default(struct relay_policy *policy);

enum relay_event {			/* what a log may want to say */
	RELAY_DEPOSIT, RELAY_REFUSED, RELAY_SESSION, RELAY_FETCHED,
	RELAY_ACKED, RELAY_REGISTERED, RELAY_REVOKED, RELAY_LOOKUP,
	RELAY_REPLACED, RELAY_BROKEN, RELAY_STORE_FAILED
};

struct relay_report {
	enum relay_event event;
	const struct peer *peer;
	const char *code;		/* static; NULL: none */
	const unsigned char *box;	/* NULL: none, or several */
	uint64_t items, bytes;
};

struct relay_host {
	void *context;
	/* Takes the job, or says that the queue is full. Its `owner` is the
	 * relay, which tells it from the host's own. Calls nothing of the
	 * relay. */
	bool (*submit)(void *context, struct store_job *job);
	/* There is output, or peer_state or peer_wants_input changed. May call
	 * anything; comes at the end of a call, when that has done all else. */
	void (*wake)(void *context, struct peer *peer);
	void (*report)(void *context, const struct relay_report *report);
};

/* Since the start; for --metrics-file. */
struct relay_counters {
	uint64_t connections, sessions, deposits, deposit_bytes, stored,
	    duplicates, unknown, refused[16] /* by enum receipt_code */,
	    delivered, delivered_bytes, acknowledged, registrations, lookups,
	    revocations, expired_items, moved, errors;
	uint64_t peers, authenticated;	/* now */
};

struct relay;
struct peer;

/*
 * identity: the relay's own, unlocked; becomes the relay's, also on failure.
 * Successions and policy are copied. has_tls: AUTH in the clear is refused but from local peers.
 */
enum e2e_error relay_new(struct relay **relay, struct e2e_identity *identity,
    const struct frame_succession *successions, size_t succession_count,
    const struct relay_policy *policy, bool has_tls,
    const struct relay_host *host);
/* All peers are gone and all jobs are back. */
void relay_free(struct relay *relay);
/* SIGHUP: new limits for what comes from now on. */
void relay_set_policy(struct relay *relay, const struct relay_policy *policy);
/* wall: seconds since 1970; steady: milliseconds. */
void relay_set_time(struct relay *relay, uint64_t wall, uint64_t steady);
/* Bytes free on the store's file system, told now and then. */
void relay_set_free_space(struct relay *relay, uint64_t bytes);
/* Jobs that came back from the worker, linked by `next`: one batch of
 * receipts is signed at once. */
void relay_done(struct relay *relay, struct store_job *jobs);
/* The worker's queue has room again. */
void relay_room(struct relay *relay);
/* Submits what is due now and then: expiry, usage. Every few seconds. */
void relay_housekeeping(struct relay *relay);
/* SIGTERM: no deposits but those that have begun (ERR drain), GOAWAY to
 * sessions; peers finish. Once. */
void relay_drain(struct relay *relay);
/* Nothing more is owed to anybody: no deposit is arriving, being passed over,
 * or unanswered. */
bool relay_is_idle(const struct relay *relay);
const struct relay_counters *relay_counters(const struct relay *relay);

/* ---- one connection ---- */

struct peer_origin {
	bool local;			/* Unix socket, loopback */
	bool tls;
	unsigned char address[16];	/* v4 mapped; prefix counts: /32, /64 */
	bool has_address;
	unsigned char binding[32];	/* zeros without TLS */
};

enum peer_state {
	PEER_OPEN,
	PEER_HALF_CLOSED,	/* send the output, then shut the write side,
				 * and go on reading until PEER_CLOSED */
	PEER_CLOSED		/* send the output, then close */
};

/* NULL: too many connections (of this address), or no memory: say
 * "ERR busy" and close. data: the host's. */
struct peer *peer_new(struct relay *relay, const struct peer_origin *origin,
    void *data);
void *peer_data(const struct peer *peer);
void peer_set_data(struct peer *peer, void *data);
/* The connection is gone. NULL is fine. */
void peer_free(struct peer *peer);

void peer_input(struct peer *peer, const void *data, size_t size);
void peer_end(struct peer *peer);	/* the other side will send no more */
bool peer_wants_input(const struct peer *peer);
/* What to send next; valid until the next call on this peer. */
struct bytes peer_output(struct peer *peer);
void peer_sent(struct peer *peer, size_t size);
enum peer_state peer_state(const struct peer *peer);
/* Steady milliseconds; 0: none. */
uint64_t peer_deadline(const struct peer *peer);
void peer_tick(struct peer *peer);

#endif
