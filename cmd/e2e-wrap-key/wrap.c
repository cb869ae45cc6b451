/*
 * wrap.c: making wrapped keys: of a new group, and of one that has other
 * members from now on.
 */
#include "wrap_key.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "base/file.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/output.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
has_id(const struct cardlist *list, const unsigned char id[E2E_ID_LEN])
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (memcmp(e2e_card_id(list->cards[i]), id, E2E_ID_LEN) == 0)
			return true;
	}
	return false;
}

/* Never over a file that is there: an older key still opens older mail. */
static enum e2e_error
write_wrapped(struct wrap_key *w, struct e2e_wrap_key *request,
    const struct cardlist *members)
{
	struct e2e_diag diag = { .code = E2E_OK };
	struct output out;
	enum e2e_error error;

	request->maker = w->reader;
	request->members = (const struct e2e_card *const *)members->cards;
	request->member_count = members->count;
	request->no_card = w->no_card;
	request->armor = w->armor;
	error = output_open(&out, w->output, w->armor ? OUTPUT_TEXT :
	    OUTPUT_BINARY, FILE_NEW, 0666, -1);
	if (error == E2E_ERR_TERMINAL)
		message_hint("-a makes text, -o FILE writes to a file");
	if (error != E2E_OK)
		return error;
	error = e2e_wrap_key(request, &out.io, &diag);
	if (error == E2E_ERR_RECIPIENT_EXPIRED &&
	    diag.position < members->count)
		(void)message_diag(error, &diag,
		    members->labels[diag.position]);
	else if (error != E2E_OK)
		(void)message_diag(error, &diag, out.name);
	else
		error = output_commit(&out);
	output_abort(&out);
	return error;
}

