/*
 * The header and its recipients: each kind in its one form, closed maps, and
 * every limit (docs/FORMAT.md, 1.8, 3 and 4).
 */
#include "lab.h"

#include "wire/header.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define X8 "0101010101010101"
#define X32 X8 X8 X8 X8
#define X40 X32 X8
#define SALT "50" X8 X8
#define ARGON2 "40 a5 01 3a00010049 3a0001004a"
/* t 1, m 8192, p 1 */
#define PASSPHRASE ARGON2 SALT "3a0001004b 01 3a0001004c 192000" \
	"3a0001004d 01"
#define EPK "20 a3 01 01 20 04 21 5820" X32
#define P "58 2a a2 01 03 3a00010040 5820" X32
#define IV "a1 05 4c 020202020202020202020202"
#define CT "50 00000000000000000000000000000000"
#define ENTRY "83 40 a0 40"

static const struct header_limits limits = {
	.memory_max_kib = RECIPIENT_MEMORY_MAX_KIB,
	.ciphertext_max = HEADER_METADATA_MAX + HEADER_TAG_LEN
};

/* ---- recipients ---- */

static enum e2e_error
parse_entry(const char *hex, struct recipient *e, struct buffer *b,
    uint32_t memory_max)
{
	struct dcbor_reader r;
	enum e2e_error error;

	*b = lab_hex(hex);
	dcbor_reader_init(&r, b->data, b->length);
	error = recipient_parse(e, &r, memory_max);
	if (error == E2E_OK)
		assert_true(dcbor_finish(&r));
	return error;
}

/* Known kinds are written as they were read; cut off anywhere, they are
 * short. */
static void
entry_is(enum recipient_kind kind, const char *hex)
{
	struct dcbor_reader r;
	struct buffer b, again;
	struct recipient e;
	size_t i;

	assert_int_equal(parse_entry(hex, &e, &b, 1048576), E2E_OK);
	assert_int_equal(e.kind, kind);
	if (kind != RECIPIENT_UNKNOWN) {
		buffer_init(&again, LAB_MAX);
		recipient_put(&again, &e);
		assert_int_equal(again.length, b.length);
		assert_memory_equal(again.data, b.data, b.length);
		buffer_free(&again);
	}
	for (i = 0; i < b.length; i++) {
		dcbor_reader_init(&r, b.data, i);
		assert_int_equal(recipient_parse(&e, &r, 1048576),
		    E2E_ERR_MALFORMED);
		assert_int_equal(r.state, DCBOR_SHORT);
	}
	buffer_free(&b);
}

static void
entry_gives(enum e2e_error expected, const char *hex)
{
	struct buffer b;
	struct recipient e;
	enum e2e_error error = parse_entry(hex, &e, &b, 1048576);

	if (error != expected)
		print_error("%d: %s\n", (int)error, hex);
	assert_int_equal(error, expected);
	buffer_free(&b);
}

static void
bad_entry(const char *hex)
{
	entry_gives(E2E_ERR_MALFORMED, hex);
}

static void
each_kind_in_its_one_form(void **state)
{
	entry_is(RECIPIENT_RSA, "83 40 a2 01 3828 04 5820" X32 "43 010203");
	entry_is(RECIPIENT_RSA, "83 40 a1 01 3828 40");
	entry_is(RECIPIENT_X25519, "83 44 a101381e a2 04 5820" X32 EPK
	    "5828" X40);
	entry_is(RECIPIENT_X25519, "83 44 a101381e a1" EPK "5828" X40);
	entry_is(RECIPIENT_X25519, "83 44 a101381e a1" EPK "40");
	entry_is(RECIPIENT_GROUP, "83 40 a2 01 24 04 5820" X32 "5828" X40);
	entry_is(RECIPIENT_PASSPHRASE, "83" PASSPHRASE "5828" X40);
	entry_is(RECIPIENT_UNKNOWN, "83 40 a0 40");
	entry_is(RECIPIENT_UNKNOWN, "83 40 a0 f6");
	entry_is(RECIPIENT_UNKNOWN, "83 40 a1 04 5820" X32 "40");
	entry_is(RECIPIENT_UNKNOWN, "83 40 a1 01 1839 40");
	entry_is(RECIPIENT_UNKNOWN, "83 40 a1 01 61 61 40");
	entry_is(RECIPIENT_UNKNOWN, "84 40 a1 01 1839 40 80");
	entry_is(RECIPIENT_UNKNOWN, "84 40 a0 f6 81 83 40 a0 40");
	entry_is(RECIPIENT_UNKNOWN, "83 44 a101381f a1 01 3828 40");
	/* alg of X25519 unprotected, of RSA protected: other kinds */
	entry_is(RECIPIENT_UNKNOWN, "83 40 a1 01 381e 40");
	entry_is(RECIPIENT_UNKNOWN, "83 44 a1013828 a0 40");
	entry_is(RECIPIENT_UNKNOWN, "83 41 ff a0 40");
	entry_is(RECIPIENT_UNKNOWN, "83 46 a101190100ff a0 40");
}

