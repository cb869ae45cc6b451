/* The content encryption key at work. */
#include "message/content.h"

#include "base/random.h"
#include "base/secret.h"

unsigned char *
content_new_cek(void)
{
	unsigned char *cek = secret_alloc(DERIVE_CEK_LEN);

	if (cek != NULL && !random_bytes(cek, DERIVE_CEK_LEN)) {
		secret_free(cek);
		return NULL;
	}
	return cek;
}

enum e2e_error
content_put_protected(struct buffer *protected_header,
    const unsigned char cek[DERIVE_CEK_LEN])
{
	unsigned char kc[HEADER_COMMITMENT_LEN];
	enum e2e_error error;

	error = derive_commitment(kc, cek);
	if (error == E2E_OK) {
		header_put_protected(protected_header, kc);
		if (protected_header->failed)
			error = E2E_ERR_MEMORY;
	}
	return error;
}

enum e2e_error
content_matches(bool *matches, const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char commitment[HEADER_COMMITMENT_LEN])
{
	unsigned char kc[HEADER_COMMITMENT_LEN];
	enum e2e_error error;

	*matches = false;
	error = derive_commitment(kc, cek);
	if (error == E2E_OK)
		*matches = secret_equal(kc, commitment, sizeof(kc));
	return error;
}

enum e2e_error
content_encrypt(struct buffer *ciphertext,
    const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char iv[HEADER_IV_LEN], struct bytes aad,
    struct bytes plaintext)
{
	struct aead *aead = NULL;
	enum e2e_error error;
	unsigned char *room;

	room = buffer_extend(ciphertext, plaintext.length + AEAD_TAG_LEN);
	if (room == NULL)
		return E2E_ERR_MEMORY;
	error = aead_new(&aead, cek);
	if (error == E2E_OK)
		error = aead_seal(aead, room, iv, aad.data, aad.length,
		    plaintext.data, plaintext.length);
	aead_free(aead);
	return error;
}

enum e2e_error
content_decrypt(struct buffer *plaintext, bool *authentic,
    const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char iv[HEADER_IV_LEN], struct bytes aad,
    struct bytes ciphertext)
{
	struct aead *aead = NULL;
	enum e2e_error error;
	size_t before = plaintext->length;
	unsigned char *room;

	*authentic = false;
	if (ciphertext.length < AEAD_TAG_LEN)
		return E2E_OK;
	/* One byte of slack: a plaintext may be empty. */
	if (!buffer_reserve(plaintext, ciphertext.length))
		return E2E_ERR_MEMORY;
	room = buffer_extend(plaintext, ciphertext.length - AEAD_TAG_LEN);
	if (room == NULL)
		return E2E_ERR_MEMORY;
	error = aead_new(&aead, cek);
	if (error == E2E_OK)
		error = aead_open(aead, room, authentic, iv, aad.data,
		    aad.length, ciphertext.data, ciphertext.length);
	aead_free(aead);
	if (error != E2E_OK || !*authentic)
		plaintext->length = before;
	return error;
}
