/*
 * Proofs. What is signed is put together anew by whoever verifies it, and must
 * be byte for byte what came: no parser stands between a signature and what it
 * means, but for the two statements that say something new.
 */
#include "relay/proof.h"

#include "crypto/hash.h"
#include "message/sign1.h"
#include "message/strings.h"
#include "wire/labels.h"

#include <string.h>

enum {
	PAYLOAD_MAX = 16384,		/* [[first, last]...] of an ACK is longest */
	RECORD_MAX = 131072
};

static const struct bytes no_aad = { NULL, 0 };

enum e2e_error
proof_hash(unsigned char hash[PROOF_HASH_LEN], struct bytes a, struct bytes b)
{
	struct hash *h = NULL;
	enum e2e_error error;

	error = hash_new(&h);
	if (error == E2E_OK)
		error = hash_update(h, a.data, a.length);
	if (error == E2E_OK)
		error = hash_update(h, b.data, b.length);
	if (error == E2E_OK)
		error = hash_final(h, hash);
	hash_free(h);
	return error;
}

static void
put_hash(struct buffer *b, const unsigned char hash[PROOF_HASH_LEN])
{
	dcbor_put_bytes(b, hash, PROOF_HASH_LEN);
}

/* Signs a payload, and frees it. */
static enum e2e_error
make(struct buffer *out, const struct key *key, const char *typ,
    struct buffer *payload)
{
	enum e2e_error error;

	error = payload->failed ? E2E_ERR_MEMORY :
	    sign1_make(out, key, typ, no_aad, buffer_bytes(payload));
	buffer_free(payload);
	return error;
}

/* Is this a signature of the key over exactly this payload? Frees that. */
static enum e2e_error
check(bool *valid, const struct key *key, const char *typ,
    struct bytes signature, struct buffer *payload)
{
	struct cose_sign1 sign1;
	enum e2e_error error = E2E_OK;

	*valid = false;
	if (payload->failed)
		error = E2E_ERR_MEMORY;
	else if (cose_sign1_parse(&sign1, signature, typ) == E2E_OK &&
	    bytes_equal(sign1.payload, buffer_bytes(payload)))
		error = sign1_verify(valid, key, &sign1, no_aad);
	buffer_free(payload);
	return error;
}

/* ---- handshake ---- */

static enum e2e_error
put_server(struct buffer *b, const struct proof_session *s, struct bytes core)
{
	unsigned char hash[PROOF_HASH_LEN];
	enum e2e_error error;

	buffer_init(b, PAYLOAD_MAX);
	error = hash_sha256(hash, core.data, core.length);
	if (error != E2E_OK)
		return error;
	dcbor_put_array(b, 4);
	dcbor_put_string(b, STRING_RELAY_SERVER);
	put_hash(b, s->hello);
	put_hash(b, hash);
	put_hash(b, s->binding);
	return E2E_OK;
}

enum e2e_error
proof_make_server(struct buffer *out, const struct key *key,
    const struct proof_session *s, struct bytes core)
{
	struct buffer payload;
	enum e2e_error error;

	error = put_server(&payload, s, core);
	return error != E2E_OK ? error :
	    make(out, key, TYP_RELAY_SERVER, &payload);
}

enum e2e_error
proof_check_server(bool *valid, const struct key *key,
    struct bytes signature, const struct proof_session *s, struct bytes core)
{
	struct buffer payload;
	enum e2e_error error;

	*valid = false;
	error = put_server(&payload, s, core);
	return error != E2E_OK ? error :
	    check(valid, key, TYP_RELAY_SERVER, signature, &payload);
}

static void
put_auth(struct buffer *b, const struct key *key, const unsigned char *relay,
    const struct proof_session *s)
{
	buffer_init(b, PAYLOAD_MAX);
	dcbor_put_array(b, 5);
	dcbor_put_string(b, STRING_RELAY_AUTH);
	dcbor_put_bytes(b, relay, E2E_ID_LEN);
	dcbor_put_bytes(b, key->thumbprint, E2E_ID_LEN);
	put_hash(b, s->transcript);
	put_hash(b, s->binding);
}

