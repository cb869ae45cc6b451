/*
 * Which keys are tried on which entries, in which order, and what it is
 * called when none of them fits (docs/FORMAT.md, 4.6 and 6).
 */
#include "forge.h"

#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob, *carol, *rsa, *other_rsa;

static int
setup(void **state)
{
	(void)state;
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	carol = lab_fixed_identity(21, 22, "carol", 1700000000);
	rsa = lab_identity("rsa2048", "rsa");
	other_rsa = lab_identity("rsa2048", "other");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(carol);
	e2e_identity_free(rsa);
	e2e_identity_free(other_rsa);
	return 0;
}

static void
gives(const struct forge *f, const struct e2e_open *request,
    enum e2e_error error)
{
	lab_expect(error, f->envelope.data, f->envelope.length, request,
	    "text", 4);
}

/* ---- 2 or 7 ---- */

static void
without_any_key_it_is_no_key(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, NULL, NULL);
	struct forge f;

	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	forge_add(&f, rsa, true);
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_ERR_NO_KEY);
	lab_add_identity(&request, &keys, carol);
	gives(&f, &request, E2E_ERR_NO_KEY);
	/* A passphrase at hand, but nothing to try it on. */
	lab_add_passphrase(&request, &keys, "secret");
	gives(&f, &request, E2E_ERR_NO_KEY);
	assert_int_equal(keys.passphrase_asked, 0);
	forge_end(&f);
}

static void
passphrase_alone_is_needed_or_wrong(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, NULL, NULL);
	struct forge f;

	forge_begin(&f, NULL);
	forge_add_passphrase(&f, "secret");
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_ERR_PASSPHRASE_NEEDED);
	/* A key that no entry is for was not tried. */
	lab_add_identity(&request, &keys, bob);
	gives(&f, &request, E2E_ERR_PASSPHRASE_NEEDED);
	lab_add_passphrase(&request, &keys, "wrong");
	gives(&f, &request, E2E_ERR_PASSPHRASE_WRONG);
	keys.passphrase = "secret";
	gives(&f, &request, E2E_OK);
	forge_end(&f);
}

/* With keys that were tried, it is 2 also if a passphrase failed. */
static void
key_and_passphrase_that_both_failed_are_no_key(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, carol, NULL);
	struct forge f;

	forge_begin(&f, NULL);
	forge_add(&f, bob, true);
	forge_add_passphrase(&f, "secret");
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_ERR_NO_KEY);
	lab_add_passphrase(&request, &keys, "wrong");
	gives(&f, &request, E2E_ERR_NO_KEY);
	keys.passphrase = "secret";
	gives(&f, &request, E2E_OK);
	forge_end(&f);
}

/* Keys come first, so nobody is asked for what is not needed. */
static void
passphrase_is_asked_for_once_and_only_if_needed(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct lab_result r;
	struct forge f;

	lab_add_passphrase(&request, &keys, "secret");
	forge_begin(&f, NULL);
	forge_add_passphrase(&f, "secret");
	forge_add(&f, bob, true);
	forge_whole(&f, "text", 4);
	lab_open(&r, f.envelope.data, f.envelope.length, &request, 0);
	assert_int_equal(r.error, E2E_OK);
	assert_int_equal(r.opened.opened_by, 0);
	lab_result_free(&r);
	assert_int_equal(keys.passphrase_asked, 0);
	request.keys.identity_count = 0;
	lab_open(&r, f.envelope.data, f.envelope.length, &request, 0);
	assert_int_equal(r.error, E2E_OK);
	assert_int_equal(r.opened.opened_by, -1);
	lab_result_free(&r);
	assert_int_equal(keys.passphrase_asked, 1);
	forge_end(&f);
}

