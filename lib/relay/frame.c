/*
 * Reading frames (frame_put.c writes them). Heads are looked at before bytes,
 * so that what cannot become a frame is refused at once, however slowly it
 * comes.
 */
#include "relay/frame_types.h"

#include "wire/dcbor.h"
#include "wire/labels.h"

#include <string.h>

const unsigned char frame_start[FRAME_START_LEN] = {
	0xda, 0x65, 0x32, 0x65, 0x33
};

/* Major types, as they stand in the upper three bits of a head. */
enum major { MAJOR_UINT, MAJOR_BYTES = 2, MAJOR_TEXT, MAJOR_ARRAY };

enum { CBOR_NULL = 0xf6 };

/* ---- items ---- */

/* The reader keeps its first failure; being cut off is not the last word. */
static bool
refuse(struct dcbor_reader *r)
{
	r->state = DCBOR_BAD;
	return false;
}

/*
 * An item could not be read. If it was merely cut off: is what there is of it
 * the beginning of what is wanted, a string of `min` to `max` bytes?
 */
static bool
not_taken(struct dcbor_reader *r, enum major major, size_t min, size_t max)
{
	const unsigned char *at = r->data + r->offset;
	size_t left = r->length - r->offset, head, end, length;

	if (r->state != DCBOR_SHORT || left == 0)
		return false;
	if (at[0] >> 5 != major)
		return refuse(r);
	if (major != MAJOR_BYTES && major != MAJOR_TEXT)
		return false;
	if ((at[0] & 31) < 24) {
		head = 1;
		length = at[0] & 31;
	} else {
		head = 1 + ((size_t)1 << ((at[0] & 31) - 24));
		if (left < head)
			return false;
		end = dcbor_declared_end(r);
		/* One byte: a head that is longer than need be. */
		if (end == r->offset + 1)
			return refuse(r);
		length = end - r->offset - head;
	}
	if (length < min || length > max)
		return refuse(r);
	return false;
}

static bool
take_uint(struct dcbor_reader *r, uint64_t *value)
{
	return dcbor_get_uint(r, value) || not_taken(r, MAJOR_UINT, 0, 0);
}

static bool
take_bytes(struct dcbor_reader *r, struct bytes *value, size_t max)
{
	if (!dcbor_get_bytes(r, value))
		return not_taken(r, MAJOR_BYTES, 0, max);
	return value->length <= max || refuse(r);
}

static bool
take_id(struct dcbor_reader *r, const unsigned char **value)
{
	return dcbor_get_bytes_of(r, value, E2E_ID_LEN) ||
	    not_taken(r, MAJOR_BYTES, E2E_ID_LEN, E2E_ID_LEN);
}

static bool
take_text(struct dcbor_reader *r, struct bytes *value, size_t max)
{
	if (!dcbor_get_text(r, value))
		return not_taken(r, MAJOR_TEXT, 0, max);
	return value->length <= max || refuse(r);
}

static bool
take_array(struct dcbor_reader *r, size_t *count, size_t min, size_t max)
{
	uint64_t n;

	if (!dcbor_enter_array(r, &n))
		return not_taken(r, MAJOR_ARRAY, 0, 0);
	if (n < min || n > max)
		return refuse(r);
	*count = (size_t)n;
	return true;
}

static bool
take_tuple(struct dcbor_reader *r, size_t count)
{
	return take_array(r, &count, count, count);
}

static bool
leave(struct dcbor_reader *r)
{
	dcbor_leave(r);
	return true;
}

static bool
null_is_next(const struct dcbor_reader *r)
{
	return r->state == DCBOR_OK && r->offset < r->length &&
	    r->data[r->offset] == CBOR_NULL;
}

/* Leaves data NULL where null stands. */
static bool
take_card_or_null(struct dcbor_reader *r, struct bytes *value)
{
	return null_is_next(r) ? dcbor_get_null(r) :
	    take_bytes(r, value, E2E_CARD_MAX);
}

/* ---- what each type holds ---- */

