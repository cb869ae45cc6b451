/*
 * order.c: --state: no message twice, and which are missing or late.
 *
 * A message is admitted before its first byte is released, and done when its
 * output is safe. Whoever is killed in between has it admitted again: better
 * the same bytes once more in the same place than a message that is lost.
 */
#include "open.h"

#include "cli/message.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const struct {
	enum state_place place;
	const char *word;
} places[] = {
	{ STATE_FIRST, "first" },
	{ STATE_NEXT, "next" },
	{ STATE_GAP, "gap" },
	{ STATE_LATE, "late" }
};

static const char *
place_word(enum state_place place)
{
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i].place == place)
			return places[i].word;
	}
	return "none";
}

/* Only a verified sender has numbers. */
static void
describe(struct state_message *m, const struct e2e_opened *opened)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->hash, opened->context_hash, sizeof(m->hash));
	m->time = opened->created;
	m->numbered = opened->is_numbered &&
	    opened->sender_state == E2E_SENDER_VERIFIED;
	if (!m->numbered)
		return;
	memcpy(m->sender, opened->sender_id, sizeof(m->sender));
	memcpy(m->conversation, opened->conversation,
	    sizeof(m->conversation));
	m->number = opened->sequence;
}

void
order_report(const struct open_job *job, const struct e2e_opened *opened)
{
	const struct state_order *order = &job->order;
	struct json j;

	if (job->remember.state == NULL)
		return;
	if (order->interrupted)
		message_note("%san earlier attempt to open this did not get "
		    "to its end", job->about);
	if (order->place == STATE_GAP &&
	    order->missing_from == order->missing_to)
		message_note("%snumber %" PRIu64 " of its conversation; %"
		    PRIu64 " has not come yet", job->about, opened->sequence,
		    order->missing_from);
	else if (order->place == STATE_GAP)
		message_note("%snumber %" PRIu64 " of its conversation; %"
		    PRIu64 " to %" PRIu64 " have not come yet", job->about,
		    opened->sequence, order->missing_from,
		    order->missing_to);
	else if (order->place == STATE_FIRST && opened->sequence > 1)
		message_note("%snumber %" PRIu64 " of its conversation is the "
		    "first to come", job->about, opened->sequence);
	else if (order->place == STATE_LATE)
		message_note("%snumber %" PRIu64 " of its conversation comes "
		    "late", job->about, opened->sequence);
	message_event(&j, "order");
	json_string(&j, "place", place_word(order->place));
	if (order->place != STATE_NONE)
		json_number(&j, "sequence", opened->sequence);
	if (order->place == STATE_GAP) {
		json_number(&j, "missing_from", order->missing_from);
		json_number(&j, "missing_to", order->missing_to);
	}
	json_bool(&j, "interrupted", order->interrupted);
	message_status(&j);
}

/* What is refused is told like every other refusal. */
static enum e2e_error
refused(const struct open_job *job, const struct e2e_opened *opened,
    enum e2e_error error)
{
	if (error == E2E_ERR_NUMBER_REPEATED ||
	    error == E2E_ERR_NUMBER_BEHIND)
		return message_error(error, "%snumber %" PRIu64 ": %s",
		    job->about, opened->sequence, e2e_error_text(error));
	if (error == E2E_ERR_REPEATED)
		return message_error(error, "%sthis message was opened "
		    "before", job->about);
	if (error == E2E_ERR_TOO_OLD) {
		(void)message_error(error, "%s%s", job->about,
		    e2e_error_text(error));
		message_hint("%s has forgotten what was opened of its time",
		    job->remember.folder);
		return error;
	}
	return remember_failed(&job->remember, error);
}

enum e2e_error
order_admit(struct open_job *job, const struct e2e_opened *opened)
{
	struct state_message message;
	enum e2e_error error;

	if (job->remember.state == NULL)
		return E2E_OK;
	describe(&message, opened);
	if (message.numbered && message.number > E2E_NUMBER_MAX)
		return message_error(E2E_ERR_LIMIT, "%sthe number of its "
		    "conversation: %s", job->about,
		    e2e_error_text(E2E_ERR_LIMIT));
	errno = 0;
	error = state_admit(job->remember.state, &message, &job->order);
	return error == E2E_OK ? E2E_OK : refused(job, opened, error);
}

enum e2e_error
order_done(struct open_job *job)
{
	enum e2e_error error;

	if (job->remember.state == NULL)
		return E2E_OK;
	errno = 0;
	error = state_done(job->remember.state);
	return error == E2E_OK ? E2E_OK : remember_failed(&job->remember,
	    error);
}

void
order_leave(struct open_job *job)
{
	if (job->remember.state != NULL)
		(void)!state_leave(job->remember.state);
}

void
order_abandon(struct open_job *job)
{
	/* One that stays is taken for an attempt that was cut off, which it
	 * was. */
	if (job->remember.state != NULL)
		(void)!state_abandon(job->remember.state);
}
