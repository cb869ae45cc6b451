/*
 * The client's end of a session, with the test as the relay: an honest one,
 * somebody else, one that repeats what it once heard, and one that lies.
 */
#include "lab.h"

#include "relay/client.h"
#include "relay/merkle.h"
#include "relay/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *relay, *old, *older, *stranger, *alice, *bob;
static const unsigned char no_binding[PROOF_BINDING_LEN];
static unsigned char snonce[FRAME_NONCE_LEN];
enum { NOW = 1700000000 };

static int
setup(void **state)
{
	relay = lab_fixed_identity(1, 2, "relay", NOW);
	old = lab_fixed_identity(3, 4, "relay", NOW);
	older = lab_identity("rsa2048", "relay");
	stranger = lab_fixed_identity(5, 6, "relay", NOW);
	alice = lab_fixed_identity(7, 8, "alice", NOW);
	bob = lab_fixed_identity(9, 10, "bob", NOW);
	memset(snonce, 0x31, sizeof(snonce));
	return 0;
}

static int
teardown(void **state)
{
	e2e_identity_free(relay);
	e2e_identity_free(old);
	e2e_identity_free(older);
	e2e_identity_free(stranger);
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	return 0;
}

static struct bytes
card_of(const struct e2e_identity *identity)
{
	return buffer_bytes(&identity->card->encoded);
}

static const unsigned char *
id_of(const struct e2e_identity *identity)
{
	return e2e_card_id(identity->card);
}

static struct bytes
text(const char *t)
{
	return (struct bytes){ (const unsigned char *)t, strlen(t) };
}

/* ---- the relay's side ---- */

/* 1. `s` is what the relay itself computed from the bytes it saw. */
struct play {
	struct client *client;
	struct proof_session s;
	struct frame_core core;
	struct buffer hello, core_encoded, chal, auth, scratch;
};

static void
greet(struct play *p, const unsigned char *mailbox)
{
	struct frame f;
	size_t length;

	memset(p, 0, sizeof(*p));
	buffer_init(&p->hello, FRAME_MAX);
	buffer_init(&p->core_encoded, FRAME_MAX);
	buffer_init(&p->chal, FRAME_MAX);
	buffer_init(&p->auth, FRAME_MAX);
	buffer_init(&p->scratch, FRAME_MAX);
	p->core = (struct frame_core){ .version = 1, .card = card_of(relay),
	    .snonce = snonce, .time = NOW + 5,
	    .limits = { 1000, 2000, 3000, 4000, FRAME_CLOSED } };
	p->client = client_new(no_binding);
	assert_non_null(p->client);
	assert_null(client_relay_card(p->client));
	assert_int_equal(client_hello(p->client, &p->hello, mailbox, 256,
	    8 << 20), E2E_OK);
	assert_int_equal(frame_parse(&f, p->hello.data, p->hello.length,
	    &length), FRAME_COMPLETE);
	assert_int_equal(length, p->hello.length);
	assert_int_equal(f.type, FRAME_HELLO);
	assert_true(f.hello.version_count == 1 && f.hello.versions[0] == 1);
	assert_int_equal(f.hello.credit_items, 256);
	assert_int_equal(f.hello.credit_bytes, 8 << 20);
	assert_int_equal(f.hello.mailbox != NULL, mailbox != NULL);
	if (mailbox != NULL)
		assert_memory_equal(f.hello.mailbox, mailbox, E2E_ID_LEN);
	assert_int_equal(proof_hash(p->s.hello, buffer_bytes(&p->hello),
	    (struct bytes){ NULL, 0 }), E2E_OK);
}

/* CHAL around p->core, signed by whomever. */
static void
challenge(struct play *p, const struct e2e_identity *signer)
{
	struct frame f = { .type = FRAME_CHAL };
	struct buffer signature;

	buffer_init(&signature, 4096);
	frame_put_core(&p->core_encoded, &p->core);
	f.chal.core = buffer_bytes(&p->core_encoded);
	assert_int_equal(proof_make_server(&signature, signer->signing, &p->s,
	    f.chal.core), E2E_OK);
	f.chal.signature = buffer_bytes(&signature);
	frame_put(&p->chal, &f);
	assert_false(p->chal.failed);
	assert_int_equal(proof_hash(p->s.transcript, buffer_bytes(&p->hello),
	    buffer_bytes(&p->chal)), E2E_OK);
	buffer_free(&signature);
}

