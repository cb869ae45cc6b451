/* COSE_Sign1 and COSE_Key in their one form (docs/FORMAT.md, 5.1 and 7.1). */
#include "lab.h"

#include "wire/cose.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define X8 "0101010101010101"
#define X32 X8 X8 X8 X8
#define TYP_HEX "63 612b62 (a+b)"
#define PROTECTED "58 2b a3 01 32 04 5820" X32 "10 63 612b62"

/* ---- COSE_Sign1 ---- */

static enum e2e_error
parse_sign1(const char *hex, const char *typ)
{
	struct buffer b = lab_hex(hex), again;
	struct cose_sign1 sign1;
	enum e2e_error error = cose_sign1_parse(&sign1, buffer_bytes(&b), typ);

	if (error == E2E_OK) {
		buffer_init(&again, LAB_MAX);
		cose_put_sign1(&again, sign1.protected_header, sign1.payload,
		    sign1.signature);
		assert_int_equal(again.length, b.length);
		assert_memory_equal(again.data, b.data, b.length);
		buffer_clear(&again);
		cose_put_sign1_protected(&again, sign1.alg, sign1.kid, typ);
		assert_true(bytes_equal(buffer_bytes(&again),
		    sign1.protected_header));
		buffer_free(&again);
	}
	buffer_free(&b);
	return error;
}

static void
good_sign1(const char *hex)
{
	assert_int_equal(parse_sign1(hex, "a+b"), E2E_OK);
}

static void
bad_sign1(const char *hex)
{
	if (parse_sign1(hex, "a+b") != E2E_ERR_MALFORMED)
		print_error("%s\n", hex);
	assert_int_equal(parse_sign1(hex, "a+b"), E2E_ERR_MALFORMED);
}

static void
sign1_in_its_one_form(void **state)
{
	static const char whole[] = "d2 84" PROTECTED "a0 43 010203 41 00";
	struct buffer b = lab_hex(whole);
	struct cose_sign1 sign1;
	size_t i;

	good_sign1(whole);
	good_sign1("d2 84" PROTECTED "a0 40 40");
	for (i = 0; i < b.length; i++)
		assert_int_equal(cose_sign1_parse(&sign1, (struct bytes){
		    b.data, i }, "a+b"), E2E_ERR_MALFORMED);
	buffer_free(&b);
}

static void
sign1_that_deviates(void **state)
{
	/* another typ, longer, shorter, none */
	assert_int_equal(parse_sign1("d2 84" PROTECTED "a0 40 40", "a+c"),
	    E2E_ERR_MALFORMED);
	assert_int_equal(parse_sign1("d2 84" PROTECTED "a0 40 40", "a+"),
	    E2E_ERR_MALFORMED);
	assert_int_equal(parse_sign1("d2 84" PROTECTED "a0 40 40", "a+bc"),
	    E2E_ERR_MALFORMED);
	assert_int_equal(parse_sign1("d2 84" PROTECTED "a0 40 40", ""),
	    E2E_ERR_MALFORMED);
	/* tag, array, end */
	bad_sign1("84" PROTECTED "a0 40 40");
	bad_sign1("d1 84" PROTECTED "a0 40 40");
	bad_sign1("d860 84" PROTECTED "a0 40 40");
	bad_sign1("d812 84" PROTECTED "a0 40 40");
	bad_sign1("d2 d2 84" PROTECTED "a0 40 40");
	bad_sign1("d2 83" PROTECTED "a0 40");
	bad_sign1("d2 85" PROTECTED "a0 40 40 40");
	bad_sign1("d2 9f" PROTECTED "a0 40 40 ff");
	bad_sign1("d2 84" PROTECTED "a0 40 40 00");
	/* unprotected is empty, payload attached */
	bad_sign1("d2 84" PROTECTED "a1 01 32 40 40");
	bad_sign1("d2 84" PROTECTED "a1 04 5820" X32 "40 40");
	bad_sign1("d2 84" PROTECTED "bf ff 40 40");
	bad_sign1("d2 84" PROTECTED "80 40 40");
	bad_sign1("d2 84" PROTECTED "a0 f6 40");
	bad_sign1("d2 84" PROTECTED "a0 60 40");
	bad_sign1("d2 84" PROTECTED "a0 40 f6");
	bad_sign1("d2 84 a3 01 32 04 5820" X32 "10" TYP_HEX "a0 40 40");
	bad_sign1("d2 84 5b 8000000000000000 a0 40 40");
}

