/*
 * contacts.c: the folder of pinned cards.
 *
 * One small file a contact, so that cp, diff, version control and a careful
 * look are enough to manage it. Writing is in contacts_change.c.
 */
#include "cli/contacts.h"

#include "base/buffer.h"
#include "base/file.h"
#include "cli/cardlist.h"
#include "cli/config.h"
#include "cli/message.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

bool
contacts_name_valid(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789._@-";
	size_t length = strlen(name);

	return length >= 1 && length <= CONTACT_NAME_MAX &&
	    strchr(first, name[0]) != NULL && strspn(name, rest) == length &&
	    !ends_with(name, ".pub") && !ends_with(name, ".revoked") &&
	    !ends_with(name, ".verified");
}

static void
free_contact(struct contact *c)
{
	free(c->name);
	e2e_card_free(c->card);
}

void
contacts_free(struct contacts *contacts)
{
	size_t i;

	for (i = 0; i < contacts->count; i++)
		free_contact(&contacts->list[i]);
	free(contacts->list);
	free(contacts->folder);
	if (contacts->locked)
		(void)close(contacts->lock);
	memset(contacts, 0, sizeof(*contacts));
}

/* FOLDER/NAME.KIND, or false: too long. */
static bool
path_of(char path[4096], const struct contacts *contacts, const char *name,
    const char *kind)
{
	int n = snprintf(path, 4096, "%s/%s.%s", contacts->folder, name, kind);

	return n > 0 && n < 4096;
}

/* Does NAME.verified hold the fingerprint of this very card? */
static bool
is_verified(const char *path, const struct e2e_card *card)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct buffer text;
	bool same = false;

	if (access(path, F_OK) != 0)
		return false;
	buffer_init(&text, 1024);
	e2e_fingerprint(fingerprint, e2e_card_id(card));
	if (file_read(path, &text) == E2E_OK)
		same = text.length >= E2E_FINGERPRINT_LEN &&
		    memcmp(text.data, fingerprint, E2E_FINGERPRINT_LEN) == 0;
	buffer_free(&text);
	return same;
}

/* Anything but a clear "no such file" counts as revoked. */
static bool
is_revoked(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 || errno != ENOENT;
}

/* Takes over `c` when it has room. */
static bool
append(struct contacts *contacts, const struct contact *c)
{
	size_t capacity = contacts->capacity == 0 ? 16 : contacts->capacity * 2;
	struct contact *list;

	if (contacts->count == contacts->capacity) {
		list = realloc(contacts->list, capacity * sizeof(*list));
		if (list == NULL)
			return false;
		contacts->list = list;
		contacts->capacity = capacity;
	}
	contacts->list[contacts->count++] = *c;
	return true;
}

/*
 * A damaged file must not make all others useless, and one that is gone was
 * just unpinned. But what cannot be read for want of memory or by an error of
 * the disk may be the key that was revoked.
 */
static bool
can_be_left_out(enum e2e_error error, const char *path)
{
	switch (e2e_exit_status(error)) {
	case 1:		/* not authentic */
	case 5:		/* malformed */
	case 6:		/* beyond a limit */
		return true;
	default:
		return access(path, F_OK) != 0 && errno == ENOENT;
	}
}