static void
shape_of_any_entry(void **state)
{
	bad_entry("40");
	bad_entry("80");
	bad_entry("82 40 a0");
	bad_entry("85 40 a0 40 80 80");
	bad_entry("a3 00 40 01 a0 02 40");
	bad_entry("9f 40 a0 40 ff");
	bad_entry("83 a0 a0 40");
	bad_entry("83 f6 a0 40");
	bad_entry("83 60 a0 40");
	bad_entry("83 40 80 40");
	bad_entry("83 40 40 40");
	bad_entry("83 40 f6 40");
	bad_entry("83 40 a0 80");
	bad_entry("83 40 a0 60");
	bad_entry("83 40 a0 00");
	bad_entry("83 40 a0 f5");
	bad_entry("84 40 a0 40 40");
	bad_entry("84 40 a0 40 a0");
	bad_entry("84 40 a0 40 f6");
	/* C rules hold in maps of unknown kinds as well */
	bad_entry("83 40 a2 01 00 01 00 40");
	bad_entry("83 40 a2 04 00 01 1839 40");
	bad_entry("83 40 a1 61 61 00 40");
	bad_entry("83 40 a1 04 f7 40");
	bad_entry("83 40 a1 04 c0 00 40");
	bad_entry("84 40 a0 40 81 18 00");
	bad_entry("83 40 bb ffffffffffffffff 00 00 00 00 40");
	bad_entry("83 58 00 a0 40");
}

static void
rsa_and_group_maps_are_closed(void **state)
{
	bad_entry("83 40 a2 01 3828 04 581f" X8 X8 X8 "01010101010101 40");
	bad_entry("83 40 a2 01 3828 04 5821" X32 "01 40");
	bad_entry("83 40 a2 01 3828 04 7820" X32 "40");
	bad_entry("83 40 a2 01 3828 05 5820" X32 "40");
	bad_entry("83 40 a2 01 3828 20 5820" X32 "40");
	bad_entry("83 40 a3 01 3828 04 5820" X32 "05 00 40");
	bad_entry("83 40 a1 01 3828 f6");
	bad_entry("84 40 a1 01 3828 40 80");
	bad_entry("83 40 a2 00 00 01 3828 40");
	bad_entry("83 40 a2 01 24 05 00 40");
	bad_entry("83 40 a1 01 24 f6");
	bad_entry("84 40 a1 01 24 40 80");
}

static void
x25519_maps_are_closed(void **state)
{
	bad_entry("83 44 a101381e a0 5828" X40);
	bad_entry("83 44 a101381e a1 04 5820" X32 "5828" X40);
	bad_entry("83 44 a101381e a2 04 4101" EPK "5828" X40);
	bad_entry("83 44 a101381e a2 01 381e" EPK "5828" X40);
	bad_entry("83 44 a101381e a3 04 5820" X32 "05 00" EPK "5828" X40);
	bad_entry("83 44 a101381e a2" EPK "21 00 5828" X40);
	bad_entry("83 44 a101381e a1" EPK "f6");
	bad_entry("84 44 a101381e a1" EPK "40 80");
	/* the COSE_Key inside */
	bad_entry("83 44 a101381e a1 20 a3 01 02 20 04 21 5820" X32 "40");
	bad_entry("83 44 a101381e a1 20 a3 01 01 20 06 21 5820" X32 "40");
	bad_entry("83 44 a101381e a1 20 a3 01 01 20 01 21 5820" X32 "40");
	bad_entry("83 44 a101381e a1 20 a2 01 01 21 5820" X32 "40");
	bad_entry("83 44 a101381e a1 20 a4 01 01 03 381e 20 04 21 5820" X32
	    "40");
	bad_entry("83 44 a101381e a1 20 a4 01 01 20 04 21 5820" X32 "22 f4"
	    "40");
	bad_entry("83 44 a101381e a1 20 a3 01 01 20 04 21 4101 40");
	bad_entry("83 44 a101381e a1 20 a3 01 01 20 04 21 5821" X32 "00 40");
	bad_entry("83 44 a101381e a1 20 80 40");
}

