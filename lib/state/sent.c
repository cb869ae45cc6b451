/* sent.c: numbers given out, and messages that asked for a receipt. */
#include "state/tables.h"

#include "base/random.h"

#include <string.h>

/* ---- numbers ---- */

struct own {
	unsigned char conversation[STATE_CONVERSATION_LEN];
	uint64_t last;
};

static void
bind_name(struct sqlite_statement *statement, const unsigned char *sender,
    struct bytes name)
{
	sqlite_bind_bytes(statement, 1, sender, E2E_ID_LEN);
	sqlite_bind_bytes(statement, 2, name.data, name.length);
}

static enum e2e_error
get_own(struct state *s, const unsigned char *sender, struct bytes name,
    struct own *own, bool *found)
{
	struct sqlite_statement *get = state_get(s, OWN_GET);
	enum e2e_error err;

	bind_name(get, sender, name);
	err = sqlite_step(get, found);
	if (err == E2E_OK && *found) {
		err = state_column(s, get, 0, own->conversation,
		    sizeof own->conversation);
		own->last = sqlite_column(get, 1);
	}
	sqlite_reset(get);
	return err;
}

static enum e2e_error
begin_own(struct state *s, const unsigned char *sender, struct bytes name,
    struct own *own)
{
	struct sqlite_statement *add = state_get(s, OWN_ADD);

	if (!random_bytes(own->conversation, sizeof own->conversation))
		return E2E_ERR_CRYPTO;
	own->last = 1;
	bind_name(add, sender, name);
	sqlite_bind_bytes(add, 3, own->conversation,
	    sizeof own->conversation);
	sqlite_bind(add, 4, own->last);
	return sqlite_do(add);
}

static enum e2e_error
reserve(struct state *s, const unsigned char *sender, struct bytes name,
    struct own *own)
{
	struct sqlite_statement *put = state_get(s, OWN_PUT);
	enum e2e_error err;
	bool found;

	if ((err = get_own(s, sender, name, own, &found)) != E2E_OK)
		return err;
	if (!found)
		return begin_own(s, sender, name, own);
	if (own->last >= INT64_MAX)
		return E2E_ERR_LIMIT;
	own->last++;
	bind_name(put, sender, name);
	sqlite_bind(put, 3, own->last);
	return sqlite_do(put);
}

enum e2e_error
state_reserve(struct state *s, const unsigned char sender[E2E_ID_LEN],
    const void *name, size_t size,
    unsigned char conversation[STATE_CONVERSATION_LEN], uint64_t *number)
{
	struct own own = { .last = 0 };
	enum e2e_error err;

	memset(conversation, 0, STATE_CONVERSATION_LEN);
	*number = 0;
	s->why = NULL;
	if (size > STATE_NAME_MAX)
		return E2E_ERR_LIMIT;
	if ((err = state_begin(s)) != E2E_OK)
		return err;
	err = state_end(s, reserve(s, sender, (struct bytes){ name, size },
	    &own));
	if (err == E2E_OK) {
		memcpy(conversation, own.conversation,
		    sizeof own.conversation);
		*number = own.last;
	}
	return err;
}

/* ---- receipts ---- */

static enum e2e_error
put_sent(struct state *s, const struct state_sent *sent)
{
	struct sqlite_statement *put = state_get(s, SENT_PUT);
	enum e2e_error err;

	/* As many as the user wrote: only time forgets them. */
	if ((err = state_forget(s, SENT_FORGET, 0)) != E2E_OK)
		return err;
	sqlite_bind_bytes(put, 1, sent->id, sizeof sent->id);
	sqlite_bind_bytes(put, 2, sent->hash, sizeof sent->hash);
	sqlite_bind_bytes(put, 3, sent->data_hash, sizeof sent->data_hash);
	sqlite_bind(put, 4, sent->time);
	return sqlite_do(put);
}

enum e2e_error
state_sent(struct state *s, const struct state_sent *sent)
{
	enum e2e_error err;

	s->why = NULL;
	if (sent->time >= INT64_MAX)
		return E2E_ERR_LIMIT;
	if ((err = state_begin(s)) != E2E_OK)
		return err;
	return state_end(s, put_sent(s, sent));
}

static enum e2e_error
find_sent(struct state *s, struct state_sent *sent, bool *found)
{
	struct sqlite_statement *get = state_get(s, SENT_GET);
	enum e2e_error err;
	bool row;

	sqlite_bind_bytes(get, 1, sent->id, sizeof sent->id);
	err = sqlite_step(get, &row);
	if (err == E2E_OK && row)
		err = state_column(s, get, 0, sent->hash, sizeof sent->hash);
	if (err == E2E_OK && row)
		err = state_column(s, get, 1, sent->data_hash,
		    sizeof sent->data_hash);
	if (err == E2E_OK && row) {
		sent->time = sqlite_column(get, 2);
		*found = true;
	}
	sqlite_reset(get);
	return err;
}

enum e2e_error
state_find_sent(struct state *s, struct state_sent *sent, bool *found)
{
	enum e2e_error err;

	*found = false;
	if ((err = state_begin(s)) != E2E_OK)
		return err;
	return state_end(s, find_sent(s, sent, found));
}
