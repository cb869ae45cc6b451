/* Derivations; each is a formula of docs/FORMAT.md, in its words. */
#include "message/derive.h"

#include "base/secret.h"
#include "message/strings.h"
#include "wire/cose.h"
#include "wire/dcbor.h"
#include "wire/labels.h"

#include <string.h>

/* Enough for every structure of fixed size here. */
enum { SMALL = 512 };

/* By enum derive_purpose. */
static const struct {
	const char *header, *sender;
} strings[] = {
	{ STRING_HEADER, STRING_SENDER },
	{ STRING_WRAPPED_HEADER, STRING_WRAPPED_SENDER }
};

enum e2e_error
derive_commitment(unsigned char kc[HEADER_COMMITMENT_LEN],
    const unsigned char cek[DERIVE_CEK_LEN])
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer info;

	buffer_init(&info, SMALL);
	dcbor_put_array(&info, 2);
	dcbor_put_string(&info, STRING_KEY_COMMITMENT);
	dcbor_put_int(&info, ALG_A256GCM);
	if (!info.failed)
		error = hkdf_sha256(kc, HEADER_COMMITMENT_LEN, cek,
		    DERIVE_CEK_LEN, info.data, info.length);
	buffer_free(&info);
	return error;
}

void
derive_put_header_aad(struct buffer *b, const struct derive_core *core)
{
	struct buffer aad;

	buffer_init(&aad, SMALL);
	dcbor_put_array(&aad, 2);
	dcbor_put_string(&aad, strings[core->purpose].header);
	dcbor_put_bytes(&aad, core->recipients_hash, HASH_LEN);
	b->failed |= aad.failed;
	cose_put_enc_structure(b, core->protected_header, buffer_bytes(&aad));
	buffer_free(&aad);
}

void
derive_put_secret_aad(struct buffer *b, struct bytes protected_header,
    const unsigned char card_hash[HASH_LEN],
    const unsigned char recipients_hash[HASH_LEN])
{
	struct buffer aad;

	buffer_init(&aad, SMALL);
	dcbor_put_array(&aad, 3);
	dcbor_put_string(&aad, STRING_SECRET);
	dcbor_put_bytes(&aad, card_hash, HASH_LEN);
	dcbor_put_bytes(&aad, recipients_hash, HASH_LEN);
	b->failed |= aad.failed;
	cose_put_enc_structure(b, protected_header, buffer_bytes(&aad));
	buffer_free(&aad);
}

void
derive_put_sender_aad(struct buffer *b, const struct derive_core *core)
{
	dcbor_put_array(b, 4);
	dcbor_put_string(b, strings[core->purpose].sender);
	dcbor_put_bytes(b, core->protected_header.data,
	    core->protected_header.length);
	dcbor_put_bytes(b, core->iv, HEADER_IV_LEN);
	dcbor_put_bytes(b, core->recipients_hash, HASH_LEN);
}

void
derive_put_segment_aad(struct buffer *b,
    const unsigned char context_hash[HASH_LEN])
{
	dcbor_put_array(b, 2);
	dcbor_put_string(b, STRING_SEGMENT);
	dcbor_put_bytes(b, context_hash, HASH_LEN);
}

enum e2e_error
derive_context_hash(unsigned char ch[HASH_LEN],
    const struct derive_core *core)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer b;

	buffer_init(&b, SMALL + core->ciphertext.length);
	dcbor_put_array(&b, 5);
	dcbor_put_string(&b, STRING_CORE);
	dcbor_put_bytes(&b, core->protected_header.data,
	    core->protected_header.length);
	dcbor_put_bytes(&b, core->iv, HEADER_IV_LEN);
	dcbor_put_bytes(&b, core->ciphertext.data, core->ciphertext.length);
	dcbor_put_bytes(&b, core->recipients_hash, HASH_LEN);
	if (!b.failed)
		error = hash_sha256(ch, b.data, b.length);
	buffer_free(&b);
	return error;
}

enum e2e_error
derive_to(unsigned char to[HASH_LEN],
    const unsigned char message_id[DERIVE_MESSAGE_ID_LEN],
    const unsigned char id[DERIVE_ID_LEN])
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer b;

	buffer_init(&b, SMALL);
	dcbor_put_array(&b, 3);
	dcbor_put_string(&b, STRING_TO);
	dcbor_put_bytes(&b, message_id, DERIVE_MESSAGE_ID_LEN);
	dcbor_put_bytes(&b, id, DERIVE_ID_LEN);
	if (!b.failed)
		error = hash_sha256(to, b.data, b.length);
	buffer_free(&b);
	return error;
}