/* Right around this protected header. */
static enum e2e_error
parse_protected(const char *hex)
{
	struct buffer inner = lab_hex(hex), b = lab_hex("d2 84");
	struct buffer rest = lab_hex("a0 40 40");
	struct cose_sign1 sign1;
	enum e2e_error error;

	dcbor_put_bytes(&b, inner.data, inner.length);
	(void)buffer_append(&b, rest.data, rest.length);
	error = cose_sign1_parse(&sign1, buffer_bytes(&b), "a+b");
	buffer_free(&inner);
	buffer_free(&rest);
	buffer_free(&b);
	return error;
}

static void
protected_header_is_closed(void **state)
{
	static const char *const bad[] = {
		"", "a0", "80", "f6",
		/* one missing */
		"a2 01 32 04 5820" X32, "a2 04 5820" X32 "10" TYP_HEX,
		"a2 01 32 10" TYP_HEX,
		/* one more: crit, content type, another label */
		"a4 01 32 02 80 04 5820" X32 "10" TYP_HEX,
		"a4 01 32 03 00 04 5820" X32 "10" TYP_HEX,
		"a4 01 32 04 5820" X32 "10" TYP_HEX "11 00",
		/* order, repeats, ends, heads */
		"a3 04 5820" X32 "01 32 10" TYP_HEX,
		"a3 01 32 01 32 10" TYP_HEX,
		"a3 01 32 04 5820" X32 "10" TYP_HEX "00",
		"bf 01 32 04 5820" X32 "10" TYP_HEX "ff",
		"a3 01 3812 04 5820" X32 "10" TYP_HEX,
		/* kid and typ of other types and lengths */
		"a3 01 32 04 581f" X8 X8 X8 "01010101010101 10" TYP_HEX,
		"a3 01 32 04 5821" X32 "00 10" TYP_HEX,
		"a3 01 32 04 7820" X32 "10" TYP_HEX,
		"a3 01 32 04 5820" X32 "10 43 612b62",
		"a3 01 32 04 5820" X32 "10 18 3c",
		"a3 01 32 04 5820" X32 "10 62 612b",
		"a3 01 32 04 5820" X32 "10 64 612b6200",
		/* alg: EdDSA, ES256, PS384, A256GCM, a text */
		"a3 01 27 04 5820" X32 "10" TYP_HEX,
		"a3 01 26 04 5820" X32 "10" TYP_HEX,
		"a3 01 3825 04 5820" X32 "10" TYP_HEX,
		"a3 01 03 04 5820" X32 "10" TYP_HEX,
		"a3 01 61 32 04 5820" X32 "10" TYP_HEX
	};
	size_t i;

	assert_int_equal(parse_protected("a3 01 32 04 5820" X32 "10"
	    TYP_HEX), E2E_OK);
	assert_int_equal(parse_protected("a3 01 3824 04 5820" X32 "10"
	    TYP_HEX), E2E_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse_protected(bad[i]) != E2E_ERR_MALFORMED)
			print_error("%s\n", bad[i]);
		assert_int_equal(parse_protected(bad[i]), E2E_ERR_MALFORMED);
	}
}

static void
structures_have_the_bytes_of_the_rfc(void **state)
{
	const struct bytes p = { (const unsigned char *)"p", 1 };
	const struct bytes x = { (const unsigned char *)"xx", 2 };
	const struct bytes none = { NULL, 0 };
	struct buffer b, expected;

	buffer_init(&b, 256);
	cose_put_sig_structure(&b, p, none, x);
	expected = lab_hex("84 6a 5369676e617475726531 41 70 40 42 7878");
	assert_true(bytes_equal(buffer_bytes(&b), buffer_bytes(&expected)));
	buffer_free(&expected);
	buffer_clear(&b);
	cose_put_enc_structure(&b, p, x);
	expected = lab_hex("83 67 456e6372797074 41 70 42 7878");
	assert_true(bytes_equal(buffer_bytes(&b), buffer_bytes(&expected)));
	buffer_free(&expected);
	buffer_free(&b);
}

