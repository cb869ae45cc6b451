/*
 * remember.c: words about the folder of state.
 */
#include "cli/remember.h"

#include "base/clock.h"
#include "cli/message.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void
hint_about(enum e2e_error error)
{
	if (error == E2E_ERR_STORE_DAMAGED)
		message_hint("it is left as it is: restore it from a copy, or "
		    "begin with another folder and accept that what was opened "
		    "before can be opened again");
	else if (error == E2E_ERR_BUSY)
		message_hint("other commands are using it; try again");
}

enum e2e_error
remember_open(struct remember *r)
{
	const struct state_policy policy = { .now = clock_now() };
	const char *why = NULL;
	enum e2e_error error;

	if (r->folder == NULL)
		return E2E_OK;
	errno = 0;
	error = state_open(&r->state, r->folder, &policy, &why);
	if (error == E2E_OK)
		return E2E_OK;
	if (why == NULL)
		return message_system(error, r->folder);
	(void)message_error(error, "%s: %s", r->folder, why);
	hint_about(error);
	return error;
}

void
remember_close(struct remember *r)
{
	state_close(r->state);
	r->state = NULL;
}

enum e2e_error
remember_failed(const struct remember *r, enum e2e_error error)
{
	const char *why = state_why(r->state);

	if (why == NULL)
		(void)message_system(error, r->folder);
	else
		(void)message_error(error, "%s: %s", r->folder, why);
	hint_about(error);
	return error;
}

enum e2e_error
remember_epochs(const struct remember *r, const struct groupkeys *groups,
    bool allow_old)
{
	const struct e2e_group_key *group;
	enum e2e_error error;
	uint64_t highest;
	const char *name;
	size_t i;

	for (i = 0; r->state != NULL && i < groups->count; i++) {
		group = groups->list[i];
		name = e2e_group_key_name(group);
		errno = 0;
		error = state_epoch(r->state,
		    e2e_card_id(e2e_group_key_maker(group)),
		    e2e_group_key_random(group), name, strlen(name),
		    e2e_group_key_epoch(group), &highest);
		if (error != E2E_OK)
			return remember_failed(r, error);
		if (highest == e2e_group_key_epoch(group) || allow_old)
			continue;
		(void)message_error(E2E_ERR_OLD_EPOCH, "%s: epoch %" PRIu64
		    " of a group whose epoch is %" PRIu64 " by now",
		    groups->paths[i], e2e_group_key_epoch(group), highest);
		message_hint("--old-epoch uses it all the same");
		return E2E_ERR_OLD_EPOCH;
	}
	return E2E_OK;
}
