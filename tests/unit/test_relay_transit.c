/*
 * Envelopes on their way through: where each ends, its id and its mailboxes,
 * however its bytes come; and for everything that is no envelope, the same
 * answer as e2e-inspect's.
 */
#include "forge.h"

#include "relay/transit.h"
#include "wire/labels.h"

#include <e2e/message.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob, *carol;

static int
setup(void **state)
{
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	carol = lab_identity("rsa2048", "carol");
	return 0;
}

static int
teardown(void **state)
{
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(carol);
	return 0;
}

/* Feeds `size` bytes in steps of `step`, each in memory of its own size. */
static size_t
feed(struct transit *t, const unsigned char *data, size_t size, size_t step)
{
	unsigned char *copy;
	uint64_t before = transit_size(t);
	size_t at = 0, n, taken;
	enum transit_state state;

	while (at < size && (state = transit_state(t)) != TRANSIT_DONE &&
	    state != TRANSIT_BAD) {
		n = size - at < step ? size - at : step;
		copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, data + at, n);
		assert_int_equal(transit_feed(t, copy, n, &taken), E2E_OK);
		free(copy);
		state = transit_state(t);
		assert_true(taken <= n);
		assert_true(taken == n || state == TRANSIT_DONE ||
		    state == TRANSIT_BAD);
		assert_true(transit_held(t) <= transit_size(t));
		if (state != TRANSIT_HEADER)
			assert_int_equal(transit_held(t), 0);
		at += taken;
		assert_true(transit_size(t) == before + at);
	}
	return at;
}

static void
is_done(const struct transit *t, struct bytes envelope,
    const struct e2e_identity *const *owners, size_t count)
{
	const unsigned char (*mailboxes)[E2E_ID_LEN];
	unsigned char hash[HASH_LEN];
	size_t found, i, k;

	assert_int_equal(transit_state(t), TRANSIT_DONE);
	assert_true(transit_size(t) == envelope.length);
	assert_int_equal(hash_sha256(hash, envelope.data, envelope.length),
	    E2E_OK);
	assert_memory_equal(transit_id(t), hash, HASH_LEN);
	mailboxes = transit_mailboxes(t, &found);
	assert_int_equal(found, count);
	for (i = 1; i < found; i++)
		assert_true(memcmp(mailboxes[i - 1], mailboxes[i],
		    E2E_ID_LEN) < 0);
	for (i = 0; i < count; i++) {
		for (k = 0; k < found && memcmp(mailboxes[k],
		    e2e_card_id(owners[i]->card), E2E_ID_LEN) != 0; k++)
			;
		assert_true(k < found);
	}
}

/* Whole, bytewise and in steps between; another one directly behind it. */
static void
check_all_ways(struct bytes envelope, const struct e2e_identity *const *owners,
    size_t count)
{
	static const size_t steps[] = { SIZE_MAX, 1, 2, 3, 7, 100, 4096, 5000 };
	struct transit *t = transit_new();
	struct buffer two;
	size_t i;

	assert_non_null(t);
	buffer_init(&two, LAB_MAX);
	assert_true(buffer_append(&two, envelope.data, envelope.length));
	assert_true(buffer_append(&two, envelope.data, envelope.length));
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(feed(t, two.data, two.length, steps[i]),
		    envelope.length);
		is_done(t, envelope, owners, count);
		transit_reset(t);
		assert_int_equal(transit_state(t), TRANSIT_HEADER);
		assert_true(transit_size(t) == 0);
	}
	buffer_free(&two);
	transit_free(t);
}

static void
every_length_every_way(void **state)
{
	static const size_t lengths[] = { 0, 1, 6, 7, 8, 100, 239, 240,
		16383 - 200, 16384, 16385, 2 * 16384, 40000, 100000 };
	const struct e2e_identity *owners[] = { bob, carol };
	const struct e2e_card *to[] = { bob->card, carol->card };
	struct e2e_seal request = { .to.cards = to, .threads = 1 };
	struct buffer envelope;
	unsigned char *data = lab_data(100000);
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		request.to.card_count = 1 + i % 2;
		request.sender = i % 3 == 0 ? alice : NULL;
		envelope = lab_seal(&request, data, lengths[i], LAB_STREAM);
		check_all_ways(buffer_bytes(&envelope), owners,
		    request.to.card_count);
		buffer_free(&envelope);
	}
	free(data);
}

