/*
 * sign1.h: making and verifying COSE_Sign1 (RFC 9052, 4.4): cards, metadata,
 * statements, and the bare signatures of segments.
 */
#ifndef MESSAGE_SIGN1_H
#define MESSAGE_SIGN1_H

#include "message/key.h"
#include "wire/cose.h"

/* Appends the whole COSE_Sign1; kid is the key's thumbprint. */
enum e2e_error sign1_make(struct buffer *out, const struct key *key,
    const char *typ, struct bytes external_aad, struct bytes payload);

/* *valid is false when the signature, the algorithm or the kid is not that of the key. */
enum e2e_error sign1_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, struct bytes external_aad);

/* Just the signature over a Sig_structure; `signature` has KEY_SIGNATURE_MAX
 * bytes of room. */
enum e2e_error sign1_signature(unsigned char *signature,
    const struct key *key, struct bytes protected_header,
    struct bytes external_aad, struct bytes payload);
enum e2e_error sign1_check(bool *valid, const struct key *key,
    struct bytes signature, struct bytes protected_header,
    struct bytes external_aad, struct bytes payload);

#endif