static void
passphrase_maps_are_closed_and_costs_limited(void **state)
{
	static const struct {
		const char *t, *m, *p;
		enum e2e_error error;
	} costs[] = {
		{ "01", "192000", "01", E2E_OK },
		{ "10", "192000", "08", E2E_OK },
		{ "01", "1a00100000", "01", E2E_OK },
		{ "00", "192000", "01", E2E_ERR_KDF_COST },
		{ "11", "192000", "01", E2E_ERR_KDF_COST },
		{ "01", "191fff", "01", E2E_ERR_KDF_COST },
		{ "01", "00", "01", E2E_ERR_KDF_COST },
		{ "01", "1a00100001", "01", E2E_ERR_KDF_COST },
		{ "01", "1affffffff", "01", E2E_ERR_KDF_COST },
		/* beyond 32 bits: not cut to 8192 */
		{ "01", "1b0000000100002000", "01", E2E_ERR_KDF_COST },
		{ "1b0000000100000001", "192000", "01", E2E_ERR_KDF_COST },
		{ "01", "192000", "1b0000000100000001", E2E_ERR_KDF_COST },
		{ "01", "1bffffffffffffffff", "01", E2E_ERR_KDF_COST },
		{ "01", "192000", "00", E2E_ERR_KDF_COST },
		{ "01", "192000", "09", E2E_ERR_KDF_COST },
		{ "20", "192000", "01", E2E_ERR_MALFORMED },
		{ "01", "392000", "01", E2E_ERR_MALFORMED },
		{ "01", "192000", "4101", E2E_ERR_MALFORMED },
		{ "1801", "192000", "01", E2E_ERR_MALFORMED }
	};
	struct recipient e;
	struct buffer b;
	char hex[512];
	size_t i;

	for (i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		hex[0] = '\0';
		strcat(strcat(hex, "83" ARGON2 SALT "3a0001004b"),
		    costs[i].t);
		strcat(strcat(hex, "3a0001004c"), costs[i].m);
		strcat(strcat(hex, "3a0001004d"), costs[i].p);
		entry_gives(costs[i].error, strcat(hex, "5828" X40));
	}
	/* The reader's own cap. */
	assert_int_equal(parse_entry("83" PASSPHRASE "5828" X40, &e, &b,
	    8191), E2E_ERR_KDF_COST);
	buffer_free(&b);
	assert_int_equal(parse_entry("83" PASSPHRASE "5828" X40, &e, &b,
	    8192), E2E_OK);
	buffer_free(&b);

	bad_entry("83 40 a1 01 3a00010049 5828" X40);
	bad_entry("83" ARGON2 "4f" X8 "01010101010101 3a0001004b 01"
	    "3a0001004c 192000 3a0001004d 01 5828" X40);
	bad_entry("83 40 a4 01 3a00010049 3a0001004a" SALT "3a0001004b 01"
	    "3a0001004c 192000 5828" X40);
	bad_entry("83 40 a6 01 3a00010049 04 5820" X32 "3a0001004a" SALT
	    "3a0001004b 01 3a0001004c 192000 3a0001004d 01 5828" X40);
	bad_entry("83" PASSPHRASE "f6");
	bad_entry("84" PASSPHRASE "40 80");
}

/* ---- headers ---- */

static enum e2e_error
parse_bytes(const struct buffer *b, struct header *h)
{
	return header_parse(h, b->data, b->length, 1, &limits);
}

static void
header_gives(enum e2e_error expected, const char *hex)
{
	struct buffer b = lab_hex(hex);
	struct header h;
	enum e2e_error error = parse_bytes(&b, &h);

	if (error != expected)
		print_error("%d: %s\n", (int)error, hex);
	assert_int_equal(error, expected);
	if (error != E2E_OK)
		assert_null(h.recipients);
	header_free(&h);
	buffer_free(&b);
}