#define SEVENS "77777777777777777777777777777777" \
	"77777777777777777777777777777777"

static void
only_kids_of_people_name_mailboxes(void **state)
{
	const struct e2e_identity *owners[] = { alice, bob, carol };
	struct forge f;

	/* Repeats, hidden ones, a passphrase, a group, and a later kind. */
	forge_begin(&f, NULL);
	forge_add(&f, carol, false);
	forge_add(&f, bob, false);
	forge_add(&f, alice, false);
	forge_add(&f, bob, false);
	forge_add(&f, carol, true);
	forge_add(&f, bob, true);
	forge_add_passphrase(&f, "secret");
	/* {1: -5, 4: kid}: a group's kid is not a person's. */
	forge_add_raw(&f, "83 40 a2 01 24 04 5820" SEVENS "5828" SEVENS
	    "7777777777777777");
	forge_add_raw(&f, "83 40 a2 01 1839 04 5820" SEVENS "41 00");
	forge_whole(&f, "hello\n", 6);
	check_all_ways(buffer_bytes(&f.envelope), owners, 3);
	forge_end(&f);

	forge_begin(&f, NULL);
	forge_add(&f, bob, true);
	forge_whole(&f, "hello\n", 6);
	check_all_ways(buffer_bytes(&f.envelope), NULL, 0);
	forge_end(&f);
}

/* The largest list, bytewise as well: each byte is looked at a few times, so
 * that this ends. */
static void
a_thousand_recipients_bytewise(void **state)
{
	const struct e2e_identity *owners[] = { bob };
	struct transit *t = transit_new();
	struct bytes entry;
	struct forge f;
	size_t i, count;

	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	entry = buffer_bytes(&f.entries);
	for (i = 1; i < HEADER_RECIPIENTS_MAX; i++) {
		/* Another kid each time. */
		unsigned char *copy = malloc(entry.length), *kid;

		assert_non_null(copy);
		memcpy(copy, f.entries.data, entry.length);
		for (kid = copy; memcmp(kid, e2e_card_id(bob->card),
		    E2E_ID_LEN) != 0; kid++)
			assert_true(kid < copy + entry.length);
		kid[30] = (unsigned char)(i >> 8);
		kid[31] = (unsigned char)i;
		kid[0] = 0xff;
		assert_true(buffer_append(&f.entries, copy, entry.length));
		f.entry_count++;
		free(copy);
	}
	forge_whole(&f, "hello\n", 6);
	assert_int_equal(feed(t, f.envelope.data, f.envelope.length, 1),
	    f.envelope.length);
	assert_int_equal(transit_state(t), TRANSIT_DONE);
	(void)transit_mailboxes(t, &count);
	assert_int_equal(count, HEADER_RECIPIENTS_MAX);
	transit_reset(t);
	/* Nothing of it is left in the next one. */
	forge_end(&f);
	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	forge_whole(&f, "hello\n", 6);
	assert_int_equal(feed(t, f.envelope.data, f.envelope.length, 50),
	    f.envelope.length);
	is_done(t, buffer_bytes(&f.envelope), owners, 1);
	forge_end(&f);
	transit_free(t);
}

static void
what_was_given_up_leaves_no_trace(void **state)
{
	const struct e2e_identity *owners[] = { bob };
	const struct e2e_card *to[] = { bob->card };
	struct e2e_seal request = { .to.cards = to, .to.card_count = 1,
	    .threads = 1 };
	struct transit *t = transit_new();
	struct buffer envelope = lab_seal(&request, "hello", 5, LAB_STREAM);
	size_t cut;

	for (cut = 0; cut < envelope.length; cut++) {
		assert_int_equal(feed(t, envelope.data, cut, 1 + cut % 90),
		    cut);
		assert_true(transit_state(t) < TRANSIT_DONE);
		transit_reset(t);
		assert_int_equal(feed(t, envelope.data, envelope.length,
		    SIZE_MAX), envelope.length);
		is_done(t, buffer_bytes(&envelope), owners, 1);
		transit_reset(t);
	}
	buffer_free(&envelope);
	transit_free(t);
}

