/* sqlite_items.c: what owners read. */
#include "store/sqlite_store.h"

#include <string.h>

enum e2e_error
sqlite_items_summary(struct store *store, const unsigned char id[E2E_ID_LEN],
    struct store_summary *summary)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct sqlite_statement *get = sqlite_store_get(s, BOX_GET);
	struct sqlite_statement *oldest = sqlite_store_get(s, BOX_OLDEST);
	enum e2e_error err;
	uint64_t box = 0;
	bool row;

	*summary = (struct store_summary){ .known = false };
	if ((err = sqlite_store_hold(s)) != E2E_OK)
		return err;
	sqlite_bind_bytes(get, 1, id, E2E_ID_LEN);
	err = sqlite_step(get, &summary->known);
	if (summary->known) {
		box = sqlite_column(get, 0);
		summary->items = sqlite_column(get, 2);
		summary->bytes = sqlite_column(get, 3);
		summary->dropped = sqlite_column(get, 4);
		sqlite_reset(get);
		sqlite_bind(oldest, 1, box);
		if ((err = sqlite_step(oldest, &row)) == E2E_OK && row) {
			summary->oldest = sqlite_column(oldest, 0);
			sqlite_reset(oldest);
		}
	}
	return sqlite_store_let_go(s, err);
}

static enum e2e_error
fill_item(struct sqlite_statement *row, struct store_item *item)
{
	struct bytes id = sqlite_column_bytes(row, 5);

	*item = (struct store_item){
		.seq = sqlite_column(row, 0),
		.stored = sqlite_column(row, 1),
		.until = sqlite_column(row, 2),
		.body = sqlite_column(row, 3),
		.size = sqlite_column(row, 4)
	};
	if (id.length != sizeof item->id)
		return E2E_ERR_STORE_DAMAGED;
	memcpy(item->id, id.data, sizeof item->id);
	return E2E_OK;
}

/* Only when all are there has the buffer stopped moving. */
static enum e2e_error
fill_bytes(struct store *store, struct store_item *items, size_t count,
    struct buffer *bytes)
{
	size_t start = bytes->length, fitting;
	enum e2e_error err;

	for (fitting = 0; fitting < count; fitting++) {
		if (items[fitting].size > bytes->limit - bytes->length)
			break;
		err = sqlite_body_read(store, items[fitting].body, 0,
		    (size_t)items[fitting].size, bytes);
		if (err != E2E_OK)
			return err;
	}
	for (size_t i = 0; i < fitting; i++) {
		items[i].whole = (struct bytes){ bytes->data + start,
		    (size_t)items[i].size };
		start += items[i].whole.length;
	}
	return E2E_OK;
}

enum e2e_error
sqlite_items_list(struct store *store, const unsigned char box[E2E_ID_LEN],
    uint64_t after, uint64_t now, struct store_item *items, size_t *count,
    struct buffer *bytes)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct sqlite_statement *list = sqlite_store_get(s, SLOT_LIST);
	size_t max = *count < STORE_ITEMS_MAX ? *count : STORE_ITEMS_MAX;
	enum e2e_error err;
	bool row;

	*count = 0;
	if (after > INT64_MAX || now > INT64_MAX)
		return E2E_OK;
	if ((err = sqlite_store_hold(s)) != E2E_OK)
		return err;
	sqlite_bind_bytes(list, 1, box, E2E_ID_LEN);
	sqlite_bind(list, 2, after);
	sqlite_bind(list, 3, now);
	sqlite_bind(list, 4, max);
	while ((err = sqlite_step(list, &row)) == E2E_OK && row) {
		err = fill_item(list, &items[*count]);
		if (err != E2E_OK) {
			sqlite_reset(list);
			break;
		}
		++*count;
	}
	if (err == E2E_OK && bytes != NULL)
		err = fill_bytes(store, items, *count, bytes);
	return sqlite_store_let_go(s, err);
}

enum e2e_error
sqlite_items_find(struct store *store, const unsigned char box[E2E_ID_LEN],
    uint64_t seq, struct store_item *item, bool *found)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct sqlite_statement *find = sqlite_store_get(s, SLOT_FIND);
	enum e2e_error err;

	*item = (struct store_item){ .seq = 0 };
	sqlite_bind_bytes(find, 1, box, E2E_ID_LEN);
	sqlite_bind(find, 2, seq);
	if ((err = sqlite_step(find, found)) != E2E_OK || !*found)
		return err;
	err = fill_item(find, item);
	sqlite_reset(find);
	return err;
}
