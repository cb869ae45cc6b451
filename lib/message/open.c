/*
 * Opening: from the bytes of a header to a sender that was verified, in the
 * order of docs/FORMAT.md, section 6; the first failure decides. The payload
 * follows in open_stream.c.
 */
#include "message/card.h"
#include "message/content.h"
#include "message/diag.h"
#include "message/identity.h"
#include "message/open_stream.h"
#include "message/payload.h"
#include "message/reader.h"
#include "message/sender.h"
#include "message/unwrap.h"

#include "base/clock.h"
#include "base/secret.h"
#include "crypto/crypto.h"
#include "wire/labels.h"

#include <errno.h>
#include <string.h>

enum { FUTURE_MAX = 86400 };

static void
core_of(struct derive_core *core, const struct header *h)
{
	core->protected_header = h->protected_header;
	core->iv = h->iv;
	core->ciphertext = h->ciphertext;
}

/* Step 5: the metadata as bytes. */
static enum e2e_error
decrypt_metadata(struct e2e_reader *r, const struct derive_core *core,
    const unsigned char *cek, enum e2e_error header_error)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	bool authentic = false;
	struct buffer aad;

	buffer_init(&aad, 512);
	derive_put_header_aad(&aad, core);
	if (!aad.failed)
		error = content_decrypt(&r->metadata, &authentic, cek,
		    core->iv, buffer_bytes(&aad), core->ciphertext);
	buffer_free(&aad);
	return error == E2E_OK && !authentic ? header_error : error;
}

/* The key that verifies: carried in a card, or known to the caller. */
static enum e2e_error
find_sender(struct e2e_reader *r, const struct e2e_open *request,
    const unsigned char *kid)
{
	const struct e2e_card *known;
	enum e2e_error error;

	if (r->claims.card.data != NULL) {
		error = card_decode(&r->sender, r->claims.card);
		if (error == E2E_ERR_CARD)
			return E2E_ERR_MALFORMED;
		if (error != E2E_OK)
			return error;
		return memcmp(e2e_card_id(r->sender), kid, E2E_ID_LEN) == 0 ?
		    E2E_OK : E2E_ERR_MALFORMED;
	}
	known = request->find_card == NULL ? NULL :
	    request->find_card(request->find_card_context, kid);
	if (known == NULL)
		return E2E_ERR_SENDER_UNKNOWN;
	if (memcmp(e2e_card_id(known), kid, E2E_ID_LEN) != 0)
		return E2E_ERR_SENDER_UNKNOWN;
	r->sender = e2e_card_dup(known);
	return r->sender != NULL ? E2E_OK : E2E_ERR_MEMORY;
}

static enum e2e_error
verify_sender(struct e2e_reader *r, const struct e2e_open *request,
    const struct cose_sign1 *sign1, const struct derive_core *core,
    struct e2e_opened *opened)
{
	enum e2e_error error;
	bool valid = false;

	memcpy(opened->sender_id, sign1->kid, E2E_ID_LEN);
	error = find_sender(r, request, sign1->kid);
	if (error != E2E_OK)
		return error;
	if (sign1->alg != r->sender->signing->type->alg)
		return E2E_ERR_MALFORMED;
	error = sender_verify(&valid, r->sender->signing, sign1, core);
	if (error == E2E_OK && !valid)
		error = E2E_ERR_SIGNATURE;
	opened->sender = r->sender;
	opened->sender_state = E2E_SENDER_VERIFIED;
	return error;
}

/* Steps 6 and 7: claims, and who vouches for them. */
static enum e2e_error
parse_metadata(struct e2e_reader *r, const struct e2e_open *request,
    const struct derive_core *core, struct e2e_opened *opened)
{
	struct bytes metadata = buffer_bytes(&r->metadata);
	struct dcbor_reader first;
	struct cose_sign1 sign1;
	enum e2e_error error;

	dcbor_reader_init(&first, metadata.data, metadata.length);
	if (dcbor_peek(&first) != DCBOR_TAG)
		return metadata_parse(&r->claims, metadata, false);
	error = cose_sign1_parse(&sign1, metadata, TYP_METADATA);
	if (error == E2E_OK)
		error = metadata_parse(&r->claims, sign1.payload, true);
	if (error == E2E_OK)
		error = verify_sender(r, request, &sign1, core, opened);
	return error;
}

