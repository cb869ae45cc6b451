/*
 * Proofs between a relay and its clients: each verifies, and none does when
 * anything about it is another: key, use, session, content, one bit.
 */
#include "lab.h"

#include "crypto/hash.h"
#include "message/identity.h"
#include "message/sign1.h"
#include "relay/proof.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *curve, *other, *rsa;
static struct proof_session session;
static unsigned char id_a[E2E_ID_LEN], id_b[E2E_ID_LEN];
static struct frame_range ranges[] = { { 1, 3 }, { 5, 5 } };
static struct frame record;
static struct proof_query query;
static struct bytes core = { id_a, 20 };

static struct bytes
text(const char *t)
{
	return (struct bytes){ (const unsigned char *)t, strlen(t) };
}

static int
setup(void **state)
{
	curve = lab_fixed_identity(1, 2, "alice", 1700000000);
	other = lab_fixed_identity(3, 4, "bob", 1700000000);
	rsa = lab_identity("rsa2048", "carol");
	memset(&session, 0x21, sizeof(session));
	memset(session.hello, 0x22, sizeof(session.hello));
	memset(session.session, 0x23, sizeof(session.session));
	memset(session.binding, 0x24, sizeof(session.binding));
	memset(id_a, 0x25, sizeof(id_a));
	memset(id_b, 0x26, sizeof(id_b));
	record.type = FRAME_RECORD;
	record.record.card = text("card");
	record.record.revocations[0] = text("revocation");
	record.record.revocation_count = 1;
	record.record.registered = 7;
	query.number = 3;
	query.name = text("alice");
	return 0;
}

static int
teardown(void **state)
{
	e2e_identity_free(curve);
	e2e_identity_free(other);
	e2e_identity_free(rsa);
	return 0;
}

/* The six uses: made with a key, checked with a key. */
enum use { SERVER, AUTH, ACK, RECORD, SUCCESSION, STORAGE, USES };

static struct buffer
make(enum use use, const struct key *key)
{
	enum e2e_error error = E2E_ERR_USAGE;
	struct buffer b;

	buffer_init(&b, FRAME_MAX);
	switch (use) {
	case SERVER:
		error = proof_make_server(&b, key, &session, core);
		break;
	case AUTH:
		error = proof_make_auth(&b, key, id_a, &session);
		break;
	case ACK:
		error = proof_make_ack(&b, key, &session, ranges, 2, id_b);
		break;
	case RECORD:
		error = proof_make_record(&b, key, &session, &query, &record);
		break;
	case SUCCESSION:
		error = proof_make_succession(&b, key, id_b, 1700000000);
		break;
	case STORAGE:
		error = proof_make_storage(&b, key, id_b, 1700000001);
		break;
	case USES:
		break;
	}
	assert_int_equal(error, E2E_OK);
	return b;
}

static bool
check(enum use use, const struct key *key, struct bytes signature)
{
	struct frame answer = record;
	enum e2e_error error = E2E_ERR_USAGE;
	unsigned char new_id[E2E_ID_LEN];
	uint64_t when;
	bool valid = true;

	switch (use) {
	case SERVER:
		error = proof_check_server(&valid, key, signature, &session,
		    core);
		break;
	case AUTH:
		error = proof_check_auth(&valid, key, signature, id_a,
		    &session);
		break;
	case ACK:
		error = proof_check_ack(&valid, key, signature, &session,
		    ranges, 2, id_b);
		break;
	case RECORD:
		answer.record.signature = signature;
		error = proof_check_record(&valid, key, &session, &query,
		    &answer);
		break;
	case SUCCESSION:
		error = proof_check_succession(&valid, key, signature, new_id);
		assert_int_equal(memcmp(new_id, id_b, E2E_ID_LEN) == 0, valid);
		break;
	case STORAGE:
		error = proof_check_storage(&valid, key, signature, id_b,
		    &when);
		assert_int_equal(when == 1700000001, valid);
		break;
	case USES:
		break;
	}
	assert_int_equal(error, E2E_OK);
	return valid;
}

