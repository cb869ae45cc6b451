/*
 * Frames: what is put comes back, from every number of bytes; nothing but
 * what would have been put is taken; and what can never become a frame is
 * refused at the byte that shows it.
 */
#include "lab.h"

#include "relay/frame.h"
#include "wire/dcbor.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SAMPLES = 36 };

static struct frame samples[SAMPLES];
static size_t sample_count;
static unsigned char ids[FRAME_MAILBOXES_MAX][E2E_ID_LEN];
static unsigned char filling[FRAME_MAX];

static struct bytes
run(size_t length)
{
	return (struct bytes){ filling, length };
}

static struct bytes
text(const char *t)
{
	return (struct bytes){ (const unsigned char *)t, strlen(t) };
}

static struct frame *
sample(enum frame_type type)
{
	assert_true(sample_count < SAMPLES);
	samples[sample_count].type = type;
	return &samples[sample_count++];
}

static void
samples_of_a_handshake(void)
{
	struct frame *f = sample(FRAME_HELLO);
	size_t i;

	f->hello.versions[0] = 1;
	f->hello.version_count = 1;
	f->hello.cnonce = ids[1];
	f = sample(FRAME_HELLO);
	for (i = 0; i < FRAME_VERSIONS_MAX; i++)
		f->hello.versions[i] = UINT64_MAX - i;
	f->hello.version_count = FRAME_VERSIONS_MAX;
	f->hello.mailbox = ids[0];
	f->hello.cnonce = ids[1];
	f->hello.credit_items = 256;
	f->hello.credit_bytes = 8 << 20;
	f = sample(FRAME_CHAL);
	f->chal.core = run(700);
	f->chal.signature = run(0);
	f = sample(FRAME_AUTH);
	f->auth.signature = run(90);
	f = sample(FRAME_AUTH);
	f->auth.signature = run(90);
	f->auth.card = run(E2E_CARD_MAX);
	f = sample(FRAME_READY);
	f->ready.items = 23;
	f->ready.bytes = UINT64_MAX;
	f->ready.oldest = 256;
	f->ready.dropped = 65536;
}

static void
samples_of_delivery(void)
{
	struct frame *f = sample(FRAME_MSG);
	uint64_t i;

	f->msg.seq = 1;
	f->msg.id = ids[2];
	f->msg.stored = f->msg.until = 1700000000;
	f->msg.size = 12345;
	f = sample(FRAME_ACK);
	f->ack.ranges[0] = (struct frame_range){ 0, UINT64_MAX };
	f->ack.count = 1;
	f->ack.signature = run(64);
	f = sample(FRAME_ACKED);
	f->ack.ranges[0] = (struct frame_range){ 7, 7 };
	f->ack.ranges[1] = (struct frame_range){ 9, 9 };
	f->ack.ranges[2] = (struct frame_range){ UINT64_MAX, UINT64_MAX };
	f->ack.count = 3;
	f = sample(FRAME_ACK);
	for (i = 0; i < FRAME_RANGES_MAX; i++)
		f->ack.ranges[i] = (struct frame_range){ 3 * i, 3 * i + 1 };
	f->ack.count = FRAME_RANGES_MAX;
	f->ack.signature = run(64);
	f = sample(FRAME_GET);
	f->get.seq = 5;
	f->get.offset = 1 << 30;
	f = sample(FRAME_DATA);
	f->data.seq = 5;
	f->data.id = ids[3];
	f->data.size = 100;
	f->data.offset = 24;
	(void)sample(FRAME_EMPTY);
	f = sample(FRAME_CREDIT);
	f->credit.items = 10;
	f->credit.bytes = 1000;
}

