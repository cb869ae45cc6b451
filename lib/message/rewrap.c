/*
 * Rewrapping (docs/FORMAT.md, 10): a new header in front of the same payload.
 * The payload is not looked into; only the heads of its chunks are, to find
 * its end.
 */
#include "message/addressees.h"
#include "message/diag.h"
#include "message/identity.h"
#include "message/reader.h"
#include "message/sender.h"
#include "message/sink.h"

#include "base/clock.h"
#include "base/random.h"
#include "crypto/crypto.h"

#include <errno.h>
#include <string.h>

/* Chunks looked for at a time: what source_peek may be asked for. */
enum { CHUNKS_AHEAD = 60 };

struct rewrapping {
	const struct e2e_rewrap *request;
	struct addressees addressees;
	struct buffer recipients, to, block, front;
	unsigned char iv[HEADER_IV_LEN];
	uint64_t written;
};

static void
rewrapping_init(struct rewrapping *w, const struct e2e_rewrap *request)
{
	memset(w, 0, sizeof(*w));
	w->request = request;
	buffer_init(&w->recipients, HEADER_MAX);
	buffer_init(&w->to, HEADER_RECIPIENTS_MAX * HASH_LEN);
	buffer_init(&w->block, HEADER_REWRAP_MAX + HEADER_TAG_LEN);
	buffer_init(&w->front, 2 * HEADER_MAX);
}

static void
rewrapping_free(struct rewrapping *w)
{
	addressees_free(&w->addressees);
	buffer_free(&w->recipients);
	buffer_free(&w->to);
	buffer_free(&w->block);
	buffer_free(&w->front);
}

static enum e2e_error
put_block(struct rewrapping *w, const struct e2e_reader *r)
{
	const struct e2e_identity *forwarder = w->request->forwarder;
	struct rewrap_block block;

	memset(&block, 0, sizeof(block));
	block.issued = clock_now();
	block.recipients_hash = r->unsealed.core.recipients_hash;
	if (forwarder != NULL)
		block.card = buffer_bytes(&forwarder->card->encoded);
	if (w->to.length > 0)
		block.to = buffer_bytes(&w->to);
	return rewrap_block_seal(&w->block, w->iv, &block,
	    forwarder != NULL ? forwarder->signing : NULL, &r->unsealed.core,
	    buffer_bytes(&w->recipients), r->unsealed.found.cek);
}

/* The new header; everything in it but R and the block is the old one's. */
static enum e2e_error
put_front(struct rewrapping *w, const struct e2e_reader *r)
{
	const struct derive_core *core = &r->unsealed.core;
	enum e2e_error error;

	if (!random_bytes(w->iv, sizeof(w->iv)))
		return E2E_ERR_CRYPTO;
	error = addressees_wrap(&w->recipients, &w->addressees,
	    r->unsealed.found.cek);
	if (error == E2E_OK)
		error = addressees_hash(&w->to, &w->addressees,
		    r->claims.message_id);
	if (error == E2E_OK)
		error = put_block(w, r);
	if (error != E2E_OK)
		return error;
	(void)buffer_append(&w->front, envelope_start,
	    sizeof(envelope_start));
	header_put_rewrapped(&w->front, core->protected_header, core->iv,
	    w->iv, buffer_bytes(&w->block), core->ciphertext,
	    buffer_bytes(&w->recipients));
	if (w->front.failed)
		return E2E_ERR_MEMORY;
	return w->front.length > HEADER_MAX + ENVELOPE_START_LEN ?
	    E2E_ERR_LIMIT : E2E_OK;
}

static enum e2e_error
pass(struct rewrapping *w, struct sink *sink, const void *data, size_t size)
{
	enum e2e_error error = sink_write(sink, data, size);
	const struct e2e_progress *progress = &w->request->progress;

	w->written += size;
	if (error == E2E_OK && progress->report != NULL)
		progress->report(progress->context, w->written);
	return error;
}

/*
 * How much of what lies ahead are whole chunks; *end: the last one, with the
 * break, is among them.
 */
static enum e2e_error
measure(struct bytes ahead, size_t *size, bool *end)
{
	size_t head, length;

	*size = 0;
	*end = false;
	if (ahead.length == 0)	/* and nothing to count from */
		return E2E_OK;
	for (;;) {
		if (!envelope_get_chunk_head(ahead.data + *size,
		    ahead.length - *size, &head, &length))
			/* Cut within a head, or no head at all. */
			return head > ahead.length - *size ? E2E_OK :
			    E2E_ERR_MALFORMED;
		if (head + length > ahead.length - *size)
			return E2E_OK;
		if (length < ENVELOPE_CHUNK_LEN) {
			if (head + length == ahead.length - *size)
				return E2E_OK;
			*size += head + length;
			*end = ahead.data[*size] == ENVELOPE_BREAK;
			*size += *end;
			return *end ? E2E_OK : E2E_ERR_MALFORMED;
		}
		*size += head + length;
		if (*size == ahead.length)
			return E2E_OK;
	}
}

