/*
 * rewrap_block.h: what stands in a header whose recipients were replaced
 * (docs/FORMAT.md, 10): bytes to struct and back, sealed and opened.
 */
#ifndef MESSAGE_REWRAP_BLOCK_H
#define MESSAGE_REWRAP_BLOCK_H

#include "message/derive.h"
#include "message/key.h"
#include "wire/cose.h"

/* Pointers lead into what was parsed, or to the caller's own. */
struct rewrap_block {
	uint64_t issued;
	const unsigned char *recipients_hash;	/* rh, HASH_LEN */
	struct bytes card;	/* data NULL: absent */
	struct bytes to;	/* as in struct metadata */
	bool is_signed;
	struct cose_sign1 sign1;	/* when parsed */
};

/* Nothing is appended unless *authentic. */
enum e2e_error rewrap_block_decrypt(struct buffer *plaintext,
    bool *authentic, const struct derive_core *core, const struct header *h,
    const unsigned char cek[DERIVE_CEK_LEN]);
/* E2E_ERR_MALFORMED, E2E_ERR_LIMIT; the signature is not verified. */
enum e2e_error rewrap_block_parse(struct rewrap_block *block,
    struct bytes plaintext);
/* Is the signature this key's, for this header and these recipients? */
enum e2e_error rewrap_block_verify(bool *valid, const struct key *key,
    const struct rewrap_block *block, const struct derive_core *core,
    struct bytes new_recipients);

/*
 * Signs the block, if key is not NULL, and encrypts it. core: of the header,
 * whose recipients become `new_recipients`. Appends to `ciphertext`.
 */
enum e2e_error rewrap_block_seal(struct buffer *ciphertext,
    const unsigned char iv[HEADER_IV_LEN], const struct rewrap_block *block,
    const struct key *key, const struct derive_core *core,
    struct bytes new_recipients, const unsigned char cek[DERIVE_CEK_LEN]);

#endif
