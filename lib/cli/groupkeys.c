/*
 * groupkeys.c: from a file to a key, and whose it is.
 */
#include "cli/groupkeys.h"

#include "base/buffer.h"
#include "base/secret.h"
#include "cli/input.h"
#include "cli/message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Who may have made a key: oneself, and contacts. */
struct known {
	const struct e2e_keys *keys;
	struct contacts *contacts;
	enum e2e_error lookup;		/* why contacts could not be read */
};

static const struct e2e_card *
find_own(const struct e2e_keys *keys, const unsigned char id[E2E_ID_LEN])
{
	const struct e2e_card *card;
	size_t i;

	for (i = 0; i < keys->identity_count; i++) {
		card = e2e_identity_card(keys->identities[i]);
		if (memcmp(e2e_card_id(card), id, E2E_ID_LEN) == 0)
			return card;
	}
	return NULL;
}

static const struct e2e_card *
find_card(void *context, const unsigned char id[E2E_ID_LEN])
{
	struct known *known = context;
	const struct e2e_card *card = find_own(known->keys, id);
	const struct contact *contact;

	if (card != NULL)
		return card;
	known->lookup = contacts_load(known->contacts);
	if (known->lookup != E2E_OK)
		return NULL;
	contact = contacts_find_id(known->contacts, id);
	return contact == NULL ? NULL : contact->card;
}

enum e2e_error
groupkeys_add(struct groupkeys *g, const char *path)
{
	const char **paths;
	struct e2e_group_key **list;

	paths = realloc(g->paths, (g->count + 1) * sizeof(*paths));
	if (paths != NULL)
		g->paths = paths;
	list = realloc(g->list, (g->count + 1) * sizeof(*list));
	if (list != NULL)
		g->list = list;
	if (paths == NULL || list == NULL)
		return message_no_memory();
	g->paths[g->count] = path;
	g->list[g->count++] = NULL;
	return E2E_OK;
}

enum e2e_error
groupkeys_parse(struct e2e_group_key **group, const struct buffer *text,
    const char *name, const struct e2e_keys *keys, struct contacts *contacts)
{
	struct known known = { keys, contacts, E2E_OK };
	struct e2e_unwrap_key request = {
		.keys = *keys, .find_card = find_card,
		.find_card_context = &known
	};
	struct e2e_diag diag = { .code = E2E_OK };
	enum e2e_error error;

	error = e2e_unwrap_key(group, &request, text->data, text->length,
	    &diag);
	if (error == E2E_ERR_SENDER_UNKNOWN && known.lookup != E2E_OK)
		return known.lookup;
	return error == E2E_OK ? E2E_OK : message_diag(error, &diag, name);
}

enum e2e_error
groupkeys_read(struct e2e_group_key **group, const char *path,
    const struct e2e_keys *keys, struct contacts *contacts)
{
	struct buffer text;
	enum e2e_error error;

	*group = NULL;
	buffer_init(&text, E2E_WRAPPED_KEY_MAX);
	error = input_read_file(&text, path, "the wrapped key");
	if (error == E2E_OK)
		error = groupkeys_parse(group, &text, strcmp(path, "-") == 0 ?
		    "standard input" : path, keys, contacts);
	buffer_free(&text);
	return error;
}

/* Whoever chose the members is worth knowing. */
static enum e2e_error
judge_maker(const struct e2e_group_key *group, const char *path,
    const struct e2e_keys *keys, struct contacts *contacts,
    enum groupkeys_use use)
{
	const unsigned char *id = e2e_card_id(e2e_group_key_maker(group));
	const struct contact *contact;
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	enum e2e_error error;