static void
header_that_does_not_decrypt_is_named_like_the_key(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct forge f;
	size_t at;

	lab_add_passphrase(&request, &keys, "secret");
	forge_begin(&f, NULL);
	forge_add_passphrase(&f, "secret");
	forge_whole(&f, "text", 4);
	/* The last byte of the metadata's tag; R follows it. */
	at = lab_header_end(f.envelope.data, f.envelope.length) -
	    f.recipients.length - 1;
	f.envelope.data[at] ^= 1;
	gives(&f, &request, E2E_ERR_PASSPHRASE_WRONG);
	forge_end(&f);

	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	forge_whole(&f, "text", 4);
	at = lab_header_end(f.envelope.data, f.envelope.length) -
	    f.recipients.length - 1;
	f.envelope.data[at] ^= 1;
	gives(&f, &request, E2E_ERR_NO_KEY);
	forge_end(&f);
}

/* ---- kid ---- */

static void
entry_with_kid_is_tried_with_that_identity_alone(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct forge f;

	/* bob's key under carol's id: bob does not try it. */
	forge_begin(&f, NULL);
	forge_add_card(&f, bob->card, e2e_card_id(carol->card));
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_ERR_NO_KEY);
	lab_add_identity(&request, &keys, carol);
	gives(&f, &request, E2E_ERR_NO_KEY);
	forge_end(&f);
}

static void
index_of_the_identity_is_reported(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, alice, NULL);
	struct lab_result r;
	struct forge f;
	int hidden;

	lab_add_identity(&request, &keys, rsa);
	lab_add_identity(&request, &keys, bob);
	for (hidden = 0; hidden < 2; hidden++) {
		forge_begin(&f, NULL);
		forge_add(&f, carol, hidden != 0);
		forge_add(&f, bob, hidden != 0);
		forge_whole(&f, "text", 4);
		lab_open(&r, f.envelope.data, f.envelope.length, &request, 0);
		assert_int_equal(r.error, E2E_OK);
		assert_int_equal(r.opened.opened_by, 2);
		assert_int_equal(r.opened.recipient_count, 2);
		lab_result_free(&r);
		forge_end(&f);
	}
}

static void
locked_identities_are_skipped(void **state)
{
	const struct e2e_kdf_cost cost = { 8192, 1, 1 };
	struct e2e_identity *locked;
	struct lab_keys keys;
	struct e2e_open request;
	struct forge f;
	size_t length;
	char *text;

	assert_int_equal(e2e_identity_text(bob, "pw", 2, cost, &text,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&locked, text, length), E2E_OK);
	e2e_secret_free(text);
	request = lab_request(&keys, locked, NULL);
	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_ERR_NO_KEY);
	assert_int_equal(e2e_identity_unlock(locked, "pw", 2, 0), E2E_OK);
	gives(&f, &request, E2E_OK);
	e2e_identity_free(locked);
	forge_end(&f);
}

/* ---- other kinds and broken entries ---- */

static void
unknown_and_group_entries_are_skipped(void **state)
{
	static const char *const entries[] = {
		"83 40 a1 01 18 39 (HPKE-9-KE) 41 00",
		"83 40 a0 f6 (null)",
		"84 40 a0 41 00 80 (a fourth element)",
		"84 43 a10103 a1 61 (map) 00 41 00 80",
		"83 41 ff (protected is not decoded) a0 40",
		"83 44 a101381f a1 04 41 00 40",
		"83 40 a2 01 24 04 5820"
		"00000000000000000000000000000000"
		"00000000000000000000000000000000"
		"5828 0000000000000000000000000000000000000000"
		"0000000000000000000000000000000000000000",
		"83 40 a1 01 24 40 (a group entry without kid)"
	};
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct forge f;
	size_t i;

	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		/* A text key breaks C5 in any map. */
		bool bad = i == 3;

		forge_begin(&f, NULL);
		forge_add_raw(&f, entries[i]);
		forge_add(&f, bob, false);
		forge_whole(&f, "text", 4);
		gives(&f, &request, bad ? E2E_ERR_MALFORMED : E2E_OK);
		forge_end(&f);
	}
}

