/*
 * Deterministic CBOR over libcbor's streaming decoder, which looks at one
 * head at a time and allocates nothing. Its tree decoder (cbor_load) is not
 * used: it allocates by declared length, nine bytes can ask for gigabytes.
 */
#include "wire/dcbor.h"

#include "base/utf8.h"

#include <cbor.h>

#include <string.h>

/* Lengths in callbacks were size_t before libcbor 0.10. */
#if CBOR_MAJOR_VERSION == 0 && CBOR_MINOR_VERSION < 10
typedef size_t callback_length;
#else
typedef uint64_t callback_length;
#endif

/* One head, as a callback reports it. */
struct head {
	enum dcbor_type type;
	uint64_t value;		/* the number, length, count or tag */
	const unsigned char *data;
	bool indefinite;
};

static void
take(void *context, enum dcbor_type type, uint64_t value)
{
	struct head *h = context;

	h->type = type;
	h->value = value;
}

static void
on_uint8(void *c, uint8_t v)
{
	take(c, DCBOR_UINT, v);
}

static void
on_uint16(void *c, uint16_t v)
{
	take(c, DCBOR_UINT, v);
}

static void
on_uint32(void *c, uint32_t v)
{
	take(c, DCBOR_UINT, v);
}

static void
on_uint64(void *c, uint64_t v)
{
	take(c, DCBOR_UINT, v);
}

static void
on_negint8(void *c, uint8_t v)
{
	take(c, DCBOR_NEGATIVE, v);
}

static void
on_negint16(void *c, uint16_t v)
{
	take(c, DCBOR_NEGATIVE, v);
}

static void
on_negint32(void *c, uint32_t v)
{
	take(c, DCBOR_NEGATIVE, v);
}

static void
on_negint64(void *c, uint64_t v)
{
	take(c, DCBOR_NEGATIVE, v);
}

static void
on_bytes(void *c, cbor_data data, callback_length length)
{
	((struct head *)c)->data = data;
	take(c, DCBOR_BYTES, length);
}

static void
on_text(void *c, cbor_data data, callback_length length)
{
	((struct head *)c)->data = data;
	take(c, DCBOR_TEXT, length);
}

static void
on_array(void *c, callback_length count)
{
	take(c, DCBOR_ARRAY, count);
}

static void
on_map(void *c, callback_length count)
{
	take(c, DCBOR_MAP, count);
}

static void
on_tag(void *c, uint64_t v)
{
	take(c, DCBOR_TAG, v);
}

static void
on_bool(void *c, bool v)
{
	take(c, DCBOR_BOOL, v);
}

static void
on_null(void *c)
{
	take(c, DCBOR_NULL, 0);
}

/* Whatever this format has no use for. */
static void
on_forbidden(void *c)
{
	((struct head *)c)->indefinite = true;
}

static void
on_float(void *c, float v)
{
	(void)v;
	on_forbidden(c);
}

static void
on_double(void *c, double v)
{
	(void)v;
	on_forbidden(c);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8, .uint16 = on_uint16,
	.uint32 = on_uint32, .uint64 = on_uint64,
	.negint8 = on_negint8, .negint16 = on_negint16,
	.negint32 = on_negint32, .negint64 = on_negint64,
	.byte_string = on_bytes, .byte_string_start = on_forbidden,
	.string = on_text, .string_start = on_forbidden,
	.array_start = on_array, .indef_array_start = on_forbidden,
	.map_start = on_map, .indef_map_start = on_forbidden,
	.tag = on_tag, .boolean = on_bool, .null = on_null,
	.undefined = on_forbidden, .indef_break = on_forbidden,
	.float2 = on_float, .float4 = on_float, .float8 = on_double
};

/* Bytes of the shortest head that holds a number. */
static size_t
head_length(uint64_t value)
{
	return value < 24 ? 1 : value < 0x100 ? 2 : value < 0x10000 ? 3 :
	    value < 0x100000000 ? 5 : 9;
}

static bool
fail(struct dcbor_reader *r, enum dcbor_state state)
{
	if (r->state == DCBOR_OK)
		r->state = state;
	return false;
}

/*
 * Decodes the item at the offset without moving. The shortest form is told
 * from the bytes that libcbor consumed: it does not check by itself.
 */
