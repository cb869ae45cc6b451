/* Claims of a message. */
#include "message/metadata.h"

#include "message/claims.h"
#include "wire/labels.h"

#include <string.h>

/* Which claims were there. */
enum {
	SEEN_IAT = 1, SEEN_CTI = 2, SEEN_IK = 4, SEEN_MODE = 8,
	SEEN_SEGMENT = 16, SEEN_SEQUENCE = 32, SEEN_RECEIPT = 64,
	SEEN_MANDATORY = SEEN_IAT | SEEN_CTI | SEEN_IK | SEEN_MODE
};

/* A flag is true or not there. */
static enum e2e_error
take_flag(struct dcbor_reader *r, bool *flag)
{
	return claims_judge(dcbor_get_bool(r, flag) && *flag);
}

static enum e2e_error
take_segment_size(struct dcbor_reader *r, uint64_t *size)
{
	if (!dcbor_get_uint(r, size))
		return E2E_ERR_MALFORMED;
	return *size < METADATA_SEGMENT_MIN || *size > METADATA_SEGMENT_MAX ?
	    E2E_ERR_LIMIT : E2E_OK;
}

static enum e2e_error
take_padding(struct dcbor_reader *r)
{
	struct bytes zeros;
	size_t i;

	if (!dcbor_get_bytes(r, &zeros))
		return E2E_ERR_MALFORMED;
	for (i = 0; i < zeros.length; i++) {
		if (zeros.data[i] != 0)
			return E2E_ERR_MALFORMED;
	}
	return E2E_OK;
}

struct reading {
	struct metadata *m;
	unsigned seen;
};

static enum e2e_error
take_claim(void *context, struct dcbor_reader *r, int64_t claim)
{
	struct reading *reading = context;
	struct metadata *m = reading->m;

	switch (claim) {
	case CLAIM_EXP:
		m->has_expiry = true;
		return claims_judge(dcbor_get_uint(r, &m->expires));
	case CLAIM_IAT:
		reading->seen |= SEEN_IAT;
		return claims_judge(dcbor_get_uint(r, &m->issued));
	case CLAIM_CTI:
		reading->seen |= SEEN_CTI;
		return claims_judge(dcbor_get_bytes_of(r, &m->message_id,
		    DERIVE_MESSAGE_ID_LEN));
	case CLAIM_PAYLOAD_KEY:
		reading->seen |= SEEN_IK;
		return claims_judge(dcbor_get_bytes_of(r, &m->payload_key,
		    HASH_LEN));
	case CLAIM_MODE:
		reading->seen |= SEEN_MODE;
		return claims_judge(dcbor_get_uint(r, &m->mode));
	case CLAIM_SEGMENT_SIZE:
		reading->seen |= SEEN_SEGMENT;
		return take_segment_size(r, &m->segment_size);
	case CLAIM_CONVERSATION:
		return claims_judge(dcbor_get_bytes_of(r, &m->conversation,
		    E2E_CONVERSATION_LEN));
	case CLAIM_SEQUENCE:
		reading->seen |= SEEN_SEQUENCE;
		return claims_judge(dcbor_get_uint(r, &m->sequence));
	case CLAIM_MEDIA_TYPE:
		return claims_take_text(r, &m->media_type);
	case CLAIM_FILE_NAME:
		return claims_take_text(r, &m->file_name);
	case CLAIM_REPLY_TO:
		return claims_judge(dcbor_get_bytes_of(r, &m->reply_to,
		    DERIVE_MESSAGE_ID_LEN));
	case CLAIM_CARD:
		return claims_take_card(r, &m->card);
	case CLAIM_PADDED:
		return take_flag(r, &m->padded);
	case CLAIM_RECEIPT:
		reading->seen |= SEEN_RECEIPT;
		return take_flag(r, &m->receipt_wanted);
	case CLAIM_TO:
		return claims_take_hashes(r, &m->to, 1, UINT64_MAX);
	case CLAIM_PADDING:
		return take_padding(r);
	default:
		return claims_judge(dcbor_skip(r, NULL));
	}
}

