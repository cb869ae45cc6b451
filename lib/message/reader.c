/* Finding envelopes, their headers and their chunks in a source. */
#include "message/reader.h"

#include "base/secret.h"
#include "message/card.h"
#include "message/diag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LOOK = 4096 };

enum e2e_error
e2e_reader_new(struct e2e_reader **reader, const struct e2e_input *input)
{
	struct e2e_reader *r = calloc(1, sizeof(*r));

	*reader = r;
	if (r == NULL)
		return E2E_ERR_MEMORY;
	source_init(&r->source, input);
	buffer_init(&r->header_bytes, HEADER_MAX);
	unsealed_init(&r->unsealed);
	return E2E_OK;
}

bool
e2e_reader_in_step(const struct e2e_reader *r)
{
	return !r->failed;
}

void
reader_forget(struct e2e_reader *r)
{
	header_free(&r->header);
	buffer_clear(&r->header_bytes);
	unsealed_clear(&r->unsealed);
	e2e_card_free(r->sender);
	r->sender = NULL;
	e2e_card_free(r->forwarder);
	r->forwarder = NULL;
	secret_free(r->keys);
	r->keys = NULL;
	free(r->seen);
	r->seen = NULL;
}

void
e2e_reader_free(struct e2e_reader *r)
{
	if (r == NULL)
		return;
	reader_forget(r);
	buffer_free(&r->header_bytes);
	unsealed_free(&r->unsealed);
	source_free(&r->source);
	free(r);
}

/* Skips the chunks of an envelope that nobody wanted opened. */
enum e2e_error
reader_pass_over(struct e2e_reader *r)
{
	unsigned char preamble[ENVELOPE_PREAMBLE_LEN];
	unsigned char item[ENVELOPE_CHUNK_ITEM_LEN];
	enum e2e_error error = E2E_OK;
	size_t head, chunk;
	bool last = false;

	if (!r->preamble_read)
		error = reader_preamble(r, preamble);
	while (error == E2E_OK && !last)
		error = reader_chunk(r, item, &head, &chunk, &last);
	return error;
}

enum e2e_error
e2e_reader_pass(struct e2e_reader *r, struct e2e_diag *diag)
{
	enum e2e_error error = E2E_OK;

	errno = 0;
	if (!r->failed && r->payload_pending) {
		error = reader_pass_over(r);
		r->failed = error != E2E_OK;
	}
	diag_set(diag, error, 0, NULL);
	return error;
}

/* Tells envelopes from what is none, and this version from others. */
static enum e2e_error
check_start(struct bytes ahead)
{
	if (ahead.length < ENVELOPE_START_LEN)
		return memcmp(ahead.data, envelope_start, ahead.length) == 0 ?
		    E2E_ERR_HEADER_TRUNCATED : E2E_ERR_MALFORMED;
	if (memcmp(ahead.data, envelope_start, ENVELOPE_START_LEN) == 0)
		return E2E_OK;
	/* "e2e" and another digit is one of our tags. */
	return memcmp(ahead.data, envelope_start, 4) == 0 ?
	    E2E_ERR_VERSION : E2E_ERR_MALFORMED;
}

/* Parses with more and more bytes until the header is all there. */
static enum e2e_error
parse_header(struct e2e_reader *r, const struct header_limits *limits)
{
	size_t wanted = FIRST_LOOK, length;
	struct bytes ahead;
	enum e2e_error error;

	for (;;) {
		error = source_peek(&r->source, wanted, &ahead);
		if (error != E2E_OK)
			return error;
		/* The outer array is level 1. */
		error = header_parse(&r->header,
		    ahead.data + ENVELOPE_START_LEN,
		    ahead.length - ENVELOPE_START_LEN, 1, limits);
		if (error != E2E_ERR_HEADER_TRUNCATED ||
		    ahead.length < wanted)
			break;
		wanted = ahead.length * 2;
		if (wanted > HEADER_MAX + ENVELOPE_START_LEN)
			wanted = HEADER_MAX + ENVELOPE_START_LEN;
	}
	if (error != E2E_OK)
		return error;
	/* The source moves on; the header stays. */
	length = r->header.encoded_length;
	header_free(&r->header);
	if (!buffer_append(&r->header_bytes, ahead.data + ENVELOPE_START_LEN,
	    length))
		return E2E_ERR_MEMORY;
	source_skip(&r->source, ENVELOPE_START_LEN + length);
	return header_parse(&r->header, r->header_bytes.data, length, 1,
	    limits);
}