static void
samples_of_deposits(void)
{
	static const char line[] = "ERR busy try again";
	struct frame *f = sample(FRAME_PUT);
	size_t i;

	f = sample(FRAME_PUT);
	f->put.mailboxes = (struct bytes){ ids[0], 3 * E2E_ID_LEN };
	f->put.count = 3;
	f = sample(FRAME_PUT);
	f->put.mailboxes = (struct bytes){ ids[0], sizeof(ids) };
	f->put.count = FRAME_MAILBOXES_MAX;
	f = sample(FRAME_RECEIPT);
	f->receipt.line = text(line);
	f = sample(FRAME_RECEIPT);
	f->receipt.line = text("");
	f->receipt.is_signed = true;
	f->receipt.leaf = run(80);
	f->receipt.signature = run(99);
	f->receipt.tree_size = 1;
	f = sample(FRAME_RECEIPT);
	f->receipt.line = text(line);
	f->receipt.is_signed = true;
	f->receipt.leaf = run(80);
	f->receipt.signature = run(99);
	f->receipt.index = 7;
	f->receipt.tree_size = UINT64_MAX;
	for (i = 0; i < FRAME_PATH_MAX; i++)
		f->receipt.path[i] = ids[i];
	f->receipt.path_length = FRAME_PATH_MAX;
}

static void
samples_of_the_directory(void)
{
	struct frame *f = sample(FRAME_REGISTER);
	size_t i;

	f->enroll.card = run(300);
	f = sample(FRAME_REGISTER);
	f->enroll.card = run(300);
	f->enroll.token = text("let me in");
	f = sample(FRAME_LOOKUP);
	f->lookup.name = text("alice");
	f = sample(FRAME_LOOKUP);
	f->lookup.id = ids[4];
	f = sample(FRAME_REVOKE);
	f->revoke.statement = run(FRAME_STATEMENT_MAX);
	f = sample(FRAME_RECORD);
	f->record.signature = run(70);
	f = sample(FRAME_RECORD);
	f->record.card = run(E2E_CARD_MAX);
	for (i = 0; i < FRAME_REVOCATIONS_MAX; i++)
		f->record.revocations[i] = run(FRAME_STATEMENT_MAX);
	f->record.revocation_count = FRAME_REVOCATIONS_MAX;
	f->record.registered = 99;
	f->record.signature = run(70);
}

static void
samples_of_the_rest(void)
{
	struct frame *f = sample(FRAME_PING);

	f->ping.number = 24;
	f = sample(FRAME_PONG);
	f->ping.number = UINT64_MAX;
	f = sample(FRAME_GOAWAY);
	f->goaway.reason = text("drain");
	f->goaway.retry = 30;
	f = sample(FRAME_ERROR);
	f->error.code = text("protocol");
	f->error.text = (struct bytes){ filling, FRAME_TEXT_MAX };
}

static int
setup(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(ids); i++)
		(&ids[0][0])[i] = (unsigned char)(i / 32 * 7 + i);
	memset(filling, 'f', sizeof(filling));
	samples_of_a_handshake();
	samples_of_delivery();
	samples_of_deposits();
	samples_of_the_directory();
	samples_of_the_rest();
	return 0;
}

/* Mailboxes of a parsed PUT stand with their heads between. */
static void
put_again(struct buffer *b, const struct frame *parsed)
{
	struct frame f = *parsed;
	unsigned char *packed = NULL;
	size_t i;

	if (f.type == FRAME_PUT) {
		packed = malloc(f.put.count * E2E_ID_LEN + 1);
		assert_non_null(packed);
		for (i = 0; i < f.put.count; i++)
			memcpy(packed + i * E2E_ID_LEN,
			    frame_mailbox(parsed, i), E2E_ID_LEN);
		f.put.mailboxes = (struct bytes){ packed,
		    f.put.count * E2E_ID_LEN };
	}
	frame_put(b, &f);
	free(packed);
}

/* In memory of exactly its size, where reading on is noticed. */
static enum frame_state
parse(const void *data, size_t size, struct buffer *again, size_t *length)
{
	unsigned char *copy = malloc(size + 1);
	enum frame_state state;
	struct frame f;

	assert_non_null(copy);
	memcpy(copy + 1, data, size);
	state = frame_parse(&f, copy + 1, size, length);
	if (state == FRAME_COMPLETE && again != NULL)
		put_again(again, &f);
	else
		assert_true(state == FRAME_COMPLETE || *length == 0);
	free(copy);
	return state;
}

static struct buffer
encoded(size_t index)
{
	struct buffer b;

	buffer_init(&b, 2 * FRAME_MAX);
	frame_put(&b, &samples[index]);
	assert_false(b.failed);
	return b;
}

