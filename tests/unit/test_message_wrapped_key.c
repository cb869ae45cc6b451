/*
 * Wrapped keys: making the key of a group, going on with it, and opening it;
 * every claim and every failure (docs/FORMAT.md, 9).
 */
#include "forge.h"
#include "lab_group.h"

#include "message/group_key.h"
#include "message/wrapped_key.h"
#include "wire/armor.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X16 "50 09090909090909090909090909090909"
#define X32 "5820 0808080808080808080808080808080808080808080808080808080808" \
	"080808"

static struct e2e_identity *alice, *bob, *carol, *mallory, *rsa;
enum { MINIMUM = 8192 };

static int
setup(void **state)
{
	(void)state;
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	carol = lab_fixed_identity(21, 22, "carol", 1700000000);
	mallory = lab_fixed_identity(31, 32, "mallory", 1700000000);
	rsa = lab_identity("rsa2048", "rsa");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(carol);
	e2e_identity_free(mallory);
	e2e_identity_free(rsa);
	return 0;
}

static struct e2e_identity *
locked_copy(const struct e2e_identity *identity)
{
	const struct e2e_kdf_cost cost = { MINIMUM, 1, 1 };
	struct e2e_identity *locked;
	size_t length;
	char *text;

	assert_int_equal(e2e_identity_text(identity, "pw", 2, cost, &text,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&locked, text, length), E2E_OK);
	e2e_secret_free(text);
	return locked;
}

/* What a reader without any keys but this one says to these bytes. */
static void
says(struct bytes file, const struct e2e_identity *reader,
    enum e2e_error error)
{
	struct e2e_group_key *key;

	assert_int_equal(lab_unwrap(&key, file, reader, alice->card), error);
	e2e_group_key_free(key);
}

/* ---- there and back ---- */

static void
every_member_gets_the_same_group(void **state)
{
	const struct e2e_card *members[] = { bob->card, rsa->card,
		alice->card, bob->card };
	const struct e2e_identity *readers[] = { bob, rsa, alice };
	struct e2e_wrap_key q = { .members = members, .member_count = 4 };
	struct e2e_group_key *keys[3];
	struct buffer file;
	unsigned i;
	size_t k;

	for (i = 0; i < 16; i++) {
		q.maker = (i & 1) != 0 ? rsa : alice;
		q.name = (i & 2) != 0 ? "rowers" : NULL;
		q.armor = (i & 4) != 0;
		q.no_card = (i & 8) != 0;
		file = lab_wrap(&q);
		assert_int_equal(armor_recognized(ARMOR_WRAPPED_KEY,
		    file.data, file.length), q.armor);
		for (k = 0; k < 3; k++) {
			assert_int_equal(lab_unwrap(&keys[k],
			    buffer_bytes(&file), readers[k], q.maker->card),
			    E2E_OK);
			assert_memory_equal(e2e_group_key_id(keys[k]),
			    e2e_group_key_id(keys[0]), E2E_ID_LEN);
			assert_memory_equal(e2e_group_key_secret(keys[k]),
			    e2e_group_key_secret(keys[0]),
			    E2E_GROUP_KEY_LEN);
			assert_true(e2e_group_key_same_group(keys[k],
			    keys[0]));
		}
		assert_true(e2e_card_equal(e2e_group_key_maker(keys[0]),
		    q.maker->card));
		assert_string_equal(e2e_group_key_name(keys[0]),
		    q.name != NULL ? q.name : "");
		assert_int_equal(e2e_group_key_epoch(keys[0]), 1);
		assert_true(e2e_group_key_created(keys[0]) > 1700000000);
		assert_int_equal(e2e_group_key_members(keys[0]), 3);
		assert_memory_equal(e2e_group_key_member(keys[0], 0),
		    e2e_card_id(bob->card), E2E_ID_LEN);
		assert_memory_equal(e2e_group_key_member(keys[0], 2),
		    e2e_card_id(alice->card), E2E_ID_LEN);
		assert_true(e2e_group_key_admits(keys[0],
		    e2e_card_id(bob->card)));
		assert_false(e2e_group_key_admits(keys[0],
		    e2e_card_id(carol->card)));
		for (k = 0; k < 3; k++)
			e2e_group_key_free(keys[k]);
		says(buffer_bytes(&file), carol, E2E_ERR_NO_KEY);
		says(buffer_bytes(&file), NULL, E2E_ERR_NO_KEY);
		buffer_free(&file);
	}
	e2e_group_key_free(NULL);
}

/* Two of the same name, even of the same key, are two groups. */
static void
each_new_group_is_another_one(void **state)
{
	struct e2e_group_key *a = lab_group(alice, NULL, 0, "rowers"),
	    *b = lab_group(alice, NULL, 0, "rowers");

	assert_memory_not_equal(a->secret, b->secret, E2E_GROUP_KEY_LEN);
	assert_memory_not_equal(a->random, b->random, E2E_GROUP_RANDOM_LEN);
	assert_memory_not_equal(a->kid, b->kid, E2E_ID_LEN);
	assert_false(e2e_group_key_same_group(a, b));
	e2e_group_key_free(a);
	e2e_group_key_free(b);
}