static void
bad_header(const char *hex)
{
	header_gives(E2E_ERR_MALFORMED, hex);
}

static void
header_in_its_one_form(void **state)
{
	struct buffer b = lab_hex("d860 84" P IV CT "82" ENTRY "83" PASSPHRASE
	    "5828" X40), again;
	struct header h;
	size_t i;

	assert_int_equal(parse_bytes(&b, &h), E2E_OK);
	assert_int_equal(h.recipient_count, 2);
	assert_int_equal(h.encoded_length, b.length);
	assert_false(h.rewrapped);
	buffer_init(&again, LAB_MAX);
	header_put(&again, h.protected_header, h.iv, h.ciphertext,
	    h.recipients_encoded);
	assert_int_equal(again.length, b.length);
	assert_memory_equal(again.data, b.data, b.length);
	header_free(&h);
	for (i = 0; i < b.length; i++) {
		again.length = i;
		assert_int_equal(parse_bytes(&again, &h),
		    E2E_ERR_HEADER_TRUNCATED);
	}
	/* What follows is not looked at. */
	(void)buffer_append_byte(&b, 0xff);
	assert_int_equal(parse_bytes(&b, &h), E2E_OK);
	assert_int_equal(h.encoded_length, b.length - 1);
	header_free(&h);
	buffer_free(&again);
	buffer_free(&b);
}

static void
header_maps_are_closed(void **state)
{
	static const char rewrap[] = "d860 84" P
	    "a2 05 4c 020202020202020202020202 3a00010041 82"
	    "4c 020202020202020202020202 40" CT "81" ENTRY;

	header_gives(E2E_OK, "d860 84" P IV CT "81" ENTRY);
	header_gives(E2E_OK, rewrap);
	/* tag and array */
	bad_header("d2 84" P IV CT "81" ENTRY);
	bad_header("d9 0060 84" P IV CT "81" ENTRY);
	bad_header("84" P IV CT "81" ENTRY);
	bad_header("d860 83" P IV CT);
	bad_header("d860 85" P IV CT "81" ENTRY "00");
	bad_header("d860 9f" P IV CT "81" ENTRY "ff");
	/* protected: another algorithm, members, lengths */
	bad_header("d860 84 40" IV CT "81" ENTRY);
	bad_header("d860 84 a2 01 03 3a00010040 5820" X32 IV CT "81" ENTRY);
	bad_header("d860 84 582a a2 01 01 3a00010040 5820" X32 IV CT "81"
	    ENTRY);
	bad_header("d860 84 582a a2 01 02 3a00010040 5820" X32 IV CT "81"
	    ENTRY);
	bad_header("d860 84 582a a2 02 03 3a00010040 5820" X32 IV CT "81"
	    ENTRY);
	bad_header("d860 84 582a a2 01 03 3a00010041 5820" X32 IV CT "81"
	    ENTRY);
	bad_header("d860 84 43 a10103" IV CT "81" ENTRY);
	bad_header("d860 84 582b a2 01 03 3a00010040 5820" X32 "00" IV CT "81"
	    ENTRY);
	bad_header("d860 84 582c a3 01 03 02 80 3a00010040 5820" X32 IV CT
	    "81" ENTRY);
	bad_header("d860 84 5829 a2 01 03 3a00010040 581f" X8 X8 X8
	    "01010101010101" IV CT "81" ENTRY);
	/* unprotected */
	bad_header("d860 84" P "a0" CT "81" ENTRY);
	bad_header("d860 84" P "a1 05 4b 0202020202020202020202" CT "81"
	    ENTRY);
	bad_header("d860 84" P "a1 05 4d 02020202020202020202020202" CT "81"
	    ENTRY);
	bad_header("d860 84" P "a1 06 4c 020202020202020202020202" CT "81"
	    ENTRY);
	bad_header("d860 84" P "a2 05 4c 020202020202020202020202 06 00" CT
	    "81" ENTRY);
	bad_header("d860 84" P "a2 04 40 05 4c 020202020202020202020202" CT
	    "81" ENTRY);
	/* the rewrap block's shape */
	bad_header("d860 84" P "a2 05 4c 020202020202020202020202"
	    "3a00010041 40" CT "81" ENTRY);
	bad_header("d860 84" P "a2 05 4c 020202020202020202020202"
	    "3a00010041 81 4c 020202020202020202020202" CT "81" ENTRY);
	bad_header("d860 84" P "a2 05 4c 020202020202020202020202"
	    "3a00010041 82 4b 0202020202020202020202 40" CT "81" ENTRY);
	bad_header("d860 84" P "a2 05 4c 020202020202020202020202"
	    "3a00010041 82 4c 020202020202020202020202 f6" CT "81" ENTRY);
	/* ciphertext: detached, or shorter than a tag */
	bad_header("d860 84" P IV "f6 81" ENTRY);
	bad_header("d860 84" P IV "4f" X8 "01010101010101 81" ENTRY);
	/* recipients */
	bad_header("d860 84" P IV CT "80");
	bad_header("d860 84" P IV CT "40");
	bad_header("d860 84" P IV CT "a1 00" ENTRY);
	bad_header("d860 84" P IV CT "9801" ENTRY);
	bad_header("d860 84" P IV CT "9f" ENTRY "ff");
}

