/*
 * sqlite_body.c: the bytes of envelopes, in one row or in pieces.
 *
 * How many items a body has is not in its own row, which may be a long one,
 * and is not anywhere at all if it is one, as it mostly is.
 */
#include "store/sqlite_store.h"

static uint64_t
piece_key(uint64_t body, uint64_t number)
{
	return (body << PIECE_BITS) + number;
}

static enum e2e_error
add_piece(struct sqlite_store *s, uint64_t body, uint64_t number,
    struct bytes bytes)
{
	struct sqlite_statement *add = sqlite_store_get(s, PIECE_ADD);

	sqlite_bind(add, 1, piece_key(body, number));
	sqlite_bind_bytes(add, 2, bytes.data, bytes.length);
	return sqlite_do(add);
}

static enum e2e_error
delete_pieces(struct sqlite_store *s, uint64_t body, uint64_t from)
{
	struct sqlite_statement *delete = sqlite_store_get(s, PIECE_DELETE);

	sqlite_bind(delete, 1, piece_key(body, from));
	sqlite_bind(delete, 2, piece_key(body + 1, 0));
	return sqlite_do(delete);
}

static enum e2e_error
do_with(struct sqlite_store *s, enum statement statement, uint64_t key)
{
	struct sqlite_statement *st = sqlite_store_get(s, statement);

	sqlite_bind(st, 1, key);
	return sqlite_do(st);
}

/* ---- arriving ---- */

struct arriving {
	uint64_t pieces, size;
	bool there;
};

static enum e2e_error
get_staged(struct sqlite_store *s, uint64_t staged, struct arriving *a)
{
	struct sqlite_statement *get = sqlite_store_get(s, STAGED_GET);
	enum e2e_error err;

	*a = (struct arriving){ .there = false };
	if (staged < s->first_body)
		return E2E_OK;
	sqlite_bind(get, 1, staged);
	if ((err = sqlite_step(get, &a->there)) != E2E_OK || !a->there)
		return err;
	a->pieces = sqlite_column(get, 0);
	a->size = sqlite_column(get, 1);
	sqlite_reset(get);
	return E2E_OK;
}

static enum e2e_error
put_staged(struct sqlite_store *s, uint64_t body, uint64_t pieces,
    uint64_t size)
{
	struct sqlite_statement *put = sqlite_store_get(s, STAGED_PUT);

	sqlite_bind(put, 1, body);
	sqlite_bind(put, 2, pieces);
	sqlite_bind(put, 3, size);
	return sqlite_do(put);
}

enum e2e_error
sqlite_body_stage(struct store *store, uint64_t *staged, struct bytes piece)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct arriving a = { .there = false };
	uint64_t body = *staged;
	enum e2e_error err;

	if ((err = sqlite_store_changing(s)) != E2E_OK)
		return err;
	if (body != 0)
		err = get_staged(s, body, &a);
	if (err == E2E_OK && (piece.length == 0 ||
	    piece.length > STORE_PIECE_LEN || (body != 0 && !a.there) ||
	    a.size % STORE_PIECE_LEN != 0))
		err = E2E_ERR_USAGE;
	if (err == E2E_OK && a.pieces == PIECES_MAX)
		err = E2E_ERR_LIMIT;
	if (body == 0)
		body = s->now.next_body++;
	if (err == E2E_OK)
		err = add_piece(s, body, a.pieces, piece);
	if (err == E2E_OK)
		err = put_staged(s, body, a.pieces + 1, a.size + piece.length);
	if (err == E2E_OK)
		*staged = body;
	return sqlite_store_changed(s, err);
}

enum e2e_error
sqlite_body_unstage(struct store *store, uint64_t staged)
{
	struct sqlite_store *s = sqlite_store_of(store);
	struct arriving a;
	enum e2e_error err;

	if ((err = sqlite_store_changing(s)) != E2E_OK)
		return err;
	err = get_staged(s, staged, &a);
	if (err == E2E_OK && a.there)
		err = delete_pieces(s, staged, 0);
	if (err == E2E_OK && a.there)
		err = do_with(s, STAGED_DELETE, staged);
	return sqlite_store_changed(s, err);
}

enum e2e_error
sqlite_body_staged(struct sqlite_store *s, uint64_t staged, uint64_t size,
    bool *there)
{
	struct arriving a;
	enum e2e_error err = get_staged(s, staged, &a);

	*there = a.there && a.size == size;
	return err;
}

