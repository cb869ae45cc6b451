/*
 * Opening: from the bytes of a header to a sender that was verified, in the
 * order of docs/FORMAT.md, section 6; the first failure decides. The payload
 * follows in open_stream.c.
 */
#include "message/card.h"
#include "message/digest.h"
#include "message/diag.h"
#include "message/open_checks.h"
#include "message/open_stream.h"
#include "message/payload.h"
#include "message/reader.h"
#include "message/sender.h"
#include "message/signer.h"

#include "base/secret.h"
#include "crypto/crypto.h"

#include <errno.h>
#include <string.h>

static enum e2e_error
verify_sender(struct e2e_reader *r, const struct signer_source *source,
    const struct cose_sign1 *sign1, struct e2e_opened *opened)
{
	enum e2e_error error;
	bool valid = false;

	memcpy(opened->sender_id, sign1->kid, E2E_ID_LEN);
	error = signer_find(&r->sender, sign1, r->claims.card, source);
	if (error == E2E_OK)
		error = sender_verify(&valid, r->sender->signing, sign1,
		    &r->unsealed.core);
	if (error == E2E_OK && !valid)
		error = E2E_ERR_SIGNATURE;
	opened->sender = r->sender;
	opened->sender_state = E2E_SENDER_VERIFIED;
	return error;
}

/* Steps 6 and 7: claims, and who vouches for them. */
static enum e2e_error
parse_metadata(struct e2e_reader *r, const struct signer_source *source,
    struct e2e_opened *opened)
{
	struct cose_sign1 sign1;
	enum e2e_error error;
	bool is_signed;

	error = sender_parse_metadata(&r->claims, &sign1, &is_signed,
	    buffer_bytes(&r->unsealed.metadata));
	if (error == E2E_OK && is_signed)
		error = verify_sender(r, source, &sign1, opened);
	return error;
}

/* Step 7, second half: who changed the recipients. */
static enum e2e_error
verify_forwarder(struct e2e_reader *r, const struct signer_source *source,
    struct e2e_opened *opened)
{
	const struct rewrap_block *block = &r->unsealed.block;
	enum e2e_error error;
	bool valid = false;

	if (!r->header.rewrapped)
		return E2E_OK;
	opened->rewrapped = true;
	opened->forwarded = block->issued;
	if (!block->is_signed)
		return E2E_OK;
	error = signer_find(&r->forwarder, &block->sign1, block->card,
	    source);
	if (error == E2E_ERR_SENDER_UNKNOWN)
		error = E2E_ERR_FORWARDER_UNKNOWN;
	if (error == E2E_OK)
		error = rewrap_block_verify(&valid, r->forwarder->signing,
		    block, &r->unsealed.core, r->header.recipients_encoded);
	if (error == E2E_OK && !valid)
		error = E2E_ERR_FORWARDER_SIGNATURE;
	opened->forwarder = r->forwarder;
	return error;
}

static const char *
copy_text(char out[E2E_TEXT_MAX + 1], struct bytes text)
{
	if (text.data == NULL)
		return NULL;
	memcpy(out, text.data, text.length);
	out[text.length] = '\0';
	return out;
}

static void
describe(struct e2e_reader *r, struct e2e_opened *opened)
{
	const struct metadata *m = &r->claims;

	memcpy(opened->message_id, m->message_id, E2E_MESSAGE_ID_LEN);
	memcpy(opened->context_hash, r->context_hash, HASH_LEN);
	opened->created = m->issued;
	opened->expires = m->has_expiry ? m->expires : 0;
	opened->mode = (int)m->mode;
	opened->padded = m->padded;
	opened->file_name = copy_text(r->file_name, m->file_name);
	opened->media_type = copy_text(r->media_type, m->media_type);
	opened->is_reply = m->reply_to != NULL;
	if (opened->is_reply)
		memcpy(opened->reply_to, m->reply_to, E2E_MESSAGE_ID_LEN);
	opened->is_numbered = m->conversation != NULL;
	if (opened->is_numbered) {
		memcpy(opened->conversation, m->conversation,
		    E2E_CONVERSATION_LEN);
		opened->sequence = m->sequence;
	}
	opened->receipt_wanted = m->receipt_wanted;
	opened->opened_by = r->unsealed.found.identity;
	opened->group = r->unsealed.found.group;
	opened->recipient_count = r->header.recipient_count;
}