/* ---- what is no envelope ---- */

/* What e2e-inspect says: whole, cut off, or no envelope. */
enum verdict { WHOLE, CUT_OFF, NONE };

static enum verdict
inspect(const unsigned char *data, size_t size, size_t *end_of_it)
{
	struct e2e_inspected inspected;
	struct e2e_reader *reader;
	struct lab_source source;
	struct e2e_input input = lab_input(&source, data, size, false);
	enum e2e_error error;
	bool end;

	assert_int_equal(e2e_reader_new(&reader, &input), E2E_OK);
	error = e2e_inspect_next(reader, &inspected, &end, NULL);
	e2e_reader_free(reader);
	*end_of_it = (size_t)inspected.envelope_bytes;
	if (error == E2E_OK)
		return inspected.complete ? WHOLE : CUT_OFF;
	return error == E2E_ERR_HEADER_TRUNCATED ? CUT_OFF : NONE;
}

static void
agree(struct transit *t, const unsigned char *data, size_t size)
{
	static const size_t steps[] = { SIZE_MAX, 1, 61 };
	enum transit_state whole;
	size_t end, i;
	enum verdict verdict = inspect(data, size, &end);

	for (i = 0; i < 3; i++) {
		transit_reset(t);
		(void)feed(t, data, size, steps[i]);
		whole = transit_state(t);
		if (verdict == WHOLE) {
			assert_int_equal(whole, TRANSIT_DONE);
			assert_true(transit_size(t) == end);
		} else if (verdict == CUT_OFF) {
			assert_true(whole == TRANSIT_HEADER ||
			    whole == TRANSIT_BODY);
		} else if (i == 0) {
			assert_int_equal(whole, TRANSIT_BAD);
		} else {
			/* It may take some bytes more to see it. */
			assert_true(whole == TRANSIT_BAD ||
			    whole == TRANSIT_HEADER);
		}
	}
}

static void
altered_envelopes_as_inspect_judges_them(void **state)
{
	struct transit *t = transit_new();
	struct forge f;
	size_t i;

	assert_non_null(t);
	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	forge_add_passphrase(&f, "secret");
	forge_whole(&f, "hello\n", 6);
	for (i = 0; i < 8 * f.envelope.length; i++) {
		f.envelope.data[i / 8] ^= (unsigned char)(1 << i % 8);
		agree(t, f.envelope.data, f.envelope.length);
		f.envelope.data[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (i = 1; i <= f.envelope.length; i++)
		agree(t, f.envelope.data, i);
	forge_end(&f);
	transit_free(t);
}

/* Beyond the limits of a header: found from the heads, in few bytes. */
static void
hopeless_headers_end_soon(void **state)
{
	static const char *const cases[] = {
		"", "00", "da65326532", "da653265319e", "da65326531 9f 00",
		"da65326531 9f d860 85", "da65326531 9f d860 84 582b",
		/* a string beyond HEADER_MAX, nesting, tags without end */
		"da65326531 9f d860 84 5b 0000000100000000",
		"da65326531 9f 81818181 81818181 81",
		"da65326531 9f 68656c6c 6f"
	};
	struct transit *t = transit_new();
	unsigned char junk[512];
	struct buffer b;
	size_t i;

	memset(junk, 0xc0, sizeof(junk));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = lab_hex(cases[i]);
		transit_reset(t);
		(void)feed(t, b.data, b.length, 1);
		(void)feed(t, junk, sizeof(junk), 1);
		assert_int_equal(transit_state(t), TRANSIT_BAD);
		assert_true(transit_size(t) < sizeof(junk));
		buffer_free(&b);
	}
	transit_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_every_way),
		cmocka_unit_test(only_kids_of_people_name_mailboxes),
		cmocka_unit_test(a_thousand_recipients_bytewise),
		cmocka_unit_test(what_was_given_up_leaves_no_trace),
		cmocka_unit_test(altered_envelopes_as_inspect_judges_them),
		cmocka_unit_test(hopeless_headers_end_soon)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
