/* RSA-OAEP recipients (RFC 8230; docs/FORMAT.md, 4.2). */
#include "message/recipients.h"

#include "crypto/rsa.h"
#include "wire/labels.h"

#include <string.h>

/* One in two encryptions has its top bit clear; so many tries never fail. */
enum { TRIES_MAX = 256 };

/*
 * For a hidden recipient the top bit of EM is 0: otherwise a modulus that is
 * small for its size would show, as its EMs never come near the top.
 */
static enum e2e_error
encrypt(const struct rsa_key *rsa, unsigned char *em, bool hidden,
    const unsigned char *cek)
{
	enum e2e_error error;
	int tries;

	for (tries = 0; tries < TRIES_MAX; tries++) {
		error = rsa_oaep_encrypt(rsa, em, cek, DERIVE_CEK_LEN);
		if (error != E2E_OK || !hidden || (em[0] & 0x80) == 0)
			return error;
	}
	return E2E_ERR_CRYPTO;
}

static enum e2e_error
wrap(struct buffer *entries, const struct key *key, const unsigned char *kid,
    const unsigned char cek[DERIVE_CEK_LEN])
{
	unsigned char em[RSA_MODULUS_MAX];
	const struct cose_key *p = &key->parts;
	struct rsa_key *rsa = NULL;
	struct recipient entry;
	enum e2e_error error;

	memset(&entry, 0, sizeof(entry));
	error = rsa_public_new(&rsa,
	    (struct rsa_integer){ p->rsa[COSE_RSA_N].data,
	    p->rsa[COSE_RSA_N].length },
	    (struct rsa_integer){ p->rsa[COSE_RSA_E].data,
	    p->rsa[COSE_RSA_E].length });
	if (error == E2E_OK)
		error = encrypt(rsa, em, kid == NULL, cek);
	if (error == E2E_OK) {
		entry.kind = RECIPIENT_RSA;
		entry.alg = ALG_RSA_OAEP_256;
		entry.kid = kid;
		entry.wrapped = (struct bytes){ em, rsa_size(rsa) };
		recipient_put(entries, &entry);
		if (entries->failed)
			error = E2E_ERR_MEMORY;
	}
	rsa_free(rsa);
	return error;
}

static enum e2e_error
unwrap(unsigned char cek[DERIVE_CEK_LEN], bool *mine,
    const struct recipient *entry, const struct key *key)
{
	*mine = false;
	/* A public fact; no key is used for an EM of another modulus. */
	if (entry->wrapped.length != rsa_size(key->handle))
		return E2E_OK;
	return rsa_oaep_decrypt(key->handle, cek, DERIVE_CEK_LEN, mine,
	    entry->wrapped.data, entry->wrapped.length);
}

const struct recipient_type recipient_type_rsa = {
	.kind = RECIPIENT_RSA, .wrap = wrap, .unwrap = unwrap
};
