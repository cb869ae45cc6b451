/*
 * sender.c: who a message is from, and whether that will do.
 *
 * Names that people see come from the user's own contacts and key files. What
 * a card calls itself is shown as such and in quotes.
 */
#include "open.h"

#include "base/clock.h"
#include "cli/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The newest, when there are several of one identity. */
static const struct e2e_card *
find_in_list(const struct cardlist *list, const unsigned char id[E2E_ID_LEN])
{
	const struct e2e_card *found = NULL, *card;
	size_t i;

	for (i = 0; i < list->count; i++) {
		card = list->cards[i];
		if (memcmp(e2e_card_id(card), id, E2E_ID_LEN) == 0 &&
		    (found == NULL ||
		    e2e_card_serial(card) > e2e_card_serial(found)))
			found = card;
	}
	return found;
}

static const struct own_key *
find_own(const struct open_job *job, const unsigned char id[E2E_ID_LEN])
{
	size_t i;

	for (i = 0; i < job->request.keys.identity_count; i++)
		if (memcmp(e2e_card_id(e2e_identity_card(
		    job->keys[i].identity)), id, E2E_ID_LEN) == 0)
			return &job->keys[i];
	return NULL;
}

const struct e2e_card *
sender_find_card(void *context, const unsigned char id[E2E_ID_LEN])
{
	struct open_job *job = context;
	const struct e2e_card *card = find_in_list(&job->senders, id);
	const struct contact *contact;
	const struct own_key *own;

	if (card != NULL)
		return card;
	if ((own = find_own(job, id)) != NULL)
		return e2e_identity_card(own->identity);
	job->lookup = contacts_load(&job->contacts);
	if (job->lookup != E2E_OK)
		return NULL;
	contact = contacts_find_id(&job->contacts, id);
	return contact == NULL ? NULL : contact->card;
}

static enum e2e_error
refuse(const struct open_job *job, enum e2e_error error)
{
	return message_error(error, "%s%s", job->about, e2e_error_text(error));
}

/* Of the known card and the one that came along, the newer one counts. */
static bool
has_expired(const struct e2e_card *known, const struct e2e_card *carried)
{
	const struct e2e_card *card = known;

	if (carried != NULL &&
	    e2e_card_serial(carried) > e2e_card_serial(known))
		card = carried;
	return e2e_card_expires(card) != 0 &&
	    e2e_card_expires(card) <= clock_now();
}

/* With -s or --known: the sender is one of those, or the message is refused. */
static enum e2e_error
demand(struct open_job *job, const struct e2e_opened *opened)
{
	const struct contact *contact;
	const struct e2e_card *card = NULL;
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	if (opened->sender_state == E2E_SENDER_ANONYMOUS)
		return refuse(job, E2E_ERR_SENDER_ANONYMOUS);
	if (opened->sender_state != E2E_SENDER_VERIFIED)
		return refuse(job, E2E_ERR_MODE);
	contact = contacts_find_id(&job->contacts, opened->sender_id);
	if (!job->known)
		card = find_in_list(&job->senders, opened->sender_id);
	else if (contact != NULL)
		card = contact->card;
	if (card == NULL) {
		(void)refuse(job, job->known ? E2E_ERR_SENDER_UNKNOWN :
		    E2E_ERR_SENDER_OTHER);
		e2e_fingerprint(fingerprint, opened->sender_id);
		message_hint("it is from %s%s%s", contact == NULL ? "" :
		    contact->name, contact == NULL ? "" : ", ", fingerprint);
		return job->known ? E2E_ERR_SENDER_UNKNOWN :
		    E2E_ERR_SENDER_OTHER;
	}
	if (contact != NULL && contact->revoked)
		return refuse(job, E2E_ERR_SENDER_REVOKED);
	if (has_expired(card, opened->sender) && !job->request.allow_expired)
		return refuse(job, E2E_ERR_SENDER_EXPIRED);
	message_detail("%sfrom %s", job->about, contact != NULL ?
	    contact->name : "the sender asked for");
	return E2E_OK;
}

