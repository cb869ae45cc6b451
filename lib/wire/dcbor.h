/*
 * dcbor.h: deterministic CBOR (RFC 8949, 4.2.1), read item by item.
 *
 * The reader walks over bytes that are all there; it allocates nothing and
 * trusts no declared length. It refuses what the format forbids everywhere:
 * heads longer than needed, indefinite lengths, floats, simple values other
 * than false, true and null, invalid UTF-8, map keys that are no integers, or
 * unsorted, or repeated, and nesting deeper than DCBOR_DEPTH_MAX. Tags are taken
 * only where dcbor_get_tag asks for one.
 *
 * 1. After a failed call `state` is not DCBOR_OK, stays so, and every later
 *    call fails at once: a caller may check only the last one.
 * 2. DCBOR_SHORT means the bytes are a prefix of something acceptable, as far
 *    as they go.
 *
 * The writer appends to a struct buffer, which remembers failure.
 * Threads: no shared state.
 */
#ifndef WIRE_DCBOR_H
#define WIRE_DCBOR_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DCBOR_DEPTH_MAX = 8, DCBOR_HEAD_MAX = 9 };

enum dcbor_state { DCBOR_OK, DCBOR_SHORT, DCBOR_BAD };

enum dcbor_type {
	DCBOR_UINT,
	DCBOR_NEGATIVE,
	DCBOR_BYTES,
	DCBOR_TEXT,
	DCBOR_ARRAY,
	DCBOR_MAP,
	DCBOR_TAG,
	DCBOR_BOOL,
	DCBOR_NULL,
	DCBOR_NOTHING			/* nothing left, or not acceptable */
};

struct dcbor_reader {
	const unsigned char *data;
	size_t length;
	size_t offset;
	unsigned depth;			/* arrays and maps entered */
	enum dcbor_state state;
};

/* Where one is in a map: made by dcbor_enter_map. */
struct dcbor_map {
	uint64_t left;
	struct bytes previous_key;
};

/* A key beyond int64 is reported as this; no label of the format has it. */
#define DCBOR_KEY_HUGE INT64_MIN

void dcbor_reader_init(struct dcbor_reader *r, const void *data, size_t length);
/* The type of the next item; changes nothing. */
enum dcbor_type dcbor_peek(const struct dcbor_reader *r);

bool dcbor_get_uint(struct dcbor_reader *r, uint64_t *value);
/* Any integer that fits into int64. */
bool dcbor_get_int(struct dcbor_reader *r, int64_t *value);
bool dcbor_get_bytes(struct dcbor_reader *r, struct bytes *value);
/* A byte string of exactly `size` bytes. */
bool dcbor_get_bytes_of(struct dcbor_reader *r, const unsigned char **value,
    size_t size);
bool dcbor_get_text(struct dcbor_reader *r, struct bytes *value);
bool dcbor_get_bool(struct dcbor_reader *r, bool *value);
bool dcbor_get_null(struct dcbor_reader *r);
/* Exactly this tag. */
bool dcbor_get_tag(struct dcbor_reader *r, uint64_t tag);

/* Arrays and maps are entered, their items read, and left again. */
bool dcbor_enter_array(struct dcbor_reader *r, uint64_t *count);
bool dcbor_enter_map(struct dcbor_reader *r, struct dcbor_map *map);
/* The next key; false at the end of the map or on failure (see r->state). The
 * caller then reads, or skips, exactly one value. */
bool dcbor_next_key(struct dcbor_reader *r, struct dcbor_map *map, int64_t *key);
void dcbor_leave(struct dcbor_reader *r);

/* Skips one whole item, checked as strictly as if it had been read; *item,
 * if not NULL, becomes its bytes. */
bool dcbor_skip(struct dcbor_reader *r, struct bytes *item);
/* Succeeds at the end of the bytes; trailing ones are DCBOR_BAD. */
bool dcbor_finish(struct dcbor_reader *r);
/* After DCBOR_SHORT: the offset at which the item that was cut off would end
 * by the length it declares, as far as its head is there. */
size_t dcbor_declared_end(const struct dcbor_reader *r);
/* Marks what was read as not acceptable, for rules the caller knows. */
bool dcbor_refuse(struct dcbor_reader *r);

void dcbor_put_uint(struct buffer *b, uint64_t value);
void dcbor_put_int(struct buffer *b, int64_t value);
void dcbor_put_bytes(struct buffer *b, const void *data, size_t size);
/* Only the head of a byte string; its bytes follow. */
void dcbor_put_bytes_head(struct buffer *b, size_t size);
void dcbor_put_text(struct buffer *b, const void *text, size_t size);
void dcbor_put_string(struct buffer *b, const char *text);
void dcbor_put_bool(struct buffer *b, bool value);
void dcbor_put_null(struct buffer *b);
void dcbor_put_array(struct buffer *b, size_t count);
void dcbor_put_map(struct buffer *b, size_t count);
void dcbor_put_tag(struct buffer *b, uint64_t tag);
/* Bytes of the head of a byte string of `size` bytes. */
size_t dcbor_bytes_head_length(size_t size);

#endif
