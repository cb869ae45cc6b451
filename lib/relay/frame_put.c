/* Writing frames (frame.c reads them). */
#include "relay/frame_types.h"

#include "wire/dcbor.h"
#include "wire/labels.h"

#include <string.h>

static void
put_bytes(struct buffer *b, struct bytes value)
{
	dcbor_put_bytes(b, value.data, value.length);
}

static void
put_bytes_or_null(struct buffer *b, struct bytes value)
{
	if (value.data == NULL)
		dcbor_put_null(b);
	else
		put_bytes(b, value);
}

static void
put_text(struct buffer *b, struct bytes value)
{
	dcbor_put_text(b, value.data, value.length);
}

static void
put_id(struct buffer *b, const unsigned char *id)
{
	dcbor_put_bytes(b, id, E2E_ID_LEN);
}

static void
put_hello(struct buffer *b, const struct frame *f)
{
	size_t i;

	dcbor_put_array(b, f->hello.version_count);
	for (i = 0; i < f->hello.version_count; i++)
		dcbor_put_uint(b, f->hello.versions[i]);
	if (f->hello.mailbox == NULL)
		dcbor_put_null(b);
	else
		put_id(b, f->hello.mailbox);
	put_id(b, f->hello.cnonce);
	dcbor_put_uint(b, f->hello.credit_items);
	dcbor_put_uint(b, f->hello.credit_bytes);
}

static void
put_chal(struct buffer *b, const struct frame *f)
{
	put_bytes(b, f->chal.core);
	put_bytes(b, f->chal.signature);
}

static void
put_auth(struct buffer *b, const struct frame *f)
{
	put_bytes(b, f->auth.signature);
	put_bytes_or_null(b, f->auth.card);
}

static void
put_ready(struct buffer *b, const struct frame *f)
{
	dcbor_put_uint(b, f->ready.items);
	dcbor_put_uint(b, f->ready.bytes);
	dcbor_put_uint(b, f->ready.oldest);
	dcbor_put_uint(b, f->ready.dropped);
}

static void
put_msg(struct buffer *b, const struct frame *f)
{
	dcbor_put_uint(b, f->msg.seq);
	put_id(b, f->msg.id);
	dcbor_put_uint(b, f->msg.stored);
	dcbor_put_uint(b, f->msg.until);
	dcbor_put_uint(b, f->msg.size);
}

static void
put_acked(struct buffer *b, const struct frame *f)
{
	size_t i;

	dcbor_put_array(b, f->ack.count);
	for (i = 0; i < f->ack.count; i++) {
		dcbor_put_array(b, 2);
		dcbor_put_uint(b, f->ack.ranges[i].first);
		dcbor_put_uint(b, f->ack.ranges[i].last);
	}
}

static void
put_ack(struct buffer *b, const struct frame *f)
{
	put_acked(b, f);
	put_bytes(b, f->ack.signature);
}

static void
put_get(struct buffer *b, const struct frame *f)
{
	dcbor_put_uint(b, f->get.seq);
	dcbor_put_uint(b, f->get.offset);
}

static void
put_data(struct buffer *b, const struct frame *f)
{
	dcbor_put_uint(b, f->data.seq);
	put_id(b, f->data.id);
	dcbor_put_uint(b, f->data.size);
	dcbor_put_uint(b, f->data.offset);
}

static void
put_put(struct buffer *b, const struct frame *f)
{
	size_t i;

	dcbor_put_array(b, f->put.count);
	for (i = 0; i < f->put.count; i++)
		put_id(b, f->put.mailboxes.data + i * E2E_ID_LEN);
}

static void
put_receipt(struct buffer *b, const struct frame *f)
{
	size_t i;

	put_text(b, f->receipt.line);
	if (!f->receipt.is_signed) {
		dcbor_put_null(b);
		return;
	}
	dcbor_put_array(b, 5);
	put_bytes(b, f->receipt.leaf);
	dcbor_put_uint(b, f->receipt.index);
	dcbor_put_uint(b, f->receipt.tree_size);
	dcbor_put_array(b, f->receipt.path_length);
	for (i = 0; i < f->receipt.path_length; i++)
		put_id(b, f->receipt.path[i]);
	put_bytes(b, f->receipt.signature);
}

static void
put_register(struct buffer *b, const struct frame *f)
{
	put_bytes(b, f->enroll.card);
	if (f->enroll.token.data == NULL)
		dcbor_put_null(b);
	else
		put_text(b, f->enroll.token);
}

static void
put_lookup(struct buffer *b, const struct frame *f)
{
	if (f->lookup.name.data == NULL)
		put_id(b, f->lookup.id);
	else
		put_text(b, f->lookup.name);
}

