/*
 * cose.h: COSE_Sign1 and COSE_Key as this format uses them (RFC 9052, 8230),
 * bytes to structs and back. Nothing is computed or verified here.
 *
 * Parsed structs point into the bytes that were parsed. Functions that parse
 * return E2E_ERR_MALFORMED unless their contract names another error.
 */
#ifndef WIRE_COSE_H
#define WIRE_COSE_H

#include "base/buffer.h"
#include "wire/dcbor.h"

#include <e2e/error.h>

#include <stdbool.h>
#include <stdint.h>

enum { COSE_KID_LEN = 32 };

/* ---- COSE_Sign1: tag 18, closed headers, attached payload ---- */

struct cose_sign1 {
	int64_t alg;
	const unsigned char *kid;	/* COSE_KID_LEN bytes */
	struct bytes protected_header;	/* encoded, without its own head */
	struct bytes payload;
	struct bytes signature;
};

/* Exactly one COSE_Sign1 with this typ and nothing behind it. */
enum e2e_error cose_sign1_parse(struct cose_sign1 *sign1, struct bytes encoded,
    const char *typ);
/* The encoded protected header map. */
void cose_put_sign1_protected(struct buffer *b, int64_t alg,
    const unsigned char kid[COSE_KID_LEN], const char *typ);
void cose_put_sign1(struct buffer *b, struct bytes protected_header,
    struct bytes payload, struct bytes signature);

/* What is signed, and what is authenticated (RFC 9052, 4.4 and 5.3).
 * external_aad: the bytes inside the byte string. */
void cose_put_sig_structure(struct buffer *b, struct bytes protected_header,
    struct bytes external_aad, struct bytes payload);
void cose_put_enc_structure(struct buffer *b, struct bytes protected_header,
    struct bytes external_aad);

/* ---- COSE_Key ---- */

enum cose_rsa_part {
	COSE_RSA_N, COSE_RSA_E, COSE_RSA_D, COSE_RSA_P, COSE_RSA_Q,
	COSE_RSA_DP, COSE_RSA_DQ, COSE_RSA_QINV, COSE_RSA_PARTS
};

struct cose_key {
	int64_t kty;			/* KTY_RSA or KTY_OKP */
	int64_t alg;			/* agrees with kty and crv */
	int64_t crv;			/* of OKP */
	struct bytes x, d;		/* of OKP; d.data NULL when public */
	struct bytes rsa[COSE_RSA_PARTS]; /* private parts NULL when public */
};

bool cose_key_is_private(const struct cose_key *key);
/*
 * The next item of the reader: a closed COSE_Key of one of the four algorithms.
 * Demands (does not merely allow) private parts if want_private.
 * RSA integers have no leading zero; their sizes are not judged here.
 */
enum e2e_error cose_key_parse(struct cose_key *key, struct dcbor_reader *r,
    bool want_private);
/* Writes the private parts too if `with_private`. */
void cose_put_key(struct buffer *b, const struct cose_key *key,
    bool with_private);
/* The deterministic map that RFC 9679 hashes. */
void cose_put_thumbprint_input(struct buffer *b, const struct cose_key *key);

#endif
