/*
 * The client's end. HELLO and CHAL are kept as they went over the wire until
 * AUTH, for what is signed there is their hash together.
 */
#include "relay/client.h"

#include "base/number.h"
#include "base/random.h"
#include "message/revocation.h"
#include "relay/merkle.h"

#include <stdlib.h>
#include <string.h>

enum { HELLO_MAX = 256 };

struct client {
	struct proof_session session;
	enum { NEW, GREETED, KNOWN, AUTHENTICATED } stage;
	struct buffer transcript;	/* HELLO, and CHAL behind it */
	bool has_mailbox;
	unsigned char mailbox[E2E_ID_LEN];

	/* From KNOWN on. */
	struct e2e_card *relay;
	struct frame_limits limits;
	uint64_t time;
	/* Who the relay was before, proved: an unbroken chain, newest first. */
	unsigned char before[FRAME_SUCCESSIONS_MAX][E2E_ID_LEN];
	size_t before_count;

	uint64_t records;		/* answered questions */
};

struct client *
client_new(const unsigned char binding[PROOF_BINDING_LEN])
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	memcpy(c->session.binding, binding, PROOF_BINDING_LEN);
	buffer_init(&c->transcript, HELLO_MAX + FRAME_MAX);
	return c;
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	buffer_free(&c->transcript);
	e2e_card_free(c->relay);
	free(c);
}

/* Of what a stranger made: only the machine's own failures are ours. */
static enum e2e_error
judged(enum e2e_error error)
{
	return error == E2E_OK || error == E2E_ERR_MEMORY ||
	    error == E2E_ERR_CRYPTO ? error : E2E_ERR_PROTOCOL;
}

/* ---- handshake ---- */

enum e2e_error
client_hello(struct client *c, struct buffer *out,
    const unsigned char *mailbox, uint64_t credit_items,
    uint64_t credit_bytes)
{
	unsigned char cnonce[FRAME_NONCE_LEN];
	struct frame f = { .type = FRAME_HELLO };
	enum e2e_error error;

	if (c->stage != NEW)
		return E2E_ERR_USAGE;
	if (!random_bytes(cnonce, sizeof(cnonce)))
		return E2E_ERR_CRYPTO;
	f.hello.versions[0] = FRAME_VERSION;
	f.hello.version_count = 1;
	f.hello.mailbox = mailbox;
	f.hello.cnonce = cnonce;
	f.hello.credit_items = credit_items;
	f.hello.credit_bytes = credit_bytes;
	frame_put(&c->transcript, &f);
	if (c->transcript.failed || !buffer_append(out, c->transcript.data,
	    c->transcript.length))
		return E2E_ERR_MEMORY;
	error = proof_hash(c->session.hello, buffer_bytes(&c->transcript),
	    (struct bytes){ NULL, 0 });
	if (error != E2E_OK)
		return error;
	if (mailbox != NULL) {
		c->has_mailbox = true;
		memcpy(c->mailbox, mailbox, E2E_ID_LEN);
	}
	c->stage = GREETED;
	return E2E_OK;
}

/* Follows the statements back from the relay's id as far as they hold. */
static enum e2e_error
follow_successions(struct client *c, const struct frame_core *core)
{
	const unsigned char *expected = e2e_card_id(c->relay);
	unsigned char named[E2E_ID_LEN];
	struct e2e_card *old;
	enum e2e_error error;
	bool valid;
	size_t i;

	for (i = 0; i < core->succession_count; i++) {
		error = judged(card_decode(&old, core->successions[i].card));
		if (error == E2E_ERR_PROTOCOL)
			break;
		if (error != E2E_OK)
			return error;
		error = proof_check_succession(&valid, old->signing,
		    core->successions[i].statement, named);
		if (error == E2E_OK && valid)
			valid = memcmp(named, expected, E2E_ID_LEN) == 0;
		if (error == E2E_OK && valid)
			memcpy(c->before[i], e2e_card_id(old), E2E_ID_LEN);
		e2e_card_free(old);
		if (error != E2E_OK)
			return error;
		if (!valid)
			break;
		expected = c->before[i];
		c->before_count = i + 1;
	}
	return E2E_OK;
}