static enum e2e_error
check_cost(const struct header *h, uint32_t memory_max_kib)
{
	size_t i;

	if (memory_max_kib == 0)
		memory_max_kib = RECIPIENT_MEMORY_MAX_KIB;
	for (i = 0; i < h->recipient_count; i++) {
		if (h->recipients[i].kind == RECIPIENT_PASSPHRASE &&
		    h->recipients[i].memory_kib > memory_max_kib)
			return E2E_ERR_KDF_COST;
	}
	return E2E_OK;
}

enum e2e_error
reader_next_header(struct e2e_reader *r, bool several,
    uint32_t memory_max_kib, bool *end)
{
	/* The cost of a KDF is judged below, with the frame intact. */
	static const struct header_limits limits = {
		.memory_max_kib = UINT32_MAX,
		.ciphertext_max = HEADER_METADATA_MAX + HEADER_TAG_LEN
	};
	struct bytes ahead;
	enum e2e_error error;

	*end = false;
	if (r->failed)
		return E2E_ERR_MALFORMED;
	r->failed = true;		/* until this one is found */
	if (r->payload_pending) {
		error = reader_pass_over(r);
		if (error != E2E_OK)
			return error;
	}
	reader_forget(r);
	error = source_peek(&r->source, ENVELOPE_START_LEN, &ahead);
	if (error != E2E_OK)
		return error;
	if (ahead.length == 0) {
		*end = r->envelopes > 0;
		r->failed = !*end;
		return *end ? E2E_OK : E2E_ERR_EMPTY;
	}
	/* Armor holds exactly one. */
	if (r->envelopes > 0 && (!several || r->source.armored))
		return E2E_ERR_TRAILING;
	error = check_start(ahead);
	if (error != E2E_OK)
		return error;
	r->begin = r->source.consumed;
	error = parse_header(r, &limits);
	if (error != E2E_OK)
		return error;
	r->envelopes++;
	r->payload_pending = true;
	r->preamble_read = false;
	r->failed = false;
	return check_cost(&r->header, memory_max_kib);
}

enum e2e_error
reader_preamble(struct e2e_reader *r,
    unsigned char preamble[ENVELOPE_PREAMBLE_LEN])
{
	unsigned char item[ENVELOPE_PREAMBLE_ITEM_LEN];
	enum e2e_error error;
	size_t got;

	r->failed = true;
	error = source_read(&r->source, item, sizeof(item), &got);
	if (error != E2E_OK)
		return error;
	if (memcmp(item, envelope_preamble_head,
	    got < sizeof(envelope_preamble_head) ? got :
	    sizeof(envelope_preamble_head)) != 0)
		return E2E_ERR_MALFORMED;
	if (got < sizeof(item))
		return E2E_ERR_TRUNCATED;
	memcpy(preamble, item + sizeof(envelope_preamble_head),
	    ENVELOPE_PREAMBLE_LEN);
	r->chunks = r->source.consumed;
	r->preamble_read = true;
	r->failed = false;
	return E2E_OK;
}

static enum e2e_error
read_chunk(struct e2e_reader *r, unsigned char *item, size_t *head_length,
    size_t *chunk_length, bool *last)
{
	struct bytes ahead;
	enum e2e_error error;
	unsigned char mark;
	size_t got, size;

	*last = false;
	error = source_peek(&r->source, ENVELOPE_CHUNK_HEAD_LEN, &ahead);
	if (error != E2E_OK)
		return error;
	if (!envelope_get_chunk_head(ahead.data, ahead.length, head_length,
	    chunk_length))
		return *head_length > ahead.length ? E2E_ERR_TRUNCATED :
		    E2E_ERR_MALFORMED;
	size = *head_length + *chunk_length;
	error = source_read(&r->source, item, size, &got);
	if (error != E2E_OK)
		return error;
	if (got < size)
		return E2E_ERR_TRUNCATED;
	*last = *chunk_length < ENVELOPE_CHUNK_LEN;
	if (!*last)
		return E2E_OK;
	error = source_read(&r->source, &mark, 1, &got);
	if (error != E2E_OK)
		return error;
	if (got == 0)
		return E2E_ERR_TRUNCATED;
	return mark == ENVELOPE_BREAK ? E2E_OK : E2E_ERR_MALFORMED;
}

enum e2e_error
reader_chunk(struct e2e_reader *r, unsigned char *item, size_t *head_length,
    size_t *chunk_length, bool *last)
{
	enum e2e_error error;

	error = read_chunk(r, item, head_length, chunk_length, last);
	if (error != E2E_OK)
		r->failed = true;
	else if (*last)
		r->payload_pending = false;
	return error;
}