static void
each_verifies_for_its_use_and_key_alone(void **state)
{
	const struct key *keys[] = { curve->signing, other->signing,
	    rsa->signing };
	enum use made, checked;
	struct buffer b;
	size_t i, k;

	for (made = SERVER; made < USES; made++) {
		for (i = 0; i < 3; i++) {
			b = make(made, keys[i]);
			for (checked = SERVER; checked < USES; checked++) {
				for (k = 0; k < 3; k++)
					assert_int_equal(check(checked,
					    keys[k], buffer_bytes(&b)),
					    checked == made && i == k);
			}
			buffer_free(&b);
		}
	}
}

static void
no_altered_one_verifies(void **state)
{
	struct buffer b;
	enum use use;
	size_t i;

	for (use = SERVER; use < USES; use++) {
		b = make(use, curve->signing);
		for (i = 0; i < 8 * b.length; i++) {
			b.data[i / 8] ^= (unsigned char)(1 << i % 8);
			assert_false(check(use, curve->signing,
			    buffer_bytes(&b)));
			b.data[i / 8] ^= (unsigned char)(1 << i % 8);
		}
		for (i = 0; i < b.length; i++)
			assert_false(check(use, curve->signing,
			    (struct bytes){ b.data, i }));
		assert_true(check(use, curve->signing, buffer_bytes(&b)));
		assert_true(buffer_append_byte(&b, 0));
		assert_false(check(use, curve->signing, buffer_bytes(&b)));
		buffer_free(&b);
	}
}

/* Every byte that a signature speaks of, changed, spoils it; the others of the
 * session do not. */
static void
nothing_it_speaks_of_may_change(void **state)
{
	static const struct {
		void *at;
		size_t size;
		unsigned spoils;	/* by 1 << use */
	} parts[] = {
		{ session.hello, 32, 1 << SERVER },
		{ session.transcript, 32, 1 << AUTH | 1 << RECORD },
		{ session.session, 32, 1 << ACK },
		{ session.binding, 32, 1 << SERVER | 1 << AUTH },
		{ id_a, 20, 1 << SERVER | 1 << AUTH },
		{ id_a + 20, 12, 1 << AUTH },
		{ ranges, sizeof(ranges), 1 << ACK },
		{ &record.record.registered, 8, 1 << RECORD },
		{ &query.number, 8, 1 << RECORD }
	};
	const struct key *key = curve->signing;
	struct buffer made[USES];
	unsigned char *byte;
	enum use use;
	size_t i, k;

	for (use = SERVER; use < USES; use++)
		made[use] = make(use, key);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (k = 0; k < parts[i].size; k++) {
			byte = (unsigned char *)parts[i].at + k;
			*byte ^= 1;
			for (use = SERVER; use < USES; use++)
				assert_int_equal(check(use, key,
				    buffer_bytes(&made[use])),
				    (parts[i].spoils >> use & 1) == 0);
			*byte ^= 1;
		}
	}
	/* Root, new id and hash of ids are one thing here. */
	assert_true(check(STORAGE, key, buffer_bytes(&made[STORAGE])));
	id_b[31] ^= 1;
	assert_false(check(ACK, key, buffer_bytes(&made[ACK])));
	assert_false(check(STORAGE, key, buffer_bytes(&made[STORAGE])));
	id_b[31] ^= 1;
	for (use = SERVER; use < USES; use++)
		buffer_free(&made[use]);
}