static void
key_can_be_brought_along(void **state)
{
	unsigned char k[E2E_GROUP_KEY_LEN];
	struct e2e_wrap_key q = { .maker = alice, .key = k };
	struct e2e_group_key *key;
	struct buffer file;

	memset(k, 0x4b, sizeof(k));
	file = lab_wrap(&q);
	assert_int_equal(lab_unwrap(&key, buffer_bytes(&file), alice, NULL),
	    E2E_OK);
	assert_memory_equal(e2e_group_key_secret(key), k, sizeof(k));
	e2e_group_key_free(key);
	buffer_free(&file);
}

static void
member_who_is_added_gets_the_same_key(void **state)
{
	const struct e2e_card *members[] = { bob->card, carol->card };
	struct e2e_group_key *first = lab_group(alice, members, 1, "rowers"),
	    *second;
	struct e2e_wrap_key q = { .maker = alice, .members = members,
		.member_count = 2, .group = first };
	struct buffer file = lab_wrap(&q);

	assert_int_equal(lab_unwrap(&second, buffer_bytes(&file), carol,
	    NULL), E2E_OK);
	assert_memory_equal(second->kid, first->kid, E2E_ID_LEN);
	assert_memory_equal(second->secret, first->secret, E2E_GROUP_KEY_LEN);
	assert_int_equal(second->epoch, 1);
	assert_int_equal(second->member_count, 3);
	e2e_group_key_free(second);
	e2e_group_key_free(first);
	buffer_free(&file);
}

static void
next_epoch_has_a_fresh_key_and_another_kid(void **state)
{
	const struct e2e_card *members[] = { bob->card, carol->card };
	static const char *const names[] = { NULL, "", "rowers" };
	struct e2e_group_key *first, *second;
	size_t i;

	for (i = 0; i < 3; i++) {
		first = lab_group(alice, members, 2, names[i]);
		second = lab_next_epoch(first, alice, members, 1);
		assert_int_equal(first->epoch, 1);
		assert_int_equal(second->epoch, 2);
		assert_memory_not_equal(second->kid, first->kid, E2E_ID_LEN);
		assert_memory_not_equal(second->secret, first->secret,
		    E2E_GROUP_KEY_LEN);
		assert_true(e2e_group_key_same_group(first, second));
		assert_int_equal(second->has_name, names[i] != NULL);
		assert_false(e2e_group_key_admits(second,
		    e2e_card_id(carol->card)));
		e2e_group_key_free(second);
		e2e_group_key_free(first);
	}
}

/* No name is another name than an empty one. */
static void
kid_is_of_maker_random_name_and_epoch(void **state)
{
	struct e2e_group_key *key = lab_group(alice, NULL, 0, "a");
	const struct bytes none = { NULL, 0 }, empty = {
		(const unsigned char *)"", 0 }, a = {
		(const unsigned char *)"a", 1 };
	unsigned char other_random[E2E_GROUP_RANDOM_LEN] = { 0 };
	const unsigned char *maker = e2e_card_id(alice->card);
	const struct {
		const unsigned char *maker, *random;
		struct bytes name;
		uint64_t epoch;
	} others[] = {
		{ e2e_card_id(bob->card), key->random, a, 1 },
		{ maker, other_random, a, 1 },
		{ maker, key->random, empty, 1 },
		{ maker, key->random, none, 1 },
		{ maker, key->random, a, 2 },
		{ maker, key->random, a, 1 }	/* its own */
	};
	unsigned char kids[6][HASH_LEN];
	size_t i, k;

	for (i = 0; i < 6; i++) {
		assert_int_equal(derive_group_id(kids[i], others[i].maker,
		    others[i].random, others[i].name, others[i].epoch),
		    E2E_OK);
		for (k = 0; k < i; k++)
			assert_memory_not_equal(kids[i], kids[k], HASH_LEN);
	}
	assert_memory_equal(kids[5], key->kid, HASH_LEN);
	e2e_group_key_free(key);
}

static void
thousand_members_and_one_too_many(void **state)
{
	static const size_t sizes[] = { 2, 10, 1000, E2E_RECIPIENTS_MAX };
	const struct e2e_card **cards = calloc(E2E_RECIPIENTS_MAX,
	    sizeof(*cards));
	struct e2e_identity **ids = calloc(E2E_RECIPIENTS_MAX, sizeof(*ids));
	struct e2e_wrap_key q = { .maker = alice, .members = cards,
		.name = "rowers" };
	struct e2e_group_key *key;
	struct buffer file;
	size_t i;

	assert_true(cards != NULL && ids != NULL);
	for (i = 0; i < E2E_RECIPIENTS_MAX; i++) {
		ids[i] = lab_identity("x25519", NULL);
		cards[i] = e2e_identity_card(ids[i]);
	}
	for (i = 0; i < 4; i++) {
		q.member_count = sizes[i] - 1;
		file = lab_wrap(&q);
		print_message("# %zu members: wrapped key of %zu bytes\n",
		    sizes[i], file.length);
		assert_int_equal(lab_unwrap(&key, buffer_bytes(&file),
		    ids[sizes[i] - 2], NULL), E2E_OK);
		assert_int_equal(e2e_group_key_members(key), sizes[i]);
		assert_true(e2e_group_key_admits(key,
		    e2e_card_id(cards[sizes[i] - 2])));
		e2e_group_key_free(key);
		q.armor = true;
		buffer_free(&file);
		file = lab_wrap(&q);
		assert_true(file.length <= E2E_WRAPPED_KEY_MAX);
		says(buffer_bytes(&file), alice, E2E_OK);
		q.armor = false;
		buffer_free(&file);
	}
	q.member_count = E2E_RECIPIENTS_MAX;
	assert_int_equal(lab_wrap_error(&q, NULL),
	    E2E_ERR_TOO_MANY_RECIPIENTS);
	for (i = 0; i < E2E_RECIPIENTS_MAX; i++)
		e2e_identity_free(ids[i]);
	free(ids);
	free(cards);
}