enum e2e_error
proof_make_auth(struct buffer *out, const struct key *key,
    const unsigned char relay[E2E_ID_LEN], const struct proof_session *s)
{
	struct buffer payload;

	put_auth(&payload, key, relay, s);
	return make(out, key, TYP_RELAY_AUTH, &payload);
}

enum e2e_error
proof_check_auth(bool *valid, const struct key *key, struct bytes signature,
    const unsigned char relay[E2E_ID_LEN], const struct proof_session *s)
{
	struct buffer payload;

	put_auth(&payload, key, relay, s);
	return check(valid, key, TYP_RELAY_AUTH, signature, &payload);
}

/* ---- acknowledgements ---- */

static void
put_ack(struct buffer *b, const struct proof_session *s,
    const struct frame_range *ranges, size_t count,
    const unsigned char *ids_hash)
{
	size_t i;

	buffer_init(b, PAYLOAD_MAX);
	dcbor_put_array(b, 4);
	dcbor_put_string(b, STRING_RELAY_ACK);
	put_hash(b, s->session);
	dcbor_put_array(b, count);
	for (i = 0; i < count; i++) {
		dcbor_put_array(b, 2);
		dcbor_put_uint(b, ranges[i].first);
		dcbor_put_uint(b, ranges[i].last);
	}
	put_hash(b, ids_hash);
}

enum e2e_error
proof_make_ack(struct buffer *out, const struct key *key,
    const struct proof_session *s, const struct frame_range *ranges,
    size_t count, const unsigned char ids_hash[PROOF_HASH_LEN])
{
	struct buffer payload;

	put_ack(&payload, s, ranges, count, ids_hash);
	return make(out, key, TYP_RELAY_ACK, &payload);
}

enum e2e_error
proof_check_ack(bool *valid, const struct key *key, struct bytes signature,
    const struct proof_session *s, const struct frame_range *ranges,
    size_t count, const unsigned char ids_hash[PROOF_HASH_LEN])
{
	struct buffer payload;

	put_ack(&payload, s, ranges, count, ids_hash);
	return check(valid, key, TYP_RELAY_ACK, signature, &payload);
}

/* ---- the directory ---- */

/* SHA-256(CBOR [card / null, [* revocation], registered]) */
static enum e2e_error
hash_record(unsigned char hash[PROOF_HASH_LEN], const struct frame *f)
{
	enum e2e_error error;
	struct buffer b;
	size_t i;

	buffer_init(&b, RECORD_MAX);
	dcbor_put_array(&b, 3);
	if (f->record.card.data == NULL)
		dcbor_put_null(&b);
	else
		dcbor_put_bytes(&b, f->record.card.data,
		    f->record.card.length);
	dcbor_put_array(&b, f->record.revocation_count);
	for (i = 0; i < f->record.revocation_count; i++)
		dcbor_put_bytes(&b, f->record.revocations[i].data,
		    f->record.revocations[i].length);
	dcbor_put_uint(&b, f->record.registered);
	error = b.failed ? E2E_ERR_MEMORY :
	    hash_sha256(hash, b.data, b.length);
	buffer_free(&b);
	return error;
}

static enum e2e_error
put_record(struct buffer *b, const struct proof_session *s,
    const struct proof_query *query, const struct frame *record)
{
	unsigned char hash[PROOF_HASH_LEN];
	enum e2e_error error;

	buffer_init(b, PAYLOAD_MAX);
	error = hash_record(hash, record);
	if (error != E2E_OK)
		return error;
	dcbor_put_array(b, 5);
	dcbor_put_string(b, STRING_RELAY_RECORD);
	put_hash(b, s->transcript);
	dcbor_put_uint(b, query->number);
	if (query->name.data == NULL)
		dcbor_put_bytes(b, query->id, E2E_ID_LEN);
	else
		dcbor_put_text(b, query->name.data, query->name.length);
	put_hash(b, hash);
	return E2E_OK;
}