enum e2e_error
client_challenge(struct client *c, const struct frame *chal,
    struct bytes whole)
{
	struct frame_core core;
	enum e2e_error error;
	bool valid;

	if (c->stage != GREETED)
		return E2E_ERR_USAGE;
	if (chal->type != FRAME_CHAL ||
	    frame_parse_core(&core, chal->chal.core) != E2E_OK ||
	    core.version != FRAME_VERSION)
		return E2E_ERR_PROTOCOL;
	/* Of a CHAL that failed. */
	e2e_card_free(c->relay);
	c->relay = NULL;
	c->before_count = 0;
	error = judged(card_decode(&c->relay, core.card));
	if (error != E2E_OK)
		return error;
	error = proof_check_server(&valid, c->relay->signing,
	    chal->chal.signature, &c->session, chal->chal.core);
	if (error == E2E_OK && !valid)
		error = E2E_ERR_RELAY_PROOF;
	if (error == E2E_OK)
		error = follow_successions(c, &core);
	if (error == E2E_OK)
		error = proof_hash(c->session.transcript,
		    buffer_bytes(&c->transcript), whole);
	if (error == E2E_OK && !buffer_append(&c->transcript, whole.data,
	    whole.length))
		error = E2E_ERR_MEMORY;
	if (error != E2E_OK)
		return error;
	c->limits = core.limits;
	c->time = core.time;
	c->stage = KNOWN;
	return E2E_OK;
}

const struct e2e_card *
client_relay_card(const struct client *c)
{
	return c->stage >= KNOWN ? c->relay : NULL;
}

const struct frame_limits *
client_limits(const struct client *c)
{
	return &c->limits;
}

uint64_t
client_relay_time(const struct client *c)
{
	return c->time;
}

bool
client_succeeds(const struct client *c, const unsigned char old[E2E_ID_LEN])
{
	size_t i;

	for (i = 0; c->stage >= KNOWN && i < c->before_count; i++) {
		if (memcmp(c->before[i], old, E2E_ID_LEN) == 0)
			return true;
	}
	return false;
}

enum e2e_error
client_auth(struct client *c, struct buffer *out,
    const struct e2e_identity *identity, bool with_card)
{
	struct frame f = { .type = FRAME_AUTH };
	struct buffer signature, auth;
	enum e2e_error error;

	if (c->stage != KNOWN || !c->has_mailbox || memcmp(c->mailbox,
	    e2e_card_id(identity->card), E2E_ID_LEN) != 0)
		return E2E_ERR_USAGE;
	if (e2e_identity_locked(identity))
		return E2E_ERR_PASSPHRASE_NEEDED;
	buffer_init(&signature, FRAME_MAX);
	buffer_init(&auth, FRAME_MAX);
	error = proof_make_auth(&signature, identity->signing,
	    e2e_card_id(c->relay), &c->session);
	if (error != E2E_OK)
		goto out;
	f.auth.signature = buffer_bytes(&signature);
	if (with_card)
		f.auth.card = buffer_bytes(&identity->card->encoded);
	frame_put(&auth, &f);
	error = E2E_ERR_MEMORY;
	if (auth.failed || !buffer_append(out, auth.data, auth.length))
		goto out;
	error = proof_hash(c->session.session, buffer_bytes(&c->transcript),
	    buffer_bytes(&auth));
	if (error != E2E_OK)
		goto out;
	buffer_free(&c->transcript);
	c->stage = AUTHENTICATED;
out:
	buffer_free(&signature);
	buffer_free(&auth);
	return error;
}

/* ---- items ---- */

