/*
 * Sealing: recipients, metadata, header, then the payload. The order of the
 * steps follows what depends on what (docs/FORMAT.md, sections 3 to 5).
 */
#include "message/addressees.h"
#include "message/diag.h"
#include "message/digest.h"
#include "message/identity.h"
#include "message/metadata.h"
#include "message/seal_header.h"
#include "message/seal_stream.h"
#include "message/sender.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "crypto/crypto.h"

#include <errno.h>
#include <string.h>

enum { SEGMENT_DEFAULT = 1 << 20 };

struct sealing {
	const struct e2e_seal *request;
	struct addressees addressees;	/* the sender himself last */
	struct seal_header header;
	unsigned char *payload_key;	/* secret */
	unsigned char message_id[DERIVE_MESSAGE_ID_LEN];
	unsigned char context_hash[HASH_LEN];
	struct buffer to, metadata;
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
	buffer_init(&s->to, HEADER_RECIPIENTS_MAX * HASH_LEN);
	buffer_init_secret(&s->metadata, HEADER_METADATA_MAX);
}

static void
sealing_free(struct sealing *s)
{
	addressees_free(&s->addressees);
	seal_header_free(&s->header);
	secret_free(s->payload_key);
	buffer_free(&s->to);
	buffer_free(&s->metadata);
}

/* ---- the header ---- */

static enum e2e_error
draw_secrets(struct sealing *s)
{
	s->payload_key = secret_alloc(HASH_LEN);
	if (s->payload_key == NULL)
		return E2E_ERR_MEMORY;
	return random_bytes(s->payload_key, HASH_LEN) &&
	    random_bytes(s->message_id, sizeof(s->message_id)) ?
	    E2E_OK : E2E_ERR_CRYPTO;
}

/* The one place that decides about the mode (docs/FORMAT.md, 5.5). */
static uint64_t
choose_mode(const struct sealing *s)
{
	const struct e2e_seal *q = s->request;

	if (q->sender == NULL)
		return MODE_ANONYMOUS;
	return addressees_is_one_key(&s->addressees) && !q->sign_segments ?
	    MODE_HEADER : MODE_SEGMENTS;
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
	m.conversation = q->conversation;
	m.sequence = q->sequence;
	m.padded = q->pad;
	m.receipt_wanted = q->ask_receipt;
	if (q->sender != NULL && !q->no_card)
		m.card = buffer_bytes(&q->sender->card->encoded);
	if (s->to.length > 0)
		m.to = buffer_bytes(&s->to);
	return sender_put_metadata(&s->metadata, &m,
	    q->sender != NULL ? q->sender->signing : NULL,
	    &s->header.core);
}

static enum e2e_error
make_header(struct sealing *s, struct buffer *header, uint64_t now)
{
	enum e2e_error error;

	error = draw_secrets(s);
	if (error == E2E_OK)
		error = seal_header_begin(&s->header, DERIVE_ENVELOPE,
		    &s->addressees);
	/* For entries without kid in signed messages. */
	if (error == E2E_OK && s->request->sender != NULL)
		error = addressees_hash(&s->to, &s->addressees,
		    s->message_id);
	if (error != E2E_OK)
		return error;
	s->mode = choose_mode(s);
	error = put_metadata(s, now);
	if (error == E2E_OK)
		error = seal_header_end(&s->header,
		    buffer_bytes(&s->metadata), header);
	if (error == E2E_OK)
		error = derive_context_hash(s->context_hash,
		    &s->header.core);
	return error;
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
	if ((q->to_self || q->ask_receipt) && q->sender == NULL)
		return E2E_ERR_USAGE;
	if (q->conversation != NULL &&
	    (q->sequence == 0 || q->sequence > E2E_NUMBER_MAX))
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

/* With a receipt to come: what it will have to say about the data. */
static enum e2e_error
write_digested(struct sealing *s, const struct buffer *front,
    const struct derive_payload *keys, const struct e2e_input *input,
    const struct e2e_output *output, struct e2e_sealed *sealed,
    uint64_t *failed)
{
	struct digest_input digest;
	enum e2e_error error;

	if (!s->request->ask_receipt)
		return write_envelope(s, front, keys, input, output, sealed,
		    failed);
	error = digest_input_init(&digest, input);
	if (error == E2E_OK)
		error = write_envelope(s, front, keys, &digest.io, output,
		    sealed, failed);
	if (error == E2E_OK)
		error = hash_final(digest.hash, sealed->data_hash);
	hash_free(digest.hash);
	return error;
}

static enum e2e_error
seal(struct sealing *s, const struct e2e_input *input,
    const struct e2e_output *output, struct e2e_sealed *sealed,
    uint64_t *failed)
{
	struct derive_payload *keys = secret_alloc(sizeof(*keys));
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer front;

	buffer_init(&front, HEADER_MAX + 256);
	if (keys != NULL)
		error = put_front(s, &front, keys, clock_now());
	if (error == E2E_OK)
		error = write_digested(s, &front, keys, input, output, sealed,
		    failed);
	secret_free(keys);
	buffer_free(&front);
	return error;
}

enum e2e_error
e2e_seal(const struct e2e_seal *request, const struct e2e_input *input,
    const struct e2e_output *output, struct e2e_sealed *sealed,
    struct e2e_diag *diag)
{
	struct sealing s;
	struct e2e_sealed result;
	uint64_t failed = 0;
	const char *unit = NULL;
	enum e2e_error error;

	memset(&result, 0, sizeof(result));
	sealing_init(&s, request);
	errno = 0;
	error = crypto_init();
	if (error == E2E_OK)
		error = check_request(request, s.segment_size);
	if (error == E2E_OK)
		error = addressees_list(&s.addressees, &request->to,
		    request->to_self ? request->sender->card : NULL,
		    clock_now(), &failed);
	if (error == E2E_ERR_RECIPIENT_EXPIRED)
		unit = "recipient";
	if (error == E2E_OK)
		error = addressees_admit(&s.addressees, request->sender);
	if (error == E2E_OK) {
		failed = 0;
		unit = "segment";
		error = seal(&s, input, output, &result, &failed);
	}
	memcpy(result.message_id, s.message_id, sizeof(result.message_id));
	memcpy(result.context_hash, s.context_hash,
	    sizeof(result.context_hash));
	result.recipient_count = s.addressees.entry_count;
	result.repeated = s.addressees.repeated;
	result.mode = (int)s.mode;
	diag_set(diag, error, failed, unit);
	if (sealed != NULL)
		*sealed = result;
	sealing_free(&s);
	return error;
}
