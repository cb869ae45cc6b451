/*
 * Sealing: recipients, metadata, header, then the payload. The order of the
 * steps follows what depends on what (docs/FORMAT.md, sections 3 to 5).
 */
#include "message/content.h"
#include "message/diag.h"
#include "message/identity.h"
#include "message/metadata.h"
#include "message/recipients.h"
#include "message/seal_stream.h"
#include "message/sender.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "crypto/crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_DEFAULT = 1 << 20, HIDDEN_RSA_MAX = 128 };

struct sealing {
	const struct e2e_seal *request;
	/* Recipients without repeats, the sender himself last. */
	const struct e2e_card **cards;
	size_t card_count;
	size_t entry_count;		/* cards, and perhaps a passphrase */
	size_t repeated;
	unsigned char *cek, *payload_key;	/* secrets */
	unsigned char message_id[DERIVE_MESSAGE_ID_LEN];
	unsigned char iv[HEADER_IV_LEN];
	unsigned char context_hash[HASH_LEN];
	struct buffer recipients, protected_header, to, metadata, ciphertext;
	struct derive_core core;
	uint64_t mode;
	uint32_t segment_size;
};

static void
sealing_init(struct sealing *s, const struct e2e_seal *request)
{
	memset(s, 0, sizeof(*s));
	s->request = request;
	s->segment_size = request->segment_size != 0 ?
	    request->segment_size : SEGMENT_DEFAULT;
	buffer_init(&s->recipients, HEADER_MAX);
	buffer_init(&s->protected_header, 64);
	buffer_init(&s->to, HEADER_RECIPIENTS_MAX * HASH_LEN);
	buffer_init_secret(&s->metadata, HEADER_METADATA_MAX);
	buffer_init(&s->ciphertext, HEADER_METADATA_MAX + HEADER_TAG_LEN);
}

static void
sealing_free(struct sealing *s)
{
	free(s->cards);
	secret_free(s->cek);
	secret_free(s->payload_key);
	buffer_free(&s->recipients);
	buffer_free(&s->protected_header);
	buffer_free(&s->to);
	buffer_free(&s->metadata);
	buffer_free(&s->ciphertext);
}

/* ---- recipients ---- */

static bool
is_listed(const struct sealing *s, const struct e2e_card *card)
{
	size_t i;

	for (i = 0; i < s->card_count; i++) {
		if (memcmp(e2e_card_id(s->cards[i]), e2e_card_id(card),
		    E2E_ID_LEN) == 0)
			return true;
	}
	return false;
}

static enum e2e_error
add_card(struct sealing *s, const struct e2e_card *card, uint64_t now)
{
	if (is_listed(s, card)) {
		s->repeated++;
		return E2E_OK;
	}
	if (s->entry_count == E2E_RECIPIENTS_MAX)
		return E2E_ERR_TOO_MANY_RECIPIENTS;
	if (card->expires != 0 && now >= card->expires)
		return E2E_ERR_RECIPIENT_EXPIRED;
	s->cards[s->card_count++] = card;
	s->entry_count++;
	return E2E_OK;
}

/* Each identity once, in the order given, the sender himself last. *which:
 * the one that an expired card is about. */
static enum e2e_error
list_recipients(struct sealing *s, uint64_t now, uint64_t *which)
{
	const struct e2e_seal *q = s->request;
	enum e2e_error error = E2E_OK;
	size_t i, hidden_rsa = 0;

	s->cards = calloc(E2E_RECIPIENTS_MAX, sizeof(*s->cards));
	if (s->cards == NULL)
		return E2E_ERR_MEMORY;
	if (q->passphrase != NULL)
		s->entry_count++;
	for (i = 0; i < q->recipient_count && error == E2E_OK; i++) {
		*which = i;
		error = add_card(s, q->recipients[i], now);
	}
	if (error == E2E_OK && q->to_self && !is_listed(s, q->sender->card)) {
		*which = i;
		error = add_card(s, q->sender->card, now);
	}
	if (error != E2E_OK)
		return error;
	if (s->entry_count == 0)
		return E2E_ERR_USAGE;
	for (i = 0; i < s->card_count && q->hide_recipients; i++) {
		if (s->cards[i]->encryption[0]->type->recipient_kind ==
		    RECIPIENT_RSA && ++hidden_rsa > HIDDEN_RSA_MAX)
			return E2E_ERR_RSA_TRIALS;
	}
	return E2E_OK;
}