/* Neighbors become one range. False: not ascending, or too many. */
static bool
make_ranges(struct frame *ack, const struct client_kept *kept, size_t count)
{
	struct frame_range *range;
	size_t i;

	if (count < 1 || count > FRAME_RANGES_MAX)
		return false;
	for (i = 0; i < count; i++) {
		if (i > 0 && kept[i].seq <= kept[i - 1].seq)
			return false;
		if (i > 0 && kept[i].seq - kept[i - 1].seq == 1) {
			ack->ack.ranges[ack->ack.count - 1].last = kept[i].seq;
			continue;
		}
		range = &ack->ack.ranges[ack->ack.count++];
		range->first = range->last = kept[i].seq;
	}
	return true;
}

static enum e2e_error
hash_ids(unsigned char hash[PROOF_HASH_LEN], const struct client_kept *kept,
    size_t count)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer ids;
	size_t i;

	buffer_init(&ids, FRAME_RANGES_MAX * PROOF_HASH_LEN);
	for (i = 0; i < count; i++)
		(void)buffer_append(&ids, kept[i].id, PROOF_HASH_LEN);
	if (!ids.failed)
		error = proof_hash(hash, buffer_bytes(&ids),
		    (struct bytes){ NULL, 0 });
	buffer_free(&ids);
	return error;
}

enum e2e_error
client_ack(struct client *c, struct buffer *out,
    const struct e2e_identity *identity, const struct client_kept *kept,
    size_t count)
{
	unsigned char ids_hash[PROOF_HASH_LEN];
	struct frame f = { .type = FRAME_ACK };
	struct buffer signature;
	enum e2e_error error;

	if (c->stage != AUTHENTICATED || !make_ranges(&f, kept, count))
		return E2E_ERR_USAGE;
	if (e2e_identity_locked(identity))
		return E2E_ERR_PASSPHRASE_NEEDED;
	buffer_init(&signature, FRAME_MAX);
	error = hash_ids(ids_hash, kept, count);
	if (error == E2E_OK)
		error = proof_make_ack(&signature, identity->signing,
		    &c->session, f.ack.ranges, f.ack.count, ids_hash);
	if (error == E2E_OK) {
		f.ack.signature = buffer_bytes(&signature);
		frame_put(out, &f);
		if (out->failed)
			error = E2E_ERR_MEMORY;
	}
	buffer_free(&signature);
	return error;
}

/* ---- deposits ---- */

/* Are the leaf's mailboxes all among those named? Both ascend. */
static bool
all_named(const struct proof_leaf *leaf,
    const unsigned char (*mailboxes)[E2E_ID_LEN], size_t count)
{
	size_t i, k = 0;

	for (i = 0; i < leaf->count; i++) {
		while (k < count && memcmp(mailboxes[k],
		    proof_leaf_mailbox(leaf, i), E2E_ID_LEN) < 0)
			k++;
		if (k == count || memcmp(mailboxes[k++],
		    proof_leaf_mailbox(leaf, i), E2E_ID_LEN) != 0)
			return false;
	}
	return true;
}

/* Does the leaf say what the line says, about this envelope? */
static bool
leaf_fits(struct bytes encoded, const struct receipt *receipt,
    const unsigned char (*mailboxes)[E2E_ID_LEN], size_t count)
{
	struct proof_leaf leaf;
	uint64_t kept;

	return proof_parse_leaf(&leaf, encoded) == E2E_OK &&
	    number_add64(&kept, receipt->stored, receipt->dup) &&
	    leaf.count == kept && leaf.until == receipt->until &&
	    memcmp(leaf.id, receipt->id, PROOF_HASH_LEN) == 0 &&
	    all_named(&leaf, mailboxes, count);
}