static void
put_revoke(struct buffer *b, const struct frame *f)
{
	put_bytes(b, f->revoke.statement);
}

static void
put_record(struct buffer *b, const struct frame *f)
{
	size_t i;

	put_bytes_or_null(b, f->record.card);
	dcbor_put_array(b, f->record.revocation_count);
	for (i = 0; i < f->record.revocation_count; i++)
		put_bytes(b, f->record.revocations[i]);
	dcbor_put_uint(b, f->record.registered);
	put_bytes(b, f->record.signature);
}

static void
put_ping(struct buffer *b, const struct frame *f)
{
	dcbor_put_uint(b, f->ping.number);
}

static void
put_goaway(struct buffer *b, const struct frame *f)
{
	put_text(b, f->goaway.reason);
	dcbor_put_uint(b, f->goaway.retry);
}

static void
put_error(struct buffer *b, const struct frame *f)
{
	put_text(b, f->error.code);
	put_text(b, f->error.text);
}

static void
put_empty(struct buffer *b, const struct frame *f)
{
}

static void
put_credit(struct buffer *b, const struct frame *f)
{
	dcbor_put_uint(b, f->credit.items);
	dcbor_put_uint(b, f->credit.bytes);
}

static void (*const putters[FRAME_TYPES])(struct buffer *,
    const struct frame *) = {
	[FRAME_HELLO] = put_hello,
	[FRAME_CHAL] = put_chal,
	[FRAME_AUTH] = put_auth,
	[FRAME_READY] = put_ready,
	[FRAME_MSG] = put_msg,
	[FRAME_ACK] = put_ack,
	[FRAME_ACKED] = put_acked,
	[FRAME_GET] = put_get,
	[FRAME_DATA] = put_data,
	[FRAME_PUT] = put_put,
	[FRAME_RECEIPT] = put_receipt,
	[FRAME_REGISTER] = put_register,
	[FRAME_LOOKUP] = put_lookup,
	[FRAME_REVOKE] = put_revoke,
	[FRAME_RECORD] = put_record,
	[FRAME_PING] = put_ping,
	[FRAME_PONG] = put_ping,
	[FRAME_GOAWAY] = put_goaway,
	[FRAME_ERROR] = put_error,
	[FRAME_EMPTY] = put_empty,
	[FRAME_CREDIT] = put_credit
};

void
frame_put(struct buffer *b, const struct frame *f)
{
	size_t before = b->length;

	dcbor_put_tag(b, TAG_FRAME);
	dcbor_put_array(b, frame_counts[f->type]);
	dcbor_put_uint(b, (uint64_t)f->type);
	putters[f->type](b, f);
	if (b->length - before > FRAME_MAX)
		b->failed = true;
}

void
frame_put_core(struct buffer *b, const struct frame_core *core)
{
	size_t i;

	dcbor_put_array(b, 6);
	dcbor_put_uint(b, core->version);
	put_bytes(b, core->card);
	dcbor_put_array(b, core->succession_count);
	for (i = 0; i < core->succession_count; i++) {
		dcbor_put_array(b, 2);
		put_bytes(b, core->successions[i].card);
		put_bytes(b, core->successions[i].statement);
	}
	dcbor_put_bytes(b, core->snonce, FRAME_NONCE_LEN);
	dcbor_put_uint(b, core->time);
	dcbor_put_map(b, FRAME_LIMITS);
	dcbor_put_int(b, FRAME_LIMIT_ENVELOPE);
	dcbor_put_uint(b, core->limits.envelope_max);
	dcbor_put_int(b, FRAME_LIMIT_TTL);
	dcbor_put_uint(b, core->limits.ttl);
	dcbor_put_int(b, FRAME_LIMIT_BOX_BYTES);
	dcbor_put_uint(b, core->limits.box_bytes);
	dcbor_put_int(b, FRAME_LIMIT_BOX_ITEMS);
	dcbor_put_uint(b, core->limits.box_items);
	dcbor_put_int(b, FRAME_LIMIT_REGISTRATION);
	dcbor_put_uint(b, core->limits.registration);
}

/* ---- shorthand ---- */

static struct bytes
text_bytes(const char *text)
{
	return (struct bytes){ (const unsigned char *)text, strlen(text) };
}

void
frame_put_error(struct buffer *b, const char *code, const char *text)
{
	struct frame f = { .type = FRAME_ERROR };

	f.error.code = text_bytes(code);
	f.error.text = text_bytes(text);
	frame_put(b, &f);
}

void
frame_put_goaway(struct buffer *b, const char *reason, uint64_t retry)
{
	struct frame f = { .type = FRAME_GOAWAY };

	f.goaway.reason = text_bytes(reason);
	f.goaway.retry = retry;
	frame_put(b, &f);
}