/* ---- COSE_Key ---- */

#define OKP_PUBLIC "a4 01 01 03 381e 20 04 21 5820" X32
#define OKP_PRIVATE "a5 01 01 03 381e 20 04 21 5820" X32 "23 5820" X32
#define ED_PUBLIC "a4 01 01 03 32 20 06 21 5820" X32
#define RSA_PUBLIC "a4 01 03 03 3828 20 42 8001 21 43 010001"
#define RSA_PRIVATE "aa 01 03 03 3824 20 42 8001 21 43 010001" \
	"22 41 01 23 41 02 24 41 03 25 41 04 26 41 05 27 41 06"

static enum e2e_error
parse_key(const char *hex, bool want_private)
{
	struct buffer b = lab_hex(hex), again;
	struct dcbor_reader r;
	struct cose_key key;
	enum e2e_error error;

	dcbor_reader_init(&r, b.data, b.length);
	error = cose_key_parse(&key, &r, want_private);
	if (error == E2E_OK && !dcbor_finish(&r))
		error = E2E_ERR_MALFORMED;
	if (error == E2E_OK) {
		assert_int_equal(cose_key_is_private(&key), want_private);
		buffer_init(&again, LAB_MAX);
		cose_put_key(&again, &key, want_private);
		assert_true(bytes_equal(buffer_bytes(&again),
		    buffer_bytes(&b)));
		buffer_free(&again);
	}
	buffer_free(&b);
	return error;
}

static void
bad_key(const char *hex)
{
	if (parse_key(hex, false) == E2E_OK || parse_key(hex, true) == E2E_OK)
		print_error("%s\n", hex);
	assert_int_equal(parse_key(hex, false), E2E_ERR_MALFORMED);
	assert_int_equal(parse_key(hex, true), E2E_ERR_MALFORMED);
}

static void
keys_in_their_one_form(void **state)
{
	static const char *const publics[] = { OKP_PUBLIC, ED_PUBLIC,
		RSA_PUBLIC };
	static const char *const privates[] = { OKP_PRIVATE, RSA_PRIVATE };
	struct dcbor_reader r;
	struct cose_key key;
	struct buffer b;
	size_t i, k;

	for (i = 0; i < 3; i++) {
		assert_int_equal(parse_key(publics[i], false), E2E_OK);
		/* Private parts are demanded, not merely allowed. */
		assert_int_equal(parse_key(publics[i], true),
		    E2E_ERR_MALFORMED);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(parse_key(privates[i], true), E2E_OK);
		/* And do not slip in where public ones are expected. */
		assert_int_equal(parse_key(privates[i], false),
		    E2E_ERR_MALFORMED);
		b = lab_hex(privates[i]);
		for (k = 0; k < b.length; k++) {
			dcbor_reader_init(&r, b.data, k);
			assert_int_equal(cose_key_parse(&key, &r, true),
			    E2E_ERR_MALFORMED);
		}
		buffer_free(&b);
	}
}

static void
combinations_outside_the_table(void **state)
{
	static const char *const algs[] = {
		"3824", "3828", "32", "381e", "24", "26", "03", "27", "20",
		"390100"
	};
	char hex[512];
	size_t i;
	int crv;

	for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		for (crv = 0; crv < 9; crv++) {
			(void)snprintf(hex, sizeof(hex),
			    "a4 01 01 03 %s 20 %02x 21 5820" X32, algs[i],
			    (unsigned)crv);
			assert_int_equal(parse_key(hex, false),
			    (i == 2 && crv == 6) || (i == 3 && crv == 4) ?
			    E2E_OK : E2E_ERR_MALFORMED);
		}
		(void)snprintf(hex, sizeof(hex),
		    "a4 01 03 03 %s 20 42 8001 21 43 010001", algs[i]);
		assert_int_equal(parse_key(hex, false), i < 2 ? E2E_OK :
		    E2E_ERR_MALFORMED);
	}
	/* kty: EC2, symmetric, AKP, a text, none */
	bad_key("a4 01 02 03 381e 20 04 21 5820" X32);
	bad_key("a3 01 04 03 24 20 5820" X32);
	bad_key("a4 01 07 03 381e 20 04 21 5820" X32);
	bad_key("a4 01 63 4f4b50 03 381e 20 04 21 5820" X32);
	bad_key("a3 03 381e 20 04 21 5820" X32);
	bad_key("a3 01 01 20 04 21 5820" X32);
}