enum e2e_error
derive_rewrap_key(unsigned char key[AEAD_KEY_LEN],
    const unsigned char cek[DERIVE_CEK_LEN])
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer info;

	buffer_init(&info, SMALL);
	dcbor_put_array(&info, 1);
	dcbor_put_string(&info, STRING_REWRAP_KEY);
	if (!info.failed)
		error = hkdf_sha256(key, AEAD_KEY_LEN, cek, DERIVE_CEK_LEN,
		    info.data, info.length);
	buffer_free(&info);
	return error;
}

/* SHA-256(CBOR [P, IV, ciphertext]) */
static enum e2e_error
hash_immutable(unsigned char hash[HASH_LEN], const struct derive_core *core)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer b;

	buffer_init(&b, SMALL + core->ciphertext.length);
	dcbor_put_array(&b, 3);
	dcbor_put_bytes(&b, core->protected_header.data,
	    core->protected_header.length);
	dcbor_put_bytes(&b, core->iv, HEADER_IV_LEN);
	dcbor_put_bytes(&b, core->ciphertext.data, core->ciphertext.length);
	if (!b.failed)
		error = hash_sha256(hash, b.data, b.length);
	buffer_free(&b);
	return error;
}

enum e2e_error
derive_put_rewrap_aad(struct buffer *b, const struct derive_core *core,
    struct bytes new_recipients)
{
	unsigned char immutable[HASH_LEN], recipients[HASH_LEN];
	enum e2e_error error;

	error = hash_immutable(immutable, core);
	if (error == E2E_OK)
		error = hash_sha256(recipients, new_recipients.data,
		    new_recipients.length);
	if (error != E2E_OK)
		return error;
	dcbor_put_array(b, 3);
	dcbor_put_string(b, STRING_REWRAP);
	dcbor_put_bytes(b, immutable, HASH_LEN);
	dcbor_put_bytes(b, recipients, HASH_LEN);
	return b->failed ? E2E_ERR_MEMORY : E2E_OK;
}

enum e2e_error
derive_group_id(unsigned char kid[HASH_LEN],
    const unsigned char maker[DERIVE_ID_LEN],
    const unsigned char random[DERIVE_GROUP_RANDOM_LEN], struct bytes name,
    uint64_t epoch)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer b;

	buffer_init(&b, SMALL);
	dcbor_put_array(&b, 5);
	dcbor_put_string(&b, STRING_GROUP);
	dcbor_put_bytes(&b, maker, DERIVE_ID_LEN);
	dcbor_put_bytes(&b, random, DERIVE_GROUP_RANDOM_LEN);
	if (name.data != NULL)
		dcbor_put_text(&b, name.data, name.length);
	else
		dcbor_put_null(&b);
	dcbor_put_uint(&b, epoch);
	if (!b.failed)
		error = hash_sha256(kid, b.data, b.length);
	buffer_free(&b);
	return error;
}

enum e2e_error
derive_payload(struct derive_payload *payload,
    const unsigned char ik[HASH_LEN],
    const unsigned char salt[ENVELOPE_SALT_LEN],
    const unsigned char ch[HASH_LEN])
{
	static const unsigned char zero = 0;
	enum e2e_error error = E2E_ERR_MEMORY;
	unsigned char *okm = NULL;
	struct buffer info;
	size_t size = sizeof(payload->key) + sizeof(payload->nonce) +
	    sizeof(payload->commitment);

	buffer_init(&info, SMALL);
	(void)buffer_append(&info, STRING_CHUNKED, strlen(STRING_CHUNKED));
	(void)buffer_append(&info, STRING_CHUNKED_AEAD,
	    strlen(STRING_CHUNKED_AEAD));
	(void)buffer_append(&info, &zero, 1);
	(void)buffer_append(&info, salt, ENVELOPE_SALT_LEN);
	(void)buffer_append(&info, ch, HASH_LEN);
	okm = secret_alloc(size);
	if (info.failed || okm == NULL)
		goto out;
	error = hkdf_expand_sha512(okm, size, ik, HASH_LEN, info.data,
	    info.length);
	if (error != E2E_OK)
		goto out;
	memcpy(payload->key, okm, AEAD_KEY_LEN);
	memcpy(payload->nonce, okm + AEAD_KEY_LEN, AEAD_NONCE_LEN);
	memcpy(payload->commitment, okm + AEAD_KEY_LEN + AEAD_NONCE_LEN,
	    ENVELOPE_COMMITMENT_LEN);
out:
	secret_free(okm);
	buffer_free(&info);
	return error;
}