static void
record_is_of_one_question_and_answer(void **state)
{
	const struct key *key = curve->signing;
	const struct frame record_before = record;
	const struct proof_query query_before = query;
	struct buffer b = make(RECORD, key);
	unsigned i;

	for (i = 0; i < 9; i++) {
		switch (i) {
		case 0: query.name = text("alicf"); break;
		case 1: query.name = text("alic"); break;
		case 2: query.name.data = NULL; query.id = id_a; break;
		case 3: record.record.card = text("cars"); break;
		case 4: record.record.card.data = NULL; break;
		case 5: record.record.revocation_count = 0; break;
		case 6: record.record.revocations[0] = text("evocation"); break;
		case 7:
			record.record.revocations[1] = text("revocation");
			record.record.revocation_count = 2;
			break;
		default: break;
		}
		assert_int_equal(check(RECORD, key, buffer_bytes(&b)), i == 8);
		record = record_before;
		query = query_before;
	}
	buffer_free(&b);
	/* A name is not the id that has the same bytes. */
	query.name = (struct bytes){ (const unsigned char *)
	    "abcdefghabcdefghabcdefghabcdefgh", 32 };
	b = make(RECORD, key);
	query.id = query.name.data;
	query.name.data = NULL;
	assert_false(check(RECORD, key, buffer_bytes(&b)));
	query = query_before;
	buffer_free(&b);
	/* Nobody found. */
	record.record.card.data = NULL;
	record.record.revocation_count = 0;
	b = make(RECORD, key);
	assert_true(check(RECORD, key, buffer_bytes(&b)));
	record = record_before;
	assert_false(check(RECORD, key, buffer_bytes(&b)));
	buffer_free(&b);
}

/* ---- statements ---- */

/* Claims in diagnostic hexadecimal, signed by the curve's key. */
static bool
claims_verify(enum use use, const char *hex)
{
	static const struct bytes no_aad = { NULL, 0 };
	struct buffer claims = lab_hex(hex), b;
	bool valid;

	buffer_init(&b, 4096);
	assert_int_equal(sign1_make(&b, curve->signing,
	    use == STORAGE ? TYP_STORAGE : TYP_SUCCESSION, no_aad,
	    buffer_bytes(&claims)), E2E_OK);
	if (use == STORAGE) {
		valid = check(STORAGE, curve->signing, buffer_bytes(&b));
	} else {
		unsigned char new_id[E2E_ID_LEN];

		assert_int_equal(proof_check_succession(&valid,
		    curve->signing, buffer_bytes(&b), new_id), E2E_OK);
	}
	buffer_free(&claims);
	buffer_free(&b);
	return valid;
}

static void
claims_of_storage(void **state)
{
#define ROOT "3a00010089 5820 26262626262626262626262626262626" \
	"26262626262626262626262626262626"
#define TIME "06 1a 6553f101"
	assert_true(claims_verify(STORAGE, "a2" TIME ROOT));
	/* What a later version adds is not in the way. */
	assert_true(claims_verify(STORAGE, "a3" TIME "18 63 8101" ROOT));
	assert_false(claims_verify(STORAGE, "a1" TIME));
	assert_false(claims_verify(STORAGE, "a1" ROOT));
	assert_false(claims_verify(STORAGE, "a2" ROOT TIME));
	assert_false(claims_verify(STORAGE, "a2" TIME "3a00010089 40"));
	assert_false(claims_verify(STORAGE, "a2" "06 20" ROOT));
	assert_false(claims_verify(STORAGE, "a2" TIME ROOT "00"));
	assert_false(claims_verify(STORAGE, "83 01 02 03"));
	assert_false(claims_verify(STORAGE, ""));
}

static void
claims_of_a_succession(void **state)
{
#define ISS "01 5820 dd2fb4e18b5e1ce30c4633aaa5f681da" \
	"79c3b32998cc5aa21b1149c37231a6ac"
#define NEXT "08 a1 05 5820 26262626262626262626262626262626" \
	"26262626262626262626262626262626"
	assert_true(claims_verify(SUCCESSION, "a3" ISS TIME NEXT));
	assert_true(claims_verify(SUCCESSION, "a4" ISS TIME NEXT "20 f5"));
	assert_false(claims_verify(SUCCESSION, "a2" TIME NEXT));
	assert_false(claims_verify(SUCCESSION, "a2" ISS NEXT));
	assert_false(claims_verify(SUCCESSION, "a2" ISS TIME));
	/* Another issuer than who signs. */
	assert_false(claims_verify(SUCCESSION, "a3 01 5820 "
	    "26262626262626262626262626262626"
	    "26262626262626262626262626262626" TIME NEXT));
	assert_false(claims_verify(SUCCESSION, "a3" ISS TIME "08 a0"));
	assert_false(claims_verify(SUCCESSION, "a3" ISS TIME "08 a1 01 40"));
	assert_false(claims_verify(SUCCESSION, "a3" ISS TIME "08 a1 05 40"));
}