/* ---- making one ---- */

static void
request_that_makes_no_sense_is_refused(void **state)
{
	char too_long[E2E_TEXT_MAX + 2];
	struct e2e_group_key *group = lab_group(alice, NULL, 0, NULL);
	unsigned char k[E2E_GROUP_KEY_LEN] = { 1 };
	const struct e2e_wrap_key requests[] = {
		{ .maker = NULL },
		{ .maker = alice, .next_epoch = true },
		{ .maker = alice, .group = group, .key = k },
		{ .maker = alice, .group = group, .name = "new" },
		{ .maker = alice, .name = too_long },
		{ .maker = alice, .name = "\xff" }
	};
	struct e2e_wrap_key q = { .maker = alice, .name = too_long };
	struct e2e_diag diag;
	size_t i;

	memset(too_long, 'a', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		assert_int_equal(lab_wrap_error(&requests[i], &diag),
		    E2E_ERR_USAGE);
		assert_int_equal(diag.code, E2E_ERR_USAGE);
	}
	too_long[E2E_TEXT_MAX] = '\0';
	assert_int_equal(lab_wrap_error(&q, NULL), E2E_OK);
	e2e_group_key_free(group);
}

static void
only_its_maker_goes_on_with_a_group(void **state)
{
	const struct e2e_card *members[] = { bob->card };
	struct e2e_group_key *group = lab_group(alice, members, 1, NULL);
	struct e2e_identity *locked = locked_copy(alice);
	struct e2e_wrap_key q = { .maker = bob, .group = group };

	assert_int_equal(lab_wrap_error(&q, NULL), E2E_ERR_NOT_MAKER);
	q.next_epoch = true;
	assert_int_equal(lab_wrap_error(&q, NULL), E2E_ERR_NOT_MAKER);
	q.maker = locked;
	assert_int_equal(lab_wrap_error(&q, NULL), E2E_ERR_PASSPHRASE_NEEDED);
	q.maker = alice;
	group->epoch = E2E_NUMBER_MAX;
	assert_int_equal(lab_wrap_error(&q, NULL), E2E_ERR_LIMIT);
	q.next_epoch = false;
	assert_int_equal(lab_wrap_error(&q, NULL), E2E_OK);
	group->epoch = E2E_NUMBER_MAX - 1;
	q.next_epoch = true;
	assert_int_equal(lab_wrap_error(&q, NULL), E2E_OK);
	e2e_identity_free(locked);
	e2e_group_key_free(group);
}

static void
expired_member_is_refused_and_named(void **state)
{
	const struct key *listed = carol->encryption[0];
	const struct e2e_card *members[3] = { bob->card };
	struct e2e_wrap_key q = { .maker = alice, .members = members,
		.member_count = 2 };
	struct e2e_card *expired;
	struct e2e_diag diag;

	assert_int_equal(card_make(&expired, carol->signing, &listed, 1, "",
	    1600000000, 1600000001, 1), E2E_OK);
	members[1] = expired;
	assert_int_equal(lab_wrap_error(&q, &diag),
	    E2E_ERR_RECIPIENT_EXPIRED);
	assert_int_equal(diag.position, 1);
	assert_string_equal(diag.unit, "recipient");
	/* The maker's own card is the one behind all the others. */
	{
		struct e2e_identity late = *carol;

		late.card = expired;
		q.maker = &late;
		q.member_count = 1;
		assert_int_equal(lab_wrap_error(&q, &diag),
		    E2E_ERR_RECIPIENT_EXPIRED);
		assert_int_equal(diag.position, 1);
	}
	e2e_card_free(expired);
}

static void
failure_to_write_is_told(void **state)
{
	struct e2e_wrap_key q = { .maker = alice };
	struct lab_sink sink;
	struct e2e_output output;
	struct e2e_diag diag;
	int i;

	for (i = 0; i < 2; i++) {
		q.armor = i != 0;
		output = lab_output(&sink, false);
		sink.fail_at = 1;
		assert_int_equal(e2e_wrap_key(&q, &output, &diag),
		    E2E_ERR_WRITE);
		assert_int_equal(diag.code, E2E_ERR_WRITE);
		assert_true(diag.sys_errno != 0);
		lab_sink_free(&sink);
	}
}

/* ---- claims ---- */

/* The key, right but for what a test puts in its place. */
#define KEY "a3 01 04 03 24 20" X32
static const struct sample {
	int64_t key;
	const char *value;
	bool mandatory;
} samples[] = {
	{ CLAIM_IAT, "1a 6553f100", true },
	{ CLAIM_CTI, X16, true },
	{ CLAIM_GROUP_KEY, KEY, true },
	{ CLAIM_GROUP_NAME, "66 726f77657273", false },
	{ CLAIM_EPOCH, "03", true },
	{ CLAIM_MEMBERS, "80", true },
	{ CLAIM_RANDOM, X16, true }
};
enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

