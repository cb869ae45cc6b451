/* From keys to metadata. */
#include "message/unseal.h"

#include "base/secret.h"
#include "message/content.h"

#include <string.h>

void
unsealed_init(struct unsealed *u)
{
	memset(u, 0, sizeof(*u));
	buffer_init_secret(&u->metadata,
	    HEADER_METADATA_MAX + HEADER_TAG_LEN);
	buffer_init_secret(&u->block_bytes,
	    HEADER_REWRAP_MAX + HEADER_TAG_LEN);
}

void
unseal_forget_cek(struct unsealed *u)
{
	secret_free(u->found.cek);
	u->found.cek = NULL;
}

void
unsealed_clear(struct unsealed *u)
{
	unseal_forget_cek(u);
	buffer_clear(&u->metadata);
	buffer_clear(&u->block_bytes);
	memset(&u->found, 0, sizeof(u->found));
	memset(&u->core, 0, sizeof(u->core));
	memset(&u->block, 0, sizeof(u->block));
}

void
unsealed_free(struct unsealed *u)
{
	unseal_forget_cek(u);
	buffer_free(&u->metadata);
	buffer_free(&u->block_bytes);
}

/* The block tells what R was when the header was made. */
static enum e2e_error
open_block(struct unsealed *u, const struct header *h,
    enum e2e_error header_error)
{
	enum e2e_error error;
	bool authentic = false;

	error = rewrap_block_decrypt(&u->block_bytes, &authentic, &u->core,
	    h, u->found.cek);
	if (error == E2E_OK && !authentic)
		error = header_error;
	if (error == E2E_OK)
		error = rewrap_block_parse(&u->block,
		    buffer_bytes(&u->block_bytes));
	if (error == E2E_OK)
		memcpy(u->core.recipients_hash, u->block.recipients_hash,
		    HASH_LEN);
	return error;
}

static enum e2e_error
decrypt_metadata(struct unsealed *u, enum e2e_error header_error)
{
	const struct derive_core *core = &u->core;
	enum e2e_error error = E2E_ERR_MEMORY;
	bool authentic = false;
	struct buffer aad;

	buffer_init(&aad, 512);
	derive_put_header_aad(&aad, core);
	if (!aad.failed)
		error = content_decrypt(&u->metadata, &authentic,
		    u->found.cek, core->iv, buffer_bytes(&aad),
		    core->ciphertext);
	buffer_free(&aad);
	return error == E2E_OK && !authentic ? header_error : error;
}

enum e2e_error
unseal_header(struct unsealed *u, const struct header *h,
    enum derive_purpose purpose, const struct e2e_keys *keys)
{
	enum e2e_error error, header_error;

	unsealed_clear(u);
	error = unwrap_cek(&u->found, h, purpose, keys, &header_error);
	if (error != E2E_OK)
		return error;
	u->core.purpose = purpose;
	u->core.protected_header = h->protected_header;
	u->core.iv = h->iv;
	u->core.ciphertext = h->ciphertext;
	if (h->rewrapped)
		error = open_block(u, h, header_error);
	else
		error = hash_sha256(u->core.recipients_hash,
		    h->recipients_encoded.data, h->recipients_encoded.length);
	if (error == E2E_OK)
		error = decrypt_metadata(u, header_error);
	return error;
}
