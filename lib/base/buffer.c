/*
 * buffer.c: a byte string that grows.
 *
 * Growing allocates, copies and wipes instead of calling realloc, which may
 * leave a copy of the old contents behind; doubling keeps that linear.
 */
#include "base/buffer.h"

#include "base/number.h"
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64

static void
release(struct buffer *b)
{
	if (b->data == NULL)
		return;
	if (b->secret) {
		secret_free(b->data);
	} else {
		secret_wipe(b->data, b->capacity);
		free(b->data);
	}
}

void
buffer_init(struct buffer *b, size_t limit)
{
	*b = (struct buffer){ .limit = limit };
}

void
buffer_init_secret(struct buffer *b, size_t limit)
{
	*b = (struct buffer){ .limit = limit, .secret = true };
}

void
buffer_free(struct buffer *b)
{
	release(b);
	*b = (struct buffer){ .limit = b->limit, .secret = b->secret };
}

void
buffer_clear(struct buffer *b)
{
	if (b->length > 0)
		secret_wipe(b->data, b->length);
	b->length = 0;
	b->failed = false;
}

bool
buffer_reserve(struct buffer *b, size_t size)
{
	size_t needed, capacity;
	unsigned char *data;

	if (!number_add(&needed, b->length, size) || needed > b->limit)
		return false;
	if (needed <= b->capacity)
		return true;
	capacity = b->capacity > b->limit / 2 ? b->limit : b->capacity * 2;
	if (capacity < CAPACITY_MIN)
		capacity = CAPACITY_MIN < b->limit ? CAPACITY_MIN : b->limit;
	if (capacity < needed)
		capacity = needed;
	data = b->secret ? secret_alloc(capacity) : malloc(capacity);
	if (data == NULL)
		return false;
	if (b->length > 0)
		memcpy(data, b->data, b->length);
	release(b);
	b->data = data;
	b->capacity = capacity;
	return true;
}

unsigned char *
buffer_extend(struct buffer *b, size_t size)
{
	unsigned char *end;

	/* An empty buffer still has to return something that is not NULL. */
	if (b->failed || !buffer_reserve(b, b->data == NULL && size == 0 ?
	    1 : size)) {
		b->failed = true;
		return NULL;
	}
	end = b->data + b->length;
	b->length += size;
	return end;
}

bool
buffer_append(struct buffer *b, const void *data, size_t size)
{
	unsigned char *end;

	if (size == 0)
		return !b->failed;
	if ((end = buffer_extend(b, size)) == NULL)
		return false;
	memcpy(end, data, size);
	return true;
}

bool
buffer_append_byte(struct buffer *b, unsigned char byte)
{
	return buffer_append(b, &byte, 1);
}

void
buffer_consume(struct buffer *b, size_t size)
{
	if (size > b->length)
		abort();
	if (size == 0)
		return;
	memmove(b->data, b->data + size, b->length - size);
	b->length -= size;
	secret_wipe(b->data + b->length, size);
}

struct bytes
buffer_bytes(const struct buffer *b)
{
	return (struct bytes){ b->data, b->length };
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.length == b.length &&
	    (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}