static bool
take_hello(struct dcbor_reader *r, struct frame *f)
{
	size_t i;

	if (!take_array(r, &f->hello.version_count, 1, FRAME_VERSIONS_MAX))
		return false;
	for (i = 0; i < f->hello.version_count; i++) {
		if (!take_uint(r, &f->hello.versions[i]))
			return false;
	}
	dcbor_leave(r);
	if (null_is_next(r) ? !dcbor_get_null(r) :
	    !take_id(r, &f->hello.mailbox))
		return false;
	return take_id(r, &f->hello.cnonce) &&
	    take_uint(r, &f->hello.credit_items) &&
	    take_uint(r, &f->hello.credit_bytes);
}

static bool
take_chal(struct dcbor_reader *r, struct frame *f)
{
	return take_bytes(r, &f->chal.core, FRAME_MAX) &&
	    take_bytes(r, &f->chal.signature, FRAME_MAX);
}

static bool
take_auth(struct dcbor_reader *r, struct frame *f)
{
	return take_bytes(r, &f->auth.signature, FRAME_MAX) &&
	    take_card_or_null(r, &f->auth.card);
}

static bool
take_ready(struct dcbor_reader *r, struct frame *f)
{
	return take_uint(r, &f->ready.items) &&
	    take_uint(r, &f->ready.bytes) && take_uint(r, &f->ready.oldest) &&
	    take_uint(r, &f->ready.dropped);
}

static bool
take_msg(struct dcbor_reader *r, struct frame *f)
{
	return take_uint(r, &f->msg.seq) && take_id(r, &f->msg.id) &&
	    take_uint(r, &f->msg.stored) && take_uint(r, &f->msg.until) &&
	    take_uint(r, &f->msg.size);
}

/* Between two ranges lies at least one number, else they were one. */
static bool
range_follows(const struct frame_range *before, const struct frame_range *next)
{
	return next->first > before->last && next->first - before->last > 1;
}

static bool
take_acked(struct dcbor_reader *r, struct frame *f)
{
	struct frame_range *range;
	size_t i;

	if (!take_array(r, &f->ack.count, 1, FRAME_RANGES_MAX))
		return false;
	for (i = 0; i < f->ack.count; i++) {
		range = &f->ack.ranges[i];
		if (!take_tuple(r, 2) || !take_uint(r, &range->first) ||
		    !take_uint(r, &range->last))
			return false;
		dcbor_leave(r);
		if (range->last < range->first ||
		    (i > 0 && !range_follows(range - 1, range)))
			return refuse(r);
	}
	return leave(r);
}

static bool
take_ack(struct dcbor_reader *r, struct frame *f)
{
	return take_acked(r, f) && take_bytes(r, &f->ack.signature, FRAME_MAX);
}

static bool
take_get(struct dcbor_reader *r, struct frame *f)
{
	return take_uint(r, &f->get.seq) && take_uint(r, &f->get.offset);
}

static bool
take_data(struct dcbor_reader *r, struct frame *f)
{
	return take_uint(r, &f->data.seq) && take_id(r, &f->data.id) &&
	    take_uint(r, &f->data.size) && take_uint(r, &f->data.offset);
}

static bool
take_put(struct dcbor_reader *r, struct frame *f)
{
	const unsigned char *id;
	size_t start, i;

	if (!take_array(r, &f->put.count, 0, FRAME_MAILBOXES_MAX))
		return false;
	start = r->offset;
	for (i = 0; i < f->put.count; i++) {
		if (!take_id(r, &id))
			return false;
	}
	f->put.mailboxes = (struct bytes){ r->data + start,
	    r->offset - start };
	return leave(r);
}

static bool
take_receipt(struct dcbor_reader *r, struct frame *f)
{
	size_t i;

	if (!take_text(r, &f->receipt.line, FRAME_TEXT_MAX))
		return false;
	if (null_is_next(r))
		return dcbor_get_null(r);
	f->receipt.is_signed = true;
	if (!take_tuple(r, 5) || !take_bytes(r, &f->receipt.leaf, FRAME_MAX) ||
	    !take_uint(r, &f->receipt.index) ||
	    !take_uint(r, &f->receipt.tree_size) ||
	    !take_array(r, &f->receipt.path_length, 0, FRAME_PATH_MAX))
		return false;
	for (i = 0; i < f->receipt.path_length; i++) {
		if (!take_id(r, &f->receipt.path[i]))
			return false;
	}
	dcbor_leave(r);
	return take_bytes(r, &f->receipt.signature, FRAME_MAX) && leave(r);
}

