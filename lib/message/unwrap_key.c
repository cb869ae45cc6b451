/* Opening a wrapped key, and looking at one (docs/FORMAT.md, 9). */
#include "message/claims.h"
#include "message/diag.h"
#include "message/group_key.h"
#include "message/identity.h"
#include "message/inspect.h"
#include "message/sender.h"
#include "message/signer.h"
#include "message/unseal.h"
#include "message/wrapped_key.h"

#include "base/secret.h"
#include "crypto/crypto.h"
#include "wire/armor.h"
#include "wire/labels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The file's bytes: those within the armor, if there is one. */
static enum e2e_error
decode(struct buffer *encoded, const void *text, size_t length)
{
	buffer_init(encoded, E2E_WRAPPED_KEY_MAX);
	if (length > E2E_WRAPPED_KEY_MAX)
		return E2E_ERR_LIMIT;
	if (armor_recognized(ARMOR_WRAPPED_KEY, text, length))
		return armor_decode(encoded, ARMOR_WRAPPED_KEY, false, text,
		    length);
	return buffer_append(encoded, text, length) ? E2E_OK : E2E_ERR_MEMORY;
}

/* Exactly one item, tagged, without what only envelopes have. */
static enum e2e_error
parse_file(struct header *h, struct bytes encoded, uint32_t memory_max_kib)
{
	struct header_limits limits = {
		.memory_max_kib = memory_max_kib != 0 ? memory_max_kib :
		    RECIPIENT_MEMORY_MAX_KIB,
		.ciphertext_max = HEADER_METADATA_MAX + HEADER_TAG_LEN,
		.no_rewrap = true
	};
	struct dcbor_reader r;
	enum e2e_error error;

	memset(h, 0, sizeof(*h));
	dcbor_reader_init(&r, encoded.data, encoded.length);
	if (!dcbor_get_tag(&r, TAG_WRAPPED_KEY))
		return E2E_ERR_WRAPPED_KEY;
	error = header_parse(h, encoded.data + r.offset,
	    encoded.length - r.offset, 0, &limits);
	if (error == E2E_ERR_MALFORMED || error == E2E_ERR_HEADER_TRUNCATED)
		return E2E_ERR_WRAPPED_KEY;
	if (error == E2E_OK &&
	    r.offset + h->encoded_length != encoded.length)
		error = E2E_ERR_WRAPPED_KEY;
	return error;
}

/* ---- opening ---- */

/* The members as ids without heads. */
static enum e2e_error
copy_members(struct e2e_group_key *g, struct bytes encoded)
{
	const unsigned char *id;
	struct dcbor_reader r;
	uint64_t count;
	size_t i;

	dcbor_reader_init(&r, encoded.data, encoded.length);
	if (!dcbor_enter_array(&r, &count))
		return E2E_ERR_WRAPPED_KEY;
	if (count == 0)
		return E2E_OK;
	g->members = calloc((size_t)count, sizeof(*g->members));
	if (g->members == NULL)
		return E2E_ERR_MEMORY;
	for (i = 0; i < count && dcbor_get_bytes_of(&r, &id, E2E_ID_LEN); i++)
		memcpy(g->members[i], id, E2E_ID_LEN);
	g->member_count = i;
	return E2E_OK;
}

/* What was signed becomes the group key; its maker is transferred later. */
static enum e2e_error
copy_claims(struct e2e_group_key *g, const struct wrapped_key *w,
    const unsigned char *maker)
{
	enum e2e_error error;

	g->secret = secret_alloc(E2E_GROUP_KEY_LEN);
	if (g->secret == NULL)
		return E2E_ERR_MEMORY;
	memcpy(g->secret, w->key, E2E_GROUP_KEY_LEN);
	memcpy(g->random, w->random, sizeof(g->random));
	g->has_name = w->name.data != NULL;
	if (w->name.length > 0)
		memcpy(g->name, w->name.data, w->name.length);
	g->epoch = w->epoch;
	g->created = w->issued;
	error = copy_members(g, w->members);
	if (error == E2E_OK)
		error = derive_group_id(g->kid, maker, g->random, w->name,
		    g->epoch);
	return error;
}