static enum dcbor_state
look(const struct dcbor_reader *r, struct head *h, size_t *consumed)
{
	struct cbor_decoder_result result;
	size_t expected;

	memset(h, 0, sizeof(*h));
	h->type = DCBOR_NOTHING;
	if (r->offset == r->length)
		return DCBOR_SHORT;
	/* libcbor 0.8 takes one-byte tags from 6 to 20 for errors. */
	if (r->data[r->offset] >= 0xc0 && r->data[r->offset] < 0xd8) {
		take(h, DCBOR_TAG, r->data[r->offset] - 0xc0U);
		*consumed = 1;
		return DCBOR_OK;
	}
	result = cbor_stream_decode(r->data + r->offset,
	    r->length - r->offset, &callbacks, h);
	if (result.status == CBOR_DECODER_NEDATA)
		return DCBOR_SHORT;
	if (result.status != CBOR_DECODER_FINISHED || h->indefinite)
		return DCBOR_BAD;
	expected = 1;
	if (h->type != DCBOR_BOOL && h->type != DCBOR_NULL)
		expected = head_length(h->value);
	if (h->type == DCBOR_BYTES || h->type == DCBOR_TEXT)
		expected += (size_t)h->value;
	if (result.read != expected)
		return DCBOR_BAD;
	if (h->type == DCBOR_TEXT && !utf8_valid(h->data, (size_t)h->value))
		return DCBOR_BAD;
	*consumed = result.read;
	return DCBOR_OK;
}

/* Takes the next item, which must be of this type. */
static bool
next(struct dcbor_reader *r, enum dcbor_type type, struct head *h)
{
	enum dcbor_state state;
	size_t consumed;

	if (r->state != DCBOR_OK)
		return false;
	state = look(r, h, &consumed);
	if (state != DCBOR_OK)
		return fail(r, state);
	if (h->type != type)
		return fail(r, DCBOR_BAD);
	r->offset += consumed;
	return true;
}

void
dcbor_reader_init(struct dcbor_reader *r, const void *data, size_t length)
{
	memset(r, 0, sizeof(*r));
	r->data = data;
	r->length = length;
}

enum dcbor_type
dcbor_peek(const struct dcbor_reader *r)
{
	struct head h;
	size_t consumed;

	if (r->state != DCBOR_OK || look(r, &h, &consumed) != DCBOR_OK)
		return DCBOR_NOTHING;
	return h.type;
}

bool
dcbor_get_uint(struct dcbor_reader *r, uint64_t *value)
{
	struct head h;

	*value = 0;
	if (!next(r, DCBOR_UINT, &h))
		return false;
	*value = h.value;
	return true;
}

bool
dcbor_get_int(struct dcbor_reader *r, int64_t *value)
{
	struct head h;
	bool negative;

	*value = 0;
	negative = dcbor_peek(r) == DCBOR_NEGATIVE;
	if (!next(r, negative ? DCBOR_NEGATIVE : DCBOR_UINT, &h))
		return false;
	if (h.value > INT64_MAX)
		return fail(r, DCBOR_BAD);
	*value = negative ? -1 - (int64_t)h.value : (int64_t)h.value;
	return true;
}

bool
dcbor_get_bytes(struct dcbor_reader *r, struct bytes *value)
{
	struct head h;

	*value = (struct bytes){ NULL, 0 };
	if (!next(r, DCBOR_BYTES, &h))
		return false;
	*value = (struct bytes){ h.data, (size_t)h.value };
	return true;
}

bool
dcbor_get_bytes_of(struct dcbor_reader *r, const unsigned char **value,
    size_t size)
{
	struct bytes b;

	*value = NULL;
	if (!dcbor_get_bytes(r, &b))
		return false;
	if (b.length != size)
		return fail(r, DCBOR_BAD);
	*value = b.data;
	return true;
}

bool
dcbor_get_text(struct dcbor_reader *r, struct bytes *value)
{
	struct head h;

	*value = (struct bytes){ NULL, 0 };
	if (!next(r, DCBOR_TEXT, &h))
		return false;
	*value = (struct bytes){ h.data, (size_t)h.value };
	return true;
}

