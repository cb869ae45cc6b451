/*
 * gullible.c: what e2e-open is like when it takes any content encryption key
 * for the right one. The tests of held keys must not be content with it.
 */
#include "gullible.h"

enum e2e_error
__wrap_content_matches(bool *matches, const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char commitment[HEADER_COMMITMENT_LEN])
{
	(void)cek;
	(void)commitment;
	*matches = true;
	return E2E_OK;
}

enum e2e_error
__wrap_content_decrypt(struct buffer *plaintext, bool *authentic,
    const unsigned char cek[DERIVE_CEK_LEN],
    const unsigned char iv[HEADER_IV_LEN], struct bytes aad,
    struct bytes ciphertext)
{
	enum e2e_error error = __real_content_decrypt(plaintext, authentic, cek,
	    iv, aad, ciphertext);

	if (error != E2E_OK || *authentic)
		return error;
	*authentic = true;
	return buffer_append(plaintext, ciphertext.data, ciphertext.length) ?
	    E2E_OK : E2E_ERR_MEMORY;
}