/* The map without the sample `missing`, and with another value of another. */
static void
put_claims(struct buffer *map, int missing, int other, const char *value)
{
	struct buffer hex;
	int i;

	dcbor_put_map(map, SAMPLES - (missing >= 0));
	for (i = 0; i < SAMPLES; i++) {
		if (i == missing)
			continue;
		hex = lab_hex(i == other ? value : samples[i].value);
		dcbor_put_int(map, samples[i].key);
		(void)buffer_append(map, hex.data, hex.length);
		buffer_free(&hex);
	}
	assert_false(map->failed);
}

static void
forge_begin_key(struct forge *f, const struct e2e_identity *maker)
{
	forge_begin(f, maker);
	f->typ = TYP_WRAPPED_KEY;
}

/* These claims, signed by alice, opened with a passphrase: as nobody. */
static enum e2e_error
opened(struct e2e_group_key **key, const struct buffer *map)
{
	struct lab_keys keys;
	struct e2e_open open = lab_request(&keys, NULL, alice->card);
	struct e2e_unwrap_key request;
	enum e2e_error error;
	struct forge f;

	lab_add_passphrase(&open, &keys, "secret");
	request = (struct e2e_unwrap_key){ open.keys, open.find_card,
		open.find_card_context };
	forge_begin_key(&f, alice);
	forge_add_passphrase(&f, "secret");
	assert_true(buffer_append(&f.raw_claims, map->data, map->length));
	forge_wrapped_key(&f);
	error = e2e_unwrap_key(key, &request, f.envelope.data,
	    f.envelope.length, NULL);
	forge_end(&f);
	return error;
}

static enum e2e_error
with_claims(int missing, int other, const char *value)
{
	struct e2e_group_key *key;
	enum e2e_error error;
	struct buffer map;

	buffer_init(&map, LAB_MAX);
	put_claims(&map, missing, other, value);
	error = opened(&key, &map);
	e2e_group_key_free(key);
	buffer_free(&map);
	return error;
}

static void
claims_are_mandatory_or_optional_as_the_table_says(void **state)
{
	int i;

	assert_int_equal(with_claims(-1, -1, NULL), E2E_OK);
	for (i = 0; i < SAMPLES; i++)
		assert_int_equal(with_claims(i, -1, NULL),
		    samples[i].mandatory ? E2E_ERR_WRAPPED_KEY : E2E_OK);
}

static void
values_of_claims_are_judged(void **state)
{
	static const struct {
		int64_t claim;
		const char *value;
		enum e2e_error error;
	} rows[] = {
		{ CLAIM_IAT, "20", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_IAT, "18 05", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_CTI, "41 00", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_KEY, "5820" X32, E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_KEY, "a2 01 04 03 24", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_KEY, "a3 01 03 03 24 20" X32,
			E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_KEY, "a3 01 04 03 03 20" X32,
			E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_KEY, "a3 01 04 03 24 21" X32,
			E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_KEY, "a3 01 04 03 24 20" X16,
			E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_KEY, "a4 01 04 03 24 20" X32 "21 00",
			E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_KEY, "a4 01 04 02 41 00 03 24 20" X32,
			E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_NAME, "60", E2E_OK },
		{ CLAIM_GROUP_NAME, "41 61", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_NAME, "61 00", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_GROUP_NAME, "61 ff", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_EPOCH, "00", E2E_OK },
		{ CLAIM_EPOCH, "1b 7fffffffffffffff", E2E_OK },
		{ CLAIM_EPOCH, "1b 8000000000000000", E2E_ERR_LIMIT },
		{ CLAIM_EPOCH, "20", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_MEMBERS, "81" X32, E2E_OK },
		{ CLAIM_MEMBERS, "82" X32 X32, E2E_OK },
		{ CLAIM_MEMBERS, "81" X16, E2E_ERR_WRAPPED_KEY },
		{ CLAIM_MEMBERS, "82" X32 "f6", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_MEMBERS, "a0", E2E_ERR_WRAPPED_KEY },
		{ CLAIM_RANDOM, X32, E2E_ERR_WRAPPED_KEY },
		{ CLAIM_RANDOM, "f6", E2E_ERR_WRAPPED_KEY }
	};
	size_t i;
	int k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (k = 0; samples[k].key != rows[i].claim; k++)
			;
		assert_int_equal(with_claims(-1, k, rows[i].value),
		    rows[i].error);
	}
}

/* What is longer than its limit, or more. */
static void
limits_of_claims_hold(void **state)
{
	char *hex = malloc(100000), *to;
	size_t count, i;

	assert_non_null(hex);
	for (count = E2E_TEXT_MAX; count <= E2E_TEXT_MAX + 1; count++) {
		to = hex + (count < 256 ? sprintf(hex, "78%02x",
		    (unsigned)count) : sprintf(hex, "79%04x",
		    (unsigned)count));
		for (i = 0; i < count; i++)
			to += sprintf(to, "61");
		assert_int_equal(with_claims(-1, 3, hex),
		    count <= E2E_TEXT_MAX ? E2E_OK : E2E_ERR_LIMIT);
	}
	for (count = E2E_RECIPIENTS_MAX; count <= E2E_RECIPIENTS_MAX + 1;
	    count++) {
		to = hex + sprintf(hex, "99%04x", (unsigned)count);
		for (i = 0; i < count; i++)
			to += sprintf(to, X32);
		assert_int_equal(with_claims(-1, 5, hex),
		    count <= E2E_RECIPIENTS_MAX ? E2E_OK : E2E_ERR_LIMIT);
	}
	free(hex);
}

