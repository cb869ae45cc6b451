/*
 * buffer.h: a byte string that grows, and wipes what it leaves behind.
 *
 * 1. data is NULL exactly when capacity is 0; length <= capacity <= limit.
 * 2. The memory a buffer grows out of, and what it frees, is wiped.
 * 3. After a failed append `failed` is set and stays set, the contents are
 *    unspecified, later appends do nothing: a writer checks once at its end.
 *
 * A buffer holds public bytes in ordinary memory, or, made with
 * buffer_init_secret, secrets in memory of secret.h.
 * Threads: one at a time.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	unsigned char *data;
	size_t length;
	size_t capacity;
	size_t limit;
	bool secret;
	bool failed;
};

/* A run of bytes that somebody else owns. */
struct bytes {
	const unsigned char *data;
	size_t length;
};

/* An empty buffer that never holds more than `limit` bytes. */
void buffer_init(struct buffer *b, size_t limit);
void buffer_init_secret(struct buffer *b, size_t limit);
/* Wipes, frees, and leaves an empty buffer of the same kind and limit. */
void buffer_free(struct buffer *b);
/* Forgets the contents (wiped), keeps the memory, clears `failed`. */
void buffer_clear(struct buffer *b);

/* Makes room for `size` more bytes. False: beyond the limit, or no memory. */
bool buffer_reserve(struct buffer *b, size_t size);
/* Appends. False, and `failed`, when there is no room. `data` may be NULL
 * when size is 0; it must not point into the buffer. */
bool buffer_append(struct buffer *b, const void *data, size_t size);
bool buffer_append_byte(struct buffer *b, unsigned char byte);
/* `size` bytes at the end, to be filled by the caller, or NULL. */
unsigned char *buffer_extend(struct buffer *b, size_t size);
/* Drops the first `size` bytes (at most length). */
void buffer_consume(struct buffer *b, size_t size);

struct bytes buffer_bytes(const struct buffer *b);
bool bytes_equal(struct bytes a, struct bytes b);	/* not for secrets */

#endif