static enum e2e_error
load_one(struct contacts *contacts, const char *name)
{
	struct contact c = { NULL, NULL, false, false };
	struct stat st;
	enum e2e_error error;
	char path[4096];

	if (!path_of(path, contacts, name, "pub"))
		return message_error(E2E_ERR_CONFIG, "%s: path too long",
		    contacts->folder);
	/* A fifo would be waited for, for ever. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		message_warn("contact %s is left out: it is no file", name);
		return E2E_OK;
	}
	error = cardlist_read_one(&c.card, path, "a contact");
	if (error != E2E_OK && !can_be_left_out(error, path))
		return error;
	if (error != E2E_OK) {
		message_warn("contact %s is left out", name);
		return E2E_OK;
	}
	if (path_of(path, contacts, name, "revoked"))
		c.revoked = is_revoked(path);
	if (path_of(path, contacts, name, "verified"))
		c.verified = is_verified(path, c.card);
	if ((c.name = strdup(name)) == NULL || !append(contacts, &c)) {
		free_contact(&c);
		return message_no_memory();
	}
	return E2E_OK;
}

static enum e2e_error
load_all(struct contacts *contacts, DIR *folder)
{
	char name[CONTACT_NAME_MAX + 1];
	struct dirent *entry;
	enum e2e_error error;
	size_t length;

	for (errno = 0; (entry = readdir(folder)) != NULL; errno = 0) {
		length = strlen(entry->d_name);
		if (!ends_with(entry->d_name, ".pub") ||
		    length - 4 > CONTACT_NAME_MAX)
			continue;
		memcpy(name, entry->d_name, length - 4);
		name[length - 4] = '\0';
		if (!contacts_name_valid(name))
			continue;
		if ((error = load_one(contacts, name)) != E2E_OK)
			return error;
	}
	if (errno != 0)
		return message_system(E2E_ERR_CONFIG, contacts->folder);
	return E2E_OK;
}

static int
by_name(const void *a, const void *b)
{
	const struct contact *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* Invariant 2: under whatever name the revocation was kept. */
static void
spread_revocations(struct contacts *contacts)
{
	struct contact *list = contacts->list;
	size_t i, k;

	for (i = 0; i < contacts->count; i++)
		for (k = 0; list[i].revoked && k < contacts->count; k++)
			if (memcmp(e2e_card_id(list[i].card),
			    e2e_card_id(list[k].card), E2E_ID_LEN) == 0)
				list[k].revoked = true;
}

static enum e2e_error
load_folder(struct contacts *contacts)
{
	enum e2e_error error;
	DIR *folder;

	error = config_path(&contacts->folder, "contacts");
	if (error != E2E_OK || contacts->folder == NULL)
		return error;
	if ((folder = opendir(contacts->folder)) == NULL) {
		if (errno == ENOENT || errno == ENOTDIR)
			return E2E_OK;
		return message_system(E2E_ERR_CONFIG, contacts->folder);
	}
	error = load_all(contacts, folder);
	(void)closedir(folder);
	return error;
}

enum e2e_error
contacts_load(struct contacts *contacts)
{
	enum e2e_error error;

	if (contacts->loaded)
		return E2E_OK;
	if ((error = load_folder(contacts)) != E2E_OK) {
		/* Some of them must not be taken for all. */
		contacts_free(contacts);
		return error;
	}
	if (contacts->count > 0)
		qsort(contacts->list, contacts->count,
		    sizeof(contacts->list[0]), by_name);
	spread_revocations(contacts);
	contacts->loaded = true;
	return E2E_OK;
}

const struct contact *
contacts_find_name(const struct contacts *contacts, const char *name)
{
	size_t i;

	for (i = 0; i < contacts->count; i++)
		if (strcmp(contacts->list[i].name, name) == 0)
			return &contacts->list[i];
	return NULL;
}

const struct contact *
contacts_find_id(const struct contacts *contacts,
    const unsigned char id[E2E_ID_LEN])
{
	const struct contact *c, *newest = NULL;
	size_t i;

	/* Pinned under several names: the newest card is what is known. */
	for (i = 0; i < contacts->count; i++) {
		c = &contacts->list[i];
		if (memcmp(e2e_card_id(c->card), id, E2E_ID_LEN) == 0 &&
		    (newest == NULL || e2e_card_serial(c->card) >
		    e2e_card_serial(newest->card)))
			newest = c;
	}
	return newest;
}

enum e2e_error
contacts_check(const struct contacts *contacts, const struct e2e_card *card,
    enum e2e_error revoked)
{
	const struct contact *c =
	    contacts_find_id(contacts, e2e_card_id(card));
	enum e2e_error error;
	uint64_t known, given;

	if (c == NULL)
		return E2E_OK;
	known = e2e_card_serial(c->card);
	given = e2e_card_serial(card);
	if (c->revoked)
		error = revoked;
	else if (given < known)
		error = E2E_ERR_ROLLBACK;
	else if (given == known && !e2e_card_equal(card, c->card))
		error = E2E_ERR_CONTACT_CHANGED;
	else
		return E2E_OK;
	return message_error(error, "%s: %s", c->name,
	    error != E2E_ERR_CONTACT_CHANGED ? e2e_error_text(error) :
	    "there are two different cards with the same serial");
}