static void
unknown_claims_are_ignored_and_none_stands_twice(void **state)
{
	static const char *const more[] = {
		"3a 00010080 82 f5 f6", "3a 0001007f" X16
	};
	struct e2e_group_key *key;
	struct buffer map, hex;
	int i;

	for (i = 0; i < 2; i++) {
		buffer_init(&map, LAB_MAX);
		put_claims(&map, -1, -1, NULL);
		map.data[0]++;
		hex = lab_hex(more[i]);
		(void)buffer_append(&map, hex.data, hex.length);
		assert_int_equal(opened(&key, &map), i == 0 ? E2E_OK :
		    E2E_ERR_WRAPPED_KEY);
		e2e_group_key_free(key);
		/* And one byte more behind the map. */
		(void)buffer_append_byte(&map, 0);
		assert_int_equal(opened(&key, &map), E2E_ERR_WRAPPED_KEY);
		e2e_group_key_free(key);
		buffer_free(&hex);
		buffer_free(&map);
	}
}

/* What is written is what is read; what is read is written the same. */
static void
claims_decoded_and_encoded_are_the_same(void **state)
{
	unsigned char ids[3 * E2E_ID_LEN], secret[E2E_GROUP_KEY_LEN];
	unsigned char id[DERIVE_MESSAGE_ID_LEN], rnd[DERIVE_GROUP_RANDOM_LEN];
	struct wrapped_key w, again;
	struct buffer first, second;
	unsigned i;

	memset(secret, 1, sizeof(secret));
	memset(id, 2, sizeof(id));
	memset(rnd, 3, sizeof(rnd));
	memset(ids, 4, sizeof(ids));
	for (i = 0; i < 16; i++) {
		memset(&w, 0, sizeof(w));
		w.issued = i * UINT64_C(0x1234567);
		w.id = id;
		w.key = secret;
		w.random = rnd;
		w.epoch = i % 4 == 3 ? E2E_NUMBER_MAX : i;
		w.members = (struct bytes){ ids, (i % 4) * E2E_ID_LEN };
		if ((i & 4) != 0)
			w.name = (struct bytes){ ids, i };
		if ((i & 8) != 0)
			w.card = buffer_bytes(&alice->card->encoded);
		buffer_init_secret(&first, LAB_MAX);
		buffer_init_secret(&second, LAB_MAX);
		wrapped_key_put(&first, &w);
		assert_int_equal(wrapped_key_parse(&again,
		    buffer_bytes(&first)), E2E_OK);
		assert_int_equal(again.issued, w.issued);
		assert_int_equal(again.epoch, w.epoch);
		assert_memory_equal(again.id, id, sizeof(id));
		assert_memory_equal(again.key, secret, sizeof(secret));
		assert_memory_equal(again.random, rnd, sizeof(rnd));
		assert_true(bytes_equal(again.name, w.name));
		assert_int_equal(again.name.data != NULL, w.name.data != NULL);
		assert_true(bytes_equal(again.card, w.card));
		assert_int_equal(again.members.length,
		    1 + (i % 4) * (2 + E2E_ID_LEN));
		again.members = w.members;
		wrapped_key_put(&second, &again);
		assert_true(bytes_equal(buffer_bytes(&first),
		    buffer_bytes(&second)));
		buffer_free(&first);
		buffer_free(&second);
	}
}

/* ---- opening one ---- */

/* A right one by `maker`, for bob; `list` names him or nobody. */
static void
forge_for_bob(struct forge *f, const struct e2e_identity *maker, bool list)
{
	struct buffer members;

	forge_begin_key(f, maker);
	forge_add(f, bob, false);
	buffer_init(&members, 64);
	dcbor_put_bytes(&members, e2e_card_id(bob->card), E2E_ID_LEN);
	put_claims(&f->raw_claims, -1, -1, NULL);
	if (list) {
		/* `members` stands before `random`, of 5 and 17 bytes. */
		f->raw_claims.length -= 5 + 17 + 1;
		(void)buffer_append_byte(&f->raw_claims, 0x81);
		(void)buffer_append(&f->raw_claims, members.data,
		    members.length);
		dcbor_put_int(&f->raw_claims, CLAIM_RANDOM);
		dcbor_put_bytes(&f->raw_claims, f->message_id, 16);
	}
	buffer_free(&members);
}

static void
reader_must_be_among_the_members(void **state)
{
	struct forge f;
	int list;

	for (list = 0; list < 2; list++) {
		forge_for_bob(&f, alice, list != 0);
		forge_wrapped_key(&f);
		says(buffer_bytes(&f.envelope), bob, list != 0 ? E2E_OK :
		    E2E_ERR_NOT_ADDRESSED);
		forge_end(&f);
	}
}