enum e2e_error
proof_make_record(struct buffer *out, const struct key *key,
    const struct proof_session *s, const struct proof_query *query,
    const struct frame *record)
{
	struct buffer payload;
	enum e2e_error error;

	error = put_record(&payload, s, query, record);
	return error != E2E_OK ? error :
	    make(out, key, TYP_RELAY_RECORD, &payload);
}

enum e2e_error
proof_check_record(bool *valid, const struct key *key,
    const struct proof_session *s, const struct proof_query *query,
    const struct frame *record)
{
	struct buffer payload;
	enum e2e_error error;

	*valid = false;
	error = put_record(&payload, s, query, record);
	return error != E2E_OK ? error : check(valid, key, TYP_RELAY_RECORD,
	    record->record.signature, &payload);
}

/* ---- statements ---- */

struct claims {
	const unsigned char *issuer, *subject, *root;	/* NULL: not there */
	uint64_t made;
	bool has_made;
};

/* {5: identity id} (RFC 9679). */
static bool
take_subject(struct claims *c, struct dcbor_reader *r)
{
	struct dcbor_map map;
	int64_t key;

	if (!dcbor_enter_map(r, &map) || map.left != 1 ||
	    !dcbor_next_key(r, &map, &key) || key != CNF_THUMBPRINT ||
	    !dcbor_get_bytes_of(r, &c->subject, E2E_ID_LEN))
		return false;
	dcbor_leave(r);
	return true;
}

/* Claims that are not known here may come with a later version. */
static bool
parse_claims(struct claims *c, struct bytes payload)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	int64_t key;
	bool ok = true;

	memset(c, 0, sizeof(*c));
	dcbor_reader_init(&r, payload.data, payload.length);
	if (!dcbor_enter_map(&r, &map))
		return false;
	while (ok && dcbor_next_key(&r, &map, &key)) {
		switch (key) {
		case CLAIM_ISS:
			ok = dcbor_get_bytes_of(&r, &c->issuer, E2E_ID_LEN);
			break;
		case CLAIM_IAT:
			ok = c->has_made = dcbor_get_uint(&r, &c->made);
			break;
		case CLAIM_CNF:
			ok = take_subject(c, &r);
			break;
		case CLAIM_MERKLE_ROOT:
			ok = dcbor_get_bytes_of(&r, &c->root, PROOF_HASH_LEN);
			break;
		default:
			ok = dcbor_skip(&r, NULL);
			break;
		}
	}
	dcbor_leave(&r);
	return ok && dcbor_finish(&r) && c->has_made;
}

static enum e2e_error
check_claims(bool *valid, const struct key *key, const char *typ,
    struct bytes statement, struct claims *c)
{
	struct cose_sign1 sign1;

	*valid = false;
	if (cose_sign1_parse(&sign1, statement, typ) != E2E_OK ||
	    !parse_claims(c, sign1.payload))
		return E2E_OK;
	return sign1_verify(valid, key, &sign1, no_aad);
}

enum e2e_error
proof_make_succession(struct buffer *out, const struct key *old,
    const unsigned char new_id[E2E_ID_LEN], uint64_t now)
{
	struct buffer payload;

	buffer_init(&payload, PAYLOAD_MAX);
	dcbor_put_map(&payload, 3);
	dcbor_put_int(&payload, CLAIM_ISS);
	dcbor_put_bytes(&payload, old->thumbprint, E2E_ID_LEN);
	dcbor_put_int(&payload, CLAIM_IAT);
	dcbor_put_uint(&payload, now);
	dcbor_put_int(&payload, CLAIM_CNF);
	dcbor_put_map(&payload, 1);
	dcbor_put_int(&payload, CNF_THUMBPRINT);
	dcbor_put_bytes(&payload, new_id, E2E_ID_LEN);
	return make(out, old, TYP_SUCCESSION, &payload);
}

enum e2e_error
proof_check_succession(bool *valid, const struct key *old,
    struct bytes statement, unsigned char new_id[E2E_ID_LEN])
{
	enum e2e_error error;
	struct claims c;

