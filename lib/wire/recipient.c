/*
 * Recipient entries. A kind is told by its protected header or, when that is
 * empty, by its algorithm; then its map is closed. Everything else is
 * "unknown" and skipped, so that later kinds do not lock out today's readers.
 */
#include "wire/recipient.h"

#include "wire/labels.h"

#include <string.h>

/* << {1: -31} >> */
static const unsigned char x25519_protected[] = { 0xa1, 0x01, 0x38, 0x1e };

const unsigned char recipient_kdf_context[19] = {
	0x84, 0x24, 0x83, 0xf6, 0xf6, 0xf6, 0x83, 0xf6, 0xf6, 0xf6,
	0x82, 0x19, 0x01, 0x00, 0x44, 0xa1, 0x01, 0x38, 0x1e
};

/* Positioned behind {alg} or at the first key; reads the rest of the map. */
typedef bool member_parser(struct recipient *, struct dcbor_reader *,
    struct dcbor_map *);

static bool
take_key(struct dcbor_reader *r, struct dcbor_map *map, int64_t expected)
{
	int64_t key;

	return dcbor_next_key(r, map, &key) && key == expected;
}

/* ? 4: kid */
static bool
parse_kid(struct recipient *e, struct dcbor_reader *r, struct dcbor_map *map)
{
	if (map->left == 0)
		return true;
	return map->left == 1 && take_key(r, map, HEADER_KID) &&
	    dcbor_get_bytes_of(r, &e->kid, RECIPIENT_KID_LEN);
}

/* ? 4: kid, -1: {1: 1, -1: 4, -2: epk} */
static bool
parse_ephemeral(struct recipient *e, struct dcbor_reader *r,
    struct dcbor_map *map)
{
	struct dcbor_map key;
	int64_t kty, crv;
	bool ok;

	if (map->left == 2 && (!take_key(r, map, HEADER_KID) ||
	    !dcbor_get_bytes_of(r, &e->kid, RECIPIENT_KID_LEN)))
		return false;
	if (map->left != 1 || !take_key(r, map, HEADER_EPHEMERAL_KEY) ||
	    !dcbor_enter_map(r, &key) || key.left != 3)
		return false;
	ok = take_key(r, &key, KEY_KTY) && dcbor_get_int(r, &kty) &&
	    kty == KTY_OKP && take_key(r, &key, OKP_CRV) &&
	    dcbor_get_int(r, &crv) && crv == CRV_X25519 &&
	    take_key(r, &key, OKP_X) &&
	    dcbor_get_bytes_of(r, &e->ephemeral, RECIPIENT_EPHEMERAL_LEN);
	dcbor_leave(r);
	return ok;
}

static bool
parse_argon2(struct recipient *e, struct dcbor_reader *r,
    struct dcbor_map *map)
{
	return map->left == 4 && take_key(r, map, ARGON2_SALT) &&
	    dcbor_get_bytes_of(r, &e->salt, RECIPIENT_SALT_LEN) &&
	    take_key(r, map, ARGON2_PASSES) && dcbor_get_uint(r, &e->passes) &&
	    take_key(r, map, ARGON2_MEMORY) &&
	    dcbor_get_uint(r, &e->memory_kib) &&
	    take_key(r, map, ARGON2_LANES) && dcbor_get_uint(r, &e->lanes);
}

/* The kinds; X25519 is the one with a protected header of its own. */
static const struct kind {
	enum recipient_kind kind;
	int64_t alg;
	bool alg_is_protected;
	member_parser *members;
} kinds[] = {
	{ RECIPIENT_RSA, ALG_RSA_OAEP_256, false, parse_kid },
	{ RECIPIENT_X25519, ALG_ECDH_ES_A256KW, true, parse_ephemeral },
	{ RECIPIENT_PASSPHRASE, ALG_ARGON2ID, false, parse_argon2 },
	{ RECIPIENT_GROUP, ALG_A256KW, false, parse_kid }
};

static const struct kind *
find_kind(int64_t alg, bool alg_is_protected)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].alg == alg &&
		    kinds[i].alg_is_protected == alg_is_protected)
			return &kinds[i];
	}
	return NULL;
}

/* The unprotected map's alg; the map is known to be well-formed. */
static bool
peek_alg(struct bytes map_bytes, int64_t *alg)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	int64_t key;

	dcbor_reader_init(&r, map_bytes.data, map_bytes.length);
	if (!dcbor_enter_map(&r, &map))
		return false;
	while (dcbor_next_key(&r, &map, &key)) {
		if (key == HEADER_ALG)
			return dcbor_get_int(&r, alg);
		if (!dcbor_skip(&r, NULL))
			return false;
	}
	return false;
}

static bool
parse_members(struct recipient *e, const struct kind *kind,
    struct bytes map_bytes)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	int64_t alg;
	bool ok;

	dcbor_reader_init(&r, map_bytes.data, map_bytes.length);
	if (!dcbor_enter_map(&r, &map))
		return false;
	if (!kind->alg_is_protected &&
	    (!take_key(&r, &map, HEADER_ALG) || !dcbor_get_int(&r, &alg)))
		return false;
	ok = kind->members(e, &r, &map);
	dcbor_leave(&r);
	return ok && dcbor_finish(&r);
}