/* Nine bytes, or a few more, that declare 2^63. */
static void
header_bombs_are_refused_and_take_no_memory(void **state)
{
	header_gives(E2E_ERR_LIMIT, "d860 84 5b 8000000000000000");
	header_gives(E2E_ERR_MALFORMED, "d860 9b 8000000000000000");
	header_gives(E2E_ERR_MALFORMED, "d860 84" P "bb 8000000000000000");
	header_gives(E2E_ERR_LIMIT, "d860 84" P IV "5b 8000000000000000");
	header_gives(E2E_ERR_LIMIT, "d860 84" P IV "5b ffffffffffffffff");
	header_gives(E2E_ERR_TOO_MANY_RECIPIENTS, "d860 84" P IV CT
	    "9b 8000000000000000");
	header_gives(E2E_ERR_TOO_MANY_RECIPIENTS, "d860 84" P IV CT
	    "9b ffffffffffffffff");
	header_gives(E2E_ERR_LIMIT, "d860 84" P IV CT
	    "81 83 40 a0 5b 7fffffffffffffff");
	header_gives(E2E_ERR_HEADER_TRUNCATED, "d860 84" P IV CT
	    "81 83 40 bb 7fffffffffffffff");
	header_gives(E2E_ERR_MALFORMED, "d860 84" P IV CT
	    "81 83 40 a1 01 81 81 81 81 81 81 81 81 81 81 00 40");
}

/* R in a header is level 3 from the outer array, its maps are 5. */
static void
nesting_counts_from_the_outer_array(void **state)
{
	/* outer 1, COSE_Encrypt 2, R 3, entry 4, map 5, then 6 7 8 */
	header_gives(E2E_OK, "d860 84" P IV CT
	    "81 83 40 a1 04 81 81 80 40");
	header_gives(E2E_ERR_MALFORMED, "d860 84" P IV CT
	    "81 83 40 a1 04 81 81 81 80 40");
}

static struct buffer
header_of(size_t count, const char *entry_hex, size_t ciphertext)
{
	struct buffer b = lab_hex("d860 84" P IV), entry = lab_hex(entry_hex);
	size_t i;

	dcbor_put_bytes_head(&b, ciphertext);
	if (ciphertext > 0)
		memset(buffer_extend(&b, ciphertext), 0, ciphertext);
	dcbor_put_array(&b, count);
	for (i = 0; i < count; i++)
		(void)buffer_append(&b, entry.data, entry.length);
	assert_false(b.failed);
	buffer_free(&entry);
	return b;
}

static void
recipients_1024_and_1025(void **state)
{
	struct buffer b = header_of(1024, ENTRY, 16);
	struct header h;

	assert_int_equal(parse_bytes(&b, &h), E2E_OK);
	assert_int_equal(h.recipient_count, 1024);
	header_free(&h);
	buffer_free(&b);
	b = header_of(1025, ENTRY, 16);
	assert_int_equal(parse_bytes(&b, &h), E2E_ERR_TOO_MANY_RECIPIENTS);
	buffer_free(&b);
}

