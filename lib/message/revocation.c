/*
 * Revocations of an identity by itself (docs/FORMAT.md, 11). One is made with
 * every key, while there is no need for it: who loses the key, or its
 * passphrase, can still say so.
 */
#include "message/revocation.h"

#include "base/clock.h"
#include "base/random.h"
#include "message/claims.h"
#include "message/identity.h"
#include "message/sign1.h"
#include "wire/armor.h"
#include "wire/labels.h"

#include <stdlib.h>
#include <string.h>

enum { CTI_LEN = 16 };

struct revocation {
	struct cose_sign1 sign1;
	const unsigned char *subject;	/* E2E_ID_LEN, also who says it */
	uint64_t reason, made;
};

static const struct bytes no_aad = { NULL, 0 };

/* {5: identity id} (RFC 9679). */
static bool
take_subject(struct revocation *rev, struct dcbor_reader *r)
{
	struct dcbor_map map;
	int64_t key;

	if (!dcbor_enter_map(r, &map) || map.left != 1 ||
	    !dcbor_next_key(r, &map, &key) || key != CNF_THUMBPRINT ||
	    !dcbor_get_bytes_of(r, &rev->subject, E2E_ID_LEN))
		return false;
	dcbor_leave(r);
	return true;
}

struct reading {
	struct revocation *rev;
	const unsigned char *by;
	unsigned seen;
};

static enum e2e_error
take_claim(void *context, struct dcbor_reader *r, int64_t claim)
{
	struct reading *reading = context;
	struct revocation *rev = reading->rev;
	const unsigned char *cti;
	uint64_t since;

	switch (claim) {
	case CLAIM_ISS:
		reading->seen |= 1;
		return claims_judge(dcbor_get_bytes_of(r, &reading->by,
		    E2E_ID_LEN));
	case CLAIM_IAT:
		reading->seen |= 2;
		return claims_judge(dcbor_get_uint(r, &rev->made));
	case CLAIM_CTI:
		reading->seen |= 4;
		return claims_judge(dcbor_get_bytes_of(r, &cti, CTI_LEN));
	case CLAIM_CNF:
		reading->seen |= 8;
		return claims_judge(take_subject(rev, r));
	case CLAIM_REASON:
		reading->seen |= 16;
		return claims_judge(dcbor_get_uint(r, &rev->reason));
	case CLAIM_INVALID_SINCE:
		return claims_judge(dcbor_get_uint(r, &since));
	case CLAIM_CERTIFICATE_SERIAL:
		/* Ends a certificate, not an identity. */
		return E2E_ERR_MALFORMED;
	default:
		return claims_judge(dcbor_skip(r, NULL));
	}
}

/* Only a revocation by the identity itself. */
static enum e2e_error
parse(struct revocation *rev, struct bytes encoded)
{
	struct reading reading = { rev, NULL, 0 };

	memset(rev, 0, sizeof(*rev));
	if (encoded.length > REVOCATION_MAX)
		return E2E_ERR_LIMIT;
	if (cose_sign1_parse(&rev->sign1, encoded, TYP_REVOCATION) != E2E_OK)
		return E2E_ERR_STATEMENT;
	if (claims_walk(rev->sign1.payload, take_claim, &reading) != E2E_OK ||
	    reading.seen != 31 ||
	    memcmp(reading.by, rev->subject, E2E_ID_LEN) != 0 ||
	    memcmp(reading.by, rev->sign1.kid, E2E_ID_LEN) != 0)
		return E2E_ERR_STATEMENT;
	return E2E_OK;
}

enum e2e_error
revocation_subject(struct bytes encoded, unsigned char id[E2E_ID_LEN])
{
	struct revocation rev;
	enum e2e_error error = parse(&rev, encoded);

	if (error == E2E_OK)
		memcpy(id, rev.subject, E2E_ID_LEN);
	return error;
}

enum e2e_error
revocation_verify(struct bytes encoded, const struct e2e_card *card,
    enum e2e_revocation_reason *reason, uint64_t *made)
{
	struct revocation rev;
	enum e2e_error error;
	bool valid = false;

	error = parse(&rev, encoded);
	if (error == E2E_OK && memcmp(rev.subject, e2e_card_id(card),
	    E2E_ID_LEN) == 0 && rev.sign1.alg != card->signing->type->alg)
		error = E2E_ERR_STATEMENT;
	if (error == E2E_OK)
		error = sign1_verify(&valid, card->signing, &rev.sign1,
		    no_aad);
	if (error == E2E_OK && !valid)
		error = E2E_ERR_STATEMENT_SIGNATURE;
	if (error == E2E_OK) {
		*made = rev.made;
		*reason = rev.reason <= E2E_REVOKE_RETIRED ?
		    (enum e2e_revocation_reason)rev.reason :
		    E2E_REVOKE_UNSPECIFIED;
	}
	return error;
}

