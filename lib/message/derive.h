/*
 * derive.h: every hash and every key that the format derives, in one place
 * (docs/FORMAT.md, sections 3.2, 3.3, 5.1, 5.3, 5.5 and 5.6).
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

enum { DERIVE_CEK_LEN = 32, DERIVE_ID_LEN = 32, DERIVE_MESSAGE_ID_LEN = 16 };

/* The header's immutable parts, as hashes and signatures see them. */
struct derive_core {
	struct bytes protected_header;
	const unsigned char *iv;	/* HEADER_IV_LEN */
	struct bytes ciphertext;
	unsigned char recipients_hash[HASH_LEN];	/* rh */
};

/* kc: commits to the CEK and names the content algorithm. */
enum e2e_error derive_commitment(unsigned char kc[HEADER_COMMITMENT_LEN],
    const unsigned char cek[DERIVE_CEK_LEN]);

/* The whole Enc_structure of an envelope's header. */
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