static void
passphrases_one_and_two(void **state)
{
	struct buffer b = header_of(1, "83" PASSPHRASE "5828" X40, 16);
	struct header h;

	assert_int_equal(parse_bytes(&b, &h), E2E_OK);
	header_free(&h);
	buffer_free(&b);
	b = header_of(2, "83" PASSPHRASE "5828" X40, 16);
	assert_int_equal(parse_bytes(&b, &h), E2E_ERR_LIMIT);
	buffer_free(&b);
}

static void
metadata_of_65536_bytes_and_no_more(void **state)
{
	struct buffer b = header_of(1, ENTRY, 65536 + 16);
	struct header h;

	assert_int_equal(parse_bytes(&b, &h), E2E_OK);
	header_free(&h);
	buffer_free(&b);
	b = header_of(1, ENTRY, 65536 + 17);
	assert_int_equal(parse_bytes(&b, &h), E2E_ERR_LIMIT);
	buffer_free(&b);
}

/* Exactly 1 MiB, by one long wrapped key, and a byte more. */
static void
header_of_one_mebibyte_and_no_more(void **state)
{
	struct buffer b;
	struct header h;
	size_t front, length;
	int more;

	for (more = 0; more < 2; more++) {
		b = lab_hex("d860 84" P IV CT "81 83 40 a0");
		front = b.length;
		length = HEADER_MAX - front - 5 + (size_t)more;
		dcbor_put_bytes_head(&b, length);
		memset(buffer_extend(&b, length), 0, length);
		assert_int_equal(b.length, HEADER_MAX + more);
		assert_int_equal(parse_bytes(&b, &h), more == 0 ? E2E_OK :
		    E2E_ERR_LIMIT);
		if (more == 0)
			assert_int_equal(h.encoded_length, HEADER_MAX);
		header_free(&h);
		buffer_free(&b);
	}
}

/* The same through the opener: nothing is released, and no more is read
 * than can be part of a header. */
static void
header_limits_hold_for_the_opener(void **state)
{
	struct e2e_identity *bob = lab_fixed_identity(3, 4, "", 1);
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct buffer b = lab_hex("da65326531 9f"), h = header_of(1025,
	    ENTRY, 16);

	(void)buffer_append(&b, h.data, h.length);
	lab_refused(E2E_ERR_TOO_MANY_RECIPIENTS, b.data, b.length, &request);
	buffer_free(&b);
	buffer_free(&h);
	b = lab_hex("da65326531 9f d860 84" P IV CT
	    "81 83 40 a0 5a 00200000");
	memset(buffer_extend(&b, 0x200000), 0, 0x200000);
	lab_refused(E2E_ERR_LIMIT, b.data, b.length, &request);
	buffer_free(&b);
	b = lab_hex("da65326531 9f d860 84" P IV CT "81 83" ARGON2 SALT
	    "3a0001004b 01 3a0001004c 1a00100001 3a0001004d 01 5828" X40);
	lab_refused(E2E_ERR_KDF_COST, b.data, b.length, &request);
	buffer_free(&b);
	b = lab_hex("da65326532 d860 84" P IV CT "81" ENTRY);
	lab_refused(E2E_ERR_VERSION, b.data, b.length, &request);
	buffer_free(&b);
	b = lab_hex("da65326531 98 01 00");
	lab_refused(E2E_ERR_VERSION, b.data, b.length, &request);
	buffer_free(&b);
	e2e_identity_free(bob);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_in_its_one_form),
		cmocka_unit_test(shape_of_any_entry),
		cmocka_unit_test(rsa_and_group_maps_are_closed),
		cmocka_unit_test(x25519_maps_are_closed),
		cmocka_unit_test(passphrase_maps_are_closed_and_costs_limited),
		cmocka_unit_test(header_in_its_one_form),
		cmocka_unit_test(header_maps_are_closed),
		cmocka_unit_test(header_bombs_are_refused_and_take_no_memory),
		cmocka_unit_test(nesting_counts_from_the_outer_array),
		cmocka_unit_test(recipients_1024_and_1025),
		cmocka_unit_test(passphrases_one_and_two),
		cmocka_unit_test(metadata_of_65536_bytes_and_no_more),
		cmocka_unit_test(header_of_one_mebibyte_and_no_more),
		cmocka_unit_test(header_limits_hold_for_the_opener)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