	memset(new_id, 0, E2E_ID_LEN);
	error = check_claims(valid, old, TYP_SUCCESSION, statement, &c);
	if (error != E2E_OK || !*valid)
		return error;
	*valid = c.issuer != NULL && c.subject != NULL &&
	    memcmp(c.issuer, old->thumbprint, E2E_ID_LEN) == 0;
	if (*valid)
		memcpy(new_id, c.subject, E2E_ID_LEN);
	return E2E_OK;
}

enum e2e_error
proof_make_storage(struct buffer *out, const struct key *key,
    const unsigned char root[PROOF_HASH_LEN], uint64_t now)
{
	struct buffer payload;

	buffer_init(&payload, PAYLOAD_MAX);
	dcbor_put_map(&payload, 2);
	dcbor_put_int(&payload, CLAIM_IAT);
	dcbor_put_uint(&payload, now);
	dcbor_put_int(&payload, CLAIM_MERKLE_ROOT);
	put_hash(&payload, root);
	return make(out, key, TYP_STORAGE, &payload);
}

enum e2e_error
proof_check_storage(bool *valid, const struct key *key,
    struct bytes signature, const unsigned char root[PROOF_HASH_LEN],
    uint64_t *when)
{
	enum e2e_error error;
	struct claims c;

	*when = 0;
	error = check_claims(valid, key, TYP_STORAGE, signature, &c);
	if (error != E2E_OK || !*valid)
		return error;
	*valid = c.root != NULL && memcmp(c.root, root, PROOF_HASH_LEN) == 0;
	if (*valid)
		*when = c.made;
	return E2E_OK;
}

/* ---- the leaf of a storage receipt ---- */

enum { MAILBOX_STEP = FRAME_MAILBOX_STEP };

void
proof_put_leaf(struct buffer *b, const unsigned char id[PROOF_HASH_LEN],
    const unsigned char (*mailboxes)[E2E_ID_LEN], size_t count,
    uint64_t until)
{
	size_t i;

	dcbor_put_array(b, 3);
	put_hash(b, id);
	dcbor_put_array(b, count);
	for (i = 0; i < count; i++)
		dcbor_put_bytes(b, mailboxes[i], E2E_ID_LEN);
	dcbor_put_uint(b, until);
}

static bool
take_mailboxes(struct proof_leaf *leaf, struct dcbor_reader *r)
{
	const unsigned char *id, *before = NULL;
	uint64_t count, i;
	size_t start;

	if (!dcbor_enter_array(r, &count) || count < 1 ||
	    count > FRAME_MAILBOXES_MAX)
		return false;
	start = r->offset;
	for (i = 0; i < count; i++) {
		if (!dcbor_get_bytes_of(r, &id, E2E_ID_LEN) ||
		    (before != NULL && memcmp(before, id, E2E_ID_LEN) >= 0))
			return false;
		before = id;
	}
	leaf->count = (size_t)count;
	leaf->mailboxes = (struct bytes){ r->data + start,
	    r->offset - start };
	dcbor_leave(r);
	return true;
}

enum e2e_error
proof_parse_leaf(struct proof_leaf *leaf, struct bytes encoded)
{
	struct dcbor_reader r;
	uint64_t count;

	memset(leaf, 0, sizeof(*leaf));
	dcbor_reader_init(&r, encoded.data, encoded.length);
	if (!dcbor_enter_array(&r, &count) || count != 3 ||
	    !dcbor_get_bytes_of(&r, &leaf->id, PROOF_HASH_LEN) ||
	    !take_mailboxes(leaf, &r) || !dcbor_get_uint(&r, &leaf->until))
		return E2E_ERR_MALFORMED;
	dcbor_leave(&r);
	return dcbor_finish(&r) ? E2E_OK : E2E_ERR_MALFORMED;
}

const unsigned char *
proof_leaf_mailbox(const struct proof_leaf *leaf, size_t index)
{
	return leaf->mailboxes.data + (index + 1) * MAILBOX_STEP - E2E_ID_LEN;
}
