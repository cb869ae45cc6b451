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
		message_hint("it is left as it is: with an older copy in its "
		    "place, or with another folder, what was opened since can "
		    "be opened again");
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
	(void)message_error(error, "%s: %s: %s", r->folder,
	    e2e_error_text(error), why);
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
		(void)message_error(error, "%s: %s: %s", r->folder,
		    e2e_error_text(error), why);
	hint_about(error);
	return error;
}

static enum e2e_error
note_epoch(const struct remember *r, const struct e2e_group_key *group,
    uint64_t *highest)
{
	const char *name = e2e_group_key_name(group);
	enum e2e_error error;

	errno = 0;
	error = state_epoch(r->state,
	    e2e_card_id(e2e_group_key_maker(group)),
	    e2e_group_key_random(group), name, strlen(name),
	    e2e_group_key_epoch(group), highest);
	return error == E2E_OK ? E2E_OK : remember_failed(r, error);
}

enum e2e_error
remember_epochs(const struct remember *r, const struct groupkeys *groups)
{
	enum e2e_error error = E2E_OK;
	uint64_t highest;
	size_t i;

	for (i = 0; r->state != NULL && i < groups->count &&
	    error == E2E_OK; i++)
		error = note_epoch(r, groups->list[i], &highest);
	return error;
}

enum e2e_error
remember_check_epoch(const struct remember *r,
    const struct e2e_group_key *group, const char *path)
{
	enum e2e_error error;
	uint64_t highest;

	if (r->state == NULL)
		return E2E_OK;
	error = note_epoch(r, group, &highest);
	if (error != E2E_OK || highest == e2e_group_key_epoch(group))
		return error;
	return groupkeys_old_epoch(group, path, highest);
}
