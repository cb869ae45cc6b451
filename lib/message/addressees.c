/* Who a header is for. */
#include "message/addressees.h"

#include "base/secret.h"
#include "message/identity.h"
#include "message/recipients.h"

#include <stdlib.h>
#include <string.h>

enum { HIDDEN_RSA_MAX = 128 };

static bool
has_card(const struct addressees *a, const struct e2e_card *card)
{
	size_t i;

	for (i = 0; i < a->card_count; i++) {
		if (memcmp(e2e_card_id(a->cards[i]), e2e_card_id(card),
		    E2E_ID_LEN) == 0)
			return true;
	}
	return false;
}

static bool
has_group(const struct addressees *a, const struct e2e_group_key *group)
{
	size_t i;

	for (i = 0; i < a->group_count; i++) {
		/* One epoch could have been made twice, with two keys. */
		if (memcmp(a->groups[i]->kid, group->kid, E2E_ID_LEN) == 0 &&
		    secret_equal(a->groups[i]->secret, group->secret,
		    E2E_GROUP_KEY_LEN))
			return true;
	}
	return false;
}

static enum e2e_error
add_card(struct addressees *a, const struct e2e_card *card, uint64_t now)
{
	if (has_card(a, card)) {
		a->repeated++;
		return E2E_OK;
	}
	if (a->entry_count == E2E_RECIPIENTS_MAX)
		return E2E_ERR_TOO_MANY_RECIPIENTS;
	if (card->expires != 0 && now >= card->expires)
		return E2E_ERR_RECIPIENT_EXPIRED;
	a->cards[a->card_count++] = card;
	a->entry_count++;
	return E2E_OK;
}

static enum e2e_error
add_group(struct addressees *a, const struct e2e_group_key *group)
{
	if (has_group(a, group)) {
		a->repeated++;
		return E2E_OK;
	}
	if (a->entry_count == E2E_RECIPIENTS_MAX)
		return E2E_ERR_TOO_MANY_RECIPIENTS;
	a->groups[a->group_count++] = group;
	a->entry_count++;
	return E2E_OK;
}

/* Each costs every reader a trial. */
static enum e2e_error
check_hidden(const struct addressees *a)
{
	size_t i, rsa = 0;

	for (i = 0; i < a->card_count && a->to->hide; i++) {
		if (a->cards[i]->encryption[0]->type->recipient_kind ==
		    RECIPIENT_RSA && ++rsa > HIDDEN_RSA_MAX)
			return E2E_ERR_RSA_TRIALS;
	}
	return E2E_OK;
}

enum e2e_error
addressees_list(struct addressees *a, const struct e2e_recipients *to,
    const struct e2e_card *self, uint64_t now, uint64_t *which)
{
	enum e2e_error error = E2E_OK;
	size_t i;

	memset(a, 0, sizeof(*a));
	a->to = to;
	a->cards = calloc(E2E_RECIPIENTS_MAX, sizeof(*a->cards));
	a->groups = calloc(E2E_RECIPIENTS_MAX, sizeof(*a->groups));
	if (a->cards == NULL || a->groups == NULL)
		return E2E_ERR_MEMORY;
	if (to->passphrase != NULL)
		a->entry_count++;
	for (i = 0; i < to->card_count && error == E2E_OK; i++) {
		*which = i;
		error = add_card(a, to->cards[i], now);
	}
	if (error == E2E_OK && self != NULL && !has_card(a, self)) {
		*which = i;
		error = add_card(a, self, now);
	}
	for (i = 0; i < to->group_count && error == E2E_OK; i++)
		error = add_group(a, to->groups[i]);
	if (error != E2E_OK)
		return error;
	return a->entry_count == 0 ? E2E_ERR_USAGE : check_hidden(a);
}

void
addressees_free(struct addressees *a)
{
	free(a->cards);
	free(a->groups);
}

enum e2e_error
addressees_admit(const struct addressees *a,
    const struct e2e_identity *speaker)
{
	size_t i;

	if (a->group_count > 0 && speaker == NULL)
		return E2E_ERR_USAGE;
	for (i = 0; i < a->group_count; i++) {
		if (!group_key_admits(a->to->groups, a->to->group_count,
		    a->groups[i], e2e_card_id(speaker->card)))
			return E2E_ERR_NOT_A_MEMBER;
	}
	return E2E_OK;
}

bool
addressees_is_one_key(const struct addressees *a)
{
	return a->entry_count == 1 && a->card_count == 1;
}

enum e2e_error
addressees_wrap(struct buffer *recipients, const struct addressees *a,
    const unsigned char cek[DERIVE_CEK_LEN])
{
	const struct e2e_recipients *to = a->to;
	const struct recipient_type *type;
	const struct key *key;
	enum e2e_error error = E2E_OK;
	size_t i;

	dcbor_put_array(recipients, a->entry_count);
	for (i = 0; i < a->card_count && error == E2E_OK; i++) {
		key = a->cards[i]->encryption[0];
		type = recipient_type_find(key->type->recipient_kind);
		error = type == NULL ? E2E_ERR_CARD : type->wrap(recipients,
		    key, to->hide ? NULL : e2e_card_id(a->cards[i]), cek);
	}
	for (i = 0; i < a->group_count && error == E2E_OK; i++)
		error = recipients_wrap_group(recipients, a->groups[i],
		    to->hide, cek);
	if (error == E2E_OK && to->passphrase != NULL)
		error = recipients_wrap_passphrase(recipients, to->passphrase,
		    to->passphrase_length, to->passphrase_cost, cek);
	return error == E2E_OK && recipients->failed ? E2E_ERR_MEMORY : error;
}

static enum e2e_error
add_hash(struct buffer *to,
    const unsigned char message_id[DERIVE_MESSAGE_ID_LEN],
    const unsigned char id[DERIVE_ID_LEN])
{
	unsigned char hash[HASH_LEN];
	enum e2e_error error;

	error = derive_to(hash, message_id, id);
	if (error == E2E_OK && !buffer_append(to, hash, sizeof(hash)))
		error = E2E_ERR_MEMORY;
	return error;
}

enum e2e_error
addressees_hash(struct buffer *to, const struct addressees *a,
    const unsigned char message_id[DERIVE_MESSAGE_ID_LEN])
{
	enum e2e_error error = E2E_OK;
	size_t i;

	if (!a->to->hide)
		return E2E_OK;
	for (i = 0; i < a->card_count && error == E2E_OK; i++)
		error = add_hash(to, message_id, e2e_card_id(a->cards[i]));
	for (i = 0; i < a->group_count && error == E2E_OK; i++)
		error = add_hash(to, message_id, a->groups[i]->kid);
	return error;
}
