/*
 * derive.h: every hash and every key that the format derives, in one place
 * (docs/FORMAT.md, sections 3.2, 3.3, 5.1, 5.3, 5.5, 5.6, 9 and 10).
 *
 * Buffers are appended to and remember failure; the caller checks.
 */
#ifndef MESSAGE_DERIVE_H
#define MESSAGE_DERIVE_H

#include "base/buffer.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "wire/envelope.h"
#include "wire/header.h"

#include <e2e/error.h>

enum {
	DERIVE_CEK_LEN = 32,
	DERIVE_ID_LEN = 32,
	DERIVE_MESSAGE_ID_LEN = 16,
	DERIVE_GROUP_RANDOM_LEN = 16
};

/* What a header is for; no signature or encryption of one passes as another. */
enum derive_purpose { DERIVE_ENVELOPE = 0, DERIVE_WRAPPED_KEY = 1 };

/* The header's immutable parts, as hashes and signatures see them. */
struct derive_core {
	enum derive_purpose purpose;
	struct bytes protected_header;
	const unsigned char *iv;	/* HEADER_IV_LEN */
	struct bytes ciphertext;
	unsigned char recipients_hash[HASH_LEN];	/* rh, the original one */
};

/* kc: commits to the CEK and names the content algorithm. */
enum e2e_error derive_commitment(unsigned char kc[HEADER_COMMITMENT_LEN],
    const unsigned char cek[DERIVE_CEK_LEN]);

/* The whole Enc_structure of the header. */
void derive_put_header_aad(struct buffer *b, const struct derive_core *core);
/* The whole Enc_structure of a secret key file. */
void derive_put_secret_aad(struct buffer *b, struct bytes protected_header,
    const unsigned char card_hash[HASH_LEN],
    const unsigned char recipients_hash[HASH_LEN]);
/* external_aad of the sender's signature over the metadata. */
void derive_put_sender_aad(struct buffer *b, const struct derive_core *core);
/* external_aad of segment signatures. */
void derive_put_segment_aad(struct buffer *b,
    const unsigned char context_hash[HASH_LEN]);

/* ch: names this envelope's header. */
enum e2e_error derive_context_hash(unsigned char ch[HASH_LEN],
    const struct derive_core *core);

/* An element of `to`. */
enum e2e_error derive_to(unsigned char to[HASH_LEN],
    const unsigned char message_id[DERIVE_MESSAGE_ID_LEN],
    const unsigned char id[DERIVE_ID_LEN]);

/* The key that a rewrap block is under. */
enum e2e_error derive_rewrap_key(unsigned char key[AEAD_KEY_LEN],
    const unsigned char cek[DERIVE_CEK_LEN]);
/* X: to which header and which new recipients a rewrap block belongs. */
enum e2e_error derive_put_rewrap_aad(struct buffer *b,
    const struct derive_core *core, struct bytes new_recipients);

/* A group's kid. name: data NULL where there is none. */
enum e2e_error derive_group_id(unsigned char kid[HASH_LEN],
    const unsigned char maker[DERIVE_ID_LEN],
    const unsigned char random[DERIVE_GROUP_RANDOM_LEN], struct bytes name,
    uint64_t epoch);

/* Cobblestone-256. Secret: keep in memory of secret.h. */
struct derive_payload {
	unsigned char key[AEAD_KEY_LEN];
	unsigned char nonce[AEAD_NONCE_LEN];
	unsigned char commitment[ENVELOPE_COMMITMENT_LEN];
};

enum e2e_error derive_payload(struct derive_payload *payload,
    const unsigned char ik[HASH_LEN],
    const unsigned char salt[ENVELOPE_SALT_LEN],
    const unsigned char ch[HASH_LEN]);

#endif