static void
makers_signature_is_verified_with_a_card_at_hand(void **state)
{
	struct forge f;

	forge_for_bob(&f, mallory, true);
	forge_wrapped_key(&f);
	says(buffer_bytes(&f.envelope), bob, E2E_ERR_SENDER_UNKNOWN);
	forge_end(&f);

	forge_for_bob(&f, alice, true);
	f.core.purpose = DERIVE_WRAPPED_KEY;
	forge_header(&f);
	forge_metadata(&f);
	f.metadata.data[f.metadata.length - 1] ^= 1;
	forge_encrypt(&f);
	buffer_clear(&f.envelope);
	dcbor_put_tag(&f.envelope, TAG_WRAPPED_KEY);
	header_put(&f.envelope, f.core.protected_header, f.iv,
	    f.core.ciphertext, buffer_bytes(&f.recipients));
	says(buffer_bytes(&f.envelope), bob, E2E_ERR_SIGNATURE);
	forge_end(&f);
}

/* What a card that comes along must be (5.1). */
static void
carried_card_is_judged(void **state)
{
	static const char *const what[] = { "right", "other", "broken",
		"no card", "too long" };
	static const enum e2e_error errors[] = { E2E_OK, E2E_ERR_WRAPPED_KEY,
		E2E_ERR_CARD_SIGNATURE, E2E_ERR_WRAPPED_KEY, E2E_ERR_LIMIT };
	struct buffer card;
	struct wrapped_key w;
	struct forge f;
	size_t i;

	for (i = 0; i < 5; i++) {
		print_message("# %s\n", what[i]);
		buffer_init(&card, LAB_MAX);
		(void)buffer_append(&card, i == 1 ?
		    bob->card->encoded.data : alice->card->encoded.data,
		    i == 1 ? bob->card->encoded.length :
		    alice->card->encoded.length);
		if (i == 2)
			card.data[card.length - 1] ^= 1;
		if (i == 3)
			card.length = 1;
		while (i == 4 && card.length <= E2E_CARD_MAX)
			(void)buffer_append_byte(&card, 0);
		forge_begin_key(&f, alice);
		forge_add(&f, bob, false);
		memset(&w, 0, sizeof(w));
		w.id = w.random = f.message_id;
		w.key = f.payload_key;
		w.members = (struct bytes){ e2e_card_id(bob->card),
		    E2E_ID_LEN };
		w.card = buffer_bytes(&card);
		wrapped_key_put(&f.raw_claims, &w);
		forge_wrapped_key(&f);
		says(buffer_bytes(&f.envelope), bob, errors[i]);
		buffer_free(&card);
		forge_end(&f);
	}
}

/* Somebody who was removed holds the key of the epoch before. */
static void
entries_of_group_keys_are_skipped(void **state)
{
	struct e2e_group_key *old = lab_group(alice, NULL, 0, NULL), *key;
	struct lab_keys keys;
	struct e2e_open open = lab_request(&keys, NULL, alice->card);
	struct e2e_unwrap_key request;
	struct forge f;
	int hidden;

	lab_add_group(&open, &keys, old);
	request = (struct e2e_unwrap_key){ open.keys, open.find_card,
		open.find_card_context };
	for (hidden = 0; hidden < 2; hidden++) {
		forge_begin_key(&f, alice);
		forge_add_group(&f, old, hidden != 0);
		put_claims(&f.raw_claims, -1, -1, NULL);
		forge_wrapped_key(&f);
		assert_int_equal(e2e_unwrap_key(&key, &request,
		    f.envelope.data, f.envelope.length, NULL),
		    E2E_ERR_NO_KEY);
		assert_null(key);
		forge_end(&f);
	}
	e2e_group_key_free(old);
}

static void
keys_are_tried_as_on_envelopes(void **state)
{
	struct e2e_identity *locked = locked_copy(bob);
	struct lab_keys keys;
	struct e2e_open open = lab_request(&keys, NULL, alice->card);
	struct e2e_unwrap_key request;
	struct e2e_group_key *key;
	struct forge f;

	forge_for_bob(&f, alice, true);
	forge_wrapped_key(&f);
	says(buffer_bytes(&f.envelope), locked, E2E_ERR_NO_KEY);
	says(buffer_bytes(&f.envelope), carol, E2E_ERR_NO_KEY);
	forge_end(&f);
	e2e_identity_free(locked);

	forge_begin_key(&f, alice);
	forge_add_passphrase(&f, "secret");
	put_claims(&f.raw_claims, -1, -1, NULL);
	forge_wrapped_key(&f);
	says(buffer_bytes(&f.envelope), bob, E2E_ERR_PASSPHRASE_NEEDED);
	lab_add_passphrase(&open, &keys, "wrong");
	request = (struct e2e_unwrap_key){ open.keys, open.find_card,
		open.find_card_context };
	assert_int_equal(e2e_unwrap_key(&key, &request, f.envelope.data,
	    f.envelope.length, NULL), E2E_ERR_PASSPHRASE_WRONG);
	request.keys.kdf_memory_max_kib = MINIMUM - 1;
	assert_int_equal(e2e_unwrap_key(&key, &request, f.envelope.data,
	    f.envelope.length, NULL), E2E_ERR_KDF_COST);
	forge_end(&f);
}

