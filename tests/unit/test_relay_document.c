/*
 * The worked example of docs/PROTOCOL.md, section 16, read out of the document
 * and made again by the relay's code. Every value of it is used. (The second
 * implementation makes it, too: tests/docs/exchange.py.)
 */
#include "document.h"
#include "lab.h"

#include "message/card.h"
#include "message/identity.h"
#include "relay/frame.h"
#include "relay/merkle.h"
#include "relay/proof.h"
#include "relay/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
	CREATED = 1700000000, NOW = 1700000100, STORED = 1700000050,
	REGISTERED = 1700000040, TTL = 2592000, UNTIL = STORED + TTL
};

static struct e2e_identity *relay, *old, *bob;
static struct proof_session session;
static size_t used, first;	/* values of this document: from `first` on */
static bool is_used[96];

static struct bytes
value(const char *name)
{
	size_t i;

	for (i = first; i < document_count(); i++) {
		if (strcmp(document_name(i), name) == 0) {
			used += !is_used[i];
			is_used[i] = true;
		}
	}
	return document_value(name);
}

static void
is(const char *name, const void *bytes, size_t length)
{
	struct bytes v = value(name);

	if (v.length != length || memcmp(v.data, bytes, length) != 0)
		print_error("docs/PROTOCOL.md: %s\n", name);
	assert_int_equal(v.length, length);
	assert_memory_equal(v.data, bytes, length);
}

static void
buffer_is(const char *name, struct buffer *b)
{
	assert_false(b->failed);
	is(name, b->data, b->length);
	buffer_free(b);
}

/* Put together it is these bytes, and taken apart it was all of them. */
static void
frame_is(const char *name, const struct frame *frame)
{
	struct bytes v = value(name);
	struct frame parsed;
	struct buffer b;
	size_t length;

	assert_int_equal(frame_parse(&parsed, v.data, v.length, &length),
	    FRAME_COMPLETE);
	assert_int_equal(length, v.length);
	assert_int_equal(parsed.type, frame->type);
	buffer_init(&b, FRAME_MAX);
	frame_put(&b, frame);
	buffer_is(name, &b);
}

/* The payload of a COSE_Sign1 ends where the head of its signature begins. */
static void
holds_payload(const char *signature, const char *payload)
{
	struct bytes s = value(signature), p = value(payload);

	assert_true(s.length > p.length + 66);
	assert_memory_equal(s.data + s.length - 66 - p.length, p.data,
	    p.length);
}

static int
setup(void **state)
{
	struct bytes hello, chal, auth;
	struct buffer both;

	(void)state;
	document_open();
	first = document_count();
	document_open_protocol();
	assert_true(document_count() <= sizeof(is_used));
	relay = lab_fixed_identity(0x0c, 0x0d, "relay", CREATED);
	old = lab_fixed_identity(0x0e, 0x0f, "relay", CREATED);
	bob = lab_fixed_identity(3, 4, "", CREATED);
	hello = document_value("hello");
	chal = document_value("chal");
	auth = document_value("auth");
	memset(&session, 0, sizeof(session));
	assert_int_equal(proof_hash(session.hello, hello,
	    (struct bytes){ NULL, 0 }), E2E_OK);
	assert_int_equal(proof_hash(session.transcript, hello, chal), E2E_OK);
	buffer_init(&both, FRAME_MAX);
	assert_true(buffer_append(&both, hello.data, hello.length));
	assert_true(buffer_append(&both, chal.data, chal.length));
	assert_int_equal(proof_hash(session.session, buffer_bytes(&both),
	    auth), E2E_OK);
	buffer_free(&both);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(relay);
	e2e_identity_free(old);
	e2e_identity_free(bob);
	document_close();
	return 0;
}

/* ---- 16.1, 16.2 ---- */

