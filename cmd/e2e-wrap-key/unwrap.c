/*
 * unwrap.c: the key out of a wrapped key.
 */
#include "wrap_key.h"

#include "base/clock.h"
#include "cli/message.h"
#include "cli/output.h"

#include <errno.h>
#include <string.h>

static const struct e2e_card *
find_maker(const struct wrap_key *w, const unsigned char id[E2E_ID_LEN])
{
	const struct contact *contact;
	size_t i;

	for (i = 0; i < w->makers.count; i++) {
		if (memcmp(e2e_card_id(w->makers.cards[i]), id,
		    E2E_ID_LEN) == 0)
			return w->makers.cards[i];
	}
	contact = w->known ? contacts_find_id(&w->contacts, id) : NULL;
	return contact == NULL ? NULL : contact->card;
}

enum e2e_error
unwrap_judge(struct wrap_key *w, const struct e2e_group_key *group)
{
	const unsigned char *id = e2e_card_id(e2e_group_key_maker(group));
	const struct e2e_card *card;
	const struct contact *contact;
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_error error;

	if ((error = contacts_load(&w->contacts)) != E2E_OK)
		return error;
	if (!w->known && w->makers.count == 0)
		return E2E_OK;
	card = find_maker(w, id);
	if (card == NULL) {
		error = w->known ? E2E_ERR_SENDER_UNKNOWN :
		    E2E_ERR_SENDER_OTHER;
		e2e_fingerprint(fingerprint, id);
		return message_error(error, w->known ?
		    "made by an unknown key: %s" : "made by another: %s",
		    fingerprint);
	}
	contact = contacts_find_id(&w->contacts, id);
	if (contact != NULL && contact->revoked)
		return message_error(E2E_ERR_SENDER_REVOKED, "%s",
		    e2e_error_text(E2E_ERR_SENDER_REVOKED));
	/* The newer one counts, as with senders of messages. */
	if (e2e_card_serial(e2e_group_key_maker(group)) >
	    e2e_card_serial(card))
		card = e2e_group_key_maker(group);
	if (e2e_card_expires(card) != 0 &&
	    e2e_card_expires(card) <= clock_now())
		return message_error(E2E_ERR_SENDER_EXPIRED, "%s",
		    e2e_error_text(E2E_ERR_SENDER_EXPIRED));
	return E2E_OK;
}

enum e2e_error
unwrap_run(struct wrap_key *w)
{
	struct e2e_group_key *group = NULL;
	struct output out;
	enum e2e_error error;

	error = wrap_key_prepare(w);
	if (error == E2E_OK)
		error = groupkeys_read(&group, w->input == NULL ? "-" :
		    w->input, &w->keys, &w->contacts);
	if (error == E2E_OK)
		error = unwrap_judge(w, group);
	if (error != E2E_OK)
		goto out;
	error = output_open(&out, w->output, OUTPUT_BINARY, FILE_NEW, 0600,
	    -1);
	if (error == E2E_ERR_TERMINAL)
		message_hint("-o FILE writes it to a file");
	if (error != E2E_OK)
		goto out;
	errno = 0;
	error = out.io.write(out.io.context, e2e_group_key_secret(group),
	    E2E_GROUP_KEY_LEN);
	if (error != E2E_OK)
		(void)message_system(error, out.name);
	else
		error = output_commit(&out);
	output_abort(&out);
out:
	e2e_group_key_free(group);
	return error;
}
