/* Passphrase recipients: Argon2id and AES key wrap (docs/FORMAT.md, 4.5). */
#include "message/recipients.h"

#include "base/random.h"
#include "base/secret.h"
#include "crypto/keywrap.h"
#include "crypto/passhash.h"
#include "wire/labels.h"

#include <string.h>

const struct e2e_kdf_cost recipients_default_cost = { 262144, 3, 4 };

bool
recipients_cost_acceptable(struct e2e_kdf_cost cost)
{
	return cost.memory_kib >= RECIPIENT_MEMORY_MIN_KIB &&
	    cost.memory_kib <= RECIPIENT_MEMORY_MAX_KIB &&
	    cost.passes >= 1 && cost.passes <= RECIPIENT_PASSES_MAX &&
	    cost.lanes >= 1 && cost.lanes <= RECIPIENT_LANES_MAX;
}

/* A key encryption key in memory of secret.h. */
static enum e2e_error
key_of(unsigned char **kek, const struct recipient *entry,
    const void *passphrase, size_t length)
{
	*kek = secret_alloc(PASSHASH_LEN);
	if (*kek == NULL)
		return E2E_ERR_MEMORY;
	return passhash_argon2id(*kek, passphrase, length, entry->salt,
	    (uint32_t)entry->passes, (uint32_t)entry->memory_kib,
	    (uint32_t)entry->lanes);
}

enum e2e_error
recipients_wrap_passphrase(struct buffer *entries, const void *passphrase,
    size_t length, struct e2e_kdf_cost cost,
    const unsigned char cek[DERIVE_CEK_LEN])
{
	unsigned char wrapped[KEYWRAP_WRAPPED_LEN], salt[RECIPIENT_SALT_LEN];
	unsigned char *kek = NULL;
	struct recipient entry;
	enum e2e_error error;

	if (cost.memory_kib == 0 && cost.passes == 0 && cost.lanes == 0)
		cost = recipients_default_cost;
	if (!recipients_cost_acceptable(cost))
		return E2E_ERR_KDF_COST;
	memset(&entry, 0, sizeof(entry));
	entry.kind = RECIPIENT_PASSPHRASE;
	entry.alg = ALG_ARGON2ID;
	entry.salt = salt;
	entry.passes = cost.passes;
	entry.memory_kib = cost.memory_kib;
	entry.lanes = cost.lanes;
	if (!random_bytes(salt, sizeof(salt)))
		return E2E_ERR_CRYPTO;
	error = key_of(&kek, &entry, passphrase, length);
	if (error == E2E_OK)
		error = keywrap_wrap(wrapped, kek, cek);
	if (error == E2E_OK) {
		entry.wrapped = (struct bytes){ wrapped, sizeof(wrapped) };
		recipient_put(entries, &entry);
		if (entries->failed)
			error = E2E_ERR_MEMORY;
	}
	secret_free(kek);
	return error;
}

enum e2e_error
recipients_unwrap_passphrase(unsigned char cek[DERIVE_CEK_LEN], bool *mine,
    const struct recipient *entry, const void *passphrase, size_t length)
{
	unsigned char *kek = NULL;
	enum e2e_error error;

	*mine = false;
	if (entry->wrapped.length != KEYWRAP_WRAPPED_LEN)
		return E2E_OK;
	error = key_of(&kek, entry, passphrase, length);
	if (error == E2E_OK)
		error = keywrap_unwrap(cek, mine, kek, entry->wrapped.data);
	secret_free(kek);
	return error;
}
