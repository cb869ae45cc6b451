/*
 * sender.c: who a message is from, and whether that will do.
 *
 * Names that people see come from the user's own contacts and key files. What
 * a card calls itself is shown as such and in quotes.
 */
#include "open.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "cli/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a message that was header-signed, and then forwarded. */
#define FORWARDED_MODE "it cannot be verified any more: only the header was " \
    "signed, and its recipients were changed since"

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
		return opened->rewrapped ? message_error(E2E_ERR_MODE, "%s%s",
		    job->about, FORWARDED_MODE) : refuse(job, E2E_ERR_MODE);
	if (opened->rewrapped && !job->forwarded) {
		(void)refuse(job, E2E_ERR_FORWARDED);
		message_hint("--forwarded opens it all the same");
		return E2E_ERR_FORWARDED;
	}
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

/* Through which group it has come. */
static void
describe_group(const struct open_job *job, const struct e2e_opened *opened)
{
	if (opened->group != NULL)
		message_note("%sto group %s, epoch %" PRIu64 " (%s)",
		    job->about, groupkeys_name(opened->group),
		    e2e_group_key_epoch(opened->group),
		    groupkeys_path(&job->groups, opened->group));
}

/* "bob (pinned)", "yourself (FILE)", "unknown key F, ..."; *contact: of it. */
static void
add_person(struct buffer *b, const struct open_job *job,
    const unsigned char id[E2E_ID_LEN], const struct e2e_card *card,
    const struct contact **contact)
{
	const struct contact *c = contacts_find_id(&job->contacts, id);
	const struct own_key *own = find_own(job, id);
	const char *name = card == NULL ? "" : e2e_card_name(card);
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	*contact = c;
	if (c != NULL) {
		text_add(b, "%s (pinned%s)", c->name,
		    c->verified ? ", verified" : "");
	} else if (own != NULL) {
		text_add(b, "yourself (%s)", own->path);
	} else {
		e2e_fingerprint(fingerprint, id);
		text_add(b, "unknown key %s", fingerprint);
		if (name[0] != '\0')
			text_add(b, ", which calls itself \"%s\"", name);
	}
}

/* Of a contact, or of the card that came along. */
static void
warn_about(const struct open_job *job, const struct contact *contact,
    const struct e2e_card *card)
{
	if (contact != NULL && contact->revoked)
		message_warn("%s: %s", contact->name,
		    e2e_error_text(E2E_ERR_SENDER_REVOKED));
	else if (contact != NULL && has_expired(contact->card, card))
		message_warn("%s: %s", contact->name,
		    e2e_error_text(E2E_ERR_SENDER_EXPIRED));
	else if (contact == NULL && card != NULL && has_expired(card, NULL))
		message_warn("%s%s", job->about,
		    e2e_error_text(E2E_ERR_SENDER_EXPIRED));
}

static void
add_sender_words(struct buffer *b, const struct open_job *job,
    const struct e2e_opened *opened, const struct contact **contact)
{
	if (opened->sender_state == E2E_SENDER_ANONYMOUS) {
		text_add(b, "anonymous: nobody signed this");
	} else if (opened->sender_state != E2E_SENDER_VERIFIED) {
		text_add(b, "sender not known: %s", opened->rewrapped ?
		    FORWARDED_MODE : e2e_error_text(E2E_ERR_MODE));
	} else {
		text_add(b, "from ");
		add_person(b, job, opened->sender_id, opened->sender,
		    contact);
	}
}

/* One line: who it is from, and who passed it on. */
static enum e2e_error
describe(const struct open_job *job, const struct e2e_opened *opened)
{
	const struct contact *sender = NULL, *forwarder = NULL;
	enum e2e_error error = E2E_OK;
	struct buffer text;

	buffer_init(&text, TEXT_MAX);
	add_sender_words(&text, job, opened, &sender);
	if (opened->rewrapped && opened->forwarder == NULL) {
		text_add(&text, ", forwarded by unknown");
	} else if (opened->rewrapped) {
		text_add(&text, ", forwarded by ");
		add_person(&text, job, e2e_card_id(opened->forwarder),
		    opened->forwarder, &forwarder);
	}
	(void)buffer_append_byte(&text, '\0');
	if (text.failed)
		error = message_no_memory();
	else
		message_note("%s%s", job->about, (const char *)text.data);
	buffer_free(&text);
	if (error != E2E_OK)
		return error;
	if (opened->sender_state == E2E_SENDER_VERIFIED)
		warn_about(job, sender, opened->sender);
	warn_about(job, forwarder, opened->forwarder);
	return E2E_OK;
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
	if (opened->sender_state != E2E_SENDER_ANONYMOUS ||
	    opened->rewrapped)
		error = contacts_load(&job->contacts);
	if (error == E2E_OK &&
	    (error = delivery_check(opened)) != E2E_OK)
		(void)refuse(job, error);
	if (error == E2E_OK && opened->group != NULL &&
	    !job->request.allow_old_epochs)
		error = remember_check_epoch(&job->remember, opened->group,
		    groupkeys_path(&job->groups, opened->group));
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

static void
add_forwarder(struct json *j, const struct open_job *job,
    const struct e2e_opened *opened)
{
	const struct contact *contact;
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	json_bool(j, "forwarded", opened->rewrapped);
	if (opened->forwarder == NULL)
		return;
	e2e_fingerprint(fingerprint, e2e_card_id(opened->forwarder));
	json_string(j, "forwarder_fingerprint", fingerprint);
	json_number(j, "forwarded_at", opened->forwarded);
	contact = contacts_find_id(&job->contacts,
	    e2e_card_id(opened->forwarder));
	if (contact != NULL)
		json_string(j, "forwarder", contact->name);
}

static void
add_group(struct json *j, const struct e2e_group_key *group)
{
	if (group == NULL)
		return;
	json_string(j, "group", e2e_group_key_name(group));
	json_hex(j, "group_id", e2e_group_key_id(group), E2E_ID_LEN);
	json_number(j, "epoch", e2e_group_key_epoch(group));
}

enum e2e_error
sender_report(const struct open_job *job, const struct e2e_opened *opened)
{
	char id[2 * E2E_MESSAGE_ID_LEN + 1], when[TEXT_TIME_LEN + 8];
	enum e2e_error error = E2E_OK;
	struct json j;

	/* Who was asked for need not be named, but whoever came between. */
	if (opened->rewrapped || (!job->known && job->senders.count == 0))
		error = describe(job, opened);
	if (error != E2E_OK)
		return error;
	describe_group(job, opened);
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
	add_forwarder(&j, job, opened);
	add_group(&j, opened->group);
	if (opened->is_numbered) {
		json_hex(&j, "conversation", opened->conversation,
		    E2E_CONVERSATION_LEN);
		json_number(&j, "sequence", opened->sequence);
	}
	if (opened->receipt_wanted)
		json_bool(&j, "receipt_wanted", true);
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
	return E2E_OK;
}