/* A key is not typed, and not kept where others read it. */
static enum e2e_error
check_source(const struct input *in)
{
	struct stat st;

	if (isatty(in->fd)) {
		(void)message_error(E2E_ERR_USAGE, "a key is not typed on a "
		    "terminal");
		message_hint("--new makes one");
		return E2E_ERR_USAGE;
	}
	/* What the shell has opened is the shell's affair. */
	if (!in->own || fstat(in->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    file_is_private(in->fd))
		return E2E_OK;
	(void)message_error(E2E_ERR_PERMISSIONS, "%s: %s", in->name,
	    e2e_error_text(E2E_ERR_PERMISSIONS));
	message_hint("chmod 600 %s", in->name);
	return E2E_ERR_PERMISSIONS;
}

/* Exactly as many bytes as a key has. */
static enum e2e_error
read_key(struct buffer *key, const char *path)
{
	struct input in;
	enum e2e_error error;

	error = input_open(&in, path, "the key");
	if (error == E2E_OK)
		error = check_source(&in);
	if (error == E2E_OK) {
		errno = 0;
		error = fd_read_all(in.fd, key);
		if (error != E2E_OK && error != E2E_ERR_LIMIT)
			(void)message_system(error, in.name);
		else if (key->length != E2E_GROUP_KEY_LEN)
			error = message_error(E2E_ERR_GROUP_KEY, "%s: %s",
			    in.name, e2e_error_text(E2E_ERR_GROUP_KEY));
	}
	input_close(&in);
	return error;
}

enum e2e_error
wrap_new(struct wrap_key *w)
{
	struct e2e_wrap_key request = { .name = w->name };
	struct buffer key;
	enum e2e_error error = E2E_OK;

	/* One more than a key has, so that a longer file is told from one. */
	buffer_init_secret(&key, E2E_GROUP_KEY_LEN + 1);
	if (!w->fresh) {
		error = read_key(&key, w->input);
		request.key = key.data;
	}
	if (error == E2E_OK)
		error = wrap_key_prepare(w);
	if (error == E2E_OK)
		error = write_wrapped(w, &request, &w->members);
	buffer_free(&key);
	return error;
}

/* ---- changing ---- */

/* A card for a member of whom only the id is known: one that was given, or
 * that of a contact. */
static enum e2e_error
add_member(struct wrap_key *w, struct cardlist *list,
    const unsigned char id[E2E_ID_LEN])
{
	const struct contact *contact;
	const struct e2e_card *found = NULL;
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct e2e_card *card;
	enum e2e_error error;
	size_t i;

	if (memcmp(e2e_card_id(e2e_identity_card(w->reader)), id,
	    E2E_ID_LEN) == 0)
		return E2E_OK;		/* the maker always is one */
	for (i = 0; i < w->members.count && found == NULL; i++) {
		if (memcmp(e2e_card_id(w->members.cards[i]), id,
		    E2E_ID_LEN) == 0)
			found = w->members.cards[i];
	}
	e2e_fingerprint(fingerprint, id);
	contact = contacts_find_id(&w->contacts, id);
	if (found == NULL && contact != NULL) {
		error = contacts_check(&w->contacts, contact->card,
		    E2E_ERR_RECIPIENT_REVOKED);
		if (error != E2E_OK)
			return error;
		found = contact->card;
	}
	if (found == NULL) {
		(void)message_error(E2E_ERR_NO_INPUT,
		    "no public key is at hand of the member %s", fingerprint);
		message_hint("-r or -R gives it, or e2e-contact pins it");
		return E2E_ERR_NO_INPUT;
	}
	card = e2e_card_dup(found);
	return card == NULL ? message_no_memory() : cardlist_add(list, card,
	    contact != NULL ? contact->name : fingerprint);
}

/* Nobody is removed who is not there, and not the maker. */
static enum e2e_error
check_removed(const struct wrap_key *w, const struct e2e_group_key *group)
{
	const unsigned char *id;
	size_t i, k;

	for (i = 0; i < w->removed_count; i++) {
		id = w->removed[i].id;
		if (has_id(&w->added, id))
			return message_error(E2E_ERR_USAGE,
			    "%s: both added and removed", w->removed[i].word);
		if (memcmp(id, e2e_card_id(e2e_group_key_maker(group)),
		    E2E_ID_LEN) == 0)
			return message_error(E2E_ERR_USAGE, "%s: its maker "
			    "cannot be removed from a group",
			    w->removed[i].word);
		for (k = 0; k < e2e_group_key_members(group); k++) {
			if (memcmp(e2e_group_key_member(group, k), id,
			    E2E_ID_LEN) == 0)
				break;
		}
		if (k == e2e_group_key_members(group))
			return message_error(E2E_ERR_USAGE,
			    "%s is not a member", w->removed[i].word);
	}
	return E2E_OK;
}

static bool
is_removed(const struct wrap_key *w, const unsigned char id[E2E_ID_LEN])
{
	size_t i;

	for (i = 0; i < w->removed_count; i++) {
		if (memcmp(w->removed[i].id, id, E2E_ID_LEN) == 0)
			return true;
	}
	return false;
}

/* -r only gives the cards of members: whoever is none is not made one. */
static void
warn_about_others(const struct wrap_key *w, const struct cardlist *list)
{
	size_t i;

	for (i = 0; i < w->members.count; i++) {
		if (!has_id(list, e2e_card_id(w->members.cards[i])) &&
		    memcmp(e2e_card_id(w->members.cards[i]), e2e_card_id(
		    e2e_identity_card(w->reader)), E2E_ID_LEN) != 0)
			message_warn("%s is no member, and does not become "
			    "one: --add adds", w->members.labels[i]);
	}
}

/* Those who were members and are not removed, and those who are added. */
static enum e2e_error
list_members(struct wrap_key *w, const struct e2e_group_key *group,
    struct cardlist *list)
{
	enum e2e_error error;
	struct e2e_card *card;
	const unsigned char *id;
	size_t i;

	error = check_removed(w, group);
	if (error == E2E_OK)
		error = contacts_load(&w->contacts);
	for (i = 0; i < e2e_group_key_members(group) && error == E2E_OK;
	    i++) {
		id = e2e_group_key_member(group, i);
		if (!is_removed(w, id) && !has_id(&w->added, id))
			error = add_member(w, list, id);
	}
	for (i = 0; i < w->added.count && error == E2E_OK; i++) {
		card = e2e_card_dup(w->added.cards[i]);
		error = card == NULL ? message_no_memory() :
		    cardlist_add(list, card, w->added.labels[i]);
	}
	return error;
}

enum e2e_error
wrap_change(struct wrap_key *w)
{
	struct e2e_wrap_key request = { .next_epoch = w->removed_count > 0 };
	struct cardlist members = { .cards = NULL };
	struct e2e_group_key *group = NULL;
	enum e2e_error error;

	error = wrap_key_prepare(w);
	if (error == E2E_OK)
		error = groupkeys_read(&group, w->input == NULL ? "-" :
		    w->input, &w->keys, &w->contacts);
	if (error == E2E_OK && memcmp(e2e_card_id(e2e_group_key_maker(group)),
	    e2e_card_id(e2e_identity_card(w->reader)), E2E_ID_LEN) != 0)
		error = message_error(E2E_ERR_NOT_MAKER, "%s",
		    e2e_error_text(E2E_ERR_NOT_MAKER));
	if (error == E2E_OK)
		error = list_members(w, group, &members);
	if (error == E2E_OK) {
		warn_about_others(w, &members);
		request.group = group;
		error = write_wrapped(w, &request, &members);
	}
	if (error == E2E_OK && request.next_epoch)
		message_note("epoch %" PRIu64 ": what is sealed from now on. "
		    "Removal does not reach what was sent before: whoever had "
		    "the key of epoch %" PRIu64 " has it still",
		    e2e_group_key_epoch(group) + 1,
		    e2e_group_key_epoch(group));
	cardlist_free(&members);
	e2e_group_key_free(group);
	return error;
}
