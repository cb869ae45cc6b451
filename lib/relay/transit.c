/*
 * Following an envelope. Mostly all of it is there at once: then its header is
 * parsed where it lies, and nothing is copied. When it comes in pieces, these
 * are gathered until a walk over the heads alone has found the header's end;
 * each head is looked at once, so that bytes that trickle in cost no more than
 * others. What can never become a header is found out by parsing at every
 * doubling of the bytes.
 */
#include "relay/transit.h"

#include "crypto/hash.h"
#include "wire/envelope.h"
#include "wire/header.h"

#include <stdlib.h>
#include <string.h>

enum {
	PIECE_LEN = 4096,		/* of a header that is gathered */
	RETRY_MIN = 128,
	KEPT_HEADER = 4096,		/* memory kept for the next envelope */
	KEPT_MAILBOXES = 16
};

/* The arrays and maps that a walk is in, by the items that are left in them. */
struct walk {
	size_t offset;			/* of the next head, in the header */
	bool done;			/* there is none: it is the end */
	unsigned depth;
	uint64_t left[DCBOR_DEPTH_MAX];
};

/* What comes next of the body. */
enum place { AT_PREAMBLE, AT_CHUNK, AT_BREAK };

struct transit {
	enum transit_state state;
	struct hash *hash;
	bool hash_used;			/* since it was begun */
	uint64_t size;

	/* 1. All bytes so far, while in TRANSIT_HEADER; else empty. */
	struct buffer header;
	size_t retry;			/* bytes at which to parse again */
	struct walk walk;

	enum place place;
	size_t skip;			/* bytes to pass over first */
	unsigned char head[ENVELOPE_CHUNK_HEAD_LEN]; /* as far as it came */
	size_t head_have;
	uint64_t chunks;

	unsigned char (*mailboxes)[E2E_ID_LEN];
	size_t mailbox_count, mailbox_capacity;
	unsigned char id[TRANSIT_ID_LEN];
};

/* Nothing is spent on a passphrase here, so no cost is too high. */
static const struct header_limits limits = {
	.memory_max_kib = UINT32_MAX,
	.ciphertext_max = HEADER_METADATA_MAX + HEADER_TAG_LEN
};

struct transit *
transit_new(void)
{
	struct transit *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	if (hash_new(&t->hash) != E2E_OK) {
		free(t);
		return NULL;
	}
	buffer_init(&t->header, HEADER_MAX + 2 * PIECE_LEN);
	return t;
}

void
transit_free(struct transit *t)
{
	if (t == NULL)
		return;
	hash_free(t->hash);
	buffer_free(&t->header);
	free(t->mailboxes);
	free(t);
}

void
transit_reset(struct transit *t)
{
	t->state = TRANSIT_HEADER;
	t->size = 0;
	if (t->header.capacity > KEPT_HEADER)
		buffer_free(&t->header);
	else
		buffer_clear(&t->header);
	t->retry = 0;
	memset(&t->walk, 0, sizeof(t->walk));
	t->place = AT_PREAMBLE;
	t->skip = t->head_have = 0;
	t->chunks = 0;
	t->mailbox_count = 0;
	if (t->mailbox_capacity > KEPT_MAILBOXES) {
		free(t->mailboxes);
		t->mailboxes = NULL;
		t->mailbox_capacity = 0;
	}
}

/* ---- the header ---- */

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, E2E_ID_LEN);
}

static bool
names_mailbox(const struct recipient *entry)
{
	return entry->kid != NULL && (entry->kind == RECIPIENT_RSA ||
	    entry->kind == RECIPIENT_X25519);
}

static enum e2e_error
take_mailboxes(struct transit *t, const struct header *h)
{
	unsigned char (*more)[E2E_ID_LEN];
	size_t i, wanted = KEPT_MAILBOXES, count = 0;

	if (h->recipient_count > wanted)
		wanted = h->recipient_count;
	if (wanted > t->mailbox_capacity) {
		more = realloc(t->mailboxes, wanted * sizeof(*more));
		if (more == NULL)
			return E2E_ERR_MEMORY;
		t->mailboxes = more;
		t->mailbox_capacity = wanted;
	}
	for (i = 0; i < h->recipient_count; i++) {
		if (names_mailbox(&h->recipients[i]))
			memcpy(t->mailboxes[count++], h->recipients[i].kid,
			    E2E_ID_LEN);
	}
	if (count > 1)
		qsort(t->mailboxes, count, E2E_ID_LEN, compare_ids);
	for (i = 0; i < count; i++) {
		if (t->mailbox_count > 0 && memcmp(t->mailboxes[i],
		    t->mailboxes[t->mailbox_count - 1], E2E_ID_LEN) == 0)
			continue;
		memmove(t->mailboxes[t->mailbox_count++], t->mailboxes[i],
		    E2E_ID_LEN);
	}
	return E2E_OK;
}