static void
every_type_comes_back_as_it_was_put(void **state)
{
	struct buffer b, again;
	unsigned seen = 0;
	size_t i, length;

	for (i = 0; i < sample_count; i++) {
		b = encoded(i);
		assert_memory_equal(b.data, frame_start, FRAME_START_LEN);
		buffer_init(&again, 2 * FRAME_MAX);
		assert_int_equal(parse(b.data, b.length, &again, &length),
		    FRAME_COMPLETE);
		assert_int_equal(length, b.length);
		assert_true(bytes_equal(buffer_bytes(&b),
		    buffer_bytes(&again)));
		buffer_clear(&again);
		/* What follows is not looked at. */
		assert_true(buffer_append(&b, "\xff\xff\xff", 3));
		assert_int_equal(parse(b.data, b.length, &again, &length),
		    FRAME_COMPLETE);
		assert_int_equal(length + 3, b.length);
		seen |= 1u << samples[i].type;
		buffer_free(&again);
		buffer_free(&b);
	}
	assert_int_equal(seen, (1u << (FRAME_CREDIT + 1)) - 2);
}

static void
a_part_of_a_frame_is_short(void **state)
{
	struct buffer b;
	size_t i, k, length;

	for (i = 0; i < sample_count; i++) {
		b = encoded(i);
		for (k = 0; k < b.length; k += k < 300 ? 1 : 97) {
			assert_int_equal(parse(b.data, k, NULL, &length),
			    FRAME_SHORT);
		}
		buffer_free(&b);
	}
}

static void
altered_frames_are_refused_or_stand_for_themselves(void **state)
{
	struct buffer b, again;
	size_t i, k, length;

	for (i = 0; i < sample_count; i++) {
		b = encoded(i);
		for (k = 0; k < 8 * b.length && k < 8 * 400; k++) {
			b.data[k / 8] ^= (unsigned char)(1 << k % 8);
			buffer_init(&again, 2 * FRAME_MAX);
			if (parse(b.data, b.length, &again, &length) ==
			    FRAME_COMPLETE) {
				assert_int_equal(again.length, length);
				assert_memory_equal(again.data, b.data,
				    length);
			}
			buffer_free(&again);
			b.data[k / 8] ^= (unsigned char)(1 << k % 8);
		}
		buffer_free(&b);
	}
}

#define TAG "da 65326533 "
#define ID32 "58 20 00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 " \
	"18191a1b 1c1d1e1f "

/*
 * Bad with these bytes, and not yet with one less: nobody waits for what cannot
 * come any more.
 */
