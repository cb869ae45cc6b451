/* Sessions with a relay in a box. */
#include "relay_lab.h"

#include "crypto/hash.h"
#include "message/identity.h"
#include "relay/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct peer_origin local = { .local = true };

bool
relay_lab_next(struct relay_lab_client *c, struct frame *frame,
    struct bytes *whole)
{
	struct buffer *b = &c->link.received;
	enum frame_state state;
	size_t length;

	relay_lab_receive(&c->link);
	if (c->at == b->length)
		return false;
	state = frame_parse(frame, b->data + c->at, b->length - c->at,
	    &length);
	assert_int_equal(state, FRAME_COMPLETE);
	if (whole != NULL)
		*whole = (struct bytes){ b->data + c->at, length };
	c->at += length;
	return true;
}

struct frame
relay_lab_expect(struct relay_lab_client *c, enum frame_type type)
{
	struct frame frame;

	assert_true(relay_lab_next(c, &frame, NULL));
	assert_int_equal(frame.type, type);
	return frame;
}

void
relay_lab_expect_nothing(struct relay_lab_client *c)
{
	struct frame frame;

	assert_false(relay_lab_next(c, &frame, NULL));
}

void
relay_lab_expect_error(struct relay_lab_client *c, const char *code)
{
	struct frame frame = relay_lab_expect(c, FRAME_ERROR);
	char text[FRAME_TEXT_MAX + 1];

	memcpy(text, frame.error.code.data, frame.error.code.length);
	text[frame.error.code.length] = '\0';
	assert_string_equal(text, code);
}

void
relay_lab_expect_end(struct relay_lab_client *c, const char *code)
{
	relay_lab_expect_error(c, code);
	relay_lab_expect_nothing(c);
	assert_int_not_equal(peer_state(c->link.peer), PEER_OPEN);
}

void
relay_lab_expect_raw(struct relay_lab_client *c, const void *data,
    size_t size)
{
	relay_lab_receive(&c->link);
	assert_true(c->link.received.length - c->at >= size);
	assert_memory_equal(c->link.received.data + c->at, data, size);
	c->at += size;
}

uint64_t
relay_lab_expect_msg(struct relay_lab_client *c,
    const struct buffer *envelope)
{
	struct frame frame = relay_lab_expect(c, FRAME_MSG);
	unsigned char id[HASH_LEN];

	assert_int_equal(frame.msg.size, envelope->length);
	assert_int_equal(hash_sha256(id, envelope->data, envelope->length),
	    E2E_OK);
	assert_memory_equal(frame.msg.id, id, sizeof(id));
	relay_lab_expect_raw(c, envelope->data, envelope->length);
	return frame.msg.seq;
}

void
relay_lab_expect_acked(struct relay_lab_client *c, uint64_t first,
    uint64_t last)
{
	struct frame frame = relay_lab_expect(c, FRAME_ACKED);

	assert_int_equal(frame.ack.count, 1);
	assert_int_equal(frame.ack.ranges[0].first, first);
	assert_int_equal(frame.ack.ranges[0].last, last);
}

static void
send_buffer(struct relay_lab_client *c, struct buffer *b)
{
	assert_false(b->failed);
	relay_lab_send(&c->link, b->data, b->length, 0);
	buffer_free(b);
}

void
relay_lab_send_frame(struct relay_lab_client *c, const struct frame *frame)
{
	struct buffer b;

	buffer_init(&b, FRAME_MAX);
	frame_put(&b, frame);
	send_buffer(c, &b);
}

/* ---- beginning and end ---- */