/* ---- leaves ---- */

static void
leaf_comes_back_as_it_was_put(void **state)
{
	static unsigned char boxes[FRAME_MAILBOXES_MAX][E2E_ID_LEN];
	static const size_t counts[] = { 1, 2, 23, 24, FRAME_MAILBOXES_MAX };
	struct proof_leaf leaf;
	struct buffer b;
	size_t i, k;

	for (i = 0; i < FRAME_MAILBOXES_MAX; i++) {
		boxes[i][0] = (unsigned char)(i >> 8);
		boxes[i][1] = (unsigned char)i;
	}
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		buffer_init(&b, FRAME_MAX);
		proof_put_leaf(&b, id_a, (const unsigned char (*)
		    [E2E_ID_LEN])boxes, counts[i], 1700000000);
		assert_int_equal(proof_parse_leaf(&leaf, buffer_bytes(&b)),
		    E2E_OK);
		assert_memory_equal(leaf.id, id_a, 32);
		assert_int_equal(leaf.until, 1700000000);
		assert_int_equal(leaf.count, counts[i]);
		for (k = 0; k < leaf.count; k++)
			assert_memory_equal(proof_leaf_mailbox(&leaf, k),
			    boxes[k], E2E_ID_LEN);
		for (k = 0; k < b.length; k += k < 200 ? 1 : 501)
			assert_int_equal(proof_parse_leaf(&leaf,
			    (struct bytes){ b.data, k }), E2E_ERR_MALFORMED);
		assert_true(buffer_append_byte(&b, 0));
		assert_int_equal(proof_parse_leaf(&leaf, buffer_bytes(&b)),
		    E2E_ERR_MALFORMED);
		buffer_free(&b);
	}
}

static void
other_leaves_are_malformed(void **state)
{
#define A32 "5820 00112233445566778899aabbccddeeff" \
	"00112233445566778899aabbccddeeff "
#define B32 "5820 10112233445566778899aabbccddeeff" \
	"00112233445566778899aabbccddeeff "
	static const char *const cases[] = {
		"82" A32 "81" A32, "84" A32 "81" A32 "00 00",
		"83 40 81" A32 "00", "83" A32 "80 00", "83" A32 "81 40 00",
		"83" A32 "82" A32 A32 "00", "83" A32 "82" B32 A32 "00",
		"83" A32 "81" A32 "20", "83" A32 "81" A32 "1800",
		"83" A32 "99 0401" A32 "00", "a1 00 00"
	};
	struct proof_leaf leaf;
	struct buffer b = lab_hex("83" A32 "82" A32 B32 "00");
	size_t i;

	assert_int_equal(proof_parse_leaf(&leaf, buffer_bytes(&b)), E2E_OK);
	buffer_free(&b);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = lab_hex(cases[i]);
		assert_int_equal(proof_parse_leaf(&leaf, buffer_bytes(&b)),
		    E2E_ERR_MALFORMED);
		buffer_free(&b);
	}
}

static void
hash_of_two_runs(void **state)
{
	unsigned char one[32], two[32];
	size_t cut;

	assert_int_equal(hash_sha256(one, "abcdef", 6), E2E_OK);
	for (cut = 0; cut <= 6; cut++) {
		assert_int_equal(proof_hash(two,
		    (struct bytes){ (const unsigned char *)"abcdef", cut },
		    (struct bytes){ (const unsigned char *)"abcdef" + cut,
		    6 - cut }), E2E_OK);
		assert_memory_equal(one, two, 32);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verifies_for_its_use_and_key_alone),
		cmocka_unit_test(no_altered_one_verifies),
		cmocka_unit_test(nothing_it_speaks_of_may_change),
		cmocka_unit_test(record_is_of_one_question_and_answer),
		cmocka_unit_test(claims_of_storage),
		cmocka_unit_test(claims_of_a_succession),
		cmocka_unit_test(leaf_comes_back_as_it_was_put),
		cmocka_unit_test(other_leaves_are_malformed),
		cmocka_unit_test(hash_of_two_runs)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