/* Tries to parse; *end is the offset behind the header, 0 if it goes on. */
static enum e2e_error
try_header(struct transit *t, const unsigned char *data, size_t size,
    size_t *end)
{
	struct header h;
	enum e2e_error error;

	*end = 0;
	error = header_parse(&h, data + ENVELOPE_START_LEN,
	    size - ENVELOPE_START_LEN, 1, &limits);
	if (error == E2E_ERR_MEMORY)
		return error;
	if (error == E2E_ERR_HEADER_TRUNCATED)
		return E2E_OK;
	if (error != E2E_OK) {
		t->state = TRANSIT_BAD;
		return E2E_OK;
	}
	*end = ENVELOPE_START_LEN + h.encoded_length;
	error = take_mailboxes(t, &h);
	header_free(&h);
	if (error == E2E_OK)
		t->state = TRANSIT_BODY;
	return error;
}

/* An item ended; with it, perhaps, arrays and maps. True: everything did. */
static bool
walk_out(struct walk *w)
{
	while (w->depth > 0 && --w->left[w->depth - 1] == 0)
		w->depth--;
	return w->depth == 0;
}

/* Takes the head at the offset: its value, and its length, 0 if cut off. */
static bool
walk_head(const struct walk *w, const unsigned char *data, size_t size,
    uint64_t *value, size_t *length)
{
	unsigned more = data[w->offset] & 31;
	size_t i, extra;

	*length = 0;
	*value = more;
	if (more < 24) {
		*length = 1;
		return true;
	}
	if (more > 27)
		return false;
	extra = (size_t)1 << (more - 24);
	if (size - w->offset < 1 + extra)
		return true;
	*value = 0;
	for (i = 1; i <= extra; i++)
		*value = *value << 8 | data[w->offset + i];
	*length = 1 + extra;
	return true;
}

/* Goes on over the heads that are there. False: this has no end, or none
 * within the limit of a header. */
static bool
walk_on(struct walk *w, const unsigned char *data, size_t size)
{
	uint64_t value;
	size_t length;
	unsigned major;

	while (!w->done && w->offset < size) {
		if (!walk_head(w, data, size, &value, &length))
			return false;
		if (length == 0)
			break;
		major = data[w->offset] >> 5;
		if (major >= 2 && major <= 5 && value > HEADER_MAX)
			return false;
		w->offset += length;
		if (major == 2 || major == 3)
			w->offset += (size_t)value;
		if (w->offset > HEADER_MAX)
			return false;
		if ((major == 4 || major == 5) && value > 0) {
			if (w->depth == DCBOR_DEPTH_MAX)
				return false;
			w->left[w->depth++] = major == 4 ? value : 2 * value;
		} else if (major != 6) {
			w->done = walk_out(w);
		}
	}
	return true;
}

static bool
begins_well(const unsigned char *data, size_t size)
{
	return memcmp(data, envelope_start, size < ENVELOPE_START_LEN ?
	    size : ENVELOPE_START_LEN) == 0;
}

/* A piece was added to the header: is this its end? *surplus: bytes of the
 * piece that are behind it. */
static enum e2e_error
look_at_header(struct transit *t, size_t *surplus)
{
	size_t size = t->header.length, end;
	enum e2e_error error;

	*surplus = 0;
	if (!begins_well(t->header.data, size)) {
		t->state = TRANSIT_BAD;
		return E2E_OK;
	}
	if (size < ENVELOPE_START_LEN)
		return E2E_OK;
	if (!walk_on(&t->walk, t->header.data + ENVELOPE_START_LEN,
	    size - ENVELOPE_START_LEN)) {
		t->state = TRANSIT_BAD;
		return E2E_OK;
	}
	end = ENVELOPE_START_LEN + t->walk.offset;
	if (t->walk.done && end <= size) {
		*surplus = size - end;
		error = try_header(t, t->header.data, end, &end);
		/* What is well-formed but no header. */
		if (error == E2E_OK && t->state != TRANSIT_BODY)
			t->state = TRANSIT_BAD;
		return error;
	}
	if (size < t->retry)
		return E2E_OK;
	t->retry = size * 2 < RETRY_MIN ? RETRY_MIN : size * 2;
	return try_header(t, t->header.data, size, &end);
}

static enum e2e_error
gather_header(struct transit *t, const unsigned char *data, size_t size,
    size_t *taken)
{
	enum e2e_error error = E2E_OK;
	size_t piece, surplus;

	while (error == E2E_OK && t->state == TRANSIT_HEADER &&
	    *taken < size) {
		piece = size - *taken < PIECE_LEN ? size - *taken : PIECE_LEN;
		if (!buffer_append(&t->header, data + *taken, piece))
			return E2E_ERR_MEMORY;
		error = look_at_header(t, &surplus);
		*taken += piece - surplus;
	}
	return error;
}

