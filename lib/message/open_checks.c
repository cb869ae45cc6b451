/* Whom it is for, who may have written it, and when. */
#include "message/open_checks.h"

#include "base/clock.h"
#include "message/claims.h"
#include "message/group_key.h"
#include "message/identity.h"

#include <string.h>

enum { SKEW_DEFAULT = 86400 };

/* The `to` that speaks of the recipients as they are; of an anonymous message
 * nobody has said for whom it is. */
static enum e2e_error
check_to(const struct e2e_reader *r, const struct e2e_open *request,
    const struct e2e_opened *opened)
{
	const struct unwrapped *found = &r->unsealed.found;
	const unsigned char *id;
	unsigned char hash[HASH_LEN];
	enum e2e_error error;

	if (found->entry->kid != NULL || (!opened->rewrapped &&
	    opened->sender_state == E2E_SENDER_ANONYMOUS))
		return E2E_OK;
	if (found->identity >= 0)
		id = e2e_card_id(request->keys.identities[found->identity]->
		    card);
	else if (found->group != NULL)
		id = found->group->kid;
	else
		return E2E_OK;
	error = derive_to(hash, r->claims.message_id, id);
	if (error != E2E_OK)
		return error;
	return claims_has_hash(opened->rewrapped ? r->unsealed.block.to :
	    r->claims.to, hash) ? E2E_OK : E2E_ERR_NOT_ADDRESSED;
}

/* Mode 1 proves something to a single reader alone. */
static bool
mode_proves(const struct e2e_reader *r)
{
	const struct header *h = &r->header;

	return r->claims.mode != MODE_HEADER ||
	    (!h->rewrapped && h->recipient_count == 1 &&
	    (h->recipients[0].kind == RECIPIENT_RSA ||
	    h->recipients[0].kind == RECIPIENT_X25519));
}

static bool
is_over(const struct e2e_open *request, const struct e2e_group_key *group)
{
	const struct e2e_keys *keys = &request->keys;
	size_t i;

	for (i = 0; i < keys->group_count; i++) {
		if (e2e_group_key_same_group(keys->groups[i], group) &&
		    keys->groups[i]->epoch > group->epoch)
			return true;
	}
	return false;
}

/* Who brought it to the group: the sender, or who rewrapped it. */
static enum e2e_error
check_group(const struct e2e_open *request, const struct e2e_opened *opened)
{
	const struct e2e_group_key *group = opened->group;
	const struct e2e_card *speaker;

	if (group == NULL)
		return E2E_OK;
	speaker = opened->rewrapped ? opened->forwarder : opened->sender;
	if (speaker == NULL)
		return E2E_ERR_SENDER_ANONYMOUS;
	if (!opened->rewrapped &&
	    opened->sender_state != E2E_SENDER_VERIFIED)
		return E2E_ERR_MODE;
	if (!group_key_admits(request->keys.groups, request->keys.group_count,
	    group, e2e_card_id(speaker)))
		return E2E_ERR_NOT_A_MEMBER;
	return !request->allow_old_epochs && is_over(request, group) ?
	    E2E_ERR_OLD_EPOCH : E2E_OK;
}

enum e2e_error
open_check_addressed(const struct e2e_reader *r,
    const struct e2e_open *request, struct e2e_opened *opened)
{
	enum e2e_error error;

	error = check_to(r, request, opened);
	if (error != E2E_OK)
		return error;
	if (!mode_proves(r))
		opened->sender_state = E2E_SENDER_BAD_MODE;
	return check_group(request, opened);
}

enum e2e_error
open_check_time(const struct metadata *m, const struct e2e_open *request)
{
	uint64_t now = clock_now(), skew = request->max_skew;

	if (m->has_expiry && now >= m->expires && !request->allow_expired)
		return E2E_ERR_EXPIRED;
	if (skew == 0)
		skew = request->max_age != 0 ? SKEW_DEFAULT : UINT64_MAX;
	if (m->issued > now)
		return m->issued - now > skew ? E2E_ERR_FROM_FUTURE : E2E_OK;
	return request->max_age != 0 && now - m->issued > request->max_age ?
	    E2E_ERR_TOO_OLD : E2E_OK;
}