static bool
take_register(struct dcbor_reader *r, struct frame *f)
{
	return take_bytes(r, &f->enroll.card, E2E_CARD_MAX) && (null_is_next(r) ?
	    dcbor_get_null(r) : take_text(r, &f->enroll.token, FRAME_TEXT_MAX));
}

static bool
take_lookup(struct dcbor_reader *r, struct frame *f)
{
	if (r->offset < r->length && r->data[r->offset] >> 5 == MAJOR_TEXT)
		return take_text(r, &f->lookup.name, FRAME_NAME_MAX);
	return take_id(r, &f->lookup.id);
}

static bool
take_revoke(struct dcbor_reader *r, struct frame *f)
{
	return take_bytes(r, &f->revoke.statement,
	    FRAME_STATEMENT_MAX);
}

static bool
take_record(struct dcbor_reader *r, struct frame *f)
{
	size_t i;

	if (!take_card_or_null(r, &f->record.card) ||
	    !take_array(r, &f->record.revocation_count, 0,
	    FRAME_REVOCATIONS_MAX))
		return false;
	for (i = 0; i < f->record.revocation_count; i++) {
		if (!take_bytes(r, &f->record.revocations[i],
		    FRAME_STATEMENT_MAX))
			return false;
	}
	dcbor_leave(r);
	return take_uint(r, &f->record.registered) &&
	    take_bytes(r, &f->record.signature, FRAME_MAX);
}

static bool
take_ping(struct dcbor_reader *r, struct frame *f)
{
	return take_uint(r, &f->ping.number);
}

static bool
take_goaway(struct dcbor_reader *r, struct frame *f)
{
	return take_text(r, &f->goaway.reason, FRAME_TEXT_MAX) &&
	    take_uint(r, &f->goaway.retry);
}

static bool
take_error(struct dcbor_reader *r, struct frame *f)
{
	return take_text(r, &f->error.code, FRAME_TEXT_MAX) &&
	    take_text(r, &f->error.text, FRAME_TEXT_MAX);
}

static bool
take_empty(struct dcbor_reader *r, struct frame *f)
{
	return true;
}

static bool
take_credit(struct dcbor_reader *r, struct frame *f)
{
	return take_uint(r, &f->credit.items) &&
	    take_uint(r, &f->credit.bytes);
}

/* ---- the types ---- */

const unsigned char frame_counts[FRAME_TYPES] = {
	[FRAME_HELLO] = 6,
	[FRAME_CHAL] = 3,
	[FRAME_AUTH] = 3,
	[FRAME_READY] = 5,
	[FRAME_MSG] = 6,
	[FRAME_ACK] = 3,
	[FRAME_ACKED] = 2,
	[FRAME_GET] = 3,
	[FRAME_DATA] = 5,
	[FRAME_PUT] = 2,
	[FRAME_RECEIPT] = 3,
	[FRAME_REGISTER] = 3,
	[FRAME_LOOKUP] = 2,
	[FRAME_REVOKE] = 2,
	[FRAME_RECORD] = 5,
	[FRAME_PING] = 2,
	[FRAME_PONG] = 2,
	[FRAME_GOAWAY] = 3,
	[FRAME_ERROR] = 3,
	[FRAME_EMPTY] = 1,
	[FRAME_CREDIT] = 3
};

static bool (*const takers[FRAME_TYPES])(struct dcbor_reader *,
    struct frame *) = {
	[FRAME_HELLO] = take_hello,
	[FRAME_CHAL] = take_chal,
	[FRAME_AUTH] = take_auth,
	[FRAME_READY] = take_ready,
	[FRAME_MSG] = take_msg,
	[FRAME_ACK] = take_ack,
	[FRAME_ACKED] = take_acked,
	[FRAME_GET] = take_get,
	[FRAME_DATA] = take_data,
	[FRAME_PUT] = take_put,
	[FRAME_RECEIPT] = take_receipt,
	[FRAME_REGISTER] = take_register,
	[FRAME_LOOKUP] = take_lookup,
	[FRAME_REVOKE] = take_revoke,
	[FRAME_RECORD] = take_record,
	[FRAME_PING] = take_ping,
	[FRAME_PONG] = take_ping,
	[FRAME_GOAWAY] = take_goaway,
	[FRAME_ERROR] = take_error,
	[FRAME_EMPTY] = take_empty,
	[FRAME_CREDIT] = take_credit
};