static enum e2e_error
pass_payload(struct rewrapping *w, struct e2e_reader *r, struct sink *sink)
{
	unsigned char preamble[ENVELOPE_PREAMBLE_LEN];
	enum e2e_error error;
	struct bytes ahead;
	bool end = false;
	size_t size;

	error = reader_preamble(r, preamble);
	r->failed = true;	/* until its end was seen */
	if (error == E2E_OK)
		error = pass(w, sink, envelope_preamble_head,
		    sizeof(envelope_preamble_head));
	if (error == E2E_OK)
		error = pass(w, sink, preamble, sizeof(preamble));
	while (error == E2E_OK && !end) {
		error = source_peek(&r->source,
		    CHUNKS_AHEAD * ENVELOPE_CHUNK_ITEM_LEN, &ahead);
		if (error == E2E_OK)
			error = measure(ahead, &size, &end);
		if (error == E2E_OK && size == 0)
			error = E2E_ERR_TRUNCATED;
		if (error == E2E_OK)
			error = pass(w, sink, ahead.data, size);
		if (error == E2E_OK)
			source_skip(&r->source, size);
	}
	if (error == E2E_OK) {
		r->failed = false;
		r->payload_pending = false;
	}
	return error;
}

static enum e2e_error
rewrap(struct rewrapping *w, struct e2e_reader *r,
    const struct e2e_output *output)
{
	struct e2e_output in_order = *output;
	enum e2e_error error;
	struct sink sink;

	/* The sink is written to in order. */
	in_order.write_at = NULL;
	sink_init(&sink, &in_order, w->request->armor);
	error = pass(w, &sink, w->front.data, w->front.length);
	if (error == E2E_OK)
		error = pass_payload(w, r, &sink);
	if (error == E2E_OK)
		error = sink_end(&sink, w->written);
	sink_free(&sink);
	return error;
}

static enum e2e_error
check_request(struct rewrapping *w, uint64_t *which)
{
	const struct e2e_rewrap *q = w->request;
	enum e2e_error error;

	if (q->forwarder != NULL && e2e_identity_locked(q->forwarder))
		return E2E_ERR_PASSPHRASE_NEEDED;
	error = addressees_list(&w->addressees, &q->to, NULL, clock_now(),
	    which);
	return error == E2E_OK ? addressees_admit(&w->addressees,
	    q->forwarder) : error;
}

static void
describe(struct e2e_rewrapped *rewrapped, const struct rewrapping *w,
    const struct metadata *claims)
{
	memcpy(rewrapped->message_id, claims->message_id, E2E_MESSAGE_ID_LEN);
	rewrapped->mode = (int)claims->mode;
	rewrapped->recipient_count = w->addressees.entry_count;
	rewrapped->repeated = w->addressees.repeated;
	rewrapped->envelope_bytes = w->written;
}

enum e2e_error
e2e_rewrap_next(struct e2e_reader *reader, const struct e2e_rewrap *request,
    const struct e2e_output *output, struct e2e_rewrapped *rewrapped,
    bool *end, struct e2e_diag *diag)
{
	struct rewrapping w;
	struct cose_sign1 sign1;
	enum e2e_error error;
	uint64_t which = 0;
	bool is_signed;

	memset(rewrapped, 0, sizeof(*rewrapped));
	*end = false;
	errno = 0;
	rewrapping_init(&w, request);
	error = crypto_init();
	if (error == E2E_OK)
		error = check_request(&w, &which);
	if (error == E2E_OK)
		error = reader_next_header(reader, !request->armor,
		    request->keys.kdf_memory_max_kib, end);
	if (error != E2E_OK || *end)
		goto out;
	error = unseal_header(&reader->unsealed, &reader->header,
	    DERIVE_ENVELOPE, &request->keys);
	/* For the message id. Who signed is not looked at: nothing is released
	 * here. */
	if (error == E2E_OK)
		error = sender_parse_metadata(&reader->claims, &sign1,
		    &is_signed, buffer_bytes(&reader->unsealed.metadata));
	if (error == E2E_OK)
		error = put_front(&w, reader);
	unseal_forget_cek(&reader->unsealed);
	if (error == E2E_OK)
		error = rewrap(&w, reader, output);
	if (error == E2E_OK)
		describe(rewrapped, &w, &reader->claims);
out:
	diag_set(diag, error, which, error == E2E_ERR_RECIPIENT_EXPIRED ?
	    "recipient" : NULL);
	rewrapping_free(&w);
	return error;
}
