/*
 * The claims of a message: every m, o and - of the table in docs/FORMAT.md,
 * 5.2, and every rule about a value.
 */
#include "document.h"
#include "forge.h"

#include "message/sender.h"
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

/* A value of each claim, in the order of the keys. */
static const struct sample {
	int64_t key;
	const char *value;
} samples[] = {
	{ 4, "1a ffffffff" },
	{ 6, "1a 6553f100" },
	{ 7, X16 },
	{ -65620, X32 },
	{ -65621, "00" },
	{ -65622, "1a 00010000" },
	{ -65623, X16 },
	{ -65624, "05" },
	{ -65625, "6a 746578742f706c61696e" },
	{ -65626, "61 61" },
	{ -65627, X16 },
	{ -65628, "41 00" },
	{ -65629, "f5" },
	{ -65630, "f5" },
	{ -65631, "81" X32 },
	{ -65632, "43 000000" }
};
enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

/* Which claims a map has: a bit for each sample. */
static unsigned
bit(int64_t key)
{
	unsigned i;

	for (i = 0; i < SAMPLES; i++) {
		if (samples[i].key == key)
			return 1u << i;
	}
	fail();
	return 0;
}

/* The map of these claims; one value may be another than its sample. */
static struct buffer
claims(unsigned which, int mode, int64_t other_key, const char *other)
{
	struct buffer map, value;
	char mode_hex[4];
	unsigned i;
	size_t count = 0;
	const char *hex;

	for (i = 0; i < SAMPLES; i++)
		count += which >> i & 1;
	buffer_init(&map, LAB_MAX);
	dcbor_put_map(&map, count);
	(void)snprintf(mode_hex, sizeof(mode_hex), "%02x", (unsigned)mode);
	for (i = 0; i < SAMPLES; i++) {
		if ((which >> i & 1) == 0)
			continue;
		hex = samples[i].key == CLAIM_MODE ? mode_hex :
		    samples[i].value;
		if (samples[i].key == other_key)
			hex = other;
		value = lab_hex(hex);
		dcbor_put_int(&map, samples[i].key);
		(void)buffer_append(&map, value.data, value.length);
		buffer_free(&value);
	}
	assert_false(map.failed);
	return map;
}

static unsigned
mandatory(int mode)
{
	return bit(6) | bit(7) | bit(-65620) | bit(-65621) |
	    (mode == 2 ? bit(-65622) : 0);
}

static enum e2e_error
parse(unsigned which, int mode, int64_t other_key, const char *other)
{
	struct buffer map = claims(which, mode, other_key, other);
	struct metadata m;
	enum e2e_error error;

	error = metadata_parse(&m, buffer_bytes(&map), mode != 0);
	buffer_free(&map);
	return error;
}

/* ---- the table ---- */

/* What the cell of this mode says: m, o or -. */
static char
cell_for(char *const *cells, int mode)
{
	const char *cell = cells[mode == 0 ? 3 : 4];

	if (strncmp(cell, "mode 2: m", 9) == 0)
		return mode == 2 ? 'm' : '-';
	return cell[0];
}

static void
check_row(void *context, char *const *cells, size_t count)
{
	size_t *compared = context;
	unsigned claim, base;
	int64_t key;
	char presence;
	int mode;

	assert_true(count >= 5);
	if (strcmp(cells[0], "other int") == 0)
		return;
	key = strtoll(cells[0], NULL, 10);
	claim = bit(key);
	/* These two only together. */
	if (key == CLAIM_CONVERSATION || key == CLAIM_SEQUENCE)
		claim = bit(CLAIM_CONVERSATION) | bit(CLAIM_SEQUENCE);
	for (mode = 0; mode < 3; mode++) {
		base = mandatory(mode);
		presence = cell_for(cells, mode);
		print_message("# %s mode %d: %c\n", cells[0], mode, presence);
		assert_int_equal(parse(base | claim, mode, 0, NULL),
		    presence == '-' ? E2E_ERR_MALFORMED : E2E_OK);
		assert_int_equal(parse(base & ~claim, mode, 0, NULL),
		    presence == 'm' ? E2E_ERR_MALFORMED : E2E_OK);
		(*compared)++;
	}
}