/* Step 10: does the payload belong to this header? */
static enum e2e_error
check_preamble(struct e2e_reader *r)
{
	unsigned char preamble[ENVELOPE_PREAMBLE_LEN];
	enum e2e_error error;

	error = reader_preamble(r, preamble);
	if (error != E2E_OK)
		return error;
	r->keys = secret_alloc(sizeof(*r->keys));
	if (r->keys == NULL)
		return E2E_ERR_MEMORY;
	error = derive_payload(r->keys, r->claims.payload_key, preamble,
	    r->context_hash);
	if (error == E2E_OK && !secret_equal(r->keys->commitment,
	    preamble + ENVELOPE_SALT_LEN, ENVELOPE_COMMITMENT_LEN))
		error = E2E_ERR_COMMITMENT;
	return error;
}

/* What exactly is wrong with the end: found by reading up to it. */
static enum e2e_error
diagnose_end(struct e2e_reader *r)
{
	struct bytes ahead;
	enum e2e_error error;

	r->failed = true;
	error = reader_pass_over(r);
	if (error != E2E_OK)
		return error;
	error = source_peek(&r->source, 1, &ahead);
	if (error != E2E_OK)
		return error;
	return ahead.length > 0 ? E2E_ERR_TRAILING : E2E_ERR_CHUNK;
}

/*
 * Where the end can be seen beforehand: it is there, nothing follows, and the
 * last chunk is authentic. So a truncated file is refused as a whole.
 */
static enum e2e_error
check_end(struct e2e_reader *r)
{
	unsigned char item[SOURCE_TAIL_LEN];
	struct envelope_layout layout;
	struct aead *aead = NULL;
	enum e2e_error error;
	size_t head, length;

	if (r->source.extent < r->chunks ||
	    !envelope_layout(&layout, r->source.extent - r->chunks))
		return diagnose_end(r);
	error = source_read_at(&r->source, item, layout.last_item_length + 1,
	    r->chunks + layout.last_offset);
	if (error == E2E_ERR_TRUNCATED)
		return diagnose_end(r);
	if (error != E2E_OK)
		return error;
	if (item[layout.last_item_length] != ENVELOPE_BREAK ||
	    !envelope_get_chunk_head(item, layout.last_item_length, &head,
	    &length) || head + length != layout.last_item_length)
		return diagnose_end(r);
	error = aead_new(&aead, r->keys->key);
	if (error == E2E_OK)
		error = payload_open_chunk(aead, r->keys, layout.full_chunks,
		    item + head, item + head, length);
	aead_free(aead);
	secret_wipe(item, sizeof(item));
	return error == E2E_ERR_CHUNK ? diagnose_end(r) : error;
}

static enum e2e_error
open_header(struct e2e_reader *r, const struct e2e_open *request,
    struct e2e_opened *opened)
{
	const struct signer_source source = {
		request->find_card, request->find_card_context
	};
	enum e2e_error error;

	error = unseal_header(&r->unsealed, &r->header, DERIVE_ENVELOPE,
	    &request->keys);
	unseal_forget_cek(&r->unsealed);
	if (error == E2E_OK)
		error = parse_metadata(r, &source, opened);
	if (error == E2E_OK)
		error = verify_forwarder(r, &source, opened);
	if (error == E2E_OK)
		error = derive_context_hash(r->context_hash,
		    &r->unsealed.core);
	if (error != E2E_OK)
		return error;
	describe(r, opened);
	error = open_check_addressed(r, request, opened);
	if (error == E2E_OK && request->judge_sender != NULL)
		error = request->judge_sender(request->judge_sender_context,
		    opened);
	if (error == E2E_OK)
		error = open_check_time(&r->claims, request);
	if (error == E2E_OK)
		error = check_preamble(r);
	if (error == E2E_OK && !request->several &&
	    source_knows_end(&r->source))
		error = check_end(r);
	return error;
}