/* What the client says to a CHAL of these bytes. */
static enum e2e_error
shown(struct client *c, struct bytes chal)
{
	struct frame f;
	size_t length;

	if (frame_parse(&f, chal.data, chal.length, &length) !=
	    FRAME_COMPLETE || length != chal.length)
		return E2E_ERR_MALFORMED;
	return client_challenge(c, &f, chal);
}

static void
begin(struct play *p, const unsigned char *mailbox)
{
	greet(p, mailbox);
	challenge(p, relay);
	assert_int_equal(shown(p->client, buffer_bytes(&p->chal)), E2E_OK);
}

static void
authenticate(struct play *p, bool with_card)
{
	struct buffer both;

	assert_int_equal(client_auth(p->client, &p->auth, alice, with_card),
	    E2E_OK);
	buffer_init(&both, 2 * FRAME_MAX);
	assert_true(buffer_append(&both, p->hello.data, p->hello.length));
	assert_true(buffer_append(&both, p->chal.data, p->chal.length));
	assert_int_equal(proof_hash(p->s.session, buffer_bytes(&both),
	    buffer_bytes(&p->auth)), E2E_OK);
	buffer_free(&both);
}

static void
end(struct play *p)
{
	client_free(p->client);
	buffer_free(&p->hello);
	buffer_free(&p->core_encoded);
	buffer_free(&p->chal);
	buffer_free(&p->auth);
	buffer_free(&p->scratch);
}

/* ---- handshake ---- */

static void
honest_relay_is_believed(void **state)
{
	const struct frame_limits *limits;
	struct frame f;
	struct play p;
	size_t length;
	bool valid;
	int with_card;

	for (with_card = 0; with_card < 2; with_card++) {
		begin(&p, id_of(alice));
		assert_true(e2e_card_equal(client_relay_card(p.client),
		    relay->card));
		assert_true(client_relay_time(p.client) == NOW + 5);
		limits = client_limits(p.client);
		assert_true(limits->envelope_max == 1000 &&
		    limits->ttl == 2000 && limits->box_bytes == 3000 &&
		    limits->box_items == 4000 &&
		    limits->registration == FRAME_CLOSED);
		authenticate(&p, with_card == 1);
		assert_int_equal(frame_parse(&f, p.auth.data, p.auth.length,
		    &length), FRAME_COMPLETE);
		assert_int_equal(length, p.auth.length);
		assert_int_equal(f.type, FRAME_AUTH);
		assert_int_equal(f.auth.card.data != NULL, with_card);
		if (with_card)
			assert_true(bytes_equal(f.auth.card, card_of(alice)));
		assert_int_equal(proof_check_auth(&valid, alice->signing,
		    f.auth.signature, id_of(relay), &p.s), E2E_OK);
		assert_true(valid);
		end(&p);
	}
}

static void
another_key_is_not_the_relays(void **state)
{
	struct play p;

	greet(&p, NULL);
	challenge(&p, stranger);
	assert_int_equal(shown(p.client, buffer_bytes(&p.chal)),
	    E2E_ERR_RELAY_PROOF);
	assert_null(client_relay_card(p.client));
	/* The stranger's own card does: then it is the stranger's relay, and
	 * the pin is what tells. */
	buffer_clear(&p.chal);
	buffer_clear(&p.core_encoded);
	p.core.card = card_of(stranger);
	challenge(&p, stranger);
	assert_int_equal(shown(p.client, buffer_bytes(&p.chal)), E2E_OK);
	assert_memory_equal(e2e_card_id(client_relay_card(p.client)),
	    id_of(stranger), E2E_ID_LEN);
	end(&p);
}

static void
a_repeated_challenge_is_none(void **state)
{
	struct play first, second;

	begin(&first, id_of(alice));
	greet(&second, id_of(alice));
	assert_int_equal(shown(second.client, buffer_bytes(&first.chal)),
	    E2E_ERR_RELAY_PROOF);
	assert_int_equal(client_auth(second.client, &second.auth, alice,
	    false), E2E_ERR_USAGE);
	assert_int_equal(second.auth.length, 0);
	end(&first);
	end(&second);
}

static void
a_challenge_of_another_channel_is_none(void **state)
{
	struct play p;

	greet(&p, NULL);
	p.s.binding[31] = 1;
	challenge(&p, relay);
	assert_int_equal(shown(p.client, buffer_bytes(&p.chal)),
	    E2E_ERR_RELAY_PROOF);
	end(&p);
}