/* Without: says who it is from, as far as that is known. */
static void
describe(const struct open_job *job, const struct e2e_opened *opened)
{
	const struct contact *contact;
	const struct own_key *own;
	const char *name;
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	if (opened->sender_state == E2E_SENDER_ANONYMOUS) {
		message_note("%sanonymous: nobody signed this", job->about);
		return;
	}
	if (opened->sender_state != E2E_SENDER_VERIFIED) {
		message_note("%ssender not known: %s", job->about,
		    e2e_error_text(E2E_ERR_MODE));
		return;
	}
	contact = contacts_find_id(&job->contacts, opened->sender_id);
	if (contact != NULL) {
		message_note("%sfrom %s (pinned%s)", job->about,
		    contact->name, contact->verified ? ", verified" : "");
		if (contact->revoked)
			message_warn("%s: %s", contact->name,
			    e2e_error_text(E2E_ERR_SENDER_REVOKED));
		else if (has_expired(contact->card, opened->sender))
			message_warn("%s: %s", contact->name,
			    e2e_error_text(E2E_ERR_SENDER_EXPIRED));
		return;
	}
	if ((own = find_own(job, opened->sender_id)) != NULL) {
		message_note("%sfrom yourself (%s)", job->about, own->path);
		return;
	}
	e2e_fingerprint(fingerprint, opened->sender_id);
	name = opened->sender == NULL ? "" : e2e_card_name(opened->sender);
	if (name[0] == '\0')
		message_note("%sfrom unknown key %s", job->about, fingerprint);
	else
		message_note("%sfrom unknown key %s, which calls itself "
		    "\"%s\"", job->about, fingerprint, name);
	if (opened->sender != NULL && has_expired(opened->sender, NULL))
		message_warn("%s%s", job->about,
		    e2e_error_text(E2E_ERR_SENDER_EXPIRED));
}

/*
 * The request's judge: runs when the signature is verified and nothing else
 * has been said yet, so a wrong sender is the first thing one hears.
 */
enum e2e_error
sender_judge(void *context, const struct e2e_opened *opened)
{
	struct open_job *job = context;
	char id[2 * E2E_MESSAGE_ID_LEN + 1];
	enum e2e_error error = E2E_OK;

	if (job->folder != NULL) {
		text_hex(id, opened->message_id, E2E_MESSAGE_ID_LEN);
		(void)snprintf(job->about, sizeof(job->about), "%s: ", id);
	}
	if (opened->sender_state != E2E_SENDER_ANONYMOUS)
		error = contacts_load(&job->contacts);
	if (error == E2E_OK && (job->known || job->senders.count > 0))
		error = demand(job, opened);
	job->told = error;
	return error;
}

static void
add_sender(struct json *j, const struct open_job *job,
    const struct e2e_opened *opened)
{
	const struct contact *contact;
	char fingerprint[E2E_FINGERPRINT_LEN + 1], *line;

	if (opened->sender_state != E2E_SENDER_VERIFIED)
		return;
	e2e_fingerprint(fingerprint, opened->sender_id);
	json_string(j, "sender_fingerprint", fingerprint);
	contact = contacts_find_id(&job->contacts, opened->sender_id);
	if (contact != NULL) {
		json_string(j, "contact", contact->name);
		json_bool(j, "contact_verified", contact->verified);
		json_bool(j, "contact_revoked", contact->revoked);
	}
	if (opened->sender == NULL || j->text.failed)
		return;
	if ((line = e2e_card_line(opened->sender)) == NULL) {
		j->text.failed = true;
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	json_string(j, "sender_card", line);
	free(line);
}

void
sender_report(const struct open_job *job, const struct e2e_opened *opened)
{
	char id[2 * E2E_MESSAGE_ID_LEN + 1], when[TEXT_TIME_LEN + 8];
	struct json j;

	if (!job->known && job->senders.count == 0)
		describe(job, opened);
	text_hex(id, opened->message_id, E2E_MESSAGE_ID_LEN);
	text_time(when, opened->created);
	message_detail("message %s of %s", id, when);
	if (opened->file_name != NULL)
		message_detail("file name \"%s\"", opened->file_name);
	if (opened->media_type != NULL)
		message_detail("media type \"%s\"", opened->media_type);
	message_event(&j, "header");
	json_string(&j, "message_id", id);
	json_number(&j, "created", opened->created);
	if (opened->expires != 0)
		json_number(&j, "expires", opened->expires);
	json_string(&j, "sender",
	    opened->sender_state == E2E_SENDER_ANONYMOUS ? "anonymous" :
	    opened->sender_state == E2E_SENDER_VERIFIED ? "verified" :
	    "not-authenticated");
	add_sender(&j, job, opened);
	json_number(&j, "mode", (uint64_t)opened->mode);
	json_number(&j, "recipients", opened->recipient_count);
	if (opened->opened_by >= 0)
		json_string(&j, "opened_by",
		    job->keys[opened->opened_by].path);
	if (opened->file_name != NULL)
		json_string(&j, "file_name", opened->file_name);
	if (opened->media_type != NULL)
		json_string(&j, "media_type", opened->media_type);
	if (opened->is_reply)
		json_hex(&j, "reply_to", opened->reply_to,
		    E2E_MESSAGE_ID_LEN);
	message_status(&j);
}