static enum e2e_error
feed_header(struct transit *t, const unsigned char *data, size_t size,
    size_t *taken)
{
	enum e2e_error error = E2E_OK;
	size_t end = 0;

	if (t->header.length == 0 && size >= ENVELOPE_START_LEN) {
		if (begins_well(data, size))
			error = try_header(t, data, size, &end);
		else
			t->state = TRANSIT_BAD;
		*taken = end;
		t->retry = size * 2 < RETRY_MIN ? RETRY_MIN : size * 2;
	}
	if (error == E2E_OK && t->state == TRANSIT_HEADER)
		error = gather_header(t, data, size, taken);
	if (t->state != TRANSIT_HEADER) {
		if (t->header.capacity > KEPT_HEADER)
			buffer_free(&t->header);
		else
			buffer_clear(&t->header);
	}
	return error;
}

/* ---- what follows it ---- */

/* One more byte of a chunk's head. */
static void
take_chunk_head(struct transit *t, unsigned char byte)
{
	size_t needed, length;

	t->head[t->head_have++] = byte;
	if (!envelope_get_chunk_head(t->head, t->head_have, &needed,
	    &length)) {
		if (needed == 0)
			t->state = TRANSIT_BAD;
		return;
	}
	t->head_have = 0;
	t->skip = length;
	t->place = length < ENVELOPE_CHUNK_LEN ? AT_BREAK : AT_CHUNK;
	if (++t->chunks >= ENVELOPE_CHUNKS_MAX)
		t->state = TRANSIT_BAD;
}

static void
take_preamble_head(struct transit *t, unsigned char byte)
{
	if (byte != envelope_preamble_head[t->head_have]) {
		t->state = TRANSIT_BAD;
		return;
	}
	if (++t->head_have == sizeof(envelope_preamble_head)) {
		t->head_have = 0;
		t->skip = ENVELOPE_PREAMBLE_LEN;
		t->place = AT_CHUNK;
	}
}

static void
feed_body(struct transit *t, const unsigned char *data, size_t size,
    size_t *taken)
{
	size_t step;

	while (t->state == TRANSIT_BODY && *taken < size) {
		step = t->skip < size - *taken ? t->skip : size - *taken;
		t->skip -= step;
		*taken += step;
		if (*taken == size)
			break;
		switch (t->place) {
		case AT_PREAMBLE:
			take_preamble_head(t, data[*taken]);
			break;
		case AT_CHUNK:
			take_chunk_head(t, data[*taken]);
			break;
		case AT_BREAK:
			t->state = data[*taken] == ENVELOPE_BREAK ?
			    TRANSIT_DONE : TRANSIT_BAD;
			break;
		}
		(*taken)++;
	}
}

/* ---- all of it ---- */

static enum e2e_error
feed_hash(struct transit *t, const void *data, size_t size)
{
	enum e2e_error error = E2E_OK;

	/* Of an envelope that was given up. */
	if (t->size == 0 && t->hash_used) {
		t->hash_used = false;
		error = hash_final(t->hash, t->id);
	}
	if (error == E2E_OK && size > 0) {
		t->hash_used = true;
		error = hash_update(t->hash, data, size);
	}
	if (error == E2E_OK && t->state == TRANSIT_DONE) {
		t->hash_used = false;
		error = hash_final(t->hash, t->id);
	}
	return error;
}

enum e2e_error
transit_feed(struct transit *t, const void *data, size_t size, size_t *taken)
{
	enum e2e_error error = E2E_OK;

	*taken = 0;
	if (size == 0)
		return E2E_OK;
	if (t->state == TRANSIT_DONE || t->state == TRANSIT_BAD)
		return E2E_OK;
	if (t->state == TRANSIT_HEADER)
		error = feed_header(t, data, size, taken);
	if (error == E2E_OK)
		feed_body(t, data, size, taken);
	if (error == E2E_OK && t->state != TRANSIT_BAD)
		error = feed_hash(t, data, *taken);
	t->size += *taken;
	if (error != E2E_OK)
		t->state = TRANSIT_BAD;
	return error;
}

enum transit_state
transit_state(const struct transit *t)
{
	return t->state;
}

uint64_t
transit_size(const struct transit *t)
{
	return t->size;
}

size_t
transit_held(const struct transit *t)
{
	return t->header.length;
}

const unsigned char (*
transit_mailboxes(const struct transit *t, size_t *count))[E2E_ID_LEN]
{
	*count = t->mailbox_count;
	return (const unsigned char (*)[E2E_ID_LEN])t->mailboxes;
}

const unsigned char *
transit_id(const struct transit *t)
{
	return t->id;
}