/* R: every entry wraps the CEK. */
static enum e2e_error
wrap_recipients(struct sealing *s)
{
	const struct e2e_seal *q = s->request;
	const struct recipient_type *type;
	const struct key *key;
	enum e2e_error error = E2E_OK;
	size_t i;

	dcbor_put_array(&s->recipients, s->entry_count);
	for (i = 0; i < s->card_count && error == E2E_OK; i++) {
		key = s->cards[i]->encryption[0];
		type = recipient_type_find(key->type->recipient_kind);
		error = type == NULL ? E2E_ERR_CARD : type->wrap(
		    &s->recipients, key, q->hide_recipients ? NULL :
		    e2e_card_id(s->cards[i]), s->cek);
	}
	if (error == E2E_OK && q->passphrase != NULL)
		error = recipients_wrap_passphrase(&s->recipients,
		    q->passphrase, q->passphrase_length, q->passphrase_cost,
		    s->cek);
	return error == E2E_OK && s->recipients.failed ? E2E_ERR_MEMORY :
	    error;
}

/* The hashes of -65631, for entries without kid in signed messages. */
static enum e2e_error
hash_hidden(struct sealing *s)
{
	unsigned char hash[HASH_LEN];
	enum e2e_error error = E2E_OK;
	size_t i;

	if (s->request->sender == NULL || !s->request->hide_recipients)
		return E2E_OK;
	for (i = 0; i < s->card_count && error == E2E_OK; i++) {
		error = derive_to(hash, s->message_id,
		    e2e_card_id(s->cards[i]));
		if (error == E2E_OK &&
		    !buffer_append(&s->to, hash, sizeof(hash)))
			error = E2E_ERR_MEMORY;
	}
	return error;
}

/* ---- the header ---- */

static enum e2e_error
draw_secrets(struct sealing *s)
{
	s->cek = content_new_cek();
	s->payload_key = secret_alloc(HASH_LEN);
	if (s->cek == NULL || s->payload_key == NULL)
		return E2E_ERR_MEMORY;
	return random_bytes(s->payload_key, HASH_LEN) &&
	    random_bytes(s->message_id, sizeof(s->message_id)) &&
	    random_bytes(s->iv, sizeof(s->iv)) ? E2E_OK : E2E_ERR_CRYPTO;
}

/* The one place that decides about the mode (docs/FORMAT.md, 5.5). */
static uint64_t
choose_mode(const struct sealing *s)
{
	const struct e2e_seal *q = s->request;

	if (q->sender == NULL)
		return MODE_ANONYMOUS;
	return s->entry_count == 1 && q->passphrase == NULL &&
	    !q->sign_segments ? MODE_HEADER : MODE_SEGMENTS;
}

static struct bytes
text_bytes(const char *text)
{
	if (text == NULL)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ (const unsigned char *)text, strlen(text) };
}

static enum e2e_error
put_metadata(struct sealing *s, uint64_t now)
{
	const struct e2e_seal *q = s->request;
	struct metadata m;

	memset(&m, 0, sizeof(m));
	m.issued = now;
	m.message_id = s->message_id;
	m.payload_key = s->payload_key;
	m.mode = s->mode;
	m.segment_size = s->segment_size;
	m.has_expiry = q->expires != 0;
	m.expires = q->expires;
	m.media_type = text_bytes(q->media_type);
	m.file_name = text_bytes(q->file_name);
	m.reply_to = q->reply_to;
	m.padded = q->pad;
	if (q->sender != NULL && !q->no_card)
		m.card = buffer_bytes(&q->sender->card->encoded);
	if (s->to.length > 0)
		m.to = buffer_bytes(&s->to);
	return sender_put_metadata(&s->metadata, &m,
	    q->sender != NULL ? q->sender->signing : NULL, &s->core);
}

static enum e2e_error
make_header(struct sealing *s, struct buffer *header, uint64_t now)
{
	struct buffer aad;
	enum e2e_error error;

	error = draw_secrets(s);
	if (error == E2E_OK)
		error = wrap_recipients(s);
	if (error == E2E_OK)
		error = hash_sha256(s->core.recipients_hash,
		    s->recipients.data, s->recipients.length);
	if (error == E2E_OK)
		error = content_put_protected(&s->protected_header, s->cek);
	if (error == E2E_OK)
		error = hash_hidden(s);
	if (error != E2E_OK)
		return error;
	s->core.protected_header = buffer_bytes(&s->protected_header);
	s->core.iv = s->iv;
	s->mode = choose_mode(s);
	error = put_metadata(s, now);
	if (error != E2E_OK)
		return error;
	buffer_init(&aad, 512);
	derive_put_header_aad(&aad, &s->core);
	error = aad.failed ? E2E_ERR_MEMORY : content_encrypt(&s->ciphertext,
	    s->cek, s->iv, buffer_bytes(&aad), buffer_bytes(&s->metadata));
	buffer_free(&aad);
	if (error != E2E_OK)
		return error;
	s->core.ciphertext = buffer_bytes(&s->ciphertext);
	header_put(header, s->core.protected_header, s->iv,
	    s->core.ciphertext, buffer_bytes(&s->recipients));
	if (header->failed)
		return E2E_ERR_MEMORY;
	return derive_context_hash(s->context_hash, &s->core);
}