bool
dcbor_get_bool(struct dcbor_reader *r, bool *value)
{
	struct head h;

	*value = false;
	if (!next(r, DCBOR_BOOL, &h))
		return false;
	*value = h.value != 0;
	return true;
}

bool
dcbor_get_null(struct dcbor_reader *r)
{
	struct head h;

	return next(r, DCBOR_NULL, &h);
}

bool
dcbor_get_tag(struct dcbor_reader *r, uint64_t tag)
{
	struct head h;

	if (!next(r, DCBOR_TAG, &h))
		return false;
	return h.value == tag ? true : fail(r, DCBOR_BAD);
}

bool
dcbor_enter_array(struct dcbor_reader *r, uint64_t *count)
{
	struct head h;

	*count = 0;
	if (!next(r, DCBOR_ARRAY, &h))
		return false;
	if (++r->depth > DCBOR_DEPTH_MAX)
		return fail(r, DCBOR_BAD);
	*count = h.value;
	return true;
}

bool
dcbor_enter_map(struct dcbor_reader *r, struct dcbor_map *map)
{
	struct head h;

	memset(map, 0, sizeof(*map));
	if (!next(r, DCBOR_MAP, &h))
		return false;
	if (++r->depth > DCBOR_DEPTH_MAX)
		return fail(r, DCBOR_BAD);
	map->left = h.value;
	return true;
}

/* Strictly ascending in the bytewise order of their encodings? */
static bool
keys_ascend(struct bytes a, struct bytes b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

	return order < 0 || (order == 0 && a.length < b.length);
}

bool
dcbor_next_key(struct dcbor_reader *r, struct dcbor_map *map, int64_t *key)
{
	struct head h;
	struct bytes encoded;
	bool negative;

	*key = DCBOR_KEY_HUGE;
	if (r->state != DCBOR_OK || map->left == 0)
		return false;
	map->left--;
	encoded.data = r->data + r->offset;
	negative = dcbor_peek(r) == DCBOR_NEGATIVE;
	if (!next(r, negative ? DCBOR_NEGATIVE : DCBOR_UINT, &h))
		return false;
	encoded.length = (size_t)(r->data + r->offset - encoded.data);
	if (!keys_ascend(map->previous_key, encoded))
		return fail(r, DCBOR_BAD);
	map->previous_key = encoded;
	if (h.value <= INT64_MAX)
		*key = negative ? -1 - (int64_t)h.value : (int64_t)h.value;
	return true;
}

void
dcbor_leave(struct dcbor_reader *r)
{
	if (r->depth > 0)
		r->depth--;
}

/* What is still open while skipping; no recursion, a fixed stack. */
struct open_item {
	bool is_map;
	bool key_is_next;
	uint64_t left;			/* items of an array */
	struct dcbor_map map;
};

/* Enters an array or map, or takes a scalar. */
static bool
skip_one(struct dcbor_reader *r, struct open_item *stack, unsigned *open)
{
	struct head h;
	struct open_item *item = &stack[*open];
	enum dcbor_type type = dcbor_peek(r);

	memset(item, 0, sizeof(*item));
	switch (type) {
	case DCBOR_ARRAY:
		if (!dcbor_enter_array(r, &item->left))
			return false;
		(*open)++;
		return true;
	case DCBOR_MAP:
		if (!dcbor_enter_map(r, &item->map))
			return false;
		item->is_map = true;
		(*open)++;
		return true;
	case DCBOR_TAG:
		return fail(r, DCBOR_BAD);
	default:
		/* DCBOR_NOTHING: let next() find out why. */
		return next(r, type, &h);
	}
}

bool
dcbor_skip(struct dcbor_reader *r, struct bytes *item)
{
	struct open_item stack[DCBOR_DEPTH_MAX + 1];
	size_t start = r->offset;
	unsigned open = 0;
	int64_t key;

	if (item != NULL)
		*item = (struct bytes){ NULL, 0 };
	if (r->state != DCBOR_OK || !skip_one(r, stack, &open))
		return false;
	while (open > 0) {
		struct open_item *top = &stack[open - 1];

		if (top->is_map ? top->map.left == 0 : top->left == 0) {
			dcbor_leave(r);
			open--;
			continue;
		}
		if (top->is_map) {
			if (!dcbor_next_key(r, &top->map, &key))
				return false;
		} else {
			top->left--;
		}
		if (!skip_one(r, stack, &open))
			return false;
	}
	if (item != NULL)
		*item = (struct bytes){ r->data + start, r->offset - start };
	return true;
}

