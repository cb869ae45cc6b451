/* Wrapping the key of a group for its members (docs/FORMAT.md, 9). */
#include "message/diag.h"
#include "message/identity.h"
#include "message/seal_header.h"
#include "message/sign1.h"
#include "message/sink.h"
#include "message/wrapped_key.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "crypto/crypto.h"
#include "wire/labels.h"

#include <errno.h>
#include <string.h>

enum { EPOCH_FIRST = 1, SMALL = 512 };

struct wrapping {
	const struct e2e_wrap_key *request;
	struct e2e_recipients to;
	struct addressees addressees;	/* the maker last */
	struct seal_header header;
	unsigned char *key;		/* secret */
	unsigned char random[E2E_GROUP_RANDOM_LEN];
	unsigned char id[DERIVE_MESSAGE_ID_LEN];
	struct wrapped_key claims;
	struct buffer members, metadata, file;
};

static void
wrapping_init(struct wrapping *w, const struct e2e_wrap_key *request)
{
	memset(w, 0, sizeof(*w));
	w->request = request;
	w->to.cards = request->members;
	w->to.card_count = request->member_count;
	buffer_init(&w->members, E2E_RECIPIENTS_MAX * E2E_ID_LEN);
	buffer_init_secret(&w->metadata, HEADER_METADATA_MAX);
	buffer_init(&w->file, HEADER_MAX + 16);
}

static void
wrapping_free(struct wrapping *w)
{
	addressees_free(&w->addressees);
	seal_header_free(&w->header);
	secret_free(w->key);
	buffer_free(&w->members);
	buffer_free(&w->metadata);
	buffer_free(&w->file);
}

static enum e2e_error
check_request(const struct e2e_wrap_key *q)
{
	if (q->maker == NULL || (q->next_epoch && q->group == NULL) ||
	    (q->group != NULL && (q->key != NULL || q->name != NULL)) ||
	    (q->name != NULL && (strlen(q->name) > E2E_TEXT_MAX ||
	    !utf8_valid(q->name, strlen(q->name)))))
		return E2E_ERR_USAGE;
	if (e2e_identity_locked(q->maker))
		return E2E_ERR_PASSPHRASE_NEEDED;
	if (q->group == NULL)
		return E2E_OK;
	if (memcmp(e2e_card_id(q->group->maker), e2e_card_id(q->maker->card),
	    E2E_ID_LEN) != 0)
		return E2E_ERR_NOT_MAKER;
	return q->next_epoch && q->group->epoch == E2E_NUMBER_MAX ?
	    E2E_ERR_LIMIT : E2E_OK;
}

/* Which group, which epoch, and its key. */
static enum e2e_error
choose_group(struct wrapping *w)
{
	const struct e2e_wrap_key *q = w->request;
	const unsigned char *key = q->key;

	w->key = secret_alloc(E2E_GROUP_KEY_LEN);
	if (w->key == NULL)
		return E2E_ERR_MEMORY;
	if (q->group != NULL) {
		memcpy(w->random, q->group->random, sizeof(w->random));
		w->claims.name = group_key_name(q->group);
		w->claims.epoch = q->group->epoch + q->next_epoch;
		if (!q->next_epoch)
			key = q->group->secret;
	} else {
		if (q->name != NULL)
			w->claims.name = (struct bytes){
				(const unsigned char *)q->name,
				strlen(q->name) };
		w->claims.epoch = EPOCH_FIRST;
		if (!random_bytes(w->random, sizeof(w->random)))
			return E2E_ERR_CRYPTO;
	}
	if (key != NULL)
		memcpy(w->key, key, E2E_GROUP_KEY_LEN);
	else if (!random_bytes(w->key, E2E_GROUP_KEY_LEN))
		return E2E_ERR_CRYPTO;
	return random_bytes(w->id, sizeof(w->id)) ? E2E_OK : E2E_ERR_CRYPTO;
}

static enum e2e_error
put_claims(struct wrapping *w, struct buffer *claims)
{
	const struct e2e_wrap_key *q = w->request;
	struct wrapped_key *c = &w->claims;
	size_t i;

	for (i = 0; i < w->addressees.card_count; i++)
		(void)buffer_append(&w->members,
		    e2e_card_id(w->addressees.cards[i]), E2E_ID_LEN);
	if (w->members.failed)
		return E2E_ERR_MEMORY;
	c->issued = clock_now();
	c->id = w->id;
	c->key = w->key;
	c->members = buffer_bytes(&w->members);
	c->random = w->random;
	if (!q->no_card)
		c->card = buffer_bytes(&q->maker->card->encoded);
	wrapped_key_put(claims, c);
	return claims->failed ? E2E_ERR_MEMORY : E2E_OK;
}

static enum e2e_error
sign_claims(struct wrapping *w)
{
	struct buffer claims, aad;
	enum e2e_error error;

	buffer_init_secret(&claims, HEADER_METADATA_MAX);
	buffer_init(&aad, SMALL);
	error = put_claims(w, &claims);
	derive_put_sender_aad(&aad, &w->header.core);
	if (error == E2E_OK)
		error = aad.failed ? E2E_ERR_MEMORY : sign1_make(&w->metadata,
		    w->request->maker->signing, TYP_WRAPPED_KEY,
		    buffer_bytes(&aad), buffer_bytes(&claims));
	buffer_free(&claims);
	buffer_free(&aad);
	return error;
}

static enum e2e_error
wrap(struct wrapping *w)
{
	enum e2e_error error;

	error = choose_group(w);
	if (error == E2E_OK)
		error = seal_header_begin(&w->header, DERIVE_WRAPPED_KEY,
		    &w->addressees);
	if (error == E2E_OK)
		error = sign_claims(w);
	if (error != E2E_OK)
		return error;
	dcbor_put_tag(&w->file, TAG_WRAPPED_KEY);
	return seal_header_end(&w->header, buffer_bytes(&w->metadata),
	    &w->file);
}

static enum e2e_error
write_file(const struct wrapping *w, const struct e2e_output *output)
{
	struct buffer text;
	enum e2e_error error;

	if (!w->request->armor)
		return output->write(output->context, w->file.data,
		    w->file.length);
	buffer_init(&text, E2E_WRAPPED_KEY_MAX);
	error = armor_encode(&text, ARMOR_WRAPPED_KEY, w->file.data,
	    w->file.length);
	if (error == E2E_OK)
		error = output->write(output->context, text.data, text.length);
	buffer_free(&text);
	return error;
}

enum e2e_error
e2e_wrap_key(const struct e2e_wrap_key *request,
    const struct e2e_output *output, struct e2e_diag *diag)
{
	struct wrapping w;
	enum e2e_error error;
	uint64_t which = 0;

	wrapping_init(&w, request);
	errno = 0;
	error = crypto_init();
	if (error == E2E_OK)
		error = check_request(request);
	if (error == E2E_OK)
		error = addressees_list(&w.addressees, &w.to,
		    request->maker->card, clock_now(), &which);
	if (error == E2E_OK)
		error = wrap(&w);
	if (error == E2E_OK)
		error = write_file(&w, output);
	diag_set(diag, error, which, error == E2E_ERR_RECIPIENT_EXPIRED ?
	    "recipient" : NULL);
	wrapping_free(&w);
	return error;
}