/* Rules about claims together. */
static enum e2e_error
check(const struct metadata *m, bool is_signed, unsigned seen)
{
	bool segments = m->mode == MODE_SEGMENTS;

	if ((seen & SEEN_MANDATORY) != SEEN_MANDATORY)
		return E2E_ERR_MALFORMED;
	if (is_signed ? (m->mode != MODE_HEADER && !segments) :
	    m->mode != MODE_ANONYMOUS)
		return E2E_ERR_MALFORMED;
	if (segments != ((seen & SEEN_SEGMENT) != 0))
		return E2E_ERR_MALFORMED;
	if ((m->conversation != NULL) != ((seen & SEEN_SEQUENCE) != 0))
		return E2E_ERR_MALFORMED;
	if (!is_signed && (m->card.data != NULL || m->to.data != NULL ||
	    (seen & SEEN_RECEIPT) != 0))
		return E2E_ERR_MALFORMED;
	return E2E_OK;
}

enum e2e_error
metadata_parse(struct metadata *m, struct bytes claims, bool is_signed)
{
	struct reading reading = { m, 0 };
	enum e2e_error error;

	memset(m, 0, sizeof(*m));
	error = claims_walk(claims, take_claim, &reading);
	return error == E2E_OK ? check(m, is_signed, reading.seen) : error;
}

/* ---- writing ---- */

static void
put_flag(struct buffer *b, int64_t claim)
{
	dcbor_put_int(b, claim);
	dcbor_put_bool(b, true);
}

static void
put_zeros(struct buffer *b, size_t count)
{
	unsigned char *room;

	dcbor_put_int(b, CLAIM_PADDING);
	dcbor_put_bytes_head(b, count);
	if (count > 0 && (room = buffer_extend(b, count)) != NULL)
		memset(room, 0, count);
}

/* In the order that deterministic encoding asks for. */
void
metadata_put(struct buffer *b, const struct metadata *m, int padding)
{
	bool segments = m->mode == MODE_SEGMENTS;

	dcbor_put_map(b, (size_t)4 + m->has_expiry + segments +
	    2 * (m->conversation != NULL) + (m->media_type.data != NULL) +
	    (m->file_name.data != NULL) + (m->reply_to != NULL) +
	    (m->card.data != NULL) + m->padded + m->receipt_wanted +
	    (m->to.data != NULL) + (padding >= 0));
	if (m->has_expiry)
		claims_put_uint(b, CLAIM_EXP, m->expires);
	claims_put_uint(b, CLAIM_IAT, m->issued);
	claims_put_bytes(b, CLAIM_CTI, m->message_id, DERIVE_MESSAGE_ID_LEN);
	claims_put_bytes(b, CLAIM_PAYLOAD_KEY, m->payload_key, HASH_LEN);
	claims_put_uint(b, CLAIM_MODE, m->mode);
	if (segments)
		claims_put_uint(b, CLAIM_SEGMENT_SIZE, m->segment_size);
	if (m->conversation != NULL) {
		claims_put_bytes(b, CLAIM_CONVERSATION, m->conversation,
		    E2E_CONVERSATION_LEN);
		claims_put_uint(b, CLAIM_SEQUENCE, m->sequence);
	}
	if (m->media_type.data != NULL)
		claims_put_text(b, CLAIM_MEDIA_TYPE, m->media_type);
	if (m->file_name.data != NULL)
		claims_put_text(b, CLAIM_FILE_NAME, m->file_name);
	if (m->reply_to != NULL)
		claims_put_bytes(b, CLAIM_REPLY_TO, m->reply_to,
		    DERIVE_MESSAGE_ID_LEN);
	if (m->card.data != NULL)
		claims_put_bytes(b, CLAIM_CARD, m->card.data, m->card.length);
	if (m->padded)
		put_flag(b, CLAIM_PADDED);
	if (m->receipt_wanted)
		put_flag(b, CLAIM_RECEIPT);
	if (m->to.data != NULL)
		claims_put_hashes(b, CLAIM_TO, m->to);
	if (padding >= 0)
		put_zeros(b, (size_t)padding);
}
