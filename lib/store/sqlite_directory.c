/* sqlite_directory.c: cards, their names and their revocations. */
#include "store/sqlite_store.h"

#include <string.h>

enum column { BOX, ID, NAME, SERIAL, REGISTERED, CARD, REVOCATION, RETIRED };

/* What is known of an identity before it is enrolled. */
struct known {
	uint64_t box, serial;
	bool there, retired, revoked, same_card, same_name;
};

static enum e2e_error
get_known(struct sqlite_statement *get, const struct store_card *card,
    struct known *k)
{
	enum e2e_error err;
	struct bytes name;

	*k = (struct known){ .there = false };
	if ((err = sqlite_step(get, &k->there)) != E2E_OK || !k->there)
		return err;
	name = sqlite_column_bytes(get, NAME);
	k->box = sqlite_column(get, BOX);
	k->serial = sqlite_column(get, SERIAL);
	k->retired = sqlite_column(get, RETIRED) != 0;
	k->revoked = !sqlite_column_is_null(get, REVOCATION);
	k->same_card = bytes_equal(sqlite_column_bytes(get, CARD),
	    card->card);
	k->same_name = name.length == strlen(card->name) &&
	    (name.length == 0 ||
	    memcmp(name.data, card->name, name.length) == 0);
	sqlite_reset(get);
	return E2E_OK;
}

static enum store_registration
decide(const struct store_card *card, const struct known *own,
    const struct known *namesake)
{
	if (own->there) {
		if (own->revoked)
			return STORE_REVOKED;
		if (card->serial < own->serial)
			return STORE_ROLLBACK;
		if (card->serial == own->serial && !own->same_card)
			return STORE_CONFLICT;
	}
	if (namesake->there && namesake->box != own->box &&
	    !namesake->retired)
		return STORE_NAME_TAKEN;
	if (!own->there)
		return STORE_REGISTERED;
	if (card->serial == own->serial && own->same_name)
		return STORE_UNCHANGED;
	return STORE_UPDATED;
}

static enum e2e_error
do_with(struct sqlite_store *s, enum statement statement, uint64_t box)
{
	struct sqlite_statement *st = sqlite_store_get(s, statement);

	sqlite_bind(st, 1, box);
	return sqlite_do(st);
}

static void
bind_name(struct sqlite_statement *st, int at, const struct store_card *card)
{
	if (card->name[0] != '\0')
		sqlite_bind_text(st, at, card->name);
	else
		sqlite_bind_null(st, at);
}

static enum e2e_error
add(struct sqlite_store *s, const struct store_card *card)
{
	struct sqlite_statement *st = sqlite_store_get(s, CARD_ADD);
	enum e2e_error err;

	sqlite_bind_bytes(st, 1, card->id, E2E_ID_LEN);
	bind_name(st, 2, card);
	sqlite_bind(st, 3, card->serial);
	sqlite_bind(st, 4, card->registered);
	sqlite_bind_bytes(st, 5, card->card.data, card->card.length);
	if ((err = sqlite_do(st)) != E2E_OK)
		return err;
	s->now.mailboxes++;
	return do_with(s, BOX_ADD, sqlite_last_row(s->db));
}

static enum e2e_error
update(struct sqlite_store *s, const struct store_card *card, uint64_t box)
{
	struct sqlite_statement *st = sqlite_store_get(s, CARD_PUT);
	enum e2e_error err;

	sqlite_bind(st, 1, box);
	bind_name(st, 2, card);
	sqlite_bind(st, 3, card->serial);
	sqlite_bind_bytes(st, 4, card->card.data, card->card.length);
	err = sqlite_do(st);
	return err == E2E_OK ? do_with(s, BOX_RETURN, box) : err;
}

static enum e2e_error
enroll(struct sqlite_store *s, const struct store_card *card,
    enum store_registration *result)
{
	struct sqlite_statement *by_id = sqlite_store_get(s, CARD_GET);
	struct sqlite_statement *by_name = sqlite_store_get(s, CARD_NAMED);
	struct known own, namesake = { .there = false };
	enum e2e_error err;