/* Step 8: was it signed for the reader, and does the mode prove anything? */
static enum e2e_error
check_addressed(struct e2e_reader *r, const struct e2e_open *request,
    const struct unwrapped *found, struct e2e_opened *opened)
{
	const struct header *h = &r->header;
	unsigned char hash[HASH_LEN];
	enum e2e_error error;

	if (opened->sender_state == E2E_SENDER_ANONYMOUS)
		return E2E_OK;
	if (found->entry->kid == NULL && found->identity >= 0) {
		error = derive_to(hash, r->claims.message_id, e2e_card_id(
		    e2e_identity_card(request->identities[found->identity])));
		if (error != E2E_OK)
			return error;
		if (!metadata_is_to(&r->claims, hash))
			return E2E_ERR_NOT_ADDRESSED;
	}
	if (r->claims.mode == MODE_HEADER && (h->recipient_count != 1 ||
	    (h->recipients[0].kind != RECIPIENT_RSA &&
	    h->recipients[0].kind != RECIPIENT_X25519)))
		opened->sender_state = E2E_SENDER_BAD_MODE;
	return E2E_OK;
}

/* Step 9. */
static enum e2e_error
check_time(const struct metadata *m, const struct e2e_open *request)
{
	uint64_t now = clock_now();

	if (m->has_expiry && now >= m->expires && !request->allow_expired)
		return E2E_ERR_EXPIRED;
	if (request->max_age == 0)
		return E2E_OK;
	if (m->issued > now)
		return m->issued - now > FUTURE_MAX ? E2E_ERR_FROM_FUTURE :
		    E2E_OK;
	return now - m->issued > request->max_age ? E2E_ERR_TOO_OLD : E2E_OK;
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
describe(struct e2e_reader *r, const struct unwrapped *found,
    struct e2e_opened *opened)
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
	opened->opened_by = found->identity;
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
	enum e2e_error error, header_error;
	struct derive_core core;
	struct unwrapped found;

	error = hash_sha256(core.recipients_hash,
	    r->header.recipients_encoded.data,
	    r->header.recipients_encoded.length);
	if (error == E2E_OK)
		error = unwrap_cek(&found, &r->header, request,
		    &header_error);
	if (error != E2E_OK)
		return error;
	core_of(&core, &r->header);
	error = r->header.rewrapped ? E2E_ERR_VERSION :
	    decrypt_metadata(r, &core, found.cek, header_error);
	secret_free(found.cek);
	if (error == E2E_OK)
		error = parse_metadata(r, request, &core, opened);
	if (error == E2E_OK)
		error = derive_context_hash(r->context_hash, &core);
	if (error != E2E_OK)
		return error;
	describe(r, &found, opened);
	error = check_addressed(r, request, &found, opened);
	if (error == E2E_OK && request->judge_sender != NULL)
		error = request->judge_sender(request->judge_sender_context,
		    opened);
	if (error == E2E_OK)
		error = check_time(&r->claims, request);
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
		    request->kdf_memory_max_kib, end);
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

enum e2e_error
e2e_open_payload(struct e2e_reader *reader, const struct e2e_open *request,
    const struct e2e_output *output, struct e2e_opened *opened,
    struct e2e_diag *diag)
{
	struct sender_segments segments;
	struct open_stream stream = {
		.reader = reader, .output = output, .keys = reader->keys,
		.single = !request->several,
		.pad = reader->claims.padded, .threads = request->threads,
		.progress = request->progress
	};
	enum e2e_error error = E2E_OK;
	uint64_t failed = 0;

	if (reader->keys == NULL || !reader->payload_pending) {
		diag_set(diag, E2E_ERR_USAGE, 0, NULL);
		return E2E_ERR_USAGE;
	}
	errno = 0;
	stream.segment_size = ENVELOPE_JOB_CHUNKS * ENVELOPE_DATA_LEN;
	if (reader->claims.mode == MODE_SEGMENTS) {
		stream.segment_size = (uint32_t)reader->claims.segment_size;
		error = sender_segments_init(&segments,
		    reader->sender->signing, reader->context_hash);
		stream.segments = &segments;
	}
	/* One of several was read in order: after a failure the source stands
	 * between two chunks, or reader_chunk has said that it does not. */
	reader->failed = !request->several;
	if (error == E2E_OK)
		error = open_stream_run(&stream, &opened->data_bytes,
		    &failed);
	if (reader->claims.mode == MODE_SEGMENTS)
		sender_segments_free(&segments);
	if (error == E2E_OK) {
		reader->failed = false;
		reader->payload_pending = false;
	}
	secret_free(reader->keys);
	reader->keys = NULL;
	diag_set(diag, error, failed, "segment");
	return error;
}
