/* Finding the CEK. */
#include "message/unwrap.h"

#include "base/random.h"
#include "base/secret.h"
#include "message/content.h"
#include "message/identity.h"
#include "message/recipients.h"

#include <string.h>

enum { RSA_TRIALS_DEFAULT = 128 };

struct search {
	const struct header *header;
	enum derive_purpose purpose;
	const struct e2e_keys *keys;
	unsigned char *cek;
	unsigned rsa_trials_left;	/* entries */
	bool key_tried;
	bool passphrase_tried;
	bool found;
	struct unwrapped *result;
};

/* What came out, or something random instead, must match kc. */
static enum e2e_error
compare(struct search *s, const struct recipient *entry, bool mine)
{
	enum e2e_error error;
	bool matches;

	if (!mine && !random_bytes(s->cek, DERIVE_CEK_LEN))
		return E2E_ERR_CRYPTO;
	error = content_matches(&matches, s->cek, s->header->commitment);
	if (error == E2E_OK && matches) {
		s->found = true;
		s->result->entry = entry;
	}
	return error;
}

static enum e2e_error
try_key(struct search *s, const struct recipient *entry, int identity,
    const struct key *key)
{
	const struct recipient_type *type = recipient_type_find(entry->kind);
	enum e2e_error error;
	bool mine = false;

	if (type == NULL)
		return E2E_OK;
	s->key_tried = true;
	error = type->unwrap(s->cek, &mine, entry, key);
	if (error == E2E_OK)
		error = compare(s, entry, mine);
	if (s->found)
		s->result->identity = identity;
	return error;
}

/* An entry with kid is tried with the keys of that identity alone. */
static enum e2e_error
try_identities(struct search *s, const struct recipient *entry)
{
	const struct e2e_identity *id;
	enum e2e_error error = E2E_OK;
	bool counted = false;
	size_t i, k;

	for (i = 0; i < s->keys->identity_count; i++) {
		id = s->keys->identities[i];
		if (e2e_identity_locked(id) || (entry->kid != NULL &&
		    memcmp(entry->kid, e2e_card_id(id->card), E2E_ID_LEN) != 0))
			continue;
		for (k = 0; k < id->encryption_count; k++) {
			if (id->encryption[k]->type->recipient_kind !=
			    entry->kind)
				continue;
			/* Ids are public: so anybody can address a
			 * thousand entries to one reader. */
			if (entry->kind == RECIPIENT_RSA && !counted &&
			    s->rsa_trials_left-- == 0)
				return E2E_ERR_RSA_TRIALS;
			counted = true;
			error = try_key(s, entry, (int)i, id->encryption[k]);
			if (error != E2E_OK || s->found)
				return error;
		}
	}
	return error;
}

/* An entry with kid is tried with the group keys of that kid alone. */
static enum e2e_error
try_groups(struct search *s, const struct recipient *entry)
{
	const struct e2e_group_key *group;
	enum e2e_error error = E2E_OK;
	bool mine;
	size_t i;

	if (entry->kind != RECIPIENT_GROUP ||
	    s->purpose == DERIVE_WRAPPED_KEY)
		return E2E_OK;
	for (i = 0; i < s->keys->group_count && error == E2E_OK; i++) {
		group = s->keys->groups[i];
		if (entry->kid != NULL &&
		    memcmp(entry->kid, group->kid, E2E_ID_LEN) != 0)
			continue;
		s->key_tried = true;
		error = recipients_unwrap_group(s->cek, &mine, entry, group);
		if (error == E2E_OK)
			error = compare(s, entry, mine);
		if (s->found) {
			s->result->group = group;
			break;
		}
	}
	return error;
}

static enum e2e_error
try_passphrase(struct search *s, const struct recipient *entry)
{
	void *passphrase = NULL;
	enum e2e_error error;
	size_t length = 0;
	bool mine = false;

	error = s->keys->passphrase(s->keys->passphrase_context,
	    &passphrase, &length);
	if (error == E2E_OK) {
		s->passphrase_tried = true;
		error = recipients_unwrap_passphrase(s->cek, &mine, entry,
		    passphrase, length);
	}
	if (error == E2E_OK)
		error = compare(s, entry, mine);
	secret_free(passphrase);
	return error;
}

/* Keys first: a passphrase costs a second, and somebody's attention. */
static enum e2e_error
search(struct search *s)
{
	const struct recipient *entry;
	enum e2e_error error;
	size_t i;

	for (i = 0; i < s->header->recipient_count; i++) {
		error = try_identities(s, &s->header->recipients[i]);
		if (error == E2E_OK && !s->found)
			error = try_groups(s, &s->header->recipients[i]);
		if (error != E2E_OK || s->found)
			return error;
	}
	for (i = 0; i < s->header->recipient_count; i++) {
		entry = &s->header->recipients[i];
		if (entry->kind != RECIPIENT_PASSPHRASE ||
		    s->keys->passphrase == NULL)
			continue;
		error = try_passphrase(s, entry);
		if (error != E2E_OK || s->found)
			return error;
	}
	return E2E_OK;
}

/* One answer for whatever kept the header closed: 7 only where nothing but a
 * passphrase was tried, or could have been. */
static enum e2e_error
not_found(const struct search *s)
{
	size_t i;

	if (s->key_tried)
		return E2E_ERR_NO_KEY;
	if (s->passphrase_tried)
		return E2E_ERR_PASSPHRASE_WRONG;
	for (i = 0; i < s->header->recipient_count; i++) {
		if (s->header->recipients[i].kind == RECIPIENT_PASSPHRASE)
			return E2E_ERR_PASSPHRASE_NEEDED;
	}
	return E2E_ERR_NO_KEY;
}

enum e2e_error
unwrap_cek(struct unwrapped *found, const struct header *header,
    enum derive_purpose purpose, const struct e2e_keys *keys,
    enum e2e_error *header_error)
{
	struct search s = {
		.header = header, .purpose = purpose, .keys = keys,
		.result = found,
		.rsa_trials_left = keys->rsa_trials_max != 0 ?
		    keys->rsa_trials_max : RSA_TRIALS_DEFAULT
	};
	enum e2e_error error;

	memset(found, 0, sizeof(*found));
	found->identity = -1;
	s.cek = secret_alloc(DERIVE_CEK_LEN);
	if (s.cek == NULL)
		return E2E_ERR_MEMORY;
	error = search(&s);
	*header_error = not_found(&s);
	if (error == E2E_OK && !s.found)
		error = *header_error;
	if (error != E2E_OK) {
		secret_free(s.cek);
		return error;
	}
	found->cek = s.cek;	/* transferred */
	return E2E_OK;
}