	sqlite_bind_bytes(by_id, 1, card->id, E2E_ID_LEN);
	if ((err = get_known(by_id, card, &own)) != E2E_OK)
		return err;
	if (card->name[0] != '\0') {
		sqlite_bind_text(by_name, 1, card->name);
		err = get_known(by_name, card, &namesake);
		if (err != E2E_OK)
			return err;
	}
	*result = decide(card, &own, &namesake);
	if (*result == STORE_UNCHANGED)
		return own.retired ? do_with(s, BOX_RETURN, own.box) : E2E_OK;
	if (*result > STORE_UPDATED)
		return E2E_OK;
	if (namesake.there && namesake.box != own.box)
		err = do_with(s, CARD_UNNAME, namesake.box);
	if (err != E2E_OK)
		return err;
	return own.there ? update(s, card, own.box) : add(s, card);
}

enum e2e_error
sqlite_directory_enroll(struct store *store, const struct store_card *card,
    enum store_registration *result)
{
	struct sqlite_store *s = sqlite_store_of(store);
	enum e2e_error err = sqlite_store_changing(s);

	return err != E2E_OK ? err :
	    sqlite_store_changed(s, enroll(s, card, result));
}

static enum e2e_error
fill_card(struct sqlite_statement *get, struct store_card *card,
    struct buffer *bytes)
{
	struct bytes id = sqlite_column_bytes(get, ID);
	struct bytes name = sqlite_column_bytes(get, NAME);
	struct bytes own = sqlite_column_bytes(get, CARD);
	struct bytes revocation = sqlite_column_bytes(get, REVOCATION);
	size_t start = bytes->length;

	if (id.length != E2E_ID_LEN || name.length > STORE_NAME_MAX)
		return E2E_ERR_STORE_DAMAGED;
	if (!buffer_append(bytes, own.data, own.length) ||
	    !buffer_append(bytes, revocation.data, revocation.length))
		return E2E_ERR_MEMORY;
	memcpy(card->id, id.data, E2E_ID_LEN);
	if (name.length > 0)
		memcpy(card->name, name.data, name.length);
	card->serial = sqlite_column(get, SERIAL);
	card->registered = sqlite_column(get, REGISTERED);
	card->card = (struct bytes){ bytes->data + start, own.length };
	card->revocation = (struct bytes){ bytes->data + start + own.length,
	    revocation.length };
	return E2E_OK;
}

enum e2e_error
sqlite_directory_lookup(struct store *store, const unsigned char *id,
    const char *name, bool retired, struct store_card *card,
    struct buffer *bytes, bool *found)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct sqlite_statement *get = sqlite_store_get(s, id != NULL ?
	    CARD_GET : CARD_NAMED);
	enum e2e_error err;

	*card = (struct store_card){ .serial = 0 };
	if (id != NULL)
		sqlite_bind_bytes(get, 1, id, E2E_ID_LEN);
	else
		sqlite_bind_text(get, 1, name);
	if ((err = sqlite_step(get, found)) != E2E_OK || !*found)
		return err;
	*found = retired || sqlite_column(get, RETIRED) == 0;
	if (*found)
		err = fill_card(get, card, bytes);
	sqlite_reset(get);
	return err;
}

enum e2e_error
sqlite_directory_revoke(struct store *store,
    const unsigned char id[E2E_ID_LEN], struct bytes revocation, bool *found)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct sqlite_statement *get = sqlite_store_get(s, CARD_GET);
	struct sqlite_statement *revoke = sqlite_store_get(s, CARD_REVOKE);
	enum e2e_error err;
	bool revoked;

	*found = false;
	if ((err = sqlite_store_changing(s)) != E2E_OK)
		return err;
	if (revocation.length == 0)
		return sqlite_store_changed(s, E2E_ERR_USAGE);
	sqlite_bind_bytes(get, 1, id, E2E_ID_LEN);
	err = sqlite_step(get, found);
	if (err != E2E_OK || !*found)
		return sqlite_store_changed(s, err);
	revoked = !sqlite_column_is_null(get, REVOCATION);
	sqlite_bind(revoke, 1, sqlite_column(get, BOX));
	sqlite_reset(get);
	sqlite_bind_bytes(revoke, 2, revocation.data, revocation.length);
	if (!revoked)
		err = sqlite_do(revoke);
	return sqlite_store_changed(s, err);
}

enum e2e_error
sqlite_directory_retire_all(struct store *store)
{
	struct sqlite_store *s = sqlite_store_of(store);
	enum e2e_error err = sqlite_store_changing(s);

	return err != E2E_OK ? err : sqlite_store_changed(s,
	    sqlite_do(sqlite_store_get(s, BOX_RETIRE)));
}