static void
every_presence_of_the_table_is_demanded(void **state)
{
	size_t compared = 0;

	assert_int_equal(document_table(
	    "| key | name | type | bare | signed | notes |", check_row,
	    &compared), SAMPLES + 1);
	assert_int_equal(compared, 3 * SAMPLES);
}

static void
all_claims_together_are_accepted(void **state)
{
	unsigned all = (1u << SAMPLES) - 1;

	assert_int_equal(parse(all, 2, 0, NULL), E2E_OK);
	assert_int_equal(parse(all & ~bit(-65622), 1, 0, NULL), E2E_OK);
}

static void
conversation_and_sequence_only_together(void **state)
{
	int mode;

	for (mode = 0; mode < 3; mode++) {
		assert_int_equal(parse(mandatory(mode) |
		    bit(CLAIM_CONVERSATION), mode, 0, NULL),
		    E2E_ERR_MALFORMED);
		assert_int_equal(parse(mandatory(mode) | bit(CLAIM_SEQUENCE),
		    mode, 0, NULL), E2E_ERR_MALFORMED);
	}
}

/* ---- values ---- */

static void
value_of_another_type_or_length_is_malformed(void **state)
{
	static const struct {
		int64_t key;
		const char *value;
	} bad[] = {
		{ 4, "20 (-1)" }, { 4, "41 00" }, { 4, "f6" },
		{ 4, "18 05 (not shortest)" }, { 4, "fb 0000000000000000" },
		{ 6, "20" }, { 6, "61 31" },
		{ 7, "4f 090909090909090909090909090909" },
		{ 7, "51 0909090909090909090909090909090909" },
		{ 7, "70 61616161616161616161616161616161" },
		{ -65620, X16 }, { -65620, "00" },
		{ -65621, "03" }, { -65621, "20" }, { -65621, "41 01" },
		{ -65621, "18 18" },
		{ -65622, "41 00" }, { -65622, "39 ffff" },
		{ -65623, X32 }, { -65624, "20" }, { -65624, "f5" },
		{ -65625, "41 61" }, { -65625, "61 ff (no UTF-8)" },
		{ -65625, "61 00" }, { -65626, "63 610062" },
		{ -65626, "62 c080 (overlong)" },
		{ -65626, "63 eda080 (surrogate)" },
		{ -65627, "4f 090909090909090909090909090909" },
		{ -65628, "61 00" }, { -65628, "80" },
		{ -65629, "f4 (false is absence)" }, { -65629, "f6" },
		{ -65629, "01" }, { -65630, "f4" }, { -65630, "01" },
		{ -65631, "80 (empty)" }, { -65631, X32 },
		{ -65631, "82" X32 }, { -65631, "81" X16 },
		{ -65631, "9b 8000000000000000" },
		{ -65632, "43 000100" }, { -65632, "63 000000" },
		{ -65632, "41 01" }
	};
	unsigned all = (1u << SAMPLES) - 1;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(all, 2, bad[i].key, bad[i].value) !=
		    E2E_ERR_MALFORMED)
			print_error("claim %lld: %s\n",
			    (long long)bad[i].key, bad[i].value);
		assert_int_equal(parse(all, 2, bad[i].key, bad[i].value),
		    E2E_ERR_MALFORMED);
	}
}

static void
value_beyond_a_limit_is_another_status(void **state)
{
	static const struct {
		int64_t key;
		size_t length;
		const char *head;
		enum e2e_error error;
	} strings[] = {
		{ -65625, 255, "78 ff", E2E_OK },
		{ -65625, 256, "79 0100", E2E_ERR_LIMIT },
		{ -65626, 255, "78 ff", E2E_OK },
		{ -65626, 256, "79 0100", E2E_ERR_LIMIT },
		{ -65628, 16384, "59 4000", E2E_OK },
		{ -65628, 16385, "59 4001", E2E_ERR_LIMIT },
		{ -65625, 0, "60", E2E_OK },
		{ -65632, 0, "40", E2E_OK }
	};
	unsigned all = (1u << SAMPLES) - 1;
	char *hex = malloc(2 * 16385 + 16);
	size_t i, k;

	assert_non_null(hex);
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		memcpy(hex, strings[i].head, strlen(strings[i].head) + 1);
		for (k = 0; k < strings[i].length; k++)
			memcpy(hex + strlen(strings[i].head) + 2 * k, "61",
			    3);
		assert_int_equal(parse(all, 2, strings[i].key, hex),
		    strings[i].error);
	}
	free(hex);
	assert_int_equal(parse(all, 2, -65622, "19 ffff"), E2E_ERR_LIMIT);
	assert_int_equal(parse(all, 2, -65622, "1a 01000000"), E2E_OK);
	assert_int_equal(parse(all, 2, -65622, "1a 01000001"),
	    E2E_ERR_LIMIT);
	assert_int_equal(parse(all, 2, -65622, "1b ffffffffffffffff"),
	    E2E_ERR_LIMIT);
	assert_int_equal(parse(all, 2, 4, "1b ffffffffffffffff"), E2E_OK);
}