void
relay_lab_hello_from(struct relay_lab *lab, struct relay_lab_client *c,
    const struct peer_origin *origin, const struct e2e_identity *identity,
    uint64_t credit_items, uint64_t credit_bytes)
{
	struct frame frame;
	struct bytes whole;
	struct buffer b;

	memset(c, 0, sizeof(*c));
	relay_lab_connect_from(lab, &c->link, origin);
	c->client = client_new(origin->binding);
	assert_non_null(c->client);
	c->identity = identity;
	buffer_init(&b, FRAME_MAX);
	assert_int_equal(client_hello(c->client, &b, identity != NULL ?
	    e2e_card_id(identity->card) : NULL, credit_items, credit_bytes),
	    E2E_OK);
	send_buffer(c, &b);
	assert_true(relay_lab_next(c, &frame, &whole));
	assert_int_equal(frame.type, FRAME_CHAL);
	assert_int_equal(client_challenge(c->client, &frame, whole), E2E_OK);
	assert_memory_equal(e2e_card_id(client_relay_card(c->client)),
	    e2e_card_id(lab->relay->identity->card), E2E_ID_LEN);
}

void
relay_lab_hello(struct relay_lab *lab, struct relay_lab_client *c,
    const struct e2e_identity *identity, uint64_t credit_items,
    uint64_t credit_bytes)
{
	relay_lab_hello_from(lab, c, &local, identity, credit_items,
	    credit_bytes);
}

void
relay_lab_auth(struct relay_lab_client *c, bool with_card)
{
	struct buffer b;

	buffer_init(&b, FRAME_MAX);
	assert_int_equal(client_auth(c->client, &b, c->identity, with_card),
	    E2E_OK);
	send_buffer(c, &b);
}

struct frame
relay_lab_login(struct relay_lab *lab, struct relay_lab_client *c,
    const struct e2e_identity *identity, uint64_t credit_items,
    uint64_t credit_bytes)
{
	relay_lab_hello(lab, c, identity, credit_items, credit_bytes);
	relay_lab_auth(c, false);
	relay_lab_run(lab);
	return relay_lab_expect(c, FRAME_READY);
}

void
relay_lab_leave(struct relay_lab_client *c)
{
	if (c->link.peer != NULL)
		relay_lab_hang_up(&c->link);
	client_free(c->client);
	memset(c, 0, sizeof(*c));
}

/* ---- what clients do ---- */

void
relay_lab_ack(struct relay_lab_client *c, const uint64_t *seqs,
    const struct buffer *const *envelopes, size_t count)
{
	struct client_kept kept[16];
	struct buffer b;
	size_t i;

	assert_true(count <= 16);
	for (i = 0; i < count; i++) {
		kept[i].seq = seqs[i];
		assert_int_equal(hash_sha256(kept[i].id, envelopes[i]->data,
		    envelopes[i]->length), E2E_OK);
	}
	buffer_init(&b, FRAME_MAX);
	assert_int_equal(client_ack(c->client, &b, c->identity, kept, count),
	    E2E_OK);
	send_buffer(c, &b);
}

void
relay_lab_put(struct relay_lab_client *c,
    const struct e2e_identity *const *to, size_t count,
    const struct buffer *envelope)
{
	struct frame frame = { .type = FRAME_PUT };
	struct buffer boxes;
	size_t i;

	buffer_init(&boxes, FRAME_MAX);
	for (i = 0; i < count; i++)
		(void)buffer_append(&boxes, e2e_card_id(to[i]->card),
		    E2E_ID_LEN);
	frame.put.mailboxes = buffer_bytes(&boxes);
	frame.put.count = count;
	relay_lab_send_frame(c, &frame);
	relay_lab_send(&c->link, envelope->data, envelope->length, 0);
	buffer_free(&boxes);
}

void
relay_lab_deposit(struct relay_lab *lab, const struct buffer *envelope)
{
	struct relay_lab_peer p;
	size_t at, n;

	relay_lab_connect(lab, &p);
	for (at = 0; at < envelope->length; at += n) {
		n = envelope->length - at < 65536 ? envelope->length - at :
		    65536;
		relay_lab_send(&p, envelope->data + at, n, 0);
		relay_lab_run(lab);
	}
	relay_lab_says_like(&p, "OK ");
	relay_lab_hang_up(&p);
}