static bool
take_frame(struct dcbor_reader *r, struct frame *f)
{
	uint64_t type;
	size_t count;

	if (!dcbor_get_tag(r, TAG_FRAME) || !take_array(r, &count, 1, 6) ||
	    !take_uint(r, &type))
		return false;
	if (type < FRAME_HELLO || type >= FRAME_TYPES)
		return refuse(r);
	f->type = (enum frame_type)type;
	if (count != frame_counts[type])
		return refuse(r);
	return takers[type](r, f) && leave(r);
}

enum frame_state
frame_parse(struct frame *f, const void *data, size_t size, size_t *length)
{
	size_t prefix = size < FRAME_START_LEN ? size : FRAME_START_LEN;
	struct dcbor_reader r;

	*length = 0;
	memset(f, 0, sizeof(*f));
	if (prefix > 0 && memcmp(data, frame_start, prefix) != 0)
		return FRAME_BAD;
	if (prefix < FRAME_START_LEN)
		return FRAME_SHORT;
	dcbor_reader_init(&r, data, size < FRAME_MAX ? size : FRAME_MAX);
	if (take_frame(&r, f)) {
		*length = r.offset;
		return FRAME_COMPLETE;
	}
	/* What is cut off must still end within a frame's length. */
	return r.state == DCBOR_SHORT && size < FRAME_MAX &&
	    dcbor_declared_end(&r) <= FRAME_MAX ? FRAME_SHORT : FRAME_BAD;
}

const unsigned char *
frame_mailbox(const struct frame *put, size_t index)
{
	return put->put.mailboxes.data + (index + 1) * FRAME_MAILBOX_STEP -
	    E2E_ID_LEN;
}

/* ---- what CHAL's core holds ---- */

static bool
take_limit(struct dcbor_reader *r, struct dcbor_map *map, int64_t label,
    uint64_t *value)
{
	int64_t key;

	return dcbor_next_key(r, map, &key) && key == label &&
	    dcbor_get_uint(r, value);
}

static bool
take_limits(struct dcbor_reader *r, struct frame_limits *limits)
{
	struct dcbor_map map;

	return dcbor_enter_map(r, &map) && map.left == FRAME_LIMITS &&
	    take_limit(r, &map, FRAME_LIMIT_ENVELOPE,
	    &limits->envelope_max) &&
	    take_limit(r, &map, FRAME_LIMIT_TTL, &limits->ttl) &&
	    take_limit(r, &map, FRAME_LIMIT_BOX_BYTES, &limits->box_bytes) &&
	    take_limit(r, &map, FRAME_LIMIT_BOX_ITEMS, &limits->box_items) &&
	    take_limit(r, &map, FRAME_LIMIT_REGISTRATION,
	    &limits->registration) && limits->registration <= FRAME_CLOSED &&
	    leave(r);
}

static bool
take_successions(struct dcbor_reader *r, struct frame_core *core)
{
	struct frame_succession *s;
	size_t i;

	if (!take_array(r, &core->succession_count, 0, FRAME_SUCCESSIONS_MAX))
		return false;
	for (i = 0; i < core->succession_count; i++) {
		s = &core->successions[i];
		if (!take_tuple(r, 2) || !take_bytes(r, &s->card, E2E_CARD_MAX) ||
		    !take_bytes(r, &s->statement, FRAME_MAX))
			return false;
		dcbor_leave(r);
	}
	return leave(r);
}

enum e2e_error
frame_parse_core(struct frame_core *core, struct bytes encoded)
{
	struct dcbor_reader r;

	memset(core, 0, sizeof(*core));
	dcbor_reader_init(&r, encoded.data, encoded.length);
	if (!take_tuple(&r, 6) || !take_uint(&r, &core->version) ||
	    !take_bytes(&r, &core->card, E2E_CARD_MAX) || !take_successions(&r, core) ||
	    !take_id(&r, &core->snonce) || !take_uint(&r, &core->time) ||
	    !take_limits(&r, &core->limits))
		return E2E_ERR_MALFORMED;
	dcbor_leave(&r);
	return dcbor_finish(&r) ? E2E_OK : E2E_ERR_MALFORMED;
}