static void
refused_at_the_byte_that_shows_it(void **state)
{
	static const char *const cases[] = {
		/* not a frame */
		"00", "db", "da 66", "da 65326531", "da 65326534",
		/* no array of a type's length; no type */
		TAG "a1", TAG "9f", TAG "80", TAG "87", TAG "98 01",
		TAG "81 00", TAG "81 16", TAG "81 20", TAG "81 40",
		TAG "81 18 14", TAG "81 1818", TAG "81 01", TAG "82 14",
		TAG "83 10", TAG "86 03", TAG "84 15",
		/* HELLO: versions, mailbox, nonce */
		TAG "86 01 80", TAG "86 01 89", TAG "86 01 a0",
		TAG "86 01 81 61", TAG "86 01 81 1800", TAG "86 01 81 01 f5",
		TAG "86 01 81 01 58 1f", TAG "86 01 81 01 58 21",
		TAG "86 01 81 01 57", TAG "86 01 81 01 78",
		TAG "86 01 81 01 59 0020", TAG "86 01 81 01 5f",
		TAG "86 01 81 01 " ID32 "f6",
		TAG "86 01 81 01 f6 " ID32 "40",
		TAG "86 01 81 01 f6 " ID32 "00 20",
		TAG "86 01 81 01 f6 " ID32 "00 1b 00000000ffffffff",
		TAG "86 01 81 01 f6 " ID32 "00 f9",
		/* CHAL: longer than any frame, and longer heads than needed */
		TAG "83 02 5a 00010000", TAG "83 02 5b 0000000100000000",
		TAG "83 02 58 17", TAG "83 02 59 00ff",
		TAG "83 02 5a 0000ffff", TAG "83 02 5b 00000000ffffffff",
		TAG "83 02 60", TAG "83 02 40 f6",
		/* AUTH, REGISTER: more than a card is long */
		TAG "83 03 40 59 4001", TAG "83 0c 59 4001",
		TAG "83 03 40 f7", TAG "83 0c 40 40", TAG "83 0c 40 79 0101",
		/* ACK, ACKED: ranges */
		TAG "83 06 80", TAG "83 06 99 0101", TAG "82 07 80",
		TAG "83 06 81 81", TAG "83 06 81 83",
		TAG "82 07 81 82 05 04", TAG "82 07 82 82 01 03 82 04 06",
		TAG "82 07 82 82 01 03 82 03 06",
		TAG "82 07 82 82 05 06 82 01 02",
		TAG "82 07 82 82 00 1b ffffffffffffffff 82 00 01",
		TAG "82 07 81 82 00 1b 00000000ffffffff",
		/* PUT: mailboxes */
		TAG "82 0a 99 0401", TAG "82 0a 81 f6", TAG "82 0a 81 58 21",
		TAG "82 0a 82 " ID32 "58 1f",
		/* RECEIPT */
		TAG "83 0b 79 0101", TAG "83 0b 60 80", TAG "83 0b 60 86",
		TAG "83 0b 60 85 40 00 00 98 21", TAG "83 0b 60 85 40 00 00 81 f6",
		TAG "83 0b 62 c328", TAG "83 0b 60 f4",
		/* LOOKUP, REVOKE, RECORD */
		TAG "82 0d 78 41", TAG "82 0d 40", TAG "82 0d f6",
		TAG "82 0d 58 21", TAG "82 0e 59 1001", TAG "82 0e f6",
		TAG "85 0f f6 85", TAG "85 0f f6 81 59 1001",
		TAG "85 0f 59 4001", TAG "85 0f f6 80 40",
		/* ERROR, GOAWAY, PING, CREDIT */
		TAG "83 13 40", TAG "83 13 79 0101", TAG "83 13 60 79 0101",
		TAG "83 12 60 60", TAG "82 10 c0", TAG "83 15 00 20"
	};
	struct buffer b;
	size_t i, length;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = lab_hex(cases[i]);
		if (parse(b.data, b.length, NULL, &length) != FRAME_BAD ||
		    parse(b.data, b.length - 1, NULL, &length) != FRAME_SHORT)
			print_error("case %s\n", cases[i]);
		assert_int_equal(parse(b.data, b.length, NULL, &length),
		    FRAME_BAD);
		assert_int_equal(parse(b.data, b.length - 1, NULL, &length),
		    FRAME_SHORT);
		buffer_free(&b);
	}
}

/* Strings that are all within their bounds, and too much together. */
static void
a_frame_is_at_most_that_long(void **state)
{
	struct frame f = { .type = FRAME_CHAL };
	struct buffer b;
	size_t length, overhead = 5 + 1 + 1 + 3 + 3;

	f.chal.core = run(40000);
	f.chal.signature = run(FRAME_MAX - 40000 - overhead);
	buffer_init(&b, 2 * FRAME_MAX);
	frame_put(&b, &f);
	assert_false(b.failed);
	assert_int_equal(b.length, FRAME_MAX);
	assert_int_equal(parse(b.data, b.length, NULL, &length),
	    FRAME_COMPLETE);
	assert_int_equal(length, FRAME_MAX);
	assert_int_equal(parse(b.data, b.length - 1, NULL, &length),
	    FRAME_SHORT);
	/* One byte longer: its head alone shows it. */
	b.data[b.length - f.chal.signature.length - 1]++;
	assert_int_equal(parse(b.data, b.length, NULL, &length), FRAME_BAD);
	assert_int_equal(parse(b.data, overhead + 40000, NULL, &length),
	    FRAME_BAD);
	assert_int_equal(parse(b.data, overhead + 40000 - 1, NULL, &length),
	    FRAME_SHORT);
	buffer_free(&b);

	f.chal.signature.length++;
	buffer_init(&b, 4 * FRAME_MAX);
	frame_put(&b, &f);
	assert_true(b.failed);
	buffer_free(&b);
}

