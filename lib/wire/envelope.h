/*
 * envelope.h: the frame around header, preamble and chunks; constants and
 * arithmetic, so that the place of every chunk is known without reading.
 */
#ifndef WIRE_ENVELOPE_H
#define WIRE_ENVELOPE_H

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ENVELOPE_START_LEN = 6,		/* the tag, and the array's 9f */
	ENVELOPE_SALT_LEN = 24,
	ENVELOPE_COMMITMENT_LEN = 32,
	ENVELOPE_PREAMBLE_LEN = ENVELOPE_SALT_LEN + ENVELOPE_COMMITMENT_LEN,
	ENVELOPE_PREAMBLE_ITEM_LEN = 2 + ENVELOPE_PREAMBLE_LEN,
	ENVELOPE_DATA_LEN = 16384,	/* stream bytes in a full chunk */
	ENVELOPE_TAG_LEN = 16,
	ENVELOPE_CHUNK_LEN = ENVELOPE_DATA_LEN + ENVELOPE_TAG_LEN,
	ENVELOPE_CHUNK_HEAD_LEN = 3,	/* of a full chunk */
	ENVELOPE_CHUNK_ITEM_LEN = ENVELOPE_CHUNK_HEAD_LEN + ENVELOPE_CHUNK_LEN,
	/* Chunks of one pipeline job: 1 MiB of the stream. */
	ENVELOPE_JOB_CHUNKS = 64,
	ENVELOPE_BREAK = 0xff
};

/* Chunks are counted below 2^32 (docs/FORMAT.md, L5). */
#define ENVELOPE_CHUNKS_MAX UINT64_C(0xffffffff)

extern const unsigned char envelope_start[ENVELOPE_START_LEN];
/* The head of the preamble's byte string. */
extern const unsigned char envelope_preamble_head[2];

/* Writes the head of a chunk of `length` bytes (16..16400), returns its
 * length: 1 to 3. */
size_t envelope_put_chunk_head(unsigned char head[ENVELOPE_CHUNK_HEAD_LEN],
    size_t length);
/*
 * Reads a chunk's head: *head_length and *chunk_length. False: no acceptable
 * head. `available` bytes are at data; with fewer than needed false as well,
 * *head_length then being the number needed, else 0.
 */
bool envelope_get_chunk_head(const unsigned char *data, size_t available,
    size_t *head_length, size_t *chunk_length);

/* Where chunks lie when chunks and break take `size` bytes altogether. */
struct envelope_layout {
	uint64_t full_chunks;
	uint64_t last_offset;		/* of the last chunk's head */
	size_t last_item_length;	/* head and chunk */
	uint64_t stream_length;
};

/* False when no complete envelope has that many bytes. */
bool envelope_layout(struct envelope_layout *layout, uint64_t size);

#endif