static enum e2e_error
verify_maker(struct e2e_group_key *g, const struct unsealed *u,
    const struct e2e_unwrap_key *request, const struct cose_sign1 *sign1,
    struct bytes carried)
{
	const struct signer_source source = {
		request->find_card, request->find_card_context
	};
	enum e2e_error error;
	bool valid = false;

	error = signer_find(&g->maker, sign1, carried, &source);
	if (error == E2E_OK)
		error = sender_verify(&valid, g->maker->signing, sign1,
		    &u->core);
	if (error == E2E_OK && !valid)
		error = E2E_ERR_SIGNATURE;
	return error;
}

/* A member who opens it was meant by the maker, however it reached him. */
static enum e2e_error
check_reader(const struct unsealed *u, const struct e2e_unwrap_key *request,
    const struct wrapped_key *w)
{
	int identity = u->found.identity;

	if (identity < 0)
		return E2E_OK;
	return claims_has_hash(w->members, e2e_card_id(
	    request->keys.identities[identity]->card)) ? E2E_OK :
	    E2E_ERR_NOT_ADDRESSED;
}

static enum e2e_error
read_metadata(struct e2e_group_key *g, const struct unsealed *u,
    const struct e2e_unwrap_key *request)
{
	struct cose_sign1 sign1;
	struct wrapped_key w;
	enum e2e_error error;

	error = cose_sign1_parse(&sign1, buffer_bytes(&u->metadata),
	    TYP_WRAPPED_KEY);
	if (error == E2E_OK)
		error = wrapped_key_parse(&w, sign1.payload);
	if (error == E2E_OK)
		error = verify_maker(g, u, request, &sign1, w.card);
	if (error == E2E_OK)
		error = check_reader(u, request, &w);
	if (error == E2E_OK)
		error = copy_claims(g, &w, sign1.kid);
	return error == E2E_ERR_MALFORMED ? E2E_ERR_WRAPPED_KEY : error;
}

static enum e2e_error
unwrap(struct e2e_group_key *g, const struct e2e_unwrap_key *request,
    struct bytes encoded)
{
	struct unsealed u;
	struct header h;
	enum e2e_error error;

	unsealed_init(&u);
	error = parse_file(&h, encoded, request->keys.kdf_memory_max_kib);
	if (error == E2E_OK)
		error = unseal_header(&u, &h, DERIVE_WRAPPED_KEY,
		    &request->keys);
	unseal_forget_cek(&u);
	if (error == E2E_OK)
		error = read_metadata(g, &u, request);
	unsealed_free(&u);
	header_free(&h);
	return error;
}

enum e2e_error
e2e_unwrap_key(struct e2e_group_key **group,
    const struct e2e_unwrap_key *request, const void *text, size_t length,
    struct e2e_diag *diag)
{
	struct e2e_group_key *g = calloc(1, sizeof(*g));
	struct buffer encoded;
	enum e2e_error error;

	*group = NULL;
	errno = 0;
	error = decode(&encoded, text, length);
	if (error == E2E_OK && g == NULL)
		error = E2E_ERR_MEMORY;
	if (error == E2E_OK)
		error = crypto_init();
	if (error == E2E_OK)
		error = unwrap(g, request, buffer_bytes(&encoded));
	buffer_free(&encoded);
	diag_set(diag, error, 0, NULL);
	if (error != E2E_OK) {
		e2e_group_key_free(g);
		return error;
	}
	*group = g;
	return E2E_OK;
}

/* ---- looking ---- */

enum e2e_error
e2e_inspect_wrapped_key(struct e2e_recipient_seen **recipients,
    size_t *count, const void *text, size_t length)
{
	struct buffer encoded;
	struct header h;
	enum e2e_error error;

	*recipients = NULL;
	*count = 0;
	memset(&h, 0, sizeof(h));
	error = decode(&encoded, text, length);
	if (error == E2E_OK)
		error = parse_file(&h, buffer_bytes(&encoded), UINT32_MAX);
	if (error == E2E_OK)
		error = inspect_recipients(recipients, &h);
	if (error == E2E_OK)
		*count = h.recipient_count;
	header_free(&h);
	buffer_free(&encoded);
	return error;
}