enum e2e_error
e2e_open_next(struct e2e_reader *reader, const struct e2e_open *request,
    struct e2e_opened *opened, bool *end, struct e2e_diag *diag)
{
	enum e2e_error error;

	memset(opened, 0, sizeof(*opened));
	opened->opened_by = -1;
	*end = false;
	errno = 0;
	error = crypto_init();
	if (error == E2E_OK)
		error = reader_next_header(reader, request->several,
		    request->keys.kdf_memory_max_kib, end);
	if (error == E2E_OK && !*end)
		error = open_header(reader, request, opened);
	if (error != E2E_OK) {
		/* Nothing may be released after a refusal. */
		secret_free(reader->keys);
		reader->keys = NULL;
	}
	diag_set(diag, error, 0, NULL);
	return error;
}

/* The payload, when it is known that there is one to release. */
static enum e2e_error
release(struct e2e_reader *reader, const struct e2e_open *request,
    const struct e2e_output *output, struct e2e_opened *opened,
    uint64_t *failed)
{
	struct sender_segments segments;
	struct open_stream stream = {
		.reader = reader, .output = output, .keys = reader->keys,
		.single = !request->several,
		.pad = reader->claims.padded, .threads = request->threads,
		.progress = request->progress
	};
	bool is_signed = reader->claims.mode == MODE_SEGMENTS;
	enum e2e_error error = E2E_OK;

	stream.segment_size = ENVELOPE_JOB_CHUNKS * ENVELOPE_DATA_LEN;
	if (is_signed) {
		stream.segment_size = (uint32_t)reader->claims.segment_size;
		error = sender_segments_init(&segments,
		    reader->sender->signing, reader->context_hash);
		stream.segments = &segments;
	}
	/* One of several was read in order: after a failure the source stands
	 * between two chunks, or reader_chunk has said that it does not. */
	reader->failed = !request->several;
	if (error == E2E_OK)
		error = open_stream_run(&stream, &opened->data_bytes, failed);
	if (is_signed)
		sender_segments_free(&segments);
	if (error == E2E_OK) {
		reader->failed = false;
		reader->payload_pending = false;
	}
	return error;
}

static enum e2e_error
release_digested(struct e2e_reader *reader, const struct e2e_open *request,
    const struct e2e_output *output, struct e2e_opened *opened,
    uint64_t *failed)
{
	struct digest_output digest;
	enum e2e_error error;

	error = digest_output_init(&digest, output);
	if (error == E2E_OK)
		error = release(reader, request, &digest.io, opened, failed);
	if (error == E2E_OK)
		error = hash_final(digest.hash, opened->data_hash);
	opened->is_hashed = error == E2E_OK;
	hash_free(digest.hash);
	return error;
}

enum e2e_error
e2e_open_payload(struct e2e_reader *reader, const struct e2e_open *request,
    const struct e2e_output *output, struct e2e_opened *opened,
    struct e2e_diag *diag)
{
	enum e2e_error error;
	uint64_t failed = 0;

	if (reader->keys == NULL || !reader->payload_pending) {
		diag_set(diag, E2E_ERR_USAGE, 0, NULL);
		return E2E_ERR_USAGE;
	}
	errno = 0;
	error = request->hash_data ?
	    release_digested(reader, request, output, opened, &failed) :
	    release(reader, request, output, opened, &failed);
	secret_free(reader->keys);
	reader->keys = NULL;
	diag_set(diag, error, failed, "segment");
	return error;
}
