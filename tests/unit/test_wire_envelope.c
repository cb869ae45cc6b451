/* The frame: where chunks lie, against counting; and the heads of chunks. */
#include "lab.h"

#include "wire/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static size_t
head_length(size_t chunk)
{
	return chunk < 24 ? 1 : chunk < 256 ? 2 : 3;
}

/* Bytes of all chunks and the break for a stream of this length. */
static uint64_t
counted(uint64_t stream, uint64_t *last_offset, size_t *last_length)
{
	uint64_t size = 0;

	for (; stream >= ENVELOPE_DATA_LEN; stream -= ENVELOPE_DATA_LEN)
		size += 3 + ENVELOPE_DATA_LEN + ENVELOPE_TAG_LEN;
	*last_offset = size;
	*last_length = head_length((size_t)stream + 16) + (size_t)stream + 16;
	return size + *last_length + 1;
}

/* Every size up to three chunks: exactly those that a stream has. */
static void
layout_of_every_size_up_to_three_chunks(void **state)
{
	enum { MOST = 3 * ENVELOPE_CHUNK_ITEM_LEN + 300 };
	struct envelope_layout layout;
	uint64_t stream = 0, size, last_offset, wanted;
	size_t last_length;

	wanted = counted(0, &last_offset, &last_length);
	for (size = 0; size < MOST; size++) {
		if (size != wanted) {
			assert_false(envelope_layout(&layout, size));
			continue;
		}
		assert_true(envelope_layout(&layout, size));
		assert_int_equal(layout.stream_length, stream);
		assert_int_equal(layout.full_chunks, stream / 16384);
		assert_int_equal(layout.last_offset, last_offset);
		assert_int_equal(layout.last_item_length, last_length);
		wanted = counted(++stream, &last_offset, &last_length);
		assert_true(wanted > size);
	}
	assert_true(stream > 3 * 16384);
}

/* Around the boundaries of many chunks, and around 2^32 of them. */
static void
layout_around_boundaries_far_away(void **state)
{
	static const uint64_t fulls[] = {
		4, 63, 64, 65, 1000, 65535, UINT64_C(0xfffffffd),
		UINT64_C(0xfffffffe), UINT64_C(0xffffffff),
		UINT64_C(0x100000000), UINT64_C(0x1000000000000)
	};
	struct envelope_layout layout;
	uint64_t last_offset, base;
	size_t i, rest, last_length;
	bool allowed;

	for (i = 0; i < sizeof(fulls) / sizeof(fulls[0]); i++) {
		base = fulls[i] * ENVELOPE_CHUNK_ITEM_LEN;
		/* L5: fewer than 2^32 chunks, the last one included. */
		allowed = fulls[i] + 1 < UINT64_C(1) << 32;
		for (rest = 0; rest < ENVELOPE_DATA_LEN; rest +=
		    rest < 300 || rest > 16300 ? 1 : 97) {
			uint64_t size = base + counted(rest, &last_offset,
			    &last_length);

			assert_int_equal(envelope_layout(&layout, size),
			    allowed);
			if (!allowed)
				continue;
			assert_true(layout.full_chunks == fulls[i]);
			assert_true(layout.last_offset == base);
			assert_true(layout.stream_length ==
			    fulls[i] * 16384 + rest);
		}
	}
	assert_false(envelope_layout(&layout, UINT64_MAX));
	assert_false(envelope_layout(&layout, 0));
}

static void
heads_of_every_length_both_ways(void **state)
{
	unsigned char head[3], *at;
	size_t length, written, read, chunk;

	for (length = 16; length <= ENVELOPE_CHUNK_LEN; length++) {
		written = envelope_put_chunk_head(head, length);
		assert_int_equal(written, head_length(length));
		assert_true(envelope_get_chunk_head(head, written, &read,
		    &chunk));
		assert_int_equal(read, written);
		assert_int_equal(chunk, length);
		/* Fewer bytes: how many are needed is said. */
		at = head;
		for (chunk = 0; chunk < written; chunk++) {
			size_t none;

			assert_false(envelope_get_chunk_head(at, chunk, &read,
			    &none));
			assert_int_equal(read, chunk == 0 ? 1 : written);
		}
	}
}

/* All three bytes there are; exactly the shortest forms of 16..16400. */
static void
no_other_heads_are_accepted(void **state)
{
	unsigned char head[3];
	size_t read, chunk, wanted;
	unsigned a, b;

	for (a = 0; a < 256; a++) {
		for (b = 0; b < 65536; b++) {
			head[0] = (unsigned char)a;
			head[1] = (unsigned char)(b >> 8);
			head[2] = (unsigned char)b;
			wanted = 0;
			if (a >= 0x50 && a < 0x58)
				wanted = a - 0x40;
			if (a == 0x58 && head[1] >= 24)
				wanted = head[1];
			if (a == 0x59 && b >= 256 && b <= 16400)
				wanted = b;
			if (envelope_get_chunk_head(head, 3, &read, &chunk)) {
				assert_int_equal(chunk, wanted);
				assert_int_equal(read, head_length(wanted));
			} else {
				assert_int_equal(wanted, 0);
				assert_int_equal(read, 0);
			}
		}
	}
}

static void
start_and_preamble_are_those_of_the_format(void **state)
{
	assert_memory_equal(envelope_start, "\xda" "e2e1\x9f", 6);
	assert_memory_equal(envelope_preamble_head, "\x58\x38", 2);
	assert_int_equal(ENVELOPE_PREAMBLE_ITEM_LEN, 58);
	assert_int_equal(ENVELOPE_CHUNK_ITEM_LEN, 16403);
}

/* In a whole envelope: a head that is longer than needed. */
static void
chunk_head_longer_than_needed_is_malformed(void **state)
{
	static const struct {
		size_t data;
		const char *head;
	} cases[] = {
		{ 4, "58 14" }, { 4, "59 0014" }, { 4, "5a 00000014" },
		{ 4, "5b 0000000000000014" }, { 100, "59 0074" },
		{ 100, "5a 00000074" }, { 4, "5f 54" }, { 4, "74 (text)" },
		{ 4, "94 (an array)" }, { 4, "c0 54 (a tag)" }
	};
	struct e2e_identity *bob = lab_fixed_identity(3, 4, "", 1);
	const struct e2e_card *to = e2e_identity_card(bob);
	struct e2e_seal q = { .to.cards = &to, .to.card_count = 1,
		.threads = 1 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct buffer envelope, altered, head;
	unsigned char data[100] = { 0 };
	size_t i, at, skip;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		envelope = lab_seal(&q, data, cases[i].data, LAB_STREAM);
		at = lab_header_end(envelope.data, envelope.length) + 58;
		skip = head_length(cases[i].data + 16);
		head = lab_hex(cases[i].head);
		buffer_init(&altered, LAB_MAX);
		(void)buffer_append(&altered, envelope.data, at);
		(void)buffer_append(&altered, head.data, head.length);
		(void)buffer_append(&altered, envelope.data + at + skip,
		    envelope.length - at - skip);
		lab_refused(E2E_ERR_MALFORMED, altered.data, altered.length,
		    &request);
		buffer_free(&altered);
		buffer_free(&head);
		buffer_free(&envelope);
	}
	e2e_identity_free(bob);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_of_every_size_up_to_three_chunks),
		cmocka_unit_test(layout_around_boundaries_far_away),
		cmocka_unit_test(heads_of_every_length_both_ways),
		cmocka_unit_test(no_other_heads_are_accepted),
		cmocka_unit_test(start_and_preamble_are_those_of_the_format),
		cmocka_unit_test(chunk_head_longer_than_needed_is_malformed)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