static void
handshake_of_the_document(void **state)
{
	unsigned char cnonce[32], snonce[32];
	uint64_t version = 1;
	struct frame hello = { .type = FRAME_HELLO };
	struct frame chal = { .type = FRAME_CHAL };
	struct frame auth = { .type = FRAME_AUTH };
	struct frame_core core = {
		.version = 1, .time = NOW,
		.limits = { 67108864, TTL, 1073741824, 100000, FRAME_OPEN }
	};
	struct buffer encoded, server, owner;
	bool valid;

	memset(cnonce, 0x10, sizeof(cnonce));
	memset(snonce, 0x11, sizeof(snonce));
	is("relay_id", relay->signing->thumbprint, 32);
	is("relay_card", relay->card->encoded.data,
	    relay->card->encoded.length);

	hello.hello.versions[0] = version;
	hello.hello.version_count = 1;
	hello.hello.mailbox = bob->signing->thumbprint;
	hello.hello.cnonce = cnonce;
	hello.hello.credit_items = 256;
	hello.hello.credit_bytes = 8388608;
	frame_is("hello", &hello);

	core.card = buffer_bytes(&relay->card->encoded);
	core.snonce = snonce;
	buffer_init(&encoded, FRAME_MAX);
	frame_put_core(&encoded, &core);
	buffer_is("core", &encoded);

	buffer_init(&server, FRAME_MAX);
	assert_int_equal(proof_make_server(&server, relay->signing, &session,
	    value("core")), E2E_OK);
	buffer_is("server_signature", &server);
	holds_payload("server_signature", "server_payload");
	assert_int_equal(proof_check_server(&valid, relay->signing,
	    value("server_signature"), &session, value("core")), E2E_OK);
	assert_true(valid);

	chal.chal.core = value("core");
	chal.chal.signature = value("server_signature");
	frame_is("chal", &chal);
	is("transcript", session.transcript, 32);

	buffer_init(&owner, FRAME_MAX);
	assert_int_equal(proof_make_auth(&owner, bob->signing,
	    relay->signing->thumbprint, &session), E2E_OK);
	buffer_is("auth_signature", &owner);
	holds_payload("auth_signature", "auth_payload");
	auth.auth.signature = value("auth_signature");
	frame_is("auth", &auth);
	is("session", session.session, 32);
}

/* ---- 16.3 ---- */

static void
delivery_of_the_document(void **state)
{
	const struct frame_range range = { 1, 1 };
	struct bytes envelope = document_value("anon_envelope");
	struct frame ready = { .type = FRAME_READY };
	struct frame msg = { .type = FRAME_MSG };
	struct frame ack = { .type = FRAME_ACK };
	struct frame acked = { .type = FRAME_ACKED };
	struct frame empty = { .type = FRAME_EMPTY };
	unsigned char id[32], ids[32];
	struct buffer signature;

	assert_int_equal(proof_hash(id, envelope,
	    (struct bytes){ NULL, 0 }), E2E_OK);
	is("envelope_id", id, sizeof(id));
	ready.ready.items = 1;
	ready.ready.bytes = envelope.length;
	ready.ready.oldest = STORED;
	frame_is("ready", &ready);
	msg.msg.seq = 1;
	msg.msg.id = id;
	msg.msg.stored = STORED;
	msg.msg.until = UNTIL;
	msg.msg.size = envelope.length;
	frame_is("msg", &msg);
	frame_is("empty", &empty);

	assert_int_equal(proof_hash(ids, (struct bytes){ id, sizeof(id) },
	    (struct bytes){ NULL, 0 }), E2E_OK);
	buffer_init(&signature, FRAME_MAX);
	assert_int_equal(proof_make_ack(&signature, bob->signing, &session,
	    &range, 1, ids), E2E_OK);
	ack.ack.ranges[0] = acked.ack.ranges[0] = range;
	ack.ack.count = acked.ack.count = 1;
	ack.ack.signature = buffer_bytes(&signature);
	frame_is("ack", &ack);
	holds_payload("ack", "ack_payload");
	frame_is("acked", &acked);
	buffer_free(&signature);
}

/* ---- 16.4 ---- */

