/*
 * relay_lab.h: a relay in a box: its host is a list of jobs that the test
 * has done when it wants them done, on a store in memory; its connections are
 * buffers; its clock stands still until the test moves it.
 *
 * Everything asserts by cmocka that it worked.
 */
#ifndef TESTS_RELAY_LAB_H
#define TESTS_RELAY_LAB_H

#include "lab.h"

#include "relay/client.h"
#include "relay/relay.h"

enum { RELAY_LAB_WALL = 1800000000, RELAY_LAB_STEADY = 1000000 };

struct relay_lab {
	struct relay *relay;
	struct store *store;
	struct relay_policy policy;
	/* Jobs the relay submitted, oldest first. */
	struct store_job *jobs, **jobs_end;
	size_t job_count, job_max;	/* the queue: full at job_max */
	uint64_t batch;
	uint64_t wall, steady;
	enum e2e_error change_error;	/* for changes, instead of doing them */
	enum e2e_error read_error;
	size_t done[16];		/* jobs, by enum store_job_kind */
	size_t reports[16];		/* by enum relay_event */
	const char *last_code;
	size_t wakes;
};

/* policy NULL: the default, with a disk that is never full. */
void relay_lab_start(struct relay_lab *lab, const struct relay_policy *policy,
    bool has_tls);
void relay_lab_end(struct relay_lab *lab);
/* Milliseconds go by; nobody is ticked. */
void relay_lab_wait(struct relay_lab *lab, uint64_t ms);

/* Does one job; false: there is none. */
bool relay_lab_job(struct relay_lab *lab);
/* Does all jobs there are as one batch: handed back together. */
void relay_lab_batch(struct relay_lab *lab);
/* Batches until there are no more jobs. */
void relay_lab_run(struct relay_lab *lab);
/* What a worker does with one job. */
enum e2e_error relay_lab_do(struct store *store, struct store_job *job);

/* An identity with a registered card (x25519), to be freed by the test. */
struct e2e_identity *relay_lab_person(struct relay_lab *lab,
    unsigned char seed, const char *name);
void relay_lab_enroll(struct relay_lab *lab, const struct e2e_card *card);
/* An envelope of `length` bytes of data; buffer_free it. */
struct buffer relay_lab_envelope(size_t length,
    const struct e2e_identity *const *to, size_t count);
/* "OK <id> stored=... until=...\n" of the envelope; a static buffer. */
const char *relay_lab_ok(const struct relay_lab *lab,
    const struct buffer *envelope, unsigned stored, unsigned dup,
    unsigned unknown);

/* ---- connections ---- */

struct relay_lab_peer {
	struct relay_lab *lab;
	struct peer *peer;
	struct buffer received;
};

/* From a Unix socket, or an address (by number). */
void relay_lab_connect(struct relay_lab *lab, struct relay_lab_peer *p);
void relay_lab_connect_from(struct relay_lab *lab, struct relay_lab_peer *p,
    const struct peer_origin *origin);
void relay_lab_hang_up(struct relay_lab_peer *p);
/* Input, however it is cut: `step` bytes at a time, 0: at once. */
void relay_lab_send(struct relay_lab_peer *p, const void *data, size_t size,
    size_t step);
/* Moves all output to `received`. */
void relay_lab_receive(struct relay_lab_peer *p);
/* All output so far is this text, which is then forgotten. */
void relay_lab_says(struct relay_lab_peer *p, const char *text);
/* All output so far begins so; forgotten. */
void relay_lab_says_like(struct relay_lab_peer *p, const char *beginning);
void relay_lab_silent(struct relay_lab_peer *p);
/* Time until its deadline goes by, and it is ticked. */
void relay_lab_deadline(struct relay_lab_peer *p);

/* ---- sessions ---- */

/* A client; its connection, what it was told and not looked at yet. */
struct relay_lab_client {
	struct relay_lab_peer link;
	struct client *client;
	const struct e2e_identity *identity;
	size_t at;			/* of link.received */
};

/* Connects (from a Unix socket) and says HELLO; identity NULL: no mailbox. */
void relay_lab_hello(struct relay_lab *lab, struct relay_lab_client *c,
    const struct e2e_identity *identity, uint64_t credit_items,
    uint64_t credit_bytes);
void relay_lab_hello_from(struct relay_lab *lab, struct relay_lab_client *c,
    const struct peer_origin *origin, const struct e2e_identity *identity,
    uint64_t credit_items, uint64_t credit_bytes);
void relay_lab_auth(struct relay_lab_client *c, bool with_card);
/* HELLO, AUTH and READY, all jobs done; what READY said. */
struct frame relay_lab_login(struct relay_lab *lab,
    struct relay_lab_client *c, const struct e2e_identity *identity,
    uint64_t credit_items, uint64_t credit_bytes);
void relay_lab_leave(struct relay_lab_client *c);
void relay_lab_send_frame(struct relay_lab_client *c,
    const struct frame *frame);
/* Takes what has come; the next frame, or false. Valid until the next call.
 * *whole may be NULL. */
bool relay_lab_next(struct relay_lab_client *c, struct frame *frame,
    struct bytes *whole);
/* The next frame, which is there and of this type. */
struct frame relay_lab_expect(struct relay_lab_client *c,
    enum frame_type type);
/* Nothing has come. */
void relay_lab_expect_nothing(struct relay_lab_client *c);
/* ERROR of this code, and the write side has ended. */
void relay_lab_expect_end(struct relay_lab_client *c, const char *code);
void relay_lab_expect_error(struct relay_lab_client *c, const char *code);
/* Exactly these bytes follow. */
void relay_lab_expect_raw(struct relay_lab_client *c, const void *data,
    size_t size);
/* A MSG with this envelope; its seq. */
uint64_t relay_lab_expect_msg(struct relay_lab_client *c,
    const struct buffer *envelope);
void relay_lab_expect_acked(struct relay_lab_client *c, uint64_t first,
    uint64_t last);
/* Acknowledges `count` items of these envelopes. */
void relay_lab_ack(struct relay_lab_client *c, const uint64_t *seqs,
    const struct buffer *const *envelopes, size_t count);
void relay_lab_put(struct relay_lab_client *c,
    const struct e2e_identity *const *to, size_t count,
    const struct buffer *envelope);
/* Puts it into the store by a connection of its own. */
void relay_lab_deposit(struct relay_lab *lab, const struct buffer *envelope);

#endif