static void
mode_agrees_with_the_signature(void **state)
{
	struct buffer map;
	struct metadata m;
	int mode;

	for (mode = 0; mode < 4; mode++) {
		map = claims(mandatory(mode), mode, 0, NULL);
		assert_int_equal(metadata_parse(&m, buffer_bytes(&map), true),
		    mode == 1 || mode == 2 ? E2E_OK : E2E_ERR_MALFORMED);
		assert_int_equal(metadata_parse(&m, buffer_bytes(&map),
		    false), mode == 0 ? E2E_OK : E2E_ERR_MALFORMED);
		buffer_free(&map);
	}
}

/* ---- the map ---- */

static enum e2e_error
parse_raw(const char *hex)
{
	struct buffer b = lab_hex(hex);
	struct metadata m;
	enum e2e_error error;

	error = metadata_parse(&m, buffer_bytes(&b), false);
	buffer_free(&b);
	return error;
}

#define BASE "06 00 07" X16
#define BASE_IK "3a00010053" X32
#define BASE_MODE "3a00010054 00"

static void
unknown_claims_are_ignored_if_well_formed(void **state)
{
	static const struct {
		const char *hex;
		enum e2e_error error;
	} maps[] = {
		{ "a4" BASE BASE_IK BASE_MODE, E2E_OK },
		{ "a5 00 f6" BASE BASE_IK BASE_MODE, E2E_OK },
		{ "a5" BASE "18 63 82 01 a1 01 63 616263" BASE_IK BASE_MODE,
		    E2E_OK },
		{ "a5" BASE BASE_IK BASE_MODE "3b ffffffffffffffff 41 00",
		    E2E_OK },
		{ "a5" BASE "1b ffffffffffffffff 00" BASE_IK BASE_MODE,
		    E2E_OK },
		/* unsorted, twice */
		{ "a4 07" X16 "06 00" BASE_IK BASE_MODE, E2E_ERR_MALFORMED },
		{ "a5 06 00" BASE BASE_IK BASE_MODE, E2E_ERR_MALFORMED },
		{ "a4" BASE BASE_MODE BASE_IK, E2E_ERR_MALFORMED },
		/* keys that are no integers */
		{ "a5" BASE BASE_IK BASE_MODE "61 61 00", E2E_ERR_MALFORMED },
		{ "a5" BASE BASE_IK BASE_MODE "41 61 00", E2E_ERR_MALFORMED },
		{ "a5" BASE BASE_IK BASE_MODE "f5 00", E2E_ERR_MALFORMED },
		/* an unknown value that breaks a rule of its own */
		{ "a5" BASE "18 63 18 05" BASE_IK BASE_MODE,
		    E2E_ERR_MALFORMED },
		{ "a5" BASE "18 63 f7" BASE_IK BASE_MODE, E2E_ERR_MALFORMED },
		{ "a5" BASE "18 63 c1 00" BASE_IK BASE_MODE,
		    E2E_ERR_MALFORMED },
		{ "a5" BASE "18 63 9f ff" BASE_IK BASE_MODE,
		    E2E_ERR_MALFORMED },
		{ "a5" BASE "18 63 f9 0000" BASE_IK BASE_MODE,
		    E2E_ERR_MALFORMED },
		/* 7 levels in the map are allowed, 8 are not */
		{ "a5" BASE "18 63 81 81 81 81 81 81 80" BASE_IK BASE_MODE,
		    E2E_OK },
		{ "a5" BASE "18 63 81 81 81 81 81 81 81 80" BASE_IK BASE_MODE,
		    E2E_ERR_MALFORMED },
		/* counts, ends */
		{ "a5" BASE BASE_IK BASE_MODE, E2E_ERR_MALFORMED },
		{ "a3" BASE BASE_IK BASE_MODE, E2E_ERR_MALFORMED },
		{ "a4" BASE BASE_IK BASE_MODE "00", E2E_ERR_MALFORMED },
		{ "bf" BASE BASE_IK BASE_MODE "ff", E2E_ERR_MALFORMED },
		{ "84" BASE BASE_IK BASE_MODE, E2E_ERR_MALFORMED },
		{ "a0", E2E_ERR_MALFORMED }, { "", E2E_ERR_MALFORMED },
		{ "bb 8000000000000000", E2E_ERR_MALFORMED },
		{ "bb ffffffffffffffff", E2E_ERR_MALFORMED }
	};
	size_t i;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		if (parse_raw(maps[i].hex) != maps[i].error)
			print_error("%s\n", maps[i].hex);
		assert_int_equal(parse_raw(maps[i].hex), maps[i].error);
	}
}