static void
no_altered_challenge_is_believed(void **state)
{
	enum e2e_error error;
	struct play p;
	size_t i;

	greet(&p, NULL);
	challenge(&p, relay);
	for (i = 0; i < 8 * p.chal.length; i++) {
		p.chal.data[i / 8] ^= (unsigned char)(1 << i % 8);
		error = shown(p.client, buffer_bytes(&p.chal));
		assert_true(error == E2E_ERR_MALFORMED ||
		    error == E2E_ERR_PROTOCOL || error == E2E_ERR_RELAY_PROOF);
		p.chal.data[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	assert_int_equal(shown(p.client, buffer_bytes(&p.chal)), E2E_OK);
	end(&p);
}

static void
what_a_relay_does_not_say(void **state)
{
	struct frame f = { .type = FRAME_PING };
	struct buffer card;
	struct play p;

	greet(&p, NULL);
	assert_int_equal(client_challenge(p.client, &f, text("x")),
	    E2E_ERR_PROTOCOL);
	p.core.version = 2;
	challenge(&p, relay);
	assert_int_equal(shown(p.client, buffer_bytes(&p.chal)),
	    E2E_ERR_PROTOCOL);
	/* A card whose own signature is wrong, though the relay vouches. */
	buffer_init(&card, E2E_CARD_MAX);
	assert_true(buffer_append(&card, relay->card->encoded.data,
	    relay->card->encoded.length));
	card.data[card.length - 1] ^= 1;
	p.core.version = 1;
	p.core.card = buffer_bytes(&card);
	buffer_clear(&p.chal);
	buffer_clear(&p.core_encoded);
	challenge(&p, relay);
	assert_int_equal(shown(p.client, buffer_bytes(&p.chal)),
	    E2E_ERR_PROTOCOL);
	buffer_free(&card);
	end(&p);
}

static void
steps_out_of_order_are_refused(void **state)
{
	struct client_kept kept = { .seq = 1 };
	unsigned char id[32] = { 0 };
	struct e2e_card *card;
	struct receipt receipt;
	struct frame f = { .type = FRAME_RECEIPT };
	struct play p;
	bool revoked;

	greet(&p, id_of(alice));
	assert_int_equal(client_hello(p.client, &p.scratch, NULL, 0, 0),
	    E2E_ERR_USAGE);
	assert_int_equal(client_auth(p.client, &p.scratch, alice, false),
	    E2E_ERR_USAGE);
	assert_int_equal(client_receipt(p.client, &f, id, NULL, 0, &receipt),
	    E2E_ERR_USAGE);
	f.type = FRAME_RECORD;
	assert_int_equal(client_record(p.client, &f, "a", NULL, &card,
	    &revoked, &p.scratch), E2E_ERR_USAGE);
	challenge(&p, relay);
	assert_int_equal(shown(p.client, buffer_bytes(&p.chal)), E2E_OK);
	assert_int_equal(shown(p.client, buffer_bytes(&p.chal)),
	    E2E_ERR_USAGE);
	/* Another identity than HELLO named; an ACK before AUTH. */
	assert_int_equal(client_auth(p.client, &p.scratch, bob, false),
	    E2E_ERR_USAGE);
	assert_int_equal(client_ack(p.client, &p.scratch, alice, &kept, 1),
	    E2E_ERR_USAGE);
	authenticate(&p, false);
	assert_int_equal(client_auth(p.client, &p.scratch, alice, false),
	    E2E_ERR_USAGE);
	assert_int_equal(p.scratch.length, 0);
	end(&p);
	begin(&p, NULL);
	assert_int_equal(client_auth(p.client, &p.scratch, alice, false),
	    E2E_ERR_USAGE);
	end(&p);
}

static void
a_locked_identity_signs_nothing(void **state)
{
	const struct e2e_kdf_cost cheap = { 8192, 1, 1 };
	struct e2e_identity *locked;
	struct play p;
	size_t length;
	char *key;

	assert_int_equal(e2e_identity_text(alice, "x", 1, cheap, &key,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&locked, key, length), E2E_OK);
	e2e_secret_free(key);
	begin(&p, id_of(alice));
	assert_int_equal(client_auth(p.client, &p.scratch, locked, false),
	    E2E_ERR_PASSPHRASE_NEEDED);
	e2e_identity_free(locked);
	end(&p);
}

/* ---- who the relay was before ---- */

static void
succession(struct buffer *b, const struct e2e_identity *from,
    const struct e2e_identity *to)
{
	buffer_init(b, 4096);
	assert_int_equal(proof_make_succession(b, from->signing, id_of(to),
	    NOW), E2E_OK);
}

/* Shows these, and asks whether `old` and `older` are succeeded. */
static void
succeeds(const struct frame_succession *list, size_t count, bool by_old,
    bool by_older)
{
	struct play p;
	size_t i;

	greet(&p, NULL);
	for (i = 0; i < count; i++)
		p.core.successions[i] = list[i];
	p.core.succession_count = count;
	challenge(&p, relay);
	assert_int_equal(shown(p.client, buffer_bytes(&p.chal)), E2E_OK);
	assert_int_equal(client_succeeds(p.client, id_of(old)), by_old);
	assert_int_equal(client_succeeds(p.client, id_of(older)), by_older);
	assert_false(client_succeeds(p.client, id_of(stranger)));
	end(&p);
}

static void
successions_lead_from_the_old_identity(void **state)
{
	struct buffer old_new, older_old, forged, stray;
	struct frame_succession list[2];

	succession(&old_new, old, relay);
	succession(&older_old, older, old);
	succession(&forged, stranger, relay);
	succession(&stray, old, stranger);
	list[0] = (struct frame_succession){ card_of(old),
	    buffer_bytes(&old_new) };
	list[1] = (struct frame_succession){ card_of(older),
	    buffer_bytes(&older_old) };
	succeeds(list, 0, false, false);
	succeeds(list, 1, true, false);
	succeeds(list, 2, true, true);
	/* The end of the chain alone leads nowhere. */
	succeeds(list + 1, 1, false, false);
	/* Signed by a stranger in the name of the old one. */
	list[0].statement = buffer_bytes(&forged);
	succeeds(list, 2, false, false);
	/* The old one's, for somebody else. */
	list[0].statement = buffer_bytes(&stray);
	succeeds(list, 2, false, false);
	/* One bit. */
	old_new.data[old_new.length - 1] ^= 1;
	list[0].statement = buffer_bytes(&old_new);
	succeeds(list, 2, false, false);
	old_new.data[old_new.length - 1] ^= 1;
	/* What is no card. */
	list[0].card = text("x");
	succeeds(list, 2, false, false);
	list[0].card = card_of(old);
	list[1].card = card_of(stranger);
	succeeds(list, 2, true, false);
	buffer_free(&old_new);
	buffer_free(&older_old);
	buffer_free(&forged);
	buffer_free(&stray);
}

/* ---- acknowledging ---- */

static void
an_ack_is_what_the_relay_computes(void **state)
{
	static const uint64_t seqs[] = { 3, 4, 5, 9, 11, 12, UINT64_MAX };
	static const struct frame_range ranges[] = { { 3, 5 }, { 9, 9 },
	    { 11, 12 }, { UINT64_MAX, UINT64_MAX } };
	enum { COUNT = sizeof(seqs) / sizeof(seqs[0]) };
	struct client_kept kept[COUNT];
	unsigned char ids[COUNT][32], hash[32];
	struct frame f;
	struct play p;
	size_t i, length;
	bool valid;

	begin(&p, id_of(alice));
	authenticate(&p, true);
	for (i = 0; i < COUNT; i++) {
		kept[i].seq = seqs[i];
		memset(kept[i].id, (int)i + 1, 32);
		memset(ids[i], (int)i + 1, 32);
	}
	assert_int_equal(client_ack(p.client, &p.scratch, alice, kept, COUNT),
	    E2E_OK);
	assert_int_equal(frame_parse(&f, p.scratch.data, p.scratch.length,
	    &length), FRAME_COMPLETE);
	assert_int_equal(f.type, FRAME_ACK);
	assert_int_equal(f.ack.count, 4);
	assert_memory_equal(f.ack.ranges, ranges, sizeof(ranges));
	assert_int_equal(proof_hash(hash, (struct bytes){ ids[0],
	    sizeof(ids) }, (struct bytes){ NULL, 0 }), E2E_OK);
	assert_int_equal(proof_check_ack(&valid, alice->signing,
	    f.ack.signature, &p.s, ranges, 4, hash), E2E_OK);
	assert_true(valid);
	/* Other bytes than those that were sent: the relay sees it. */
	ids[2][0] ^= 1;
	assert_int_equal(proof_hash(hash, (struct bytes){ ids[0],
	    sizeof(ids) }, (struct bytes){ NULL, 0 }), E2E_OK);
	assert_int_equal(proof_check_ack(&valid, alice->signing,
	    f.ack.signature, &p.s, ranges, 4, hash), E2E_OK);
	assert_false(valid);
	end(&p);
}

static void
as_many_as_fit_into_one_ack(void **state)
{
	static struct client_kept kept[FRAME_RANGES_MAX + 1];
	struct frame f;
	struct play p;
	size_t i, length;

	begin(&p, id_of(alice));
	authenticate(&p, false);
	for (i = 0; i <= FRAME_RANGES_MAX; i++)
		kept[i].seq = 2 * i + 1;
	assert_int_equal(client_ack(p.client, &p.scratch, alice, kept, 0),
	    E2E_ERR_USAGE);
	assert_int_equal(client_ack(p.client, &p.scratch, alice, kept,
	    FRAME_RANGES_MAX + 1), E2E_ERR_USAGE);
	kept[2].seq = kept[1].seq;
	assert_int_equal(client_ack(p.client, &p.scratch, alice, kept, 4),
	    E2E_ERR_USAGE);
	kept[2].seq = 5;
	assert_int_equal(p.scratch.length, 0);
	assert_int_equal(client_ack(p.client, &p.scratch, alice, kept,
	    FRAME_RANGES_MAX), E2E_OK);
	assert_int_equal(frame_parse(&f, p.scratch.data, p.scratch.length,
	    &length), FRAME_COMPLETE);
	assert_int_equal(f.ack.count, FRAME_RANGES_MAX);
	end(&p);
}

/* ---- receipts ---- */

static unsigned char boxes[4][E2E_ID_LEN];
static unsigned char envelope_id[32];

/* A RECEIPT with a tree of three leaves, ours the second. */
struct deposit {
	struct receipt receipt;
	struct buffer line, leaf, signature;
	merkle_hash leaves[3], path[MERKLE_PATH_MAX], root;
	struct frame frame;
};

/* For boxes[from ...], signed by whomever. */
static void
put_in(struct deposit *d, size_t from, size_t count,
    const unsigned char *leaf_id, uint64_t until,
    const struct e2e_identity *signer)
{
	const merkle_hash *leaves = (const merkle_hash *)d->leaves;
	size_t i;

	memset(d, 0, sizeof(*d));
	buffer_init(&d->line, 512);
	buffer_init(&d->leaf, 4096);
	buffer_init(&d->signature, 4096);
	d->receipt.stored = 1;
	d->receipt.dup = 1;
	d->receipt.until = NOW + 100;
	memcpy(d->receipt.id, envelope_id, 32);
	receipt_put(&d->line, &d->receipt);
	proof_put_leaf(&d->leaf, leaf_id, (const unsigned char (*)
	    [E2E_ID_LEN])boxes + from, count, until);
	memset(d->leaves, 0x55, sizeof(d->leaves));
	assert_int_equal(merkle_leaf(d->leaves[1], d->leaf.data,
	    d->leaf.length), E2E_OK);
	assert_int_equal(merkle_root(d->root, leaves, 3), E2E_OK);
	d->frame.type = FRAME_RECEIPT;
	assert_int_equal(merkle_path(d->path, &d->frame.receipt.path_length,
	    leaves, 3, 1), E2E_OK);
	assert_int_equal(proof_make_storage(&d->signature, signer->signing,
	    d->root, NOW), E2E_OK);
	for (i = 0; i < d->frame.receipt.path_length; i++)
		d->frame.receipt.path[i] = d->path[i];
	d->frame.receipt.line = (struct bytes){ d->line.data,
	    d->line.length - 1 };
	d->frame.receipt.is_signed = true;
	d->frame.receipt.leaf = buffer_bytes(&d->leaf);
	d->frame.receipt.index = 1;
	d->frame.receipt.tree_size = 3;
	d->frame.receipt.signature = buffer_bytes(&d->signature);
}

/* Judged for an envelope that named boxes[0 .. 3). */
static enum e2e_error
judge(struct play *p, struct deposit *d)
{
	struct receipt receipt;
	enum e2e_error error;

	error = client_receipt(p->client, &d->frame, envelope_id,
	    (const unsigned char (*)[E2E_ID_LEN])boxes, 3, &receipt);
	if (error != E2E_OK)
		assert_int_equal(receipt.stored, 0);
	else
		assert_true(receipt.code != RECEIPT_OK ||
		    (receipt.stored == 1 && receipt.dup == 1 &&
		    receipt.until == NOW + 100));
	return error;
}

static void
deposit_end(struct deposit *d)
{
	buffer_free(&d->line);
	buffer_free(&d->leaf);
	buffer_free(&d->signature);
}

static void
a_receipt_is_what_it_says(void **state)
{
	unsigned char other_id[32] = { 9 };
	struct deposit d;
	struct play p;
	size_t i;

	for (i = 0; i < 4; i++)
		memset(boxes[i], (int)(0x40 + i), E2E_ID_LEN);
	memset(envelope_id, 0x61, 32);
	begin(&p, NULL);
	for (i = 0; i < 2; i++) {	/* any two of those named */
		put_in(&d, i, 2, envelope_id, NOW + 100, relay);
		assert_int_equal(judge(&p, &d), E2E_OK);
		deposit_end(&d);
	}
	/* The leaf of another envelope, of a mailbox that was not named, of
	 * fewer or more than the line says, until another time. */
	put_in(&d, 0, 2, other_id, NOW + 100, relay);
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	deposit_end(&d);
	put_in(&d, 2, 2, envelope_id, NOW + 100, relay);
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	deposit_end(&d);
	put_in(&d, 0, 1, envelope_id, NOW + 100, relay);
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	deposit_end(&d);
	put_in(&d, 0, 3, envelope_id, NOW + 100, relay);
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	deposit_end(&d);
	put_in(&d, 0, 2, envelope_id, NOW + 99, relay);
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	deposit_end(&d);
	/* Somebody else's signature. */
	put_in(&d, 0, 2, envelope_id, NOW + 100, stranger);
	assert_int_equal(judge(&p, &d), E2E_ERR_RELAY_PROOF);
	deposit_end(&d);
	end(&p);
}

static void
path_and_signature_of_a_receipt(void **state)
{
	struct deposit d;
	struct play p;
	size_t i;

	begin(&p, NULL);
	put_in(&d, 0, 2, envelope_id, NOW + 100, relay);
	for (i = 0; i < 8 * sizeof(merkle_hash); i++) {
		d.path[1][i / 8] ^= (unsigned char)(1 << i % 8);
		assert_int_equal(judge(&p, &d), E2E_ERR_RELAY_PROOF);
		d.path[1][i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (i = 0; i < d.signature.length; i++) {
		d.signature.data[i] ^= 1;
		assert_int_equal(judge(&p, &d), E2E_ERR_RELAY_PROOF);
		d.signature.data[i] ^= 1;
	}
	d.frame.receipt.path_length--;
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	d.frame.receipt.path_length += 2;
	d.frame.receipt.path[2] = d.root;
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	d.frame.receipt.path_length--;
	d.frame.receipt.index = 0;
	assert_int_equal(judge(&p, &d), E2E_ERR_RELAY_PROOF);
	d.frame.receipt.index = 3;
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	d.frame.receipt.index = 1;
	assert_int_equal(judge(&p, &d), E2E_OK);
	deposit_end(&d);
	end(&p);
}

static void
line_of_a_receipt(void **state)
{
	struct deposit d;
	struct play p;

	begin(&p, NULL);
	put_in(&d, 0, 2, envelope_id, NOW + 100, relay);
	d.frame.receipt.is_signed = false;
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	d.frame.receipt.is_signed = true;
	d.frame.receipt.line = text("OK");
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	/* The id of another one. */
	buffer_clear(&d.line);
	d.receipt.id[0] ^= 1;
	receipt_put(&d.line, &d.receipt);
	d.frame.receipt.line = (struct bytes){ d.line.data,
	    d.line.length - 1 };
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	/* A faultless receipt, for another envelope. */
	deposit_end(&d);
	envelope_id[0] ^= 1;
	put_in(&d, 0, 2, envelope_id, NOW + 100, relay);
	assert_int_equal(judge(&p, &d), E2E_OK);
	envelope_id[0] ^= 1;
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	deposit_end(&d);
	put_in(&d, 0, 2, envelope_id, NOW + 100, relay);
	/* Numbers whose sum wraps around to what is in the leaf. */
	buffer_clear(&d.line);
	d.receipt.stored = UINT64_MAX;
	d.receipt.dup = 3;
	receipt_put(&d.line, &d.receipt);
	d.frame.receipt.line = (struct bytes){ d.line.data,
	    d.line.length - 1 };
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	/* No is no, without a signature. */
	d.frame.receipt.is_signed = false;
	d.frame.receipt.line = text("ERR quota retry=60 a mailbox is full");
	assert_int_equal(judge(&p, &d), E2E_OK);
	d.frame.type = FRAME_PONG;
	assert_int_equal(judge(&p, &d), E2E_ERR_PROTOCOL);
	deposit_end(&d);
	end(&p);
}

/* ---- the directory ---- */

struct answer {
	struct frame frame;
	struct buffer signature;
};

static void
answer_about(struct answer *a, struct bytes card)
{
	memset(a, 0, sizeof(*a));
	a->frame.type = FRAME_RECORD;
	a->frame.record.card = card;
	if (card.data != NULL)
		a->frame.record.registered = NOW;
	buffer_init(&a->signature, 4096);
}

/* Signs as the answer to this question. */
static void
sign_answer(struct answer *a, const struct play *p, uint64_t number,
    const char *name, const unsigned char *id,
    const struct e2e_identity *signer)
{
	struct proof_query query = { .number = number, .id = id };

	if (name != NULL)
		query.name = text(name);
	buffer_clear(&a->signature);
	assert_int_equal(proof_make_record(&a->signature, signer->signing,
	    &p->s, &query, &a->frame), E2E_OK);
	a->frame.record.signature = buffer_bytes(&a->signature);
}

/* What the client says who asked this; whether it had a card. */
static enum e2e_error
ask(struct play *p, const struct answer *a, const char *name,
    const unsigned char *id, bool *found, bool *revoked)
{
	struct e2e_card *card;
	enum e2e_error error;

	buffer_clear(&p->scratch);
	error = client_record(p->client, &a->frame, name, id, &card, revoked,
	    &p->scratch);
	*found = card != NULL;
	if (card != NULL)
		assert_true(bytes_equal(buffer_bytes(&card->encoded),
		    a->frame.record.card));
	assert_true(error == E2E_OK || (!*found && !*revoked));
	e2e_card_free(card);
	return error;
}

static void
answers_of_an_honest_relay(void **state)
{
	const struct bytes nobody = { NULL, 0 };
	struct answer a;
	struct play p;
	bool found, revoked;

	begin(&p, NULL);
	answer_about(&a, card_of(bob));
	sign_answer(&a, &p, 0, "bob", NULL, relay);
	assert_int_equal(ask(&p, &a, "bob", NULL, &found, &revoked), E2E_OK);
	assert_true(found && !revoked);
	sign_answer(&a, &p, 1, NULL, id_of(bob), relay);
	assert_int_equal(ask(&p, &a, NULL, id_of(bob), &found, &revoked),
	    E2E_OK);
	assert_true(found && !revoked);
	buffer_free(&a.signature);
	answer_about(&a, nobody);
	sign_answer(&a, &p, 2, "bob", NULL, relay);
	assert_int_equal(ask(&p, &a, "bob", NULL, &found, &revoked), E2E_OK);
	assert_false(found);
	buffer_free(&a.signature);
	end(&p);
}

/* What signature `signed for` is worth where 'bob' was asked first. */
static void
forged(uint64_t number, const char *name, const unsigned char *id,
    const struct e2e_identity *signer, bool other_session,
    const struct e2e_identity *swapped, enum e2e_error expected)
{
	struct answer a;
	struct play p, elsewhere;
	bool found, revoked;

	begin(&p, NULL);
	begin(&elsewhere, NULL);
	answer_about(&a, card_of(bob));
	sign_answer(&a, other_session ? &elsewhere : &p, number, name, id,
	    signer);
	if (swapped != NULL)
		a.frame.record.card = card_of(swapped);
	assert_int_equal(ask(&p, &a, "bob", NULL, &found, &revoked),
	    expected);
	buffer_free(&a.signature);
	end(&p);
	end(&elsewhere);
}

static void
answers_that_do_not_fit_the_question(void **state)
{
	const enum e2e_error no = E2E_ERR_RELAY_PROOF;

	forged(0, "bob", NULL, relay, false, NULL, E2E_OK);
	forged(1, "bob", NULL, relay, false, NULL, no);
	forged(0, "bo", NULL, relay, false, NULL, no);
	forged(0, NULL, id_of(bob), relay, false, NULL, no);
	forged(0, "bob", NULL, stranger, false, NULL, no);
	forged(0, "bob", NULL, relay, true, NULL, no);
	forged(0, "bob", NULL, relay, false, alice, no);
}

/* The relay itself lies, and signs it. */
static void
answers_about_somebody_else(void **state)
{
	struct buffer broken;
	struct answer a;
	struct play p;
	bool found, revoked;

	begin(&p, NULL);
	answer_about(&a, card_of(alice));
	sign_answer(&a, &p, 0, "bob", NULL, relay);
	assert_int_equal(ask(&p, &a, "bob", NULL, &found, &revoked),
	    E2E_ERR_PROTOCOL);
	sign_answer(&a, &p, 1, NULL, id_of(bob), relay);
	assert_int_equal(ask(&p, &a, NULL, id_of(bob), &found, &revoked),
	    E2E_ERR_PROTOCOL);
	a.frame.type = FRAME_RECEIPT;
	assert_int_equal(ask(&p, &a, "alice", NULL, &found, &revoked),
	    E2E_ERR_PROTOCOL);
	buffer_free(&a.signature);
	/* A card that nobody signed. */
	buffer_init(&broken, E2E_CARD_MAX);
	assert_true(buffer_append(&broken, bob->card->encoded.data,
	    bob->card->encoded.length));
	broken.data[broken.length - 1] ^= 1;
	answer_about(&a, buffer_bytes(&broken));
	sign_answer(&a, &p, 2, "bob", NULL, relay);
	assert_int_equal(ask(&p, &a, "bob", NULL, &found, &revoked),
	    E2E_ERR_PROTOCOL);
	buffer_free(&a.signature);
	buffer_free(&broken);
	end(&p);
}

static void
revoke(struct buffer *encoded, const struct e2e_identity *identity)
{
	char *armored;

	buffer_init(encoded, FRAME_STATEMENT_MAX);
	assert_int_equal(e2e_revocation_make(&armored, identity,
	    E2E_REVOKE_RETIRED), E2E_OK);
	assert_int_equal(statement_from_text(encoded, armored,
	    strlen(armored)), E2E_OK);
	free(armored);
}

static void
a_revocation_by_itself_counts(void **state)
{
	struct buffer of_bob, of_alice;
	struct answer a;
	struct play p;
	bool found, revoked;

	revoke(&of_bob, bob);
	revoke(&of_alice, alice);
	begin(&p, NULL);
	answer_about(&a, card_of(bob));
	a.frame.record.revocations[0] = buffer_bytes(&of_bob);
	a.frame.record.revocation_count = 1;
	sign_answer(&a, &p, 0, "bob", NULL, relay);
	assert_int_equal(ask(&p, &a, "bob", NULL, &found, &revoked), E2E_OK);
	assert_true(found && revoked);
	assert_true(bytes_equal(buffer_bytes(&p.scratch),
	    buffer_bytes(&of_bob)));
	/* Another's, and what is none, say nothing about bob; but behind them
	 * comes his. */
	a.frame.record.revocations[0] = buffer_bytes(&of_alice);
	a.frame.record.revocations[1] = text("x");
	a.frame.record.revocation_count = 2;
	sign_answer(&a, &p, 1, "bob", NULL, relay);
	assert_int_equal(ask(&p, &a, "bob", NULL, &found, &revoked), E2E_OK);
	assert_true(found && !revoked);
	assert_int_equal(p.scratch.length, 0);
	a.frame.record.revocations[2] = buffer_bytes(&of_bob);
	a.frame.record.revocation_count = 3;
	sign_answer(&a, &p, 2, "bob", NULL, relay);
	assert_int_equal(ask(&p, &a, "bob", NULL, &found, &revoked), E2E_OK);
	assert_true(found && revoked);
	of_bob.data[of_bob.length - 1] ^= 1;
	sign_answer(&a, &p, 3, "bob", NULL, relay);
	assert_int_equal(ask(&p, &a, "bob", NULL, &found, &revoked), E2E_OK);
	assert_true(found && !revoked);
	buffer_free(&a.signature);
	buffer_free(&of_bob);
	buffer_free(&of_alice);
	end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest_relay_is_believed),
		cmocka_unit_test(another_key_is_not_the_relays),
		cmocka_unit_test(a_repeated_challenge_is_none),
		cmocka_unit_test(a_challenge_of_another_channel_is_none),
		cmocka_unit_test(no_altered_challenge_is_believed),
		cmocka_unit_test(what_a_relay_does_not_say),
		cmocka_unit_test(steps_out_of_order_are_refused),
		cmocka_unit_test(a_locked_identity_signs_nothing),
		cmocka_unit_test(successions_lead_from_the_old_identity),
		cmocka_unit_test(an_ack_is_what_the_relay_computes),
		cmocka_unit_test(as_many_as_fit_into_one_ack),
		cmocka_unit_test(a_receipt_is_what_it_says),
		cmocka_unit_test(path_and_signature_of_a_receipt),
		cmocka_unit_test(line_of_a_receipt),
		cmocka_unit_test(answers_of_an_honest_relay),
		cmocka_unit_test(answers_that_do_not_fit_the_question),
		cmocka_unit_test(answers_about_somebody_else),
		cmocka_unit_test(a_revocation_by_itself_counts)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
