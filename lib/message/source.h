/*
 * source.h: where envelopes come from: bytes, or armor around them.
 *
 * A source hands out decoded bytes in order, can look ahead, and, when its
 * input has random access, knows how many there are altogether.
 */
#ifndef MESSAGE_SOURCE_H
#define MESSAGE_SOURCE_H

#include "base/buffer.h"
#include "wire/armor.h"
#include "wire/envelope.h"

#include <e2e/io.h>

/* The last chunk, its head and the break. */
enum { SOURCE_TAIL_LEN = ENVELOPE_CHUNK_ITEM_LEN + 1 };

/*
 * 1. held[held_at ..] is what was read and not handed out.
 * 2. consumed counts what was handed out.
 */
struct source {
	struct e2e_input input;
	uint64_t offset;		/* of the input, for read_at */
	bool started, ended;
	bool armored;
	struct armor_reader armor;
	struct buffer held;
	size_t held_at;
	uint64_t consumed;
	uint64_t extent;		/* known when read_at is */
	unsigned char tail[SOURCE_TAIL_LEN]; /* of armor */
	size_t tail_length;
};

void source_init(struct source *s, const struct e2e_input *input);
void source_free(struct source *s);

/*
 * At least `size` bytes (at most HEADER_MAX + 1), or all that are left; they stay where
 * they are. Valid until the next call. E2E_ERR_READ, E2E_ERR_ARMOR,
 * E2E_ERR_MANGLED, E2E_ERR_MEMORY.
 */
enum e2e_error source_peek(struct source *s, size_t size,
    struct bytes *ahead);
/* Hands out bytes that were peeked. */
void source_skip(struct source *s, size_t size);
/* Fewer than `size` only at the end. */
enum e2e_error source_read(struct source *s, void *data, size_t size,
    size_t *got);

/* Is the number of all bytes known, and may any be read at any time? */
bool source_is_random(const struct source *s);
/* Is at least the number of all bytes known, and the end readable? */
bool source_knows_end(const struct source *s);
/* Everything was read, by source_read_at. */
void source_finish(struct source *s);
/* Any `size` bytes at `offset` of a random source; of one that knows its end, only within
 * the last SOURCE_TAIL_LEN. E2E_ERR_TRUNCATED when they are not all there.
 * Threads: several at once. */
enum e2e_error source_read_at(const struct source *s, void *data, size_t size,
    uint64_t offset);

#endif