/* ---- all of it ---- */

/* Everything in front of the first chunk. */
static enum e2e_error
put_front(struct sealing *s, struct buffer *front,
    struct derive_payload *keys, uint64_t now)
{
	unsigned char salt[ENVELOPE_SALT_LEN];
	enum e2e_error error;

	(void)buffer_append(front, envelope_start, sizeof(envelope_start));
	error = make_header(s, front, now);
	if (error != E2E_OK)
		return error;
	if (!random_bytes(salt, sizeof(salt)))
		return E2E_ERR_CRYPTO;
	error = derive_payload(keys, s->payload_key, salt, s->context_hash);
	(void)buffer_append(front, envelope_preamble_head,
	    sizeof(envelope_preamble_head));
	(void)buffer_append(front, salt, sizeof(salt));
	(void)buffer_append(front, keys->commitment,
	    sizeof(keys->commitment));
	return error == E2E_OK && front->failed ? E2E_ERR_MEMORY : error;
}

static enum e2e_error
write_envelope(struct sealing *s, const struct buffer *front,
    const struct derive_payload *keys, const struct e2e_input *input,
    const struct e2e_output *output, struct e2e_sealed *sealed,
    uint64_t *failed)
{
	const struct e2e_seal *q = s->request;
	struct sender_segments segments;
	struct sink sink;
	struct seal_stream stream = {
		.input = input, .sink = &sink, .front = buffer_bytes(front),
		.keys = keys, .segment_size = s->segment_size,
		.pad = q->pad, .threads = q->threads, .progress = q->progress
	};
	enum e2e_error error = E2E_OK;

	sink_init(&sink, output, q->armor);
	if (s->mode == MODE_SEGMENTS) {
		error = sender_segments_init(&segments, q->sender->signing,
		    s->context_hash);
		stream.segments = &segments;
	}
	if (error == E2E_OK)
		error = seal_stream_run(&stream, &sealed->data_bytes,
		    &sealed->envelope_bytes, failed);
	if (error == E2E_OK)
		error = sink_end(&sink, sealed->envelope_bytes);
	if (s->mode == MODE_SEGMENTS)
		sender_segments_free(&segments);
	sink_free(&sink);
	return error;
}

static enum e2e_error
check_text(const char *text)
{
	return text == NULL || (strlen(text) <= E2E_TEXT_MAX &&
	    utf8_valid(text, strlen(text))) ? E2E_OK : E2E_ERR_USAGE;
}

static enum e2e_error
check_request(const struct e2e_seal *q, uint32_t segment_size)
{
	if (q->to_self && q->sender == NULL)
		return E2E_ERR_USAGE;
	if (q->sender != NULL && e2e_identity_locked(q->sender))
		return E2E_ERR_PASSPHRASE_NEEDED;
	if (segment_size < METADATA_SEGMENT_MIN ||
	    segment_size > METADATA_SEGMENT_MAX)
		return E2E_ERR_LIMIT;
	if (check_text(q->file_name) != E2E_OK ||
	    check_text(q->media_type) != E2E_OK)
		return E2E_ERR_USAGE;
	return E2E_OK;
}

enum e2e_error
e2e_seal(const struct e2e_seal *request, const struct e2e_input *input,
    const struct e2e_output *output, struct e2e_sealed *sealed,
    struct e2e_diag *diag)
{
	struct sealing s;
	struct e2e_sealed result;
	struct derive_payload *keys = NULL;
	struct buffer front;
	uint64_t now = clock_now(), failed = 0;
	const char *unit = NULL;
	enum e2e_error error;

	memset(&result, 0, sizeof(result));
	sealing_init(&s, request);
	buffer_init(&front, HEADER_MAX + 256);
	errno = 0;
	error = crypto_init();
	if (error == E2E_OK)
		error = check_request(request, s.segment_size);
	if (error == E2E_OK)
		error = list_recipients(&s, now, &failed);
	if (error == E2E_ERR_RECIPIENT_EXPIRED)
		unit = "recipient";
	if (error != E2E_OK)
		goto out;
	failed = 0;
	error = E2E_ERR_MEMORY;
	keys = secret_alloc(sizeof(*keys));
	if (keys == NULL)
		goto out;
	error = put_front(&s, &front, keys, now);
	if (error == E2E_OK) {
		unit = "segment";
		error = write_envelope(&s, &front, keys, input, output,
		    &result, &failed);
	}
	memcpy(result.message_id, s.message_id, sizeof(result.message_id));
	result.recipient_count = s.entry_count;
	result.repeated = s.repeated;
	result.mode = (int)s.mode;
out:
	diag_set(diag, error, failed, unit);
	if (sealed != NULL)
		*sealed = result;
	secret_free(keys);
	buffer_free(&front);
	sealing_free(&s);
	return error;
}