static void
metadata_must_be_signed_as_a_wrapped_key(void **state)
{
	struct forge f;

	forge_for_bob(&f, NULL, true);
	forge_wrapped_key(&f);
	says(buffer_bytes(&f.envelope), bob, E2E_ERR_WRAPPED_KEY);
	forge_end(&f);
	forge_for_bob(&f, alice, true);
	f.typ = TYP_METADATA;
	forge_wrapped_key(&f);
	says(buffer_bytes(&f.envelope), bob, E2E_ERR_WRAPPED_KEY);
	forge_end(&f);
}

/* L3, of the finished metadata: the signature and all around it. */
static void
metadata_of_65536_bytes_and_of_65537(void **state)
{
	size_t more, length = 0;
	struct forge f;

	for (more = 65000; length < HEADER_METADATA_MAX + 1; more++) {
		forge_for_bob(&f, alice, true);
		f.raw_claims.data[0]++;
		dcbor_put_int(&f.raw_claims, CLAIM_RANDOM - 1);
		dcbor_put_bytes_head(&f.raw_claims, more);
		memset(buffer_extend(&f.raw_claims, more), 0, more);
		f.core.purpose = DERIVE_WRAPPED_KEY;
		forge_header(&f);
		forge_metadata(&f);
		length = f.metadata.length;
		forge_wrapped_key(&f);
		if (length >= HEADER_METADATA_MAX)
			says(buffer_bytes(&f.envelope), bob,
			    length == HEADER_METADATA_MAX ? E2E_OK :
			    E2E_ERR_LIMIT);
		forge_end(&f);
	}
	assert_int_equal(length, HEADER_METADATA_MAX + 1);
}

/* ---- the file ---- */

static void
what_is_no_wrapped_key_is_named_so(void **state)
{
	const struct e2e_card *card = bob->card;
	struct e2e_wrap_key q = { .maker = alice, .members = &card,
		.member_count = 1 };
	struct e2e_seal seal = { .to.cards = &card, .to.card_count = 1,
		.threads = 1 };
	struct buffer file = lab_wrap(&q), other;
	struct e2e_recipient_seen *seen;
	size_t i, count;

	says(buffer_bytes(&file), bob, E2E_OK);
	for (i = 0; i < file.length; i++)
		says((struct bytes){ file.data, i }, bob,
		    E2E_ERR_WRAPPED_KEY);
	(void)buffer_append_byte(&file, 0xf6);
	says(buffer_bytes(&file), bob, E2E_ERR_WRAPPED_KEY);
	assert_int_equal(e2e_inspect_wrapped_key(&seen, &count, file.data,
	    file.length), E2E_ERR_WRAPPED_KEY);
	assert_null(seen);
	assert_int_equal(count, 0);
	while (file.length <= E2E_WRAPPED_KEY_MAX)
		assert_true(buffer_append_byte(&file, 0));
	says(buffer_bytes(&file), bob, E2E_ERR_LIMIT);
	assert_int_equal(e2e_inspect_wrapped_key(&seen, &count, file.data,
	    file.length), E2E_ERR_LIMIT);
	buffer_free(&file);

	/* An envelope, in both forms; its header under the other tag. */
	other = lab_seal(&seal, "text", 4, LAB_STREAM);
	says(buffer_bytes(&other), bob, E2E_ERR_WRAPPED_KEY);
	buffer_free(&other);
	seal.armor = true;
	other = lab_seal(&seal, "text", 4, LAB_STREAM);
	says(buffer_bytes(&other), bob, E2E_ERR_WRAPPED_KEY);
	buffer_free(&other);
}

static void
armor_is_taken_off_strictly(void **state)
{
	const struct e2e_card *card = bob->card;
	struct e2e_wrap_key q = { .maker = alice, .members = &card,
		.member_count = 1, .armor = true };
	struct buffer file = lab_wrap(&q), around;

	buffer_init(&around, LAB_MAX);
	(void)buffer_append(&around, "\r\n \t", 4);
	(void)buffer_append(&around, file.data, file.length);
	(void)buffer_append(&around, "\n\n", 2);
	says(buffer_bytes(&around), bob, E2E_OK);
	(void)buffer_append(&around, "x", 1);
	says(buffer_bytes(&around), bob, E2E_ERR_ARMOR);
	buffer_free(&around);
	says((struct bytes){ file.data, file.length - 10 }, bob,
	    E2E_ERR_ARMOR);
	file.data[60] = '!';
	says(buffer_bytes(&file), bob, E2E_ERR_ARMOR);
	buffer_free(&file);
}

static void
rewrap_block_is_malformed_in_one(void **state)
{
	static const unsigned char ciphertext[16];
	struct forge f;
	struct buffer file;

	forge_for_bob(&f, alice, true);
	forge_wrapped_key(&f);
	buffer_init(&file, LAB_MAX);
	dcbor_put_tag(&file, TAG_WRAPPED_KEY);
	header_put_rewrapped(&file, f.core.protected_header, f.iv,
	    f.rewrap_iv, (struct bytes){ ciphertext, 16 },
	    f.core.ciphertext, buffer_bytes(&f.recipients));
	says(buffer_bytes(&file), bob, E2E_ERR_WRAPPED_KEY);
	buffer_free(&file);
	forge_end(&f);
}

