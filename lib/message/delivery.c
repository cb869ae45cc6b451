/* Delivery receipts (docs/FORMAT.md, 11): the recipient's word that a message
 * has arrived, and which one. */
#include "message/claims.h"
#include "message/identity.h"
#include "message/sign1.h"

#include "base/clock.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "wire/labels.h"

#include <e2e/message.h>

#include <string.h>

enum { CTI_LEN = 16 };

enum {
	SEEN_IAT = 1, SEEN_CTI = 2, SEEN_MESSAGE = 4, SEEN_CONTEXT = 8,
	SEEN_DATA = 16, SEEN_ALL = 31
};

static const struct bytes no_aad = { NULL, 0 };

static void
put_claims(struct buffer *b, const unsigned char cti[CTI_LEN],
    const struct e2e_opened *opened)
{
	dcbor_put_map(b, 5);
	claims_put_uint(b, CLAIM_IAT, clock_now());
	claims_put_bytes(b, CLAIM_CTI, cti, CTI_LEN);
	claims_put_bytes(b, CLAIM_DELIVERED, opened->message_id,
	    E2E_MESSAGE_ID_LEN);
	claims_put_bytes(b, CLAIM_CONTEXT_HASH, opened->context_hash,
	    E2E_HASH_LEN);
	claims_put_bytes(b, CLAIM_DATA_HASH, opened->data_hash, E2E_HASH_LEN);
}

enum e2e_error
e2e_delivery_make(unsigned char *data, size_t *length,
    const struct e2e_identity *recipient, const struct e2e_opened *opened)
{
	unsigned char cti[CTI_LEN];
	struct buffer claims, encoded;
	enum e2e_error error;

	*length = 0;
	if (!opened->receipt_wanted || !opened->is_hashed || opened->rewrapped ||
	    opened->sender_state != E2E_SENDER_VERIFIED)
		return E2E_ERR_USAGE;
	if (e2e_identity_locked(recipient))
		return E2E_ERR_PASSPHRASE_NEEDED;
	error = crypto_init();
	if (error != E2E_OK)
		return error;
	if (!random_bytes(cti, sizeof(cti)))
		return E2E_ERR_CRYPTO;
	buffer_init(&claims, E2E_DELIVERY_MAX);
	buffer_init(&encoded, E2E_DELIVERY_MAX);
	put_claims(&claims, cti, opened);
	error = claims.failed ? E2E_ERR_MEMORY : sign1_make(&encoded,
	    recipient->signing, TYP_DELIVERY, no_aad, buffer_bytes(&claims));
	if (error == E2E_OK) {
		memcpy(data, encoded.data, encoded.length);
		*length = encoded.length;
	}
	buffer_free(&claims);
	buffer_free(&encoded);
	return error;
}

/* ---- reading ---- */

struct reading {
	struct e2e_delivery *delivery;
	unsigned seen;
};

static enum e2e_error
take_hash(struct dcbor_reader *r, unsigned char *to, size_t size)
{
	const unsigned char *bytes;

	if (!dcbor_get_bytes_of(r, &bytes, size))
		return E2E_ERR_MALFORMED;
	memcpy(to, bytes, size);
	return E2E_OK;
}

static enum e2e_error
take_claim(void *context, struct dcbor_reader *r, int64_t claim)
{
	struct reading *reading = context;
	struct e2e_delivery *d = reading->delivery;
	const unsigned char *cti;

	switch (claim) {
	case CLAIM_IAT:
		reading->seen |= SEEN_IAT;
		return claims_judge(dcbor_get_uint(r, &d->arrived));
	case CLAIM_CTI:
		reading->seen |= SEEN_CTI;
		return claims_judge(dcbor_get_bytes_of(r, &cti, CTI_LEN));
	case CLAIM_DELIVERED:
		reading->seen |= SEEN_MESSAGE;
		return take_hash(r, d->message_id, sizeof(d->message_id));
	case CLAIM_CONTEXT_HASH:
		reading->seen |= SEEN_CONTEXT;
		return take_hash(r, d->context_hash, sizeof(d->context_hash));
	case CLAIM_DATA_HASH:
		reading->seen |= SEEN_DATA;
		return take_hash(r, d->data_hash, sizeof(d->data_hash));
	default:
		return claims_judge(dcbor_skip(r, NULL));
	}
}

enum e2e_error
e2e_delivery_read(struct e2e_delivery *delivery, const void *data,
    size_t length, const struct e2e_card *signer)
{
	struct reading reading = { delivery, 0 };
	struct cose_sign1 sign1;
	enum e2e_error error;
	bool valid = false;

	memset(delivery, 0, sizeof(*delivery));
	if (length > E2E_DELIVERY_MAX)
		return E2E_ERR_LIMIT;
	if (cose_sign1_parse(&sign1, (struct bytes){ data, length },
	    TYP_DELIVERY) != E2E_OK ||
	    claims_walk(sign1.payload, take_claim, &reading) != E2E_OK ||
	    reading.seen != SEEN_ALL ||
	    sign1.alg != signer->signing->type->alg ||
	    memcmp(sign1.kid, e2e_card_id(signer), E2E_ID_LEN) != 0)
		return E2E_ERR_DELIVERY;
	error = crypto_init();
	if (error == E2E_OK)
		error = sign1_verify(&valid, signer->signing, &sign1, no_aad);
	if (error == E2E_OK && !valid)
		error = E2E_ERR_DELIVERY_SIGNATURE;
	if (error != E2E_OK)
		memset(delivery, 0, sizeof(*delivery));
	return error;
}