/* A wrapped key of an impossible length is not malformed, only not mine. */
static void
wrapped_key_of_a_wrong_length_is_a_failed_unwrapping(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	char *hex = malloc(4096);
	unsigned char kid[32];
	size_t length, i;
	struct forge f;

	assert_non_null(hex);
	memcpy(kid, e2e_card_id(bob->card), 32);
	for (length = 0; length < 24; length++) {
		char *to = hex;

		to += sprintf(to, "83 44 a101381e a2 04 5820");
		for (i = 0; i < 32; i++)
			to += sprintf(to, "%02x", kid[i]);
		to += sprintf(to, "20 a3 01 01 20 04 21 5820");
		for (i = 0; i < 32; i++)
			to += sprintf(to, "09");
		to += sprintf(to, "%02x", (unsigned)(0x40 + length));
		for (i = 0; i < length; i++)
			to += sprintf(to, "00");
		forge_begin(&f, NULL);
		forge_add_raw(&f, hex);
		forge_add(&f, bob, false);
		forge_whole(&f, "text", 4);
		gives(&f, &request, E2E_OK);
		forge_end(&f);
		forge_begin(&f, NULL);
		forge_add_raw(&f, hex);
		forge_whole(&f, "text", 4);
		gives(&f, &request, E2E_ERR_NO_KEY);
		forge_end(&f);
	}
	free(hex);
	/* RSA: one byte less than the modulus. */
	keys.identities[0] = rsa;
	forge_begin(&f, NULL);
	forge_add_raw(&f, "83 40 a1 01 38 28 41 00");
	forge_add(&f, rsa, false);
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_OK);
	forge_end(&f);
}

/* ---- L12 ---- */

static void
hidden_rsa_flood_is_stopped(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, rsa, NULL);
	struct forge f;
	int i;

	/* The 129th would be mine. */
	forge_begin(&f, NULL);
	for (i = 0; i < 128; i++)
		forge_add(&f, other_rsa, true);
	forge_add(&f, rsa, true);
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_ERR_RSA_TRIALS);
	request.keys.rsa_trials_max = 129;
	gives(&f, &request, E2E_OK);
	request.keys.rsa_trials_max = 1;
	gives(&f, &request, E2E_ERR_RSA_TRIALS);
	request.keys.rsa_trials_max = 0;
	forge_end(&f);

	/* The 128th is. */
	forge_begin(&f, NULL);
	for (i = 0; i < 127; i++)
		forge_add(&f, other_rsa, true);
	forge_add(&f, rsa, true);
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_OK);
	forge_end(&f);
}

/* Entries with kid cost nothing, and so do hidden ones without an RSA key. */
static void
rsa_entries_that_are_not_tried_do_not_count(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, rsa, NULL);
	struct forge f;
	int i;

	forge_begin(&f, NULL);
	for (i = 0; i < 200; i++)
		forge_add(&f, other_rsa, false);
	forge_add(&f, rsa, true);
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_OK);
	forge_end(&f);

	keys.identities[0] = bob;
	forge_begin(&f, NULL);
	for (i = 0; i < 200; i++)
		forge_add(&f, other_rsa, true);
	forge_add(&f, bob, false);
	forge_whole(&f, "text", 4);
	gives(&f, &request, E2E_OK);
	forge_end(&f);
}

static void
hidden_rsa_entries_have_their_top_bit_clear(void **state)
{
	struct forge f;
	int i;

	forge_begin(&f, NULL);
	for (i = 0; i < 40; i++) {
		buffer_clear(&f.entries);
		forge_add(&f, rsa, true);
		assert_int_equal(f.entries.data[f.entries.length - 256] &
		    0x80, 0);
	}
	forge_end(&f);
}

/* ---- limits of a header ---- */

