/*
 * envelopes.c: reading, decoding and measuring what is to be sent.
 *
 * What is read is spooled also when the input is a file: a deposit may be
 * tried again much later, and the file may be another one by then.
 */
#include "net/envelopes.h"

#include "message/source.h"
#include "relay/transit.h"
#include "wire/envelope.h"
#include "wire/header.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 65536 };

struct envelopes {
	struct source source;
	struct transit *transit;
	bool begun;		/* there was one */
};

enum e2e_error
envelopes_open(struct envelopes **result, const struct e2e_input *input)
{
	struct envelopes *e = calloc(1, sizeof(*e));

	*result = NULL;
	if (e == NULL)
		return E2E_ERR_MEMORY;
	source_init(&e->source, input);
	if ((e->transit = transit_new()) == NULL) {
		envelopes_close(e);
		return E2E_ERR_MEMORY;
	}
	*result = e;		/* transferred */
	return E2E_OK;
}

void
envelopes_close(struct envelopes *e)
{
	if (e == NULL)
		return;
	source_free(&e->source);
	transit_free(e->transit);
	free(e);
}

/* Where it ended, though it was not over. */
static enum e2e_error
cut_off(const struct envelopes *e)
{
	return transit_state(e->transit) == TRANSIT_HEADER ?
	    E2E_ERR_HEADER_TRUNCATED : E2E_ERR_TRUNCATED;
}

/*
 * What is wrong with it: a stream that is no envelope ends here, so there is
 * time to look at its header once more, for words.
 */
static enum e2e_error
diagnose(struct envelopes *e, const struct spool *spool)
{
	static const struct header_limits limits = {
		.memory_max_kib = UINT32_MAX,
		.ciphertext_max = HEADER_METADATA_MAX + HEADER_TAG_LEN
	};
	uint64_t before = spool_size(spool);
	enum e2e_error error;
	unsigned char *room;
	struct buffer all;
	struct bytes ahead;
	struct header h;

	if (before > HEADER_MAX)
		return E2E_ERR_MALFORMED;
	buffer_init(&all, 2 * (HEADER_MAX + 1) + 4 * PIECE);
	error = source_peek(&e->source, HEADER_MAX + 1, &ahead);
	if (error != E2E_OK)
		return error;
	room = buffer_extend(&all, (size_t)before + ahead.length);
	if (room == NULL)
		return E2E_ERR_MEMORY;
	error = spool_read(spool, room, (size_t)before, 0);
	if (error == E2E_OK && ahead.length > 0)
		memcpy(room + before, ahead.data, ahead.length);
	if (error == E2E_OK && (all.length < ENVELOPE_START_LEN ||
	    memcmp(all.data, envelope_start, ENVELOPE_START_LEN) != 0))
		error = E2E_ERR_MALFORMED;
	if (error == E2E_OK)
		error = header_parse(&h, all.data + ENVELOPE_START_LEN,
		    all.length - ENVELOPE_START_LEN, 1, &limits);
	if (error == E2E_OK) {
		header_free(&h);
		error = E2E_ERR_MALFORMED;
	}
	buffer_free(&all);
	return error == E2E_ERR_HEADER_TRUNCATED ? E2E_ERR_MALFORMED : error;
}

static enum e2e_error
read_one(struct envelopes *e, struct spool *spool)
{
	enum e2e_error error;
	struct bytes ahead;
	size_t taken;

	while (transit_state(e->transit) != TRANSIT_DONE) {
		error = source_peek(&e->source, PIECE, &ahead);
		if (error == E2E_OK && ahead.length == 0)
			error = cut_off(e);
		if (error == E2E_OK)
			error = transit_feed(e->transit, ahead.data,
			    ahead.length, &taken);
		if (error == E2E_OK &&
		    transit_state(e->transit) == TRANSIT_BAD)
			error = diagnose(e, spool);
		if (error == E2E_OK)
			error = spool_add(spool, ahead.data, taken);
		if (error != E2E_OK)
			return error;
		source_skip(&e->source, taken);
	}
	return E2E_OK;
}

enum e2e_error
envelopes_next(struct envelopes *e, struct envelope *envelope, bool *end)
{
	enum e2e_error error;
	struct bytes ahead;

	memset(envelope, 0, sizeof(*envelope));
	*end = false;
	error = source_peek(&e->source, 1, &ahead);
	if (error == E2E_OK && ahead.length == 0) {
		*end = e->begun;
		return e->begun ? E2E_OK : E2E_ERR_EMPTY;
	}
	e->begun = true;
	transit_reset(e->transit);
	if (error == E2E_OK)
		error = spool_new(&envelope->spool);
	if (error == E2E_OK)
		error = read_one(e, envelope->spool);
	if (error == E2E_OK)
		error = spool_end(envelope->spool, envelope->id);
	if (error != E2E_OK) {
		spool_free(envelope->spool);
		envelope->spool = NULL;
		return error;
	}
	envelope->mailboxes = transit_mailboxes(e->transit,
	    &envelope->mailbox_count);
	return E2E_OK;
}