static enum e2e_error
check_storage(const struct client *c, const struct frame *f)
{
	merkle_hash leaf, root;
	enum e2e_error error;
	uint64_t when;
	bool valid;

	error = merkle_leaf(leaf, f->receipt.leaf.data,
	    f->receipt.leaf.length);
	if (error == E2E_OK)
		error = merkle_climb(root, &valid, leaf, f->receipt.path,
		    f->receipt.path_length, f->receipt.index,
		    f->receipt.tree_size);
	if (error != E2E_OK)
		return error;
	if (!valid)
		return E2E_ERR_PROTOCOL;
	error = proof_check_storage(&valid, c->relay->signing,
	    f->receipt.signature, root, &when);
	return error == E2E_OK && !valid ? E2E_ERR_RELAY_PROOF : error;
}

enum e2e_error
client_receipt(struct client *c, const struct frame *frame,
    const unsigned char id[PROOF_HASH_LEN],
    const unsigned char (*mailboxes)[E2E_ID_LEN], size_t count,
    struct receipt *receipt)
{
	struct bytes line = frame->receipt.line;
	enum e2e_error error = E2E_ERR_PROTOCOL;

	memset(receipt, 0, sizeof(*receipt));
	if (c->stage < KNOWN)
		return E2E_ERR_USAGE;
	if (frame->type == FRAME_RECEIPT &&
	    receipt_parse(receipt, (const char *)line.data, line.length)) {
		if (receipt->code != RECEIPT_OK)
			return E2E_OK;
		if (frame->receipt.is_signed &&
		    memcmp(receipt->id, id, PROOF_HASH_LEN) == 0 &&
		    leaf_fits(frame->receipt.leaf, receipt, mailboxes, count))
			error = check_storage(c, frame);
	}
	if (error != E2E_OK)
		memset(receipt, 0, sizeof(*receipt));
	return error;
}

/* ---- directory ---- */

/* The first of the statements that is the card's own revocation. */
static enum e2e_error
find_revocation(const struct frame *f, const struct e2e_card *card,
    bool *revoked, struct buffer *revocation)
{
	const struct bytes *statement = f->record.revocations;
	enum e2e_revocation_reason reason;
	enum e2e_error error;
	uint64_t made;
	size_t i;

	for (i = 0; i < f->record.revocation_count; i++, statement++) {
		error = judged(revocation_verify(*statement, card, &reason,
		    &made));
		/* What is none, or another's, says nothing. */
		if (error == E2E_ERR_PROTOCOL)
			continue;
		*revoked = error == E2E_OK;
		if (*revoked && !buffer_append(revocation, statement->data,
		    statement->length))
			error = E2E_ERR_MEMORY;
		return error;
	}
	return E2E_OK;
}

enum e2e_error
client_record(struct client *c, const struct frame *frame, const char *name,
    const unsigned char *id, struct e2e_card **card, bool *revoked,
    struct buffer *revocation)
{
	struct proof_query query = { .number = c->records, .id = id };
	enum e2e_error error;
	bool valid;

	*card = NULL;
	*revoked = false;
	if (c->stage < KNOWN)
		return E2E_ERR_USAGE;
	if (frame->type != FRAME_RECORD)
		return E2E_ERR_PROTOCOL;
	c->records++;
	if (name != NULL)
		query.name = (struct bytes){ (const unsigned char *)name,
		    strlen(name) };
	error = proof_check_record(&valid, c->relay->signing, &c->session,
	    &query, frame);
	if (error == E2E_OK && !valid)
		error = E2E_ERR_RELAY_PROOF;
	if (error != E2E_OK || frame->record.card.data == NULL)
		return error;
	error = judged(card_decode(card, frame->record.card));
	if (error != E2E_OK)
		return error;
	valid = name != NULL ? strcmp(name, e2e_card_name(*card)) == 0 :
	    memcmp(id, e2e_card_id(*card), E2E_ID_LEN) == 0;
	error = valid ? find_revocation(frame, *card, revoked, revocation) :
	    E2E_ERR_PROTOCOL;
	if (error != E2E_OK) {
		e2e_card_free(*card);
		*card = NULL;
		*revoked = false;
	}
	return error;
}