/* Each string at its bound and beyond it, with all its bytes. */
static void
strings_are_bounded(void **state)
{
	struct frame f[10];
	struct bytes *const strings[] = {
		&f[0].auth.card, &f[1].enroll.card, &f[2].enroll.token,
		&f[3].lookup.name, &f[4].revoke.statement, &f[5].record.card,
		&f[6].record.revocations[0], &f[7].goaway.reason,
		&f[8].error.text, &f[9].receipt.line
	};
	static const struct {
		enum frame_type type;
		size_t max;
	} bounds[] = {
		{ FRAME_AUTH, 16384 }, { FRAME_REGISTER, 16384 },
		{ FRAME_REGISTER, 256 }, { FRAME_LOOKUP, 64 },
		{ FRAME_REVOKE, 4096 }, { FRAME_RECORD, 16384 },
		{ FRAME_RECORD, 4096 }, { FRAME_GOAWAY, 256 },
		{ FRAME_ERROR, 256 }, { FRAME_RECEIPT, 256 }
	};
	struct buffer b;
	size_t i, length, more;

	memset(f, 0, sizeof(f));
	for (i = 0; i < 10; i++) {
		f[i].type = bounds[i].type;
		if (i == 6)
			f[6].record.revocation_count = 1;
		for (more = 0; more < 2; more++) {
			*strings[i] = run(bounds[i].max + more);
			buffer_init(&b, 2 * FRAME_MAX);
			frame_put(&b, &f[i]);
			assert_int_equal(parse(b.data, b.length, NULL,
			    &length), more == 0 ? FRAME_COMPLETE : FRAME_BAD);
			buffer_free(&b);
		}
	}
}

static void
failure_of_the_buffer_is_remembered(void **state)
{
	struct buffer b;

	buffer_init(&b, 12);
	frame_put(&b, &samples[1]);
	assert_true(b.failed);
	buffer_free(&b);
}

static void
error_and_goaway_in_short(void **state)
{
	struct buffer b;
	struct frame f;
	size_t length, first;

	buffer_init(&b, 1024);
	frame_put_error(&b, "auth", "no");
	frame_put_goaway(&b, "drain", 30);
	assert_int_equal(frame_parse(&f, b.data, b.length, &first),
	    FRAME_COMPLETE);
	assert_int_equal(f.type, FRAME_ERROR);
	assert_true(bytes_equal(f.error.code, text("auth")));
	assert_true(bytes_equal(f.error.text, text("no")));
	assert_int_equal(frame_parse(&f, b.data + first, b.length - first,
	    &length), FRAME_COMPLETE);
	assert_int_equal(f.type, FRAME_GOAWAY);
	assert_true(bytes_equal(f.goaway.reason, text("drain")));
	assert_int_equal(f.goaway.retry, 30);
	assert_int_equal(first + length, b.length);
	buffer_free(&b);
}

/* ---- the core of CHAL ---- */

static struct frame_core
sample_core(size_t successions)
{
	struct frame_core core = { .version = 1, .card = run(200),
	    .snonce = ids[0], .time = 1700000000,
	    .limits = { 67108864, 2592000, 1 << 30, 100000, FRAME_TOKEN } };
	size_t i;

	for (i = 0; i < successions; i++)
		core.successions[i] = (struct frame_succession){ run(100 + i),
		    run(50) };
	core.succession_count = successions;
	return core;
}

static void
core_comes_back_as_it_was_put(void **state)
{
	struct frame_core core, again;
	struct buffer b, b2;
	unsigned char *cut;
	size_t n, k;

	for (n = 0; n <= FRAME_SUCCESSIONS_MAX; n++) {
		core = sample_core(n);
		buffer_init(&b, FRAME_MAX);
		buffer_init(&b2, FRAME_MAX);
		frame_put_core(&b, &core);
		assert_int_equal(frame_parse_core(&again, buffer_bytes(&b)),
		    E2E_OK);
		assert_int_equal(again.succession_count, n);
		assert_int_equal(again.limits.box_items, 100000);
		assert_int_equal(again.limits.registration, FRAME_TOKEN);
		frame_put_core(&b2, &again);
		assert_true(bytes_equal(buffer_bytes(&b),
		    buffer_bytes(&b2)));
		for (k = 0; k < b.length; k++) {
			cut = malloc(k + 1);
			assert_non_null(cut);
			memcpy(cut + 1, b.data, k);
			assert_int_equal(frame_parse_core(&again,
			    (struct bytes){ cut + 1, k }), E2E_ERR_MALFORMED);
			free(cut);
		}
		assert_true(buffer_append_byte(&b, 0));
		assert_int_equal(frame_parse_core(&again, buffer_bytes(&b)),
		    E2E_ERR_MALFORMED);
		buffer_free(&b);
		buffer_free(&b2);
	}
}

