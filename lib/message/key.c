/* Keys: what all kinds have in common. */
#include "message/key.h"

#include "crypto/hash.h"

#include "wire/labels.h"

#include <stdlib.h>
#include <string.h>

/* A private RSA-4096 key takes 2.4 KiB. */
enum { ENCODED_MAX = 8192 };

static const struct key_type *const types[] = {
	&key_type_ps256, &key_type_rsa_oaep, &key_type_ed25519,
	&key_type_x25519
};

const struct key_type *
key_type_find(int64_t alg)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i]->alg == alg)
			return types[i];
	}
	return NULL;
}

static enum e2e_error
thumbprint(unsigned char out[KEY_THUMBPRINT_LEN], const struct cose_key *parts)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer b;

	buffer_init(&b, ENCODED_MAX);
	cose_put_thumbprint_input(&b, parts);
	if (!b.failed)
		error = hash_sha256(out, b.data, b.length);
	buffer_free(&b);
	return error;
}

/* Encodes the parts and lets key->parts point into the encodings. */
static enum e2e_error
own_parts(struct key *key, const struct cose_key *parts)
{
	struct dcbor_reader r;
	const struct buffer *b;

	cose_put_key(&key->public_encoded, parts, false);
	if (key->is_private)
		cose_put_key(&key->private_encoded, parts, true);
	if (key->public_encoded.failed || key->private_encoded.failed)
		return E2E_ERR_MEMORY;
	b = key->is_private ? &key->private_encoded : &key->public_encoded;
	dcbor_reader_init(&r, b->data, b->length);
	return cose_key_parse(&key->parts, &r, key->is_private);
}

enum e2e_error
key_new(struct key **key, const struct cose_key *parts)
{
	const struct key_type *type = key_type_find(parts->alg);
	enum e2e_error error;
	struct key *k;

	*key = NULL;
	if (type == NULL)
		return E2E_ERR_MALFORMED;
	error = type->check(parts);
	if (error != E2E_OK)
		return error;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return E2E_ERR_MEMORY;
	k->type = type;
	k->is_private = cose_key_is_private(parts);
	buffer_init(&k->public_encoded, ENCODED_MAX);
	buffer_init_secret(&k->private_encoded, ENCODED_MAX);
	error = own_parts(k, parts);
	if (error == E2E_OK)
		error = thumbprint(k->thumbprint, &k->parts);
	if (error == E2E_OK && (k->is_private || type->signs))
		error = type->load(k);
	if (error != E2E_OK) {
		key_free(k);
		return error;
	}
	*key = k;
	return E2E_OK;
}

enum e2e_error
key_generate(struct key **key, const struct key_type *type, unsigned bits)
{
	struct dcbor_reader r;
	struct cose_key parts;
	struct buffer encoded;
	enum e2e_error error;

	*key = NULL;
	buffer_init_secret(&encoded, ENCODED_MAX);
	error = type->generate(&encoded, bits);
	if (error == E2E_OK && encoded.failed)
		error = E2E_ERR_MEMORY;
	if (error == E2E_OK) {
		dcbor_reader_init(&r, encoded.data, encoded.length);
		error = cose_key_parse(&parts, &r, true);
	}
	if (error == E2E_OK)
		error = key_new(key, &parts);
	buffer_free(&encoded);
	return error;
}

void
key_free(struct key *key)
{
	if (key == NULL)
		return;
	if (key->handle != NULL)
		key->type->unload(key);
	buffer_free(&key->public_encoded);
	buffer_free(&key->private_encoded);
	free(key);
}

bool
key_same(const struct key *a, const struct key *b)
{
	return bytes_equal(buffer_bytes(&a->public_encoded),
	    buffer_bytes(&b->public_encoded));
}

unsigned
key_bits(const struct key *key)
{
	return key->parts.kty == KTY_RSA ?
	    (unsigned)key->parts.rsa[COSE_RSA_N].length * 8 : 0;
}