static void
receipt_of_the_document(void **state)
{
	unsigned char boxes[1][E2E_ID_LEN];
	struct frame put = { .type = FRAME_PUT };
	struct frame frame = { .type = FRAME_RECEIPT };
	struct receipt line = { .code = RECEIPT_OK, .stored = 1,
	    .until = UNTIL };
	struct buffer leaf, other, text, signature;
	merkle_hash hashes[2], root;
	unsigned char id[32];

	memcpy(boxes[0], bob->signing->thumbprint, E2E_ID_LEN);
	frame_is("put", &put);
	buffer_init(&leaf, FRAME_MAX);
	proof_put_leaf(&leaf, value("envelope_id").data,
	    (const unsigned char (*)[E2E_ID_LEN])boxes, 1, UNTIL);
	assert_int_equal(merkle_leaf(hashes[0], leaf.data, leaf.length),
	    E2E_OK);
	buffer_is("leaf", &leaf);
	assert_int_equal(proof_hash(id, document_value("signed_envelope"),
	    (struct bytes){ NULL, 0 }), E2E_OK);
	buffer_init(&other, FRAME_MAX);
	proof_put_leaf(&other, id, (const unsigned char (*)[E2E_ID_LEN])boxes,
	    1, UNTIL);
	assert_int_equal(merkle_leaf(hashes[1], other.data, other.length),
	    E2E_OK);
	buffer_free(&other);
	is("leaf_hash", hashes[0], 32);
	is("other_leaf_hash", hashes[1], 32);
	assert_int_equal(merkle_root(root, (const merkle_hash *)hashes, 2),
	    E2E_OK);
	is("root", root, 32);

	buffer_init(&signature, FRAME_MAX);
	assert_int_equal(proof_make_storage(&signature, relay->signing, root,
	    STORED), E2E_OK);
	buffer_is("storage_signature", &signature);
	memcpy(line.id, value("envelope_id").data, 32);
	buffer_init(&text, RECEIPT_LINE_MAX + 1);
	receipt_put(&text, &line);
	assert_true(text.length > 1);
	frame.receipt.line = (struct bytes){ text.data, text.length - 1 };
	frame.receipt.is_signed = true;
	frame.receipt.leaf = value("leaf");
	frame.receipt.tree_size = 2;
	frame.receipt.path[0] = hashes[1];
	frame.receipt.path_length = 1;
	frame.receipt.signature = value("storage_signature");
	frame_is("receipt", &frame);
	buffer_free(&text);
}

/* ---- 16.5, 16.6 ---- */

static void
directory_of_the_document(void **state)
{
	const struct proof_query query = {
		.name = { (const unsigned char *)"alice", 5 }
	};
	struct frame lookup = { .type = FRAME_LOOKUP };
	struct frame record = { .type = FRAME_RECORD };
	struct buffer signature;

	lookup.lookup.name = query.name;
	frame_is("lookup", &lookup);
	record.record.card = document_value("alice_card");
	record.record.registered = REGISTERED;
	buffer_init(&signature, FRAME_MAX);
	assert_int_equal(proof_make_record(&signature, relay->signing,
	    &session, &query, &record), E2E_OK);
	record.record.signature = buffer_bytes(&signature);
	frame_is("record", &record);
	holds_payload("record", "record_payload");
	buffer_free(&signature);
}

static void
succession_of_the_document(void **state)
{
	unsigned char next[E2E_ID_LEN];
	struct buffer statement;
	bool valid;

	is("old_id", old->signing->thumbprint, 32);
	buffer_init(&statement, FRAME_MAX);
	assert_int_equal(proof_make_succession(&statement, old->signing,
	    relay->signing->thumbprint, CREATED), E2E_OK);
	buffer_is("succession", &statement);
	assert_int_equal(proof_check_succession(&valid, old->signing,
	    value("succession"), next), E2E_OK);
	assert_true(valid);
	assert_memory_equal(next, relay->signing->thumbprint, E2E_ID_LEN);
}

static void
every_value_of_the_document_was_made(void **state)
{
	size_t i;

	for (i = first; i < document_count(); i++) {
		if (!is_used[i])
			print_error("not made: %s\n", document_name(i));
		assert_true(is_used[i]);
	}
	assert_true(used >= 25);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake_of_the_document),
		cmocka_unit_test(delivery_of_the_document),
		cmocka_unit_test(receipt_of_the_document),
		cmocka_unit_test(directory_of_the_document),
		cmocka_unit_test(succession_of_the_document),
		cmocka_unit_test(every_value_of_the_document_was_made)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