/* Neither passes for the other, by whoever the tag is exchanged. */
static void
headers_of_envelopes_and_wrapped_keys_are_not_exchanged(void **state)
{
	struct buffer other;
	struct lab_keys keys;
	struct e2e_open open = lab_request(&keys, bob, alice->card);
	struct forge f;
	size_t end;

	/* By the network: an envelope's header as a wrapped key. */
	forge_for_bob(&f, alice, true);
	forge_whole(&f, "text", 4);
	end = lab_header_end(f.envelope.data, f.envelope.length);
	buffer_init(&other, LAB_MAX);
	dcbor_put_tag(&other, TAG_WRAPPED_KEY);
	(void)buffer_append(&other, f.envelope.data + ENVELOPE_START_LEN,
	    end - ENVELOPE_START_LEN);
	says(buffer_bytes(&other), bob, E2E_ERR_NO_KEY);
	buffer_free(&other);
	forge_end(&f);

	/* And back: a wrapped key's in front of a payload. */
	forge_begin(&f, alice);
	f.core.purpose = DERIVE_WRAPPED_KEY;
	forge_add(&f, bob, false);
	forge_whole(&f, "text", 4);
	lab_refused(E2E_ERR_NO_KEY, f.envelope.data, f.envelope.length,
	    &open);
	/* By an insider, who encrypts again what was signed as the other. */
	f.core.purpose = DERIVE_ENVELOPE;
	forge_encrypt(&f);
	forge_envelope(&f);
	lab_refused(E2E_ERR_SIGNATURE, f.envelope.data, f.envelope.length,
	    &open);
	forge_end(&f);
	forge_for_bob(&f, alice, true);
	forge_header(&f);
	forge_metadata(&f);
	f.core.purpose = DERIVE_WRAPPED_KEY;
	forge_encrypt(&f);
	buffer_init(&other, LAB_MAX);
	dcbor_put_tag(&other, TAG_WRAPPED_KEY);
	header_put(&other, f.core.protected_header, f.iv, f.core.ciphertext,
	    buffer_bytes(&f.recipients));
	says(buffer_bytes(&other), bob, E2E_ERR_SIGNATURE);
	buffer_free(&other);
	forge_end(&f);
}

static void
everybody_can_see_for_whom_it_is(void **state)
{
	const struct e2e_card *members[] = { bob->card, rsa->card };
	struct e2e_wrap_key q = { .maker = alice, .members = members,
		.member_count = 2 };
	struct e2e_recipient_seen *seen;
	struct buffer file;
	size_t count;
	int armored;

	for (armored = 0; armored < 2; armored++) {
		q.armor = armored != 0;
		file = lab_wrap(&q);
		assert_int_equal(e2e_inspect_wrapped_key(&seen, &count,
		    file.data, file.length), E2E_OK);
		assert_int_equal(count, 3);
		assert_int_equal(seen[0].kind, E2E_RECIPIENT_X25519);
		assert_memory_equal(seen[0].kid, e2e_card_id(bob->card),
		    E2E_ID_LEN);
		assert_int_equal(seen[1].kind, E2E_RECIPIENT_RSA);
		assert_int_equal(seen[1].rsa_bits, 2048);
		assert_memory_equal(seen[2].kid, e2e_card_id(alice->card),
		    E2E_ID_LEN);
		assert_false(seen[2].hidden);
		free(seen);
		buffer_free(&file);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_gets_the_same_group),
		cmocka_unit_test(each_new_group_is_another_one),
		cmocka_unit_test(key_can_be_brought_along),
		cmocka_unit_test(member_who_is_added_gets_the_same_key),
		cmocka_unit_test(next_epoch_has_a_fresh_key_and_another_kid),
		cmocka_unit_test(kid_is_of_maker_random_name_and_epoch),
		cmocka_unit_test(thousand_members_and_one_too_many),
		cmocka_unit_test(request_that_makes_no_sense_is_refused),
		cmocka_unit_test(only_its_maker_goes_on_with_a_group),
		cmocka_unit_test(expired_member_is_refused_and_named),
		cmocka_unit_test(failure_to_write_is_told),
		cmocka_unit_test(
		    claims_are_mandatory_or_optional_as_the_table_says),
		cmocka_unit_test(values_of_claims_are_judged),
		cmocka_unit_test(limits_of_claims_hold),
		cmocka_unit_test(
		    unknown_claims_are_ignored_and_none_stands_twice),
		cmocka_unit_test(claims_decoded_and_encoded_are_the_same),
		cmocka_unit_test(reader_must_be_among_the_members),
		cmocka_unit_test(
		    makers_signature_is_verified_with_a_card_at_hand),
		cmocka_unit_test(carried_card_is_judged),
		cmocka_unit_test(entries_of_group_keys_are_skipped),
		cmocka_unit_test(keys_are_tried_as_on_envelopes),
		cmocka_unit_test(metadata_must_be_signed_as_a_wrapped_key),
		cmocka_unit_test(metadata_of_65536_bytes_and_of_65537),
		cmocka_unit_test(what_is_no_wrapped_key_is_named_so),
		cmocka_unit_test(armor_is_taken_off_strictly),
		cmocka_unit_test(rewrap_block_is_malformed_in_one),
		cmocka_unit_test(
		    headers_of_envelopes_and_wrapped_keys_are_not_exchanged),
		cmocka_unit_test(everybody_can_see_for_whom_it_is)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
