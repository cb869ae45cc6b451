/*
 * Rewrap blocks. A block is bound to its header and to the new recipients
 * twice: by the encryption, against everybody outside, and by the signature,
 * against those who hold the CEK.
 */
#include "message/rewrap_block.h"

#include "base/secret.h"
#include "message/claims.h"
#include "message/content.h"
#include "message/sign1.h"
#include "wire/labels.h"

#include <string.h>

enum { SMALL = 512, SEEN_IAT = 1, SEEN_HASH = 2 };

struct reading {
	struct rewrap_block *block;
	unsigned seen;
};

static enum e2e_error
take_claim(void *context, struct dcbor_reader *r, int64_t claim)
{
	struct reading *reading = context;
	struct rewrap_block *block = reading->block;

	switch (claim) {
	case CLAIM_IAT:
		reading->seen |= SEEN_IAT;
		return claims_judge(dcbor_get_uint(r, &block->issued));
	case CLAIM_CARD:
		return claims_take_card(r, &block->card);
	case CLAIM_TO:
		return claims_take_hashes(r, &block->to, 1, UINT64_MAX);
	case CLAIM_ORIGINAL_HASH:
		reading->seen |= SEEN_HASH;
		return claims_judge(dcbor_get_bytes_of(r,
		    &block->recipients_hash, HASH_LEN));
	default:
		return claims_judge(dcbor_skip(r, NULL));
	}
}

static enum e2e_error
parse_claims(struct rewrap_block *block, struct bytes claims)
{
	struct reading reading = { block, 0 };
	enum e2e_error error;

	error = claims_walk(claims, take_claim, &reading);
	if (error == E2E_OK && reading.seen != (SEEN_IAT | SEEN_HASH))
		error = E2E_ERR_MALFORMED;
	/* A card that nobody signed with would only mislead. */
	if (error == E2E_OK && !block->is_signed && block->card.data != NULL)
		error = E2E_ERR_MALFORMED;
	return error;
}

enum e2e_error
rewrap_block_parse(struct rewrap_block *block, struct bytes plaintext)
{
	struct dcbor_reader first;
	enum e2e_error error;

	memset(block, 0, sizeof(*block));
	dcbor_reader_init(&first, plaintext.data, plaintext.length);
	if (dcbor_peek(&first) != DCBOR_TAG)
		return parse_claims(block, plaintext);
	block->is_signed = true;
	error = cose_sign1_parse(&block->sign1, plaintext, TYP_REWRAP);
	return error == E2E_OK ? parse_claims(block, block->sign1.payload) :
	    error;
}

enum e2e_error
rewrap_block_decrypt(struct buffer *plaintext, bool *authentic,
    const struct derive_core *core, const struct header *h,
    const unsigned char cek[DERIVE_CEK_LEN])
{
	unsigned char *key = secret_alloc(AEAD_KEY_LEN);
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer aad;

	*authentic = false;
	buffer_init(&aad, SMALL);
	if (key != NULL)
		error = derive_rewrap_key(key, cek);
	if (error == E2E_OK)
		error = derive_put_rewrap_aad(&aad, core,
		    h->recipients_encoded);
	if (error == E2E_OK)
		error = content_decrypt(plaintext, authentic, key,
		    h->rewrap_iv, buffer_bytes(&aad), h->rewrap_ciphertext);
	buffer_free(&aad);
	secret_free(key);
	return error;
}

enum e2e_error
rewrap_block_verify(bool *valid, const struct key *key,
    const struct rewrap_block *block, const struct derive_core *core,
    struct bytes new_recipients)
{
	enum e2e_error error;
	struct buffer aad;

	*valid = false;
	buffer_init(&aad, SMALL);
	error = derive_put_rewrap_aad(&aad, core, new_recipients);
	if (error == E2E_OK)
		error = sign1_verify(valid, key, &block->sign1,
		    buffer_bytes(&aad));
	buffer_free(&aad);
	return error;
}

/* ---- writing ---- */

static void
put_claims(struct buffer *b, const struct rewrap_block *block)
{
	dcbor_put_map(b, (size_t)2 + (block->card.data != NULL) +
	    (block->to.data != NULL));
	claims_put_uint(b, CLAIM_IAT, block->issued);
	if (block->card.data != NULL)
		claims_put_bytes(b, CLAIM_CARD, block->card.data,
		    block->card.length);
	if (block->to.data != NULL)
		claims_put_hashes(b, CLAIM_TO, block->to);
	claims_put_bytes(b, CLAIM_ORIGINAL_HASH, block->recipients_hash,
	    HASH_LEN);
}

static enum e2e_error
put_block(struct buffer *plaintext, const struct rewrap_block *block,
    const struct key *key, struct bytes aad)
{
	enum e2e_error error = E2E_OK;
	struct buffer claims;

	if (key == NULL) {
		put_claims(plaintext, block);
		return plaintext->failed ? E2E_ERR_MEMORY : E2E_OK;
	}
	buffer_init(&claims, HEADER_REWRAP_MAX);
	put_claims(&claims, block);
	error = claims.failed ? E2E_ERR_MEMORY : sign1_make(plaintext, key,
	    TYP_REWRAP, aad, buffer_bytes(&claims));
	buffer_free(&claims);
	return error;
}

enum e2e_error
rewrap_block_seal(struct buffer *ciphertext,
    const unsigned char iv[HEADER_IV_LEN], const struct rewrap_block *block,
    const struct key *key, const struct derive_core *core,
    struct bytes new_recipients, const unsigned char cek[DERIVE_CEK_LEN])
{
	unsigned char *rewrap_key = secret_alloc(AEAD_KEY_LEN);
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer aad, plaintext;

	buffer_init(&aad, SMALL);
	buffer_init(&plaintext, HEADER_REWRAP_MAX);
	if (rewrap_key != NULL)
		error = derive_put_rewrap_aad(&aad, core, new_recipients);
	if (error == E2E_OK)
		error = put_block(&plaintext, block, key, buffer_bytes(&aad));
	if (error == E2E_OK)
		error = derive_rewrap_key(rewrap_key, cek);
	if (error == E2E_OK)
		error = content_encrypt(ciphertext, rewrap_key, iv,
		    buffer_bytes(&aad), buffer_bytes(&plaintext));
	buffer_free(&aad);
	buffer_free(&plaintext);
	secret_free(rewrap_key);
	return error;
}
