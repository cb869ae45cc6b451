/* epoch.c: the highest epoch of each group. Numbers beyond INT64_MAX are
 * negative ones for SQLite, so they are compared here. */
#include "state/tables.h"

struct group {
	const unsigned char *maker, *random;
	struct bytes name;
};

static void
bind_group(struct sqlite_statement *statement, const struct group *g)
{
	sqlite_bind_bytes(statement, 1, g->maker, E2E_ID_LEN);
	sqlite_bind_bytes(statement, 2, g->random, STATE_GROUP_LEN);
	sqlite_bind_bytes(statement, 3, g->name.data, g->name.length);
}

static enum e2e_error
get_epoch(struct state *s, const struct group *g, uint64_t *epoch,
    bool *found)
{
	struct sqlite_statement *get = state_get(s, EPOCH_GET);
	enum e2e_error err;

	bind_group(get, g);
	err = sqlite_step(get, found);
	if (err == E2E_OK && *found)
		*epoch = sqlite_column(get, 0);
	sqlite_reset(get);
	return err;
}

static enum e2e_error
raise_epoch(struct state *s, const struct group *g, uint64_t epoch,
    uint64_t *highest)
{
	struct sqlite_statement *put;
	struct state_self self;
	enum e2e_error err;
	bool found;

	if ((err = get_epoch(s, g, highest, &found)) != E2E_OK)
		return err;
	/* Only for want of room: an epoch is as good as new however old. */
	if (!found && (err = state_self(s, &self)) == E2E_OK &&
	    self.epochs >= s->policy.rows)
		err = state_forget(s, EPOCH_FORGET, self.epochs);
	if (err != E2E_OK)
		return err;
	if (!found || *highest < epoch)
		*highest = epoch;
	put = state_get(s, found ? EPOCH_PUT : EPOCH_ADD);
	bind_group(put, g);
	sqlite_bind(put, 4, *highest);
	sqlite_bind(put, 5, s->policy.now);
	return sqlite_do(put);
}

enum e2e_error
state_epoch(struct state *s, const unsigned char maker[E2E_ID_LEN],
    const unsigned char random[STATE_GROUP_LEN], const void *name,
    size_t size, uint64_t epoch, uint64_t *highest)
{
	struct group g = { maker, random, { name, size } };
	uint64_t known = epoch;
	enum e2e_error err;

	*highest = epoch;
	s->why = NULL;
	if (size > STATE_NAME_MAX)
		return E2E_ERR_LIMIT;
	if ((err = state_begin(s)) != E2E_OK)
		return err;
	err = state_end(s, raise_epoch(s, &g, epoch, &known));
	if (err == E2E_OK)
		*highest = known;
	return err;
}