static enum e2e_error
check_cost(const struct recipient *e, uint32_t memory_max_kib)
{
	if (e->memory_kib < RECIPIENT_MEMORY_MIN_KIB ||
	    e->memory_kib > memory_max_kib || e->passes < 1 ||
	    e->passes > RECIPIENT_PASSES_MAX || e->lanes < 1 ||
	    e->lanes > RECIPIENT_LANES_MAX)
		return E2E_ERR_KDF_COST;
	return E2E_OK;
}

enum e2e_error
recipient_parse(struct recipient *e, struct dcbor_reader *r,
    uint32_t memory_max_kib)
{
	const struct kind *kind = NULL;
	struct bytes protected_header, map;
	uint64_t count;
	bool null_wrapped = false;

	memset(e, 0, sizeof(*e));
	e->kind = RECIPIENT_UNKNOWN;
	if (!dcbor_enter_array(r, &count) || count < 3 || count > 4 ||
	    !dcbor_get_bytes(r, &protected_header) ||
	    (dcbor_peek(r) != DCBOR_MAP && dcbor_peek(r) != DCBOR_NOTHING) ||
	    !dcbor_skip(r, &map))
		return E2E_ERR_MALFORMED;
	if (dcbor_peek(r) == DCBOR_NULL)
		null_wrapped = dcbor_get_null(r);
	else if (!dcbor_get_bytes(r, &e->wrapped))
		return E2E_ERR_MALFORMED;
	if (count == 4) {
		if ((dcbor_peek(r) != DCBOR_ARRAY &&
		    dcbor_peek(r) != DCBOR_NOTHING) || !dcbor_skip(r, NULL))
			return E2E_ERR_MALFORMED;
	}
	dcbor_leave(r);

	if (protected_header.length == 0) {
		if (peek_alg(map, &e->alg))
			kind = find_kind(e->alg, false);
	} else if (protected_header.length == sizeof(x25519_protected) &&
	    memcmp(protected_header.data, x25519_protected,
	    sizeof(x25519_protected)) == 0) {
		e->alg = ALG_ECDH_ES_A256KW;
		kind = find_kind(e->alg, true);
	}
	if (kind == NULL)
		return E2E_OK;
	if (count != 3 || null_wrapped || !parse_members(e, kind, map))
		return E2E_ERR_MALFORMED;
	e->kind = kind->kind;
	return e->kind == RECIPIENT_PASSPHRASE ?
	    check_cost(e, memory_max_kib) : E2E_OK;
}

static void
put_kid(struct buffer *b, const struct recipient *e)
{
	if (e->kid == NULL)
		return;
	dcbor_put_int(b, HEADER_KID);
	dcbor_put_bytes(b, e->kid, RECIPIENT_KID_LEN);
}

static void
put_ephemeral(struct buffer *b, const struct recipient *e)
{
	dcbor_put_bytes(b, x25519_protected, sizeof(x25519_protected));
	dcbor_put_map(b, e->kid != NULL ? 2 : 1);
	put_kid(b, e);
	dcbor_put_int(b, HEADER_EPHEMERAL_KEY);
	dcbor_put_map(b, 3);
	dcbor_put_int(b, KEY_KTY);
	dcbor_put_int(b, KTY_OKP);
	dcbor_put_int(b, OKP_CRV);
	dcbor_put_int(b, CRV_X25519);
	dcbor_put_int(b, OKP_X);
	dcbor_put_bytes(b, e->ephemeral, RECIPIENT_EPHEMERAL_LEN);
}

static void
put_argon2(struct buffer *b, const struct recipient *e)
{
	dcbor_put_int(b, ARGON2_SALT);
	dcbor_put_bytes(b, e->salt, RECIPIENT_SALT_LEN);
	dcbor_put_int(b, ARGON2_PASSES);
	dcbor_put_uint(b, e->passes);
	dcbor_put_int(b, ARGON2_MEMORY);
	dcbor_put_uint(b, e->memory_kib);
	dcbor_put_int(b, ARGON2_LANES);
	dcbor_put_uint(b, e->lanes);
}

void
recipient_put(struct buffer *b, const struct recipient *e)
{
	bool argon2 = e->kind == RECIPIENT_PASSPHRASE;

	dcbor_put_array(b, 3);
	if (e->kind == RECIPIENT_X25519) {
		put_ephemeral(b, e);
	} else {
		dcbor_put_bytes(b, NULL, 0);
		dcbor_put_map(b, argon2 ? 5 : e->kid != NULL ? 2 : 1);
		dcbor_put_int(b, HEADER_ALG);
		dcbor_put_int(b, e->alg);
		if (argon2)
			put_argon2(b, e);
		else
			put_kid(b, e);
	}
	dcbor_put_bytes(b, e->wrapped.data, e->wrapped.length);
}
