/*
 * forge.h: envelopes made by hand from the library's inner functions, step
 * by step, so that a test can go wrong at any of them: what an insider who
 * knows the keys, or a writer with a bug, could send.
 *
 *	forge_begin		constants for keys and ids
 *	forge_add_...		entries of R
 *	forge_metadata		P, rh, claims, signature, ciphertext, ch
 *	forge_segments		or f.stream filled by the test
 *	forge_envelope		all of it as bytes
 *	forge_rewrap		that with other recipients
 *	forge_wrapped_key	instead: the key of a group
 */
#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include "lab.h"

#include "message/identity.h"
#include "message/metadata.h"
#include "message/rewrap_block.h"
#include "wire/recipient.h"

struct forge {
	unsigned char cek[DERIVE_CEK_LEN], iv[HEADER_IV_LEN];
	unsigned char payload_key[HASH_LEN], salt[ENVELOPE_SALT_LEN];
	unsigned char message_id[DERIVE_MESSAGE_ID_LEN];
	const struct e2e_identity *signer;	/* NULL: bare */
	const char *typ;
	struct metadata claims;	/* unless raw_claims is filled */

	size_t entry_count;
	struct buffer entries, recipients;	/* without and with head */
	struct buffer protected_header, raw_claims, metadata, ciphertext;
	struct derive_core core;
	unsigned char context_hash[HASH_LEN];
	struct buffer stream, envelope;

	/* What forge_rewrap adds. */
	struct rewrap_block block;	/* unless raw_block is filled */
	struct buffer raw_block;	/* claims */
	const char *block_typ;
	unsigned char rewrap_iv[HEADER_IV_LEN];
};

/* mode 2 if there is a signer, else 0; segments of 65536 bytes. */
void forge_begin(struct forge *f, const struct e2e_identity *signer);
void forge_end(struct forge *f);

/* The current encryption key; its owner's id as kid unless hidden. */
void forge_add(struct forge *f, const struct e2e_identity *to, bool hidden);
void forge_add_card(struct forge *f, const struct e2e_card *to,
    const unsigned char *kid);
void forge_add_group(struct forge *f, const struct e2e_group_key *group,
    bool hidden);
void forge_add_passphrase(struct forge *f, const char *passphrase);
void forge_add_raw(struct forge *f, const char *hex);

/* P and R; then, if it is not there, the metadata; and encryption. */
void forge_header(struct forge *f);
void forge_metadata(struct forge *f);
void forge_encrypt(struct forge *f);
/* The three together. */
void forge_all_of_header(struct forge *f);

/* Signature and segment, appended to the stream. */
void forge_segment(struct forge *f, const struct e2e_identity *signer,
    uint64_t index, bool last, const void *data, size_t length);
/* Chunks of the stream, then everything as bytes. */
void forge_envelope(struct forge *f);
/* Header, metadata, data in segments where the mode asks for them. */
void forge_whole(struct forge *f, const void *data, size_t length);

/* Drops the entries of the whole envelope, and fills in a right block. */
void forge_rewrap_begin(struct forge *f);
/* The envelope with the entries since, and the block: signed by `forwarder`,
 * bare if that is NULL. */
void forge_rewrap(struct forge *f, const struct e2e_identity *forwarder);
/* Its steps: raw_block (filled in, if it is empty) signed; that encrypted; the
 * envelope around a ciphertext as it is. X is of the entries at the time. */
void forge_sign_block(struct forge *f, struct buffer *plaintext,
    const struct e2e_identity *forwarder);
void forge_encrypt_block(struct forge *f, struct buffer *ciphertext,
    struct bytes plaintext);
void forge_rewrap_as(struct forge *f, struct bytes ciphertext);
void forge_put_rewrap_aad(struct forge *f, struct buffer *aad);

/* A wrapped key, in f->envelope: f->raw_claims are its claims. */
void forge_wrapped_key(struct forge *f);

#endif