	message_detail("%s: group %s, epoch %" PRIu64, path,
	    groupkeys_name(group), e2e_group_key_epoch(group));
	if (find_own(keys, id) != NULL)
		return E2E_OK;
	if ((error = contacts_load(contacts)) != E2E_OK)
		return error;
	contact = contacts_find_id(contacts, id);
	if (contact != NULL && contact->revoked && use == GROUPKEYS_SEAL)
		return message_error(E2E_ERR_RECIPIENT_REVOKED,
		    "%s: the key of %s, who made it, is revoked", path,
		    contact->name);
	if (contact != NULL && contact->revoked)
		message_warn("%s: the key of %s, who made it, is revoked",
		    path, contact->name);
	e2e_fingerprint(fingerprint, id);
	if (contact == NULL)
		message_warn("%s: made by unknown key %s", path, fingerprint);
	else
		message_detail("%s: made by %s", path, contact->name);
	return E2E_OK;
}

/* Its maker has made one epoch twice: members of one cannot read the other. */
static void
warn_about_fork(const struct groupkeys *g, size_t count)
{
	const struct e2e_group_key *group = g->list[count];
	size_t i;

	for (i = 0; i < count; i++) {
		if (memcmp(e2e_group_key_id(g->list[i]),
		    e2e_group_key_id(group), E2E_ID_LEN) == 0 &&
		    !secret_equal(e2e_group_key_secret(g->list[i]),
		    e2e_group_key_secret(group), E2E_GROUP_KEY_LEN))
			message_warn("%s and %s: two keys of one epoch: its "
			    "maker has changed the same file twice",
			    g->paths[i], g->paths[count]);
	}
}

enum e2e_error
groupkeys_open(struct groupkeys *g, const struct e2e_keys *keys,
    struct contacts *contacts, enum groupkeys_use use)
{
	enum e2e_error error = E2E_OK;
	size_t i;

	for (i = 0; i < g->count && error == E2E_OK; i++) {
		error = groupkeys_read(&g->list[i], g->paths[i], keys,
		    contacts);
		if (error == E2E_OK)
			error = judge_maker(g->list[i], g->paths[i], keys,
			    contacts, use);
		if (error == E2E_OK)
			warn_about_fork(g, i);
	}
	return error;
}

enum e2e_error
groupkeys_old_epoch(const struct e2e_group_key *group, const char *path,
    uint64_t highest)
{
	(void)message_error(E2E_ERR_OLD_EPOCH, "%s: epoch %" PRIu64 " of a "
	    "group that is at epoch %" PRIu64 " by now", path,
	    e2e_group_key_epoch(group), highest);
	message_hint("--old-epoch uses it all the same");
	return E2E_ERR_OLD_EPOCH;
}

enum e2e_error
groupkeys_check_epochs(const struct groupkeys *g)
{
	size_t i, k;

	for (i = 0; i < g->count; i++) {
		for (k = 0; k < g->count; k++) {
			if (e2e_group_key_same_group(g->list[i],
			    g->list[k]) && e2e_group_key_epoch(g->list[i]) <
			    e2e_group_key_epoch(g->list[k]))
				return groupkeys_old_epoch(g->list[i],
				    g->paths[i],
				    e2e_group_key_epoch(g->list[k]));
		}
	}
	return E2E_OK;
}

const struct e2e_group_key *const *
groupkeys_list(const struct groupkeys *g)
{
	return (const struct e2e_group_key *const *)g->list;
}

const char *
groupkeys_path(const struct groupkeys *g, const struct e2e_group_key *group)
{
	size_t i;

	for (i = 0; i < g->count; i++) {
		if (g->list[i] == group)
			return g->paths[i];
	}
	return NULL;
}

void
groupkeys_free(struct groupkeys *g)
{
	size_t i;

	for (i = 0; i < g->count; i++)
		e2e_group_key_free(g->list[i]);
	free(g->paths);
	free(g->list);
	memset(g, 0, sizeof(*g));
}

const char *
groupkeys_name(const struct e2e_group_key *group)
{
	const char *name = e2e_group_key_name(group);

	return name[0] != '\0' ? name : "without a name";
}
