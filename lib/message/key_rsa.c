/* RSA keys: PS256 for signing, RSA-OAEP with SHA-256 for encryption. */
#include "message/key.h"

#include "base/secret.h"
#include "crypto/rsa.h"
#include "wire/labels.h"

#include <string.h>

static struct rsa_integer
integer(const struct cose_key *parts, enum cose_rsa_part part)
{
	return (struct rsa_integer){ parts->rsa[part].data,
	    parts->rsa[part].length };
}

static enum e2e_error
check(const struct cose_key *parts)
{
	return rsa_public_acceptable(integer(parts, COSE_RSA_N),
	    integer(parts, COSE_RSA_E)) ? E2E_OK : E2E_ERR_KEY_SIZE;
}

static enum e2e_error
load(struct key *key)
{
	const struct cose_key *p = &key->parts;
	struct rsa_private_parts parts;
	struct rsa_key *rsa = NULL;
	enum e2e_error error;

	if (key->is_private) {
		parts.n = integer(p, COSE_RSA_N);
		parts.e = integer(p, COSE_RSA_E);
		parts.d = integer(p, COSE_RSA_D);
		parts.p = integer(p, COSE_RSA_P);
		parts.q = integer(p, COSE_RSA_Q);
		parts.dp = integer(p, COSE_RSA_DP);
		parts.dq = integer(p, COSE_RSA_DQ);
		parts.qinv = integer(p, COSE_RSA_QINV);
		error = rsa_private_new(&rsa, &parts);
	} else {
		error = rsa_public_new(&rsa, integer(p, COSE_RSA_N),
		    integer(p, COSE_RSA_E));
	}
	if (error == E2E_OK)
		key->handle = rsa;
	return error;
}

static void
unload(struct key *key)
{
	rsa_free(key->handle);
}

static enum e2e_error
generate(struct buffer *encoded, unsigned bits, int64_t alg)
{
	struct rsa_private_parts parts;
	struct rsa_key *rsa = NULL;
	struct cose_key key;
	enum e2e_error error;
	void *memory = NULL;

	memset(&key, 0, sizeof(key));
	error = rsa_generate(&rsa, bits);
	if (error == E2E_OK)
		error = rsa_export(rsa, &parts, &memory);
	if (error == E2E_OK) {
		const struct rsa_integer all[COSE_RSA_PARTS] = {
			parts.n, parts.e, parts.d, parts.p, parts.q,
			parts.dp, parts.dq, parts.qinv
		};
		size_t i;

		key.kty = KTY_RSA;
		key.alg = alg;
		for (i = 0; i < COSE_RSA_PARTS; i++)
			key.rsa[i] = (struct bytes){ all[i].data,
			    all[i].length };
		cose_put_key(encoded, &key, true);
	}
	secret_free(memory);
	rsa_free(rsa);
	return error;
}

static enum e2e_error
generate_signing(struct buffer *encoded, unsigned bits)
{
	return generate(encoded, bits, ALG_PS256);
}

static enum e2e_error
generate_encryption(struct buffer *encoded, unsigned bits)
{
	return generate(encoded, bits, ALG_RSA_OAEP_256);
}

static size_t
signature_length(const struct key *key)
{
	return rsa_size(key->handle);
}

static enum e2e_error
sign(const struct key *key, unsigned char *signature, const void *data,
    size_t size)
{
	return rsa_pss_sign(key->handle, signature, data, size);
}

static enum e2e_error
verify(const struct key *key, bool *valid, struct bytes signature,
    const void *data, size_t size)
{
	return rsa_pss_verify(key->handle, valid, signature.data,
	    signature.length, data, size);
}

const struct key_type key_type_ps256 = {
	.alg = ALG_PS256, .signs = true, .check = check, .load = load,
	.unload = unload, .generate = generate_signing,
	.signature_length = signature_length, .sign = sign, .verify = verify
};

const struct key_type key_type_rsa_oaep = {
	.alg = ALG_RSA_OAEP_256, .recipient_kind = RECIPIENT_RSA,
	.check = check, .load = load, .unload = unload,
	.generate = generate_encryption
};
