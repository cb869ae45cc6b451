/* X25519 recipients: ECDH-ES+A256KW (RFC 9053, 6.4; docs/FORMAT.md, 4.3). */
#include "message/recipients.h"

#include "base/random.h"
#include "base/secret.h"
#include "crypto/curve.h"
#include "crypto/hash.h"
#include "crypto/keywrap.h"
#include "wire/labels.h"

#include <string.h>

struct secrets {
	unsigned char ephemeral[X25519_LEN];
	unsigned char shared[X25519_LEN];
	unsigned char kek[KEYWRAP_KEY_LEN];
};

/* Z, and the key encryption key from it. */
static enum e2e_error
agree(struct secrets *s, bool *usable, const unsigned char *private_key,
    const unsigned char *public_key)
{
	enum e2e_error error;

	error = x25519_derive(s->shared, usable, private_key, public_key);
	if (error != E2E_OK || !*usable)
		return error;
	return hkdf_sha256(s->kek, sizeof(s->kek), s->shared,
	    sizeof(s->shared), recipient_kdf_context,
	    sizeof(recipient_kdf_context));
}

static enum e2e_error
wrap(struct buffer *entries, const struct key *key, const unsigned char *kid,
    const unsigned char cek[DERIVE_CEK_LEN])
{
	unsigned char wrapped[KEYWRAP_WRAPPED_LEN], epk[X25519_LEN];
	struct recipient entry;
	struct secrets *s;
	enum e2e_error error = E2E_ERR_CRYPTO;
	bool usable = false;

	memset(&entry, 0, sizeof(entry));
	s = secret_alloc(sizeof(*s));
	if (s == NULL)
		return E2E_ERR_MEMORY;
	if (random_bytes(s->ephemeral, sizeof(s->ephemeral)))
		error = x25519_public(epk, s->ephemeral);
	if (error == E2E_OK)
		error = agree(s, &usable, s->ephemeral, key->parts.x.data);
	/* A card with a point of low order cannot be sealed to. */
	if (error == E2E_OK && !usable)
		error = E2E_ERR_CARD;
	if (error == E2E_OK)
		error = keywrap_wrap(wrapped, s->kek, cek);
	if (error == E2E_OK) {
		entry.kind = RECIPIENT_X25519;
		entry.alg = ALG_ECDH_ES_A256KW;
		entry.kid = kid;
		entry.ephemeral = epk;
		entry.wrapped = (struct bytes){ wrapped, sizeof(wrapped) };
		recipient_put(entries, &entry);
		if (entries->failed)
			error = E2E_ERR_MEMORY;
	}
	secret_free(s);
	return error;
}

static enum e2e_error
unwrap(unsigned char cek[DERIVE_CEK_LEN], bool *mine,
    const struct recipient *entry, const struct key *key)
{
	struct secrets *s;
	enum e2e_error error;
	bool usable = false;

	*mine = false;
	if (entry->wrapped.length != KEYWRAP_WRAPPED_LEN)
		return E2E_OK;
	s = secret_alloc(sizeof(*s));
	if (s == NULL)
		return E2E_ERR_MEMORY;
	error = agree(s, &usable, key->handle, entry->ephemeral);
	if (error == E2E_OK && usable)
		error = keywrap_unwrap(cek, mine, s->kek, entry->wrapped.data);
	secret_free(s);
	return error;
}

const struct recipient_type recipient_type_x25519 = {
	.kind = RECIPIENT_X25519, .wrap = wrap, .unwrap = unwrap
};
