/* Headers in the making; the order follows what depends on what. */
#include "message/seal_header.h"

#include "base/random.h"
#include "base/secret.h"
#include "message/content.h"

#include <string.h>

enum e2e_error
seal_header_begin(struct seal_header *h, enum derive_purpose purpose,
    const struct addressees *a)
{
	enum e2e_error error;

	memset(h, 0, sizeof(*h));
	buffer_init(&h->recipients, HEADER_MAX);
	buffer_init(&h->protected_header, 64);
	buffer_init(&h->ciphertext, HEADER_METADATA_MAX + HEADER_TAG_LEN);
	h->core.purpose = purpose;
	h->cek = content_new_cek();
	if (h->cek == NULL)
		return E2E_ERR_MEMORY;
	if (!random_bytes(h->iv, sizeof(h->iv)))
		return E2E_ERR_CRYPTO;
	error = addressees_wrap(&h->recipients, a, h->cek);
	if (error == E2E_OK)
		error = hash_sha256(h->core.recipients_hash,
		    h->recipients.data, h->recipients.length);
	if (error == E2E_OK)
		error = content_put_protected(&h->protected_header, h->cek);
	h->core.protected_header = buffer_bytes(&h->protected_header);
	h->core.iv = h->iv;
	return error;
}

enum e2e_error
seal_header_end(struct seal_header *h, struct bytes metadata,
    struct buffer *header)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer aad;

	buffer_init(&aad, 512);
	derive_put_header_aad(&aad, &h->core);
	if (!aad.failed)
		error = content_encrypt(&h->ciphertext, h->cek, h->iv,
		    buffer_bytes(&aad), metadata);
	buffer_free(&aad);
	if (error != E2E_OK)
		return error;
	h->core.ciphertext = buffer_bytes(&h->ciphertext);
	header_put(header, h->core.protected_header, h->iv,
	    h->core.ciphertext, buffer_bytes(&h->recipients));
	return header->failed ? E2E_ERR_MEMORY : E2E_OK;
}

void
seal_header_free(struct seal_header *h)
{
	secret_free(h->cek);
	buffer_free(&h->recipients);
	buffer_free(&h->protected_header);
	buffer_free(&h->ciphertext);
}
