/* Signatures over Sig_structures. */
#include "message/sign1.h"

#include <string.h>

/* Heads and the context string around the three parts. */
enum { OVERHEAD = 64 };

static bool
structure(struct buffer *b, struct bytes protected_header,
    struct bytes external_aad, struct bytes payload)
{
	/* The payload may be metadata, with a key inside. */
	buffer_init_secret(b, OVERHEAD + protected_header.length +
	    external_aad.length + payload.length);
	cose_put_sig_structure(b, protected_header, external_aad, payload);
	return !b->failed;
}

enum e2e_error
sign1_signature(unsigned char *signature, const struct key *key,
    struct bytes protected_header, struct bytes external_aad,
    struct bytes payload)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer b;

	if (structure(&b, protected_header, external_aad, payload))
		error = key->type->sign(key, signature, b.data, b.length);
	buffer_free(&b);
	return error;
}

enum e2e_error
sign1_check(bool *valid, const struct key *key, struct bytes signature,
    struct bytes protected_header, struct bytes external_aad,
    struct bytes payload)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer b;

	*valid = false;
	if (structure(&b, protected_header, external_aad, payload))
		error = key->type->verify(key, valid, signature, b.data,
		    b.length);
	buffer_free(&b);
	return error;
}

enum e2e_error
sign1_make(struct buffer *out, const struct key *key, const char *typ,
    struct bytes external_aad, struct bytes payload)
{
	unsigned char signature[KEY_SIGNATURE_MAX];
	struct buffer protected_header;
	enum e2e_error error;

	buffer_init(&protected_header, 256);
	cose_put_sign1_protected(&protected_header, key->type->alg,
	    key->thumbprint, typ);
	error = protected_header.failed ? E2E_ERR_MEMORY :
	    sign1_signature(signature, key, buffer_bytes(&protected_header),
	    external_aad, payload);
	if (error == E2E_OK) {
		cose_put_sign1(out, buffer_bytes(&protected_header), payload,
		    (struct bytes){ signature,
		    key->type->signature_length(key) });
		if (out->failed)
			error = E2E_ERR_MEMORY;
	}
	buffer_free(&protected_header);
	return error;
}

enum e2e_error
sign1_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, struct bytes external_aad)
{
	*valid = false;
	if (sign1->alg != key->type->alg ||
	    memcmp(sign1->kid, key->thumbprint, KEY_THUMBPRINT_LEN) != 0)
		return E2E_OK;
	return sign1_check(valid, key, sign1->signature,
	    sign1->protected_header, external_aad, sign1->payload);
}
