/* Chunks. The nonce is the base xor the number, so no two are the same. */
#include "message/payload.h"

#include <string.h>

static void
nonce_of(unsigned char nonce[AEAD_NONCE_LEN],
    const struct derive_payload *keys, uint64_t k)
{
	int i;

	memcpy(nonce, keys->nonce, AEAD_NONCE_LEN);
	for (i = 0; i < 8; i++)
		nonce[AEAD_NONCE_LEN - 1 - i] ^= (unsigned char)(k >> 8 * i);
}

enum e2e_error
payload_seal_chunk(struct aead *aead, const struct derive_payload *keys,
    uint64_t k, unsigned char *item, size_t *item_length,
    const unsigned char *data, size_t size)
{
	unsigned char nonce[AEAD_NONCE_LEN];
	size_t head;

	if (k >= ENVELOPE_CHUNKS_MAX)
		return E2E_ERR_LIMIT;
	nonce_of(nonce, keys, k);
	head = envelope_put_chunk_head(item, size + AEAD_TAG_LEN);
	*item_length = head + size + AEAD_TAG_LEN;
	return aead_seal(aead, item + head, nonce, NULL, 0, data, size);
}

enum e2e_error
payload_open_chunk(struct aead *aead, const struct derive_payload *keys,
    uint64_t k, unsigned char *out, const unsigned char *chunk,
    size_t chunk_length)
{
	unsigned char nonce[AEAD_NONCE_LEN];
	enum e2e_error error;
	bool authentic = false;

	if (k >= ENVELOPE_CHUNKS_MAX)
		return E2E_ERR_LIMIT;
	nonce_of(nonce, keys, k);
	error = aead_open(aead, out, &authentic, nonce, NULL, 0, chunk,
	    chunk_length);
	if (error == E2E_OK && !authentic)
		error = E2E_ERR_CHUNK;
	return error;
}