bool
dcbor_finish(struct dcbor_reader *r)
{
	if (r->state != DCBOR_OK)
		return false;
	return r->offset == r->length ? true : fail(r, DCBOR_BAD);
}

/* Only strings declare bytes; a number of items is none of bytes. */
size_t
dcbor_declared_end(const struct dcbor_reader *r)
{
	const unsigned char *at = r->data + r->offset;
	size_t left = r->length - r->offset, extra, i;
	uint64_t length = 0;

	if (left == 0 || (at[0] >> 5 != 2 && at[0] >> 5 != 3) ||
	    (at[0] & 31) < 24 || (at[0] & 31) > 27)
		return r->offset + 1;
	extra = (size_t)1 << ((at[0] & 31) - 24);
	if (left < 1 + extra)
		return r->offset + 1 + extra;
	for (i = 1; i <= extra; i++)
		length = length << 8 | at[i];
	if (head_length(length) != 1 + extra)
		return r->offset + 1;
	if (length > SIZE_MAX - r->offset - 1 - extra)
		return SIZE_MAX;
	return r->offset + 1 + extra + (size_t)length;
}

bool
dcbor_refuse(struct dcbor_reader *r)
{
	return fail(r, DCBOR_BAD);
}

/* ---- writing ---- */

static void
put(struct buffer *b, const unsigned char *head, size_t length)
{
	/* 0 would mean that nine bytes did not suffice; they always do. */
	if (length == 0)
		b->failed = true;
	else
		(void)buffer_append(b, head, length);
}

void
dcbor_put_uint(struct buffer *b, uint64_t value)
{
	unsigned char head[DCBOR_HEAD_MAX];

	put(b, head, cbor_encode_uint(value, head, sizeof(head)));
}

void
dcbor_put_int(struct buffer *b, int64_t value)
{
	unsigned char head[DCBOR_HEAD_MAX];

	if (value >= 0)
		dcbor_put_uint(b, (uint64_t)value);
	else
		put(b, head, cbor_encode_negint((uint64_t)(-1 - value), head,
		    sizeof(head)));
}

void
dcbor_put_bytes_head(struct buffer *b, size_t size)
{
	unsigned char head[DCBOR_HEAD_MAX];

	put(b, head, cbor_encode_bytestring_start(size, head, sizeof(head)));
}

void
dcbor_put_bytes(struct buffer *b, const void *data, size_t size)
{
	dcbor_put_bytes_head(b, size);
	(void)buffer_append(b, data, size);
}

void
dcbor_put_text(struct buffer *b, const void *text, size_t size)
{
	unsigned char head[DCBOR_HEAD_MAX];

	put(b, head, cbor_encode_string_start(size, head, sizeof(head)));
	(void)buffer_append(b, text, size);
}

void
dcbor_put_string(struct buffer *b, const char *text)
{
	dcbor_put_text(b, text, strlen(text));
}

void
dcbor_put_bool(struct buffer *b, bool value)
{
	unsigned char head[DCBOR_HEAD_MAX];

	put(b, head, cbor_encode_bool(value, head, sizeof(head)));
}

void
dcbor_put_null(struct buffer *b)
{
	unsigned char head[DCBOR_HEAD_MAX];

	put(b, head, cbor_encode_null(head, sizeof(head)));
}

void
dcbor_put_array(struct buffer *b, size_t count)
{
	unsigned char head[DCBOR_HEAD_MAX];

	put(b, head, cbor_encode_array_start(count, head, sizeof(head)));
}

void
dcbor_put_map(struct buffer *b, size_t count)
{
	unsigned char head[DCBOR_HEAD_MAX];

	put(b, head, cbor_encode_map_start(count, head, sizeof(head)));
}

void
dcbor_put_tag(struct buffer *b, uint64_t tag)
{
	unsigned char head[DCBOR_HEAD_MAX];

	put(b, head, cbor_encode_tag(tag, head, sizeof(head)));
}

size_t
dcbor_bytes_head_length(size_t size)
{
	return head_length(size);
}