static void
other_cores_are_malformed(void **state)
{
	static const char *const cases[] = {
#define BEGIN "86 01 40 80 " ID32 "00 "
		"85 01 40 80 " ID32 "00",
		"86 f6 40 80 " ID32 "00 a5 0100 0200 0300 0400 0500",
		"86 01 60 80 " ID32 "00 a5 0100 0200 0300 0400 0500",
		"86 01 40 81 40 " ID32 "00 a5 0100 0200 0300 0400 0500",
		"86 01 40 81 81 40 " ID32 "00 a5 0100 0200 0300 0400 0500",
		"86 01 40 80 41 00 00 a5 0100 0200 0300 0400 0500",
		BEGIN "a4 0100 0200 0300 0400",
		BEGIN "a5 0100 0200 0300 0400 0503",
		BEGIN "a5 0100 0200 0300 0400 0600",
		BEGIN "a5 0000 0200 0300 0400 0500",
		BEGIN "a5 0200 0100 0300 0400 0500",
		BEGIN "a5 0100 0200 0300 0400 0520",
		BEGIN "a5 0100 0200 0300 0400 051800",
		BEGIN "a6 0100 0200 0300 0400 0500 0600"
	};
	struct frame_core core;
	struct buffer b;
	size_t i;

	/* The control: the same without a fault. */
	b = lab_hex(BEGIN "a5 0100 0200 0300 0400 0500");
	assert_int_equal(frame_parse_core(&core, buffer_bytes(&b)), E2E_OK);
	buffer_free(&b);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b = lab_hex(cases[i]);
		if (frame_parse_core(&core, buffer_bytes(&b)) !=
		    E2E_ERR_MALFORMED)
			print_error("case %s\n", cases[i]);
		assert_int_equal(frame_parse_core(&core, buffer_bytes(&b)),
		    E2E_ERR_MALFORMED);
		buffer_free(&b);
	}
}

static void
more_than_eight_predecessors_are_malformed(void **state)
{
	struct frame_core core = sample_core(FRAME_SUCCESSIONS_MAX), again;
	struct buffer b;
	size_t i;

	/* By hand: there is no room for nine. */
	buffer_init(&b, FRAME_MAX);
	dcbor_put_array(&b, 6);
	dcbor_put_uint(&b, 1);
	dcbor_put_bytes(&b, NULL, 0);
	dcbor_put_array(&b, FRAME_SUCCESSIONS_MAX + 1);
	for (i = 0; i <= FRAME_SUCCESSIONS_MAX; i++) {
		dcbor_put_array(&b, 2);
		dcbor_put_bytes(&b, NULL, 0);
		dcbor_put_bytes(&b, NULL, 0);
	}
	dcbor_put_bytes(&b, core.snonce, FRAME_NONCE_LEN);
	dcbor_put_uint(&b, 0);
	dcbor_put_map(&b, 5);
	for (i = 1; i <= 5; i++) {
		dcbor_put_uint(&b, i);
		dcbor_put_uint(&b, 0);
	}
	assert_int_equal(frame_parse_core(&again, buffer_bytes(&b)),
	    E2E_ERR_MALFORMED);
	buffer_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back_as_it_was_put),
		cmocka_unit_test(a_part_of_a_frame_is_short),
		cmocka_unit_test(
		    altered_frames_are_refused_or_stand_for_themselves),
		cmocka_unit_test(refused_at_the_byte_that_shows_it),
		cmocka_unit_test(a_frame_is_at_most_that_long),
		cmocka_unit_test(strings_are_bounded),
		cmocka_unit_test(failure_of_the_buffer_is_remembered),
		cmocka_unit_test(error_and_goaway_in_short),
		cmocka_unit_test(core_comes_back_as_it_was_put),
		cmocka_unit_test(other_cores_are_malformed),
		cmocka_unit_test(more_than_eight_predecessors_are_malformed)
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