/* What metadata_put writes is what was parsed, and nothing else. */
static void
parsed_claims_are_written_the_same(void **state)
{
	unsigned which = ((1u << SAMPLES) - 1) & ~bit(-65631);
	struct buffer map = claims(which, 2, 0, NULL), again;
	struct metadata m;

	assert_int_equal(metadata_parse(&m, buffer_bytes(&map), true),
	    E2E_OK);
	buffer_init(&again, LAB_MAX);
	metadata_put(&again, &m, 3);
	assert_false(again.failed);
	assert_int_equal(again.length, map.length);
	assert_memory_equal(again.data, map.data, map.length);
	buffer_free(&map);
	buffer_free(&again);
}

/* ---- 5.4 ---- */

/* The loop of the document, with whole metadata made each time. */
static size_t
padded_by_trying(const struct metadata *m, const struct key *key)
{
	unsigned char signature[64] = { 0 };
	struct buffer inner, protected_header, whole;
	size_t length;
	int n;

	for (n = 0;; n++) {
		buffer_init(&inner, 65536);
		buffer_init(&whole, 65536);
		buffer_init(&protected_header, 512);
		metadata_put(&inner, m, n);
		length = inner.length;
		if (key != NULL) {
			cose_put_sign1_protected(&protected_header,
			    key->type->alg, key->thumbprint, TYP_METADATA);
			cose_put_sign1(&whole, buffer_bytes(&protected_header),
			    buffer_bytes(&inner),
			    (struct bytes){ signature, sizeof(signature) });
			length = whole.length;
		}
		buffer_free(&inner);
		buffer_free(&whole);
		buffer_free(&protected_header);
		if (length % 512 == 0)
			return length;
	}
}

/* Signed and not, with names of many lengths. */
static void
padded_metadata_is_the_first_multiple_of_512(void **state)
{
	struct e2e_identity *alice = lab_fixed_identity(1, 2, "alice", 1);
	const struct key *key;
	unsigned char name[256];
	struct forge f;
	struct buffer out;
	struct metadata m;
	struct cose_sign1 sign1;
	struct bytes inner;
	size_t length;
	int with_key;

	memset(name, 'n', sizeof(name));
	for (length = 1; length < 2 * sizeof(name); length++) {
		with_key = length % 2;
		key = with_key ? alice->signing : NULL;
		forge_begin(&f, with_key ? alice : NULL);
		forge_add(&f, alice, false);
		forge_header(&f);
		f.claims.padded = true;
		f.claims.file_name = (struct bytes){ name, length / 2 };
		buffer_init_secret(&out, 65536);
		assert_int_equal(sender_put_metadata(&out, &f.claims, key,
		    &f.core), E2E_OK);
		assert_int_equal(out.length, padded_by_trying(&f.claims, key));
		inner = buffer_bytes(&out);
		if (with_key) {
			assert_int_equal(cose_sign1_parse(&sign1, inner,
			    TYP_METADATA), E2E_OK);
			inner = sign1.payload;
		}
		assert_int_equal(metadata_parse(&m, inner, with_key), E2E_OK);
		assert_true(m.padded);
		buffer_free(&out);
		forge_end(&f);
	}
	e2e_identity_free(alice);
}