static void
key_maps_are_closed(void **state)
{
	bad_key("a0");
	bad_key("80");
	bad_key("a5 01 01 02 40 03 381e 20 04 21 5820" X32);
	bad_key("a5 01 01 03 381e 04 80 20 04 21 5820" X32);
	bad_key("a5 01 01 03 381e 20 04 21 5820" X32 "22 f4");
	bad_key("a3 01 01 03 381e 20 04");
	bad_key("a4 01 01 03 381e 21 5820" X32 "20 04");
	bad_key("a4 01 01 03 381e 20 04 21 581f" X8 X8 X8 "01010101010101");
	bad_key("a4 01 01 03 381e 20 04 21 5821" X32 "00");
	bad_key("a5 01 01 03 381e 20 04 21 5820" X32 "23 581f" X8 X8 X8
	    "01010101010101");
	bad_key("a3 01 03 03 3828 20 42 8001");
	bad_key("a5 01 03 03 3828 20 42 8001 21 43 010001 22 41 01");
	bad_key("a9 01 03 03 3824 20 42 8001 21 43 010001"
	    "22 41 01 23 41 02 24 41 03 25 41 04 26 41 05");
	/* other primes: r_i (-9) and the rest */
	bad_key("ab 01 03 03 3824 20 42 8001 21 43 010001 22 41 01 23 41 02"
	    "24 41 03 25 41 04 26 41 05 27 41 06 28 80");
	/* integers: leading zero, empty, another type */
	bad_key("a4 01 03 03 3828 20 43 008001 21 43 010001");
	bad_key("a4 01 03 03 3828 20 42 8001 21 44 00010001");
	bad_key("a4 01 03 03 3828 20 40 21 43 010001");
	bad_key("a4 01 03 03 3828 20 42 8001 21 40");
	bad_key("a4 01 03 03 3828 20 42 8001 21 1a 00010001");
	bad_key("aa 01 03 03 3824 20 42 8001 21 43 010001"
	    "22 41 00 23 41 02 24 41 03 25 41 04 26 41 05 27 41 06");
	/* the URI of a key in hardware is reserved */
	bad_key("a5 01 01 03 32 20 06 21 5820" X32 "3a00010073 61 61");
}

static void
thumbprints_are_over_the_required_members(void **state)
{
	static const struct {
		const char *key, *input;
	} keys[] = {
		{ ED_PUBLIC, "a3 01 01 20 06 21 5820" X32 },
		{ OKP_PUBLIC, "a3 01 01 20 04 21 5820" X32 },
		{ RSA_PUBLIC, "a3 01 03 20 42 8001 21 43 010001" }
	};
	struct buffer b, input, expected;
	struct dcbor_reader r;
	struct cose_key key;
	size_t i;

	for (i = 0; i < 3; i++) {
		b = lab_hex(keys[i].key);
		expected = lab_hex(keys[i].input);
		dcbor_reader_init(&r, b.data, b.length);
		assert_int_equal(cose_key_parse(&key, &r, false), E2E_OK);
		buffer_init(&input, 512);
		cose_put_thumbprint_input(&input, &key);
		assert_true(bytes_equal(buffer_bytes(&input),
		    buffer_bytes(&expected)));
		buffer_free(&b);
		buffer_free(&input);
		buffer_free(&expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sign1_in_its_one_form),
		cmocka_unit_test(sign1_that_deviates),
		cmocka_unit_test(protected_header_is_closed),
		cmocka_unit_test(structures_have_the_bytes_of_the_rfc),
		cmocka_unit_test(keys_in_their_one_form),
		cmocka_unit_test(combinations_outside_the_table),
		cmocka_unit_test(key_maps_are_closed),
		cmocka_unit_test(thumbprints_are_over_the_required_members)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