/* ---- in armor ---- */

static enum e2e_error
decode(struct buffer *encoded, const char *text, size_t length)
{
	enum e2e_error error;

	/* The text is in memory, so its content may be, too. */
	buffer_init(encoded, length + ARMOR_LINE_BYTES);
	error = armor_decode(encoded, ARMOR_REVOCATION, true, text, length);
	return error == E2E_ERR_ARMOR ? E2E_ERR_STATEMENT : error;
}

enum e2e_error
e2e_revocation_subject(const char *text, size_t length,
    unsigned char id[E2E_ID_LEN])
{
	struct buffer encoded;
	enum e2e_error error;

	error = decode(&encoded, text, length);
	if (error == E2E_OK)
		error = revocation_subject(buffer_bytes(&encoded), id);
	buffer_free(&encoded);
	return error;
}

enum e2e_error
e2e_revocation_check(const char *text, size_t length,
    const struct e2e_card *card, enum e2e_revocation_reason *reason,
    uint64_t *made)
{
	struct buffer encoded;
	enum e2e_error error;

	error = decode(&encoded, text, length);
	if (error == E2E_OK)
		error = revocation_verify(buffer_bytes(&encoded), card,
		    reason, made);
	buffer_free(&encoded);
	return error;
}

static void
put_claims(struct buffer *b, const unsigned char *id,
    const unsigned char cti[CTI_LEN], enum e2e_revocation_reason reason)
{
	dcbor_put_map(b, 5);
	dcbor_put_int(b, CLAIM_ISS);
	dcbor_put_bytes(b, id, E2E_ID_LEN);
	dcbor_put_int(b, CLAIM_IAT);
	dcbor_put_uint(b, clock_now());
	dcbor_put_int(b, CLAIM_CTI);
	dcbor_put_bytes(b, cti, CTI_LEN);
	dcbor_put_int(b, CLAIM_CNF);
	dcbor_put_map(b, 1);
	dcbor_put_int(b, CNF_THUMBPRINT);
	dcbor_put_bytes(b, id, E2E_ID_LEN);
	dcbor_put_int(b, CLAIM_REASON);
	dcbor_put_uint(b, (uint64_t)reason);
}

/* Says in words what the armor says, for whoever finds the file. */
static void
put_comments(struct buffer *text, const struct e2e_card *card)
{
	static const char words[] =
	    "# This revokes the identity below, for ever, once others have it.\n"
	    "# Keep it where the key is not; send it out when the key is lost.\n"
	    "# fingerprint: ";
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	e2e_fingerprint(fingerprint, e2e_card_id(card));
	(void)buffer_append(text, words, strlen(words));
	(void)buffer_append(text, fingerprint, strlen(fingerprint));
	(void)buffer_append_byte(text, '\n');
}

enum e2e_error
e2e_revocation_make(char **text, const struct e2e_identity *identity,
    enum e2e_revocation_reason reason)
{
	struct buffer claims, encoded, out;
	unsigned char cti[CTI_LEN];
	enum e2e_error error;

	*text = NULL;
	if (e2e_identity_locked(identity))
		return E2E_ERR_PASSPHRASE_NEEDED;
	if (!random_bytes(cti, sizeof(cti)))
		return E2E_ERR_CRYPTO;
	buffer_init(&claims, REVOCATION_MAX);
	buffer_init(&encoded, REVOCATION_MAX);
	buffer_init(&out, 2 * REVOCATION_MAX);
	put_claims(&claims, e2e_card_id(identity->card), cti, reason);
	error = claims.failed ? E2E_ERR_MEMORY : sign1_make(&encoded,
	    identity->signing, TYP_REVOCATION, no_aad, buffer_bytes(&claims));
	if (error == E2E_OK) {
		put_comments(&out, identity->card);
		error = armor_encode(&out, ARMOR_REVOCATION, encoded.data,
		    encoded.length);
	}
	if (error == E2E_OK && !buffer_append_byte(&out, '\0'))
		error = E2E_ERR_MEMORY;
	if (error == E2E_OK) {
		*text = malloc(out.length);
		if (*text == NULL)
			error = E2E_ERR_MEMORY;
		else
			memcpy(*text, out.data, out.length);
	}
	buffer_free(&claims);
	buffer_free(&encoded);
	buffer_free(&out);
	return error;
}