enum e2e_error
sqlite_body_sweep(struct sqlite_store *s, size_t limit, uint64_t *bodies)
{
	struct sqlite_statement *old = sqlite_store_get(s, STAGED_OLD);
	uint64_t body, pieces, size, left;
	enum e2e_error err;
	bool row;

	while (limit > 0) {
		sqlite_bind(old, 1, s->first_body);
		if ((err = sqlite_step(old, &row)) != E2E_OK || !row)
			return err;
		body = sqlite_column(old, 0);
		pieces = sqlite_column(old, 1);
		size = sqlite_column(old, 2);
		sqlite_reset(old);
		left = pieces > limit ? pieces - limit : 0;
		limit -= (size_t)(pieces - left);
		err = delete_pieces(s, body, left);
		if (err == E2E_OK && left > 0)
			return put_staged(s, body, left, size);
		if (err == E2E_OK)
			err = do_with(s, STAGED_DELETE, body);
		if (err != E2E_OK)
			return err;
		(*bodies)++;
	}
	return E2E_OK;
}

/* ---- kept ---- */

struct kept {
	uint64_t size;
	bool there, in_pieces;
};

static enum e2e_error
get_body(struct sqlite_store *s, uint64_t body, struct kept *k)
{
	struct sqlite_statement *get = sqlite_store_get(s, BODY_GET);
	enum e2e_error err;

	*k = (struct kept){ .there = false };
	sqlite_bind(get, 1, body);
	if ((err = sqlite_step(get, &k->there)) != E2E_OK || !k->there)
		return err;
	k->size = sqlite_column(get, 0);
	k->in_pieces = sqlite_column(get, 1) != 0;
	sqlite_reset(get);
	return E2E_OK;
}

static enum e2e_error
get_count(struct sqlite_store *s, uint64_t body, uint64_t *count)
{
	struct sqlite_statement *get = sqlite_store_get(s, SHARED_GET);
	enum e2e_error err;
	bool row;

	*count = 1;
	sqlite_bind(get, 1, body);
	if ((err = sqlite_step(get, &row)) == E2E_OK && row) {
		*count = sqlite_column(get, 0);
		sqlite_reset(get);
	}
	return err;
}

static enum e2e_error
put_count(struct sqlite_store *s, uint64_t body, uint64_t count)
{
	struct sqlite_statement *put = sqlite_store_get(s, SHARED_PUT);

	sqlite_bind(put, 1, body);
	sqlite_bind(put, 2, count);
	return sqlite_do(put);
}

/* A staged body's pieces become this one's. */
static enum e2e_error
take_pieces(struct sqlite_store *s, uint64_t body, uint64_t staged)
{
	struct sqlite_statement *move = sqlite_store_get(s, PIECE_MOVE);
	enum e2e_error err = do_with(s, STAGED_DELETE, staged);

	if (err != E2E_OK || body == staged)
		return err;
	sqlite_bind(move, 1, piece_key(staged, 0));
	sqlite_bind(move, 2, piece_key(staged + 1, 0));
	sqlite_bind(move, 3, piece_key(body, 0));
	return sqlite_do(move);
}

static enum e2e_error
put_pieces(struct sqlite_store *s, uint64_t body, struct bytes bytes)
{
	enum e2e_error err = E2E_OK;
	struct bytes piece;

	if (bytes.length > PIECES_MAX * STORE_PIECE_LEN)
		return E2E_ERR_LIMIT;
	for (uint64_t i = 0; bytes.length > 0 && err == E2E_OK; i++) {
		piece = bytes;
		if (piece.length > STORE_PIECE_LEN)
			piece.length = STORE_PIECE_LEN;
		err = add_piece(s, body, i, piece);
		bytes.data += piece.length;
		bytes.length -= piece.length;
	}
	return err;
}

static enum e2e_error
make_body(struct sqlite_store *s, uint64_t body,
    const struct store_deposit *d)
{
	struct sqlite_statement *add = sqlite_store_get(s, BODY_ADD);
	bool whole = d->staged == 0 && d->size <= STORE_PIECE_LEN;
	enum e2e_error err = E2E_OK;

	if (d->staged != 0)
		err = take_pieces(s, body, d->staged);
	else if (!whole)
		err = put_pieces(s, body, d->body);
	if (err != E2E_OK)
		return err;
	sqlite_bind(add, 1, body);
	sqlite_bind_bytes(add, 2, d->id, STORE_ID_LEN);
	sqlite_bind(add, 3, d->size);
	if (whole)
		sqlite_bind_bytes(add, 4, d->body.data, d->body.length);
	else
		sqlite_bind_null(add, 4);
	s->now.bodies++;
	s->now.bytes += d->size;
	return sqlite_do(add);
}

