/*
 * contacts_change.c: pinning and what follows, each change one atomic file.
 */
#include "cli/contacts.h"

#include "base/file.h"
#include "cli/config.h"
#include "cli/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum e2e_error
write_file(const struct contacts *contacts, const char *name,
    const char *kind, const char *text, size_t length)
{
	char path[4096];
	enum e2e_error error;
	int n;

	n = snprintf(path, sizeof(path), "%s/%s.%s", contacts->folder, name,
	    kind);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return message_system(E2E_ERR_CREATE, contacts->folder);
	}
	errno = 0;
	error = file_write(path, text, length, 0666, FILE_REPLACE);
	if (error != E2E_OK)
		(void)message_system(error, path);
	return error;
}

static enum e2e_error
remove_file(const struct contacts *contacts, const char *name,
    const char *kind)
{
	char path[4096];
	int n;

	n = snprintf(path, sizeof(path), "%s/%s.%s", contacts->folder, name,
	    kind);
	if (n < 0 || (size_t)n >= sizeof(path))
		errno = ENAMETOOLONG;
	else if (unlink(path) == 0 || errno == ENOENT)
		return E2E_OK;
	return message_system(E2E_ERR_WRITE, path);
}

static enum e2e_error
make_folder(const struct contacts *contacts)
{
	char *path;
	enum e2e_error error;

	/* Told where there is no folder at all. */
	if ((error = config_path_needed(&path, "contacts")) != E2E_OK)
		return error;
	free(path);
	return config_make_folder(contacts->folder);
}

enum e2e_error
contacts_load_to_change(struct contacts *contacts)
{
	char *folder, *inside = NULL;
	enum e2e_error error;

	/* Told where there is no folder at all. */
	error = config_path_needed(&folder, "contacts");
	if (error == E2E_OK)
		error = config_make_folder(folder);
	if (error == E2E_OK)
		error = config_path_needed(&inside, "contacts/");
	if (error == E2E_OK) {
		errno = 0;
		error = file_lock_folder(&contacts->lock, inside);
		contacts->locked = contacts->lock >= 0;
		if (error != E2E_OK)
			(void)message_system(error, folder);
	}
	free(folder);
	free(inside);
	return error == E2E_OK ? contacts_load(contacts) : error;
}

/* Loud: this is what somebody in the middle would look like. */
static enum e2e_error
refuse_other_identity(const struct contact *pinned,
    const struct e2e_card *card)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	(void)message_error(E2E_ERR_CONTACT_CHANGED, "%s: %s", pinned->name,
	    e2e_error_text(E2E_ERR_CONTACT_CHANGED));
	e2e_fingerprint(fingerprint, e2e_card_id(pinned->card));
	message_hint("pinned: %s", fingerprint);
	e2e_fingerprint(fingerprint, e2e_card_id(card));
	message_hint("given:  %s", fingerprint);
	message_hint("somebody may be posing as %s; ask them over another "
	    "channel before 'e2e-contact unpin %s'", pinned->name,
	    pinned->name);
	return E2E_ERR_CONTACT_CHANGED;
}

enum e2e_error
contacts_pin(const struct contacts *contacts, const char *name,
    const struct e2e_card *card, bool *changed)
{
	const struct contact *pinned = contacts_find_name(contacts, name);
	char *line = NULL;
	enum e2e_error error;

	*changed = false;
	if (pinned != NULL && memcmp(e2e_card_id(pinned->card),
	    e2e_card_id(card), E2E_ID_LEN) != 0)
		return refuse_other_identity(pinned, card);
	/* Also when the same identity is pinned under another name. */
	error = contacts_check(contacts, card, E2E_ERR_RECIPIENT_REVOKED);
	if (error != E2E_OK)
		return error;
	if (pinned != NULL && e2e_card_equal(pinned->card, card))
		return E2E_OK;
	if ((error = make_folder(contacts)) != E2E_OK)
		return error;
	if ((line = e2e_card_line(card)) == NULL)
		return message_no_memory();
	error = write_file(contacts, name, "pub", line, strlen(line));
	*changed = error == E2E_OK;
	free(line);
	return error;
}

enum e2e_error
contacts_revoke(const struct contacts *contacts,
    const unsigned char id[E2E_ID_LEN], const char *text, size_t length)
{
	enum e2e_error error;
	size_t i;

	for (i = 0; i < contacts->count; i++) {
		if (memcmp(e2e_card_id(contacts->list[i].card), id,
		    E2E_ID_LEN) != 0)
			continue;
		error = write_file(contacts, contacts->list[i].name, "revoked",
		    text, length);
		if (error != E2E_OK)
			return error;
	}
	return E2E_OK;
}

enum e2e_error
contacts_set_verified(const struct contacts *contacts,
    const struct contact *contact)
{
	char line[E2E_FINGERPRINT_LEN + 2];

	e2e_fingerprint(line, e2e_card_id(contact->card));
	line[E2E_FINGERPRINT_LEN] = '\n';
	return write_file(contacts, contact->name, "verified", line,
	    E2E_FINGERPRINT_LEN + 1);
}

enum e2e_error
contacts_unpin(const struct contacts *contacts, const struct contact *contact)
{
	enum e2e_error error;

	/* The card first: what is left of a name without one says nothing. */
	error = remove_file(contacts, contact->name, "pub");
	if (error == E2E_OK)
		error = remove_file(contacts, contact->name, "verified");
	if (error == E2E_OK)
		error = remove_file(contacts, contact->name, "revoked");
	return error;
}