static void
sealing_for_1024_and_1025(void **state)
{
	const struct e2e_card **cards = calloc(1025, sizeof(*cards));
	struct e2e_identity **ids = calloc(1025, sizeof(*ids));
	struct e2e_seal q = { .to.cards = cards, .to.card_count = 1024,
		.threads = 1 };
	struct lab_keys keys;
	struct e2e_open request;
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input;
	struct e2e_output output;
	struct buffer envelope;
	size_t i;

	assert_true(cards != NULL && ids != NULL);
	for (i = 0; i < 1025; i++) {
		ids[i] = lab_identity("x25519", NULL);
		cards[i] = e2e_identity_card(ids[i]);
	}
	envelope = lab_seal(&q, "text", 4, LAB_STREAM);
	request = lab_request(&keys, ids[1023], NULL);
	lab_expect(E2E_OK, envelope.data, envelope.length, &request, "text",
	    4);
	buffer_free(&envelope);
	q.to.hide = true;
	envelope = lab_seal(&q, "text", 4, LAB_STREAM);
	lab_expect(E2E_OK, envelope.data, envelope.length, &request, "text",
	    4);
	buffer_free(&envelope);
	for (i = 0; i < 2; i++) {
		/* One more card, or a passphrase beside 1024. */
		q.to.card_count = i == 0 ? 1025 : 1024;
		q.to.passphrase = i == 0 ? NULL : "secret";
		q.to.passphrase_length = i == 0 ? 0 : 6;
		input = lab_input(&source, "text", 4, false);
		output = lab_output(&sink, false);
		assert_int_equal(e2e_seal(&q, &input, &output, NULL, NULL),
		    E2E_ERR_TOO_MANY_RECIPIENTS);
		assert_int_equal(sink.calls, 0);
		lab_sink_free(&sink);
	}
	for (i = 0; i < 1025; i++)
		e2e_identity_free(ids[i]);
	free(ids);
	free(cards);
	/* Not exactly one recipient is asked for: none is not allowed. */
	q.to.card_count = 0;
	q.to.passphrase = NULL;
	input = lab_input(&source, "text", 4, false);
	output = lab_output(&sink, false);
	assert_int_equal(e2e_seal(&q, &input, &output, NULL, NULL),
	    E2E_ERR_USAGE);
	lab_sink_free(&sink);
}

/* A block that does not decrypt is one more way not to open, and whoever has
 * no key does not get so far. */
static void
rewrap_block_that_does_not_decrypt_is_no_key(void **state)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct buffer b, block = lab_hex("a2 05 4c 060606060606060606060606"
	    "3a00010041 82 4c 000000000000000000000000"
	    "50 00000000000000000000000000000000");
	struct forge f;
	size_t at = ENVELOPE_START_LEN + 3 + 2 + HEADER_PROTECTED_LEN;

	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	forge_whole(&f, "text", 4);
	assert_int_equal(f.envelope.data[at], 0xa1);
	buffer_init(&b, LAB_MAX);
	(void)buffer_append(&b, f.envelope.data, at);
	(void)buffer_append(&b, block.data, block.length);
	(void)buffer_append(&b, f.envelope.data + at + 15,
	    f.envelope.length - at - 15);
	assert_false(b.failed);
	lab_refused(E2E_ERR_NO_KEY, b.data, b.length, &request);
	keys.identities[0] = carol;
	lab_refused(E2E_ERR_NO_KEY, b.data, b.length, &request);
	buffer_free(&b);
	buffer_free(&block);
	forge_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_any_key_it_is_no_key),
		cmocka_unit_test(passphrase_alone_is_needed_or_wrong),
		cmocka_unit_test(
		    key_and_passphrase_that_both_failed_are_no_key),
		cmocka_unit_test(
		    passphrase_is_asked_for_once_and_only_if_needed),
		cmocka_unit_test(
		    header_that_does_not_decrypt_is_named_like_the_key),
		cmocka_unit_test(
		    entry_with_kid_is_tried_with_that_identity_alone),
		cmocka_unit_test(index_of_the_identity_is_reported),
		cmocka_unit_test(locked_identities_are_skipped),
		cmocka_unit_test(unknown_and_group_entries_are_skipped),
		cmocka_unit_test(
		    wrapped_key_of_a_wrong_length_is_a_failed_unwrapping),
		cmocka_unit_test(hidden_rsa_flood_is_stopped),
		cmocka_unit_test(rsa_entries_that_are_not_tried_do_not_count),
		cmocka_unit_test(hidden_rsa_entries_have_their_top_bit_clear),
		cmocka_unit_test(sealing_for_1024_and_1025),
		cmocka_unit_test(rewrap_block_that_does_not_decrypt_is_no_key)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