enum e2e_error
sqlite_body_keep(struct sqlite_store *s, uint64_t body,
    const struct store_deposit *d, uint64_t count)
{
	uint64_t before = 0;
	enum e2e_error err = E2E_OK;
	struct kept k = { .there = false };

	/* The next key is nobody's yet. */
	if (body == s->now.next_body)
		s->now.next_body++;
	else
		err = get_body(s, body, &k);
	if (err != E2E_OK)
		return err;
	if (!k.there)
		err = make_body(s, body, d);
	else if (d->staged != 0)
		err = sqlite_body_unstage(&s->store, d->staged);
	if (err == E2E_OK && k.there)
		err = get_count(s, body, &before);
	if (err == E2E_OK && before + count > 1)
		err = put_count(s, body, before + count);
	return err;
}

enum e2e_error
sqlite_body_release(struct sqlite_store *s, uint64_t body, uint64_t *size)
{
	enum e2e_error err;
	uint64_t count;
	struct kept k;

	*size = 0;
	if ((err = get_body(s, body, &k)) != E2E_OK)
		return err;
	if (!k.there)
		return E2E_ERR_STORE_DAMAGED;
	*size = k.size;
	if ((err = get_count(s, body, &count)) != E2E_OK)
		return err;
	if (count > 2)
		return put_count(s, body, count - 1);
	if (count == 2)
		return do_with(s, SHARED_DELETE, body);
	if (k.in_pieces && (err = delete_pieces(s, body, 0)) != E2E_OK)
		return err;
	s->now.bodies--;
	s->now.bytes -= k.size;
	return do_with(s, BODY_DELETE, body);
}

/* ---- reading ---- */

static enum e2e_error
append_part(struct sqlite_statement *st, uint64_t key, uint64_t offset,
    size_t size, struct buffer *bytes)
{
	struct bytes part;
	enum e2e_error err;
	bool row;

	sqlite_bind(st, 1, key);
	sqlite_bind(st, 2, offset + 1);		/* as substr counts */
	sqlite_bind(st, 3, size);
	if ((err = sqlite_step(st, &row)) != E2E_OK)
		return err;
	if (!row)
		return E2E_ERR_STORE_DAMAGED;
	part = sqlite_column_bytes(st, 0);
	if (part.length != size)
		err = E2E_ERR_STORE_DAMAGED;
	else if (!buffer_append(bytes, part.data, part.length))
		err = E2E_ERR_MEMORY;
	sqlite_reset(st);
	return err;
}

/* Without the detour by a copy that substr makes. */
static enum e2e_error
append_whole(struct sqlite_store *s, uint64_t body, size_t size,
    struct buffer *bytes)
{
	struct sqlite_statement *st = sqlite_store_get(s, BODY_WHOLE);
	struct bytes whole;
	enum e2e_error err;
	bool row;

	sqlite_bind(st, 1, body);
	if ((err = sqlite_step(st, &row)) != E2E_OK)
		return err;
	if (!row)
		return E2E_ERR_STORE_DAMAGED;
	whole = sqlite_column_bytes(st, 0);
	if (whole.length != size)
		err = E2E_ERR_STORE_DAMAGED;
	else if (!buffer_append(bytes, whole.data, whole.length))
		err = E2E_ERR_MEMORY;
	sqlite_reset(st);
	return err;
}

static enum e2e_error
append_pieces(struct sqlite_store *s, uint64_t body, uint64_t offset,
    size_t size, struct buffer *bytes)
{
	struct sqlite_statement *read = sqlite_store_get(s, PIECE_READ);
	enum e2e_error err = E2E_OK;
	uint64_t within;
	size_t part;

	while (size > 0 && err == E2E_OK) {
		within = offset % STORE_PIECE_LEN;
		part = (size_t)(STORE_PIECE_LEN - within);
		if (part > size)
			part = size;
		err = append_part(read, piece_key(body,
		    offset / STORE_PIECE_LEN), within, part, bytes);
		offset += part;
		size -= part;
	}
	return err;
}

enum e2e_error
sqlite_body_read(struct store *store, uint64_t body, uint64_t offset,
    size_t size, struct buffer *bytes)
{
	struct sqlite_store *s = sqlite_store_of(store);
	enum e2e_error err;
	struct kept k;

	if ((err = sqlite_store_hold(s)) != E2E_OK)
		return err;
	err = get_body(s, body, &k);
	if (err != E2E_OK || !k.there || offset >= k.size)
		return sqlite_store_let_go(s, err);
	if (size > k.size - offset)
		size = (size_t)(k.size - offset);
	if (!buffer_reserve(bytes, size))
		err = E2E_ERR_MEMORY;
	else if (k.in_pieces)
		err = append_pieces(s, body, offset, size, bytes);
	else if (size == k.size)
		err = append_whole(s, body, size, bytes);
	else
		err = append_part(sqlite_store_get(s, BODY_READ), body,
		    offset, size, bytes);
	return sqlite_store_let_go(s, err);
}