/* ---- reported ---- */

static void
what_the_claims_say_is_reported(void **state)
{
	struct e2e_identity *alice = lab_fixed_identity(1, 2, "alice", 1);
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, alice, NULL);
	unsigned char reply_to[16];
	const struct e2e_card *to = alice->card;
	struct e2e_seal q = { .to.cards = &to, .to.card_count = 1,
		.sender = alice, .file_name = "report \xe2\x80\xae.txt",
		.media_type = "text/plain", .reply_to = reply_to,
		.expires = UINT64_MAX, .pad = true, .threads = 1 };
	struct e2e_opened opened;
	struct lab_source source;
	struct e2e_reader *reader;
	struct e2e_input input;
	struct buffer envelope;
	bool end;

	memset(reply_to, 0x77, sizeof(reply_to));
	envelope = lab_seal(&q, "x", 1, LAB_STREAM);
	input = lab_input(&source, envelope.data, envelope.length, true);
	assert_int_equal(e2e_reader_new(&reader, &input), E2E_OK);
	assert_int_equal(e2e_open_next(reader, &request, &opened, &end,
	    NULL), E2E_OK);
	assert_string_equal(opened.file_name, q.file_name);
	assert_string_equal(opened.media_type, "text/plain");
	assert_true(opened.is_reply);
	assert_memory_equal(opened.reply_to, reply_to, 16);
	assert_true(opened.expires == UINT64_MAX);
	assert_true(opened.padded);
	assert_int_equal(opened.mode, 1);
	assert_int_equal(opened.opened_by, 0);
	assert_int_equal(opened.recipient_count, 1);
	assert_true(e2e_card_equal(opened.sender, alice->card));
	e2e_reader_free(reader);
	buffer_free(&envelope);
	e2e_identity_free(alice);
}

/* ---- time ---- */

static void
expired_old_and_early_messages_are_refused(void **state)
{
	struct e2e_identity *bob = lab_fixed_identity(3, 4, "", 1);
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct forge f;

	forge_begin(&f, NULL);
	f.claims.has_expiry = true;
	f.claims.expires = 1700000001;
	forge_add(&f, bob, false);
	forge_whole(&f, "x", 1);
	lab_refused(E2E_ERR_EXPIRED, f.envelope.data, f.envelope.length,
	    &request);
	request.allow_expired = true;
	lab_expect(E2E_OK, f.envelope.data, f.envelope.length, &request, "x",
	    1);
	request.max_age = 60;
	lab_refused(E2E_ERR_TOO_OLD, f.envelope.data, f.envelope.length,
	    &request);
	request.max_age = UINT64_MAX;
	lab_expect(E2E_OK, f.envelope.data, f.envelope.length, &request, "x",
	    1);
	forge_end(&f);

	forge_begin(&f, NULL);
	f.claims.issued = UINT64_MAX;
	forge_add(&f, bob, false);
	forge_whole(&f, "x", 1);
	lab_refused(E2E_ERR_FROM_FUTURE, f.envelope.data, f.envelope.length,
	    &request);
	request.max_age = 0;
	lab_expect(E2E_OK, f.envelope.data, f.envelope.length, &request, "x",
	    1);
	forge_end(&f);
	e2e_identity_free(bob);
}

static int
setup(void **state)
{
	(void)state;
	document_open();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	document_close();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_presence_of_the_table_is_demanded),
		cmocka_unit_test(all_claims_together_are_accepted),
		cmocka_unit_test(conversation_and_sequence_only_together),
		cmocka_unit_test(value_of_another_type_or_length_is_malformed),
		cmocka_unit_test(value_beyond_a_limit_is_another_status),
		cmocka_unit_test(mode_agrees_with_the_signature),
		cmocka_unit_test(unknown_claims_are_ignored_if_well_formed),
		cmocka_unit_test(parsed_claims_are_written_the_same),
		cmocka_unit_test(padded_metadata_is_the_first_multiple_of_512),
		cmocka_unit_test(what_the_claims_say_is_reported),
		cmocka_unit_test(expired_old_and_early_messages_are_refused)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
