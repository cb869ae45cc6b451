/*
 * Cards: what makes one malformed, what one may say, and what a card that
 * lists somebody else's key does and does not do.
 */
#include "forge.h"

#include "message/sign1.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob, *rsa;

static int
setup(void **state)
{
	(void)state;
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	rsa = lab_identity("rsa2048", "rsa");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(rsa);
	return 0;
}

/* ---- cards by hand ---- */

/* COSE_Keys of 32 times a byte, which need not be points. */
#define KEY_OF(alg, crv, x) "a4 01 01 03" alg "20" crv "21 5820" x
#define X_AA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2a"
#define X_BB "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb3b"
#define X_TOP "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ALICE_X \
	"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
#define ALICE_KEY KEY_OF("32", "06", ALICE_X)
#define CNF "08 a1 01" ALICE_KEY
#define ENCRYPTION KEY_OF("381e", "04", X_AA)
#define KEYS "3a00010071 81" ENCRYPTION
#define SERIAL "3a00010072 01"
#define IAT "06 1a 6553f100"

/* Signed by alice, whatever it says. */
static enum e2e_error
decode_claims(const struct buffer *claims, struct e2e_card **card)
{
	const struct bytes no_aad = { NULL, 0 };
	struct buffer encoded;
	enum e2e_error error;

	buffer_init(&encoded, LAB_MAX);
	assert_int_equal(sign1_make(&encoded, alice->signing, TYP_CARD,
	    no_aad, buffer_bytes(claims)), E2E_OK);
	error = card_decode(card, buffer_bytes(&encoded));
	assert_true(error == E2E_OK || *card == NULL);
	buffer_free(&encoded);
	return error;
}

static void
claims_give(const char *hex, enum e2e_error expected)
{
	struct buffer claims = lab_hex(hex);
	struct e2e_card *card = NULL;
	enum e2e_error error = decode_claims(&claims, &card);

	if (error != expected)
		print_error("%d: %s\n", (int)error, hex);
	assert_int_equal(error, expected);
	e2e_card_free(card);
	buffer_free(&claims);
}

static void
claims_of_a_card(void **state)
{
	claims_give("a4" IAT CNF KEYS SERIAL, E2E_OK);
	claims_give("a5 02 61 61" IAT CNF KEYS SERIAL, E2E_OK);
	claims_give("a5 02 60" IAT CNF KEYS SERIAL, E2E_OK);
	claims_give("a5 04 01" IAT CNF KEYS SERIAL, E2E_OK);
	/* which would read as "never" */
	claims_give("a5 04 00" IAT CNF KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a5 00 f6" IAT CNF KEYS SERIAL, E2E_OK);
	claims_give("a5" IAT CNF KEYS SERIAL "3a00010074 81 41 00", E2E_OK);
	claims_give("a5" IAT CNF KEYS SERIAL "3a00020000 82 01 a0", E2E_OK);
	/* each mandatory one missing */
	claims_give("a3" CNF KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a3" IAT KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a3" IAT CNF SERIAL, E2E_ERR_CARD);
	claims_give("a3" IAT CNF KEYS, E2E_ERR_CARD);
	claims_give("a0", E2E_ERR_CARD);
	claims_give("", E2E_ERR_CARD);
	claims_give("80", E2E_ERR_CARD);
	/* types */
	claims_give("a5 02 41 61" IAT CNF KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a5 02 61 00" IAT CNF KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a5 02 61 ff" IAT CNF KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a5 04 20" IAT CNF KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a4 06 20" CNF KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF KEYS "3a00010072 20", E2E_ERR_CARD);
	claims_give("a4" IAT CNF KEYS "3a00010072 41 01", E2E_ERR_CARD);
	claims_give("a5" IAT CNF KEYS SERIAL "3a00010074 80", E2E_ERR_CARD);
	claims_give("a5" IAT CNF KEYS SERIAL "3a00010074 81 00",
	    E2E_ERR_CARD);
	/* order, repeats, ends */
	claims_give("a4" CNF IAT KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a5" IAT IAT CNF KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF KEYS SERIAL "00", E2E_ERR_CARD);
	claims_give("a4" IAT CNF KEYS "3a00010072", E2E_ERR_CARD);
	claims_give("bf" IAT CNF KEYS SERIAL "ff", E2E_ERR_CARD);
	claims_give("a5 00 18 05" IAT CNF KEYS SERIAL, E2E_ERR_CARD);
	claims_give("bb ffffffffffffffff" IAT CNF KEYS SERIAL, E2E_ERR_CARD);
}

static void
keys_of_a_card(void **state)
{
	/* cnf is closed */
	claims_give("a4" IAT "08 a0" KEYS SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT "08 a2 01" ALICE_KEY "02 00" KEYS SERIAL,
	    E2E_ERR_CARD);
	claims_give("a4" IAT "08 a1 05" ALICE_KEY KEYS SERIAL, E2E_ERR_CARD);
	/* an encryption key in its place, and the other way round */
	claims_give("a4" IAT "08 a1 01" ENCRYPTION KEYS SERIAL,
	    E2E_ERR_CARD);
	claims_give("a4" IAT CNF "3a00010071 81" ALICE_KEY SERIAL,
	    E2E_ERR_CARD);
	/* no keys, the same twice, two different */
	claims_give("a4" IAT CNF "3a00010071 80" SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF "3a00010071 82" ENCRYPTION ENCRYPTION
	    SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF "3a00010071 82" ENCRYPTION
	    KEY_OF("381e", "04", X_BB) SERIAL, E2E_OK);
	/* the top bit, private members, other members, algorithms, curves */
	claims_give("a4" IAT CNF "3a00010071 81" KEY_OF("381e", "04", X_TOP)
	    SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF "3a00010071 81 a5 01 01 03 381e 20 04 21"
	    "5820" X_AA "23 5820" X_BB SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF "3a00010071 81 a5 01 01 02 41 00 03 381e"
	    "20 04 21 5820" X_AA SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF "3a00010071 81" KEY_OF("381e", "06", X_AA)
	    SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF "3a00010071 81" KEY_OF("3828", "04", X_AA)
	    SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF "3a00010071 81" KEY_OF("24", "04", X_AA)
	    SERIAL, E2E_ERR_CARD);
	claims_give("a4" IAT CNF "3a00010071 81 a3 01 01 20 04 21 5820" X_AA
	    SERIAL, E2E_ERR_CARD);
	/* kid and signature are alice's, the key is bob's */
	claims_give("a4" IAT "08 a1 01" KEY_OF("32", "06", X_BB) KEYS SERIAL,
	    E2E_ERR_CARD);
}

static void
sixteen_encryption_keys_and_no_more(void **state)
{
	char *hex = malloc(32768), *to;
	unsigned i, count;

	assert_non_null(hex);
	for (count = 16; count <= 17; count++) {
		to = hex + sprintf(hex, "a4" IAT CNF "3a00010071 %02x",
		    0x80 + count);
		for (i = 0; i < count; i++)
			to += sprintf(to, "a4 01 01 03 381e 20 04 21 5820"
			    "%02x000000000000000000000000000000"
			    "00000000000000000000000000000011", i);
		(void)sprintf(to, SERIAL);
		claims_give(hex, count == 16 ? E2E_OK : E2E_ERR_LIMIT);
	}
	/* A count that is not there is no reason to take memory. */
	claims_give("a4" IAT CNF "3a00010071 9b 8000000000000000",
	    E2E_ERR_LIMIT);
	free(hex);
}

static void
name_of_64_bytes_and_no_more(void **state)
{
	char hex[2048], *to;
	int length, i;

	for (length = 64; length <= 65; length++) {
		to = hex + sprintf(hex, "a5 02 78 %02x", (unsigned)length);
		for (i = 0; i < length; i++)
			to += sprintf(to, "61");
		(void)sprintf(to, IAT CNF KEYS SERIAL);
		claims_give(hex, length == 64 ? E2E_OK : E2E_ERR_LIMIT);
	}
}

/* Exactly 16384 bytes by means of an unknown claim. */
static void
card_of_16384_bytes_and_no_more(void **state)
{
	struct buffer claims, zeros;
	struct e2e_card *card;
	size_t length;
	int more;

	for (more = 0; more <= 1; more++) {
		buffer_init(&claims, LAB_MAX);
		zeros = lab_hex("a5" IAT CNF KEYS SERIAL "3a00020000");
		(void)buffer_append(&claims, zeros.data, zeros.length);
		/* protected 67 and payload with heads, signature 66, and 3
		 * for tag, array and map */
		length = 16384 - 67 - 3 - 66 - 3 - claims.length - 3 +
		    (size_t)more;
		dcbor_put_bytes_head(&claims, length);
		memset(buffer_extend(&claims, length), 0, length);
		assert_int_equal(decode_claims(&claims, &card), more == 0 ?
		    E2E_OK : E2E_ERR_LIMIT);
		if (more == 0)
			assert_int_equal(card->encoded.length, 16384);
		e2e_card_free(card);
		buffer_free(&claims);
		buffer_free(&zeros);
	}
}

/* ---- RSA bounds ---- */

/* A card with an RSA encryption key of this modulus and exponent. */
static enum e2e_error
rsa_card(size_t modulus_bytes, unsigned char first, unsigned char last,
    const char *e_hex)
{
	struct buffer claims, part = lab_hex("a4" IAT CNF "3a00010071 81"
	    "a4 01 03 03 3828 20");
	struct buffer e = lab_hex(e_hex), serial = lab_hex(SERIAL);
	unsigned char *n = malloc(modulus_bytes + 1);
	struct e2e_card *card = NULL;
	enum e2e_error error;

	assert_non_null(n);
	memset(n, 0x55, modulus_bytes);
	n[0] = first;
	n[modulus_bytes - 1] = last;
	buffer_init(&claims, LAB_MAX);
	(void)buffer_append(&claims, part.data, part.length);
	dcbor_put_bytes(&claims, n, modulus_bytes);
	dcbor_put_int(&claims, RSA_E);
	dcbor_put_bytes(&claims, e.data, e.length);
	(void)buffer_append(&claims, serial.data, serial.length);
	assert_false(claims.failed);
	error = decode_claims(&claims, &card);
	e2e_card_free(card);
	buffer_free(&claims);
	buffer_free(&part);
	buffer_free(&e);
	buffer_free(&serial);
	free(n);
	return error;
}

static void
rsa_moduli_of_2048_to_4096_bits(void **state)
{
	assert_int_equal(rsa_card(256, 0x80, 1, "010001"), E2E_OK);
	assert_int_equal(rsa_card(257, 0x01, 1, "010001"), E2E_OK);
	assert_int_equal(rsa_card(384, 0xff, 1, "010001"), E2E_OK);
	assert_int_equal(rsa_card(512, 0xff, 1, "010001"), E2E_OK);
	/* 1024, 2047, 4097 and 16384 bits */
	assert_int_equal(rsa_card(128, 0x80, 1, "010001"),
	    E2E_ERR_KEY_SIZE);
	assert_int_equal(rsa_card(256, 0x7f, 1, "010001"),
	    E2E_ERR_KEY_SIZE);
	assert_int_equal(rsa_card(513, 0x01, 1, "010001"),
	    E2E_ERR_KEY_SIZE);
	assert_int_equal(rsa_card(2048, 0x80, 1, "010001"),
	    E2E_ERR_KEY_SIZE);
	assert_int_equal(rsa_card(1, 0x03, 3, "010001"), E2E_ERR_KEY_SIZE);
	/* even, or with a leading zero */
	assert_int_equal(rsa_card(256, 0x80, 2, "010001"),
	    E2E_ERR_KEY_SIZE);
	assert_int_equal(rsa_card(257, 0x00, 1, "010001"), E2E_ERR_CARD);
}

static void
rsa_exponents_from_65537_to_32_bits(void **state)
{
	static const struct {
		const char *e;
		enum e2e_error error;
	} exponents[] = {
		{ "010001", E2E_OK }, { "ffffffff", E2E_OK },
		{ "010003", E2E_OK },
		{ "01", E2E_ERR_KEY_SIZE }, { "03", E2E_ERR_KEY_SIZE },
		{ "11", E2E_ERR_KEY_SIZE }, { "ffff", E2E_ERR_KEY_SIZE },
		{ "010000", E2E_ERR_KEY_SIZE },
		{ "010002", E2E_ERR_KEY_SIZE },
		{ "fffffffe", E2E_ERR_KEY_SIZE },
		{ "0100000001", E2E_ERR_KEY_SIZE },
		{ "8000000000000000000000000000000000000001",
		    E2E_ERR_KEY_SIZE },
		{ "", E2E_ERR_CARD }, { "00", E2E_ERR_CARD },
		{ "00010001", E2E_ERR_CARD }
	};
	size_t i;

	for (i = 0; i < sizeof(exponents) / sizeof(exponents[0]); i++)
		assert_int_equal(rsa_card(256, 0x80, 1, exponents[i].e),
		    exponents[i].error);
}

/* ---- the signature ---- */

static void
altered_card_never_verifies(void **state)
{
	struct e2e_card *cards[] = { alice->card, rsa->card }, *card;
	struct buffer b;
	enum e2e_error error;
	size_t i, k;

	for (k = 0; k < 2; k++) {
		buffer_init(&b, E2E_CARD_MAX);
		(void)buffer_append(&b, cards[k]->encoded.data,
		    cards[k]->encoded.length);
		for (i = 0; i < b.length; i++) {
			b.data[i] ^= 1;
			error = card_decode(&card, buffer_bytes(&b));
			assert_true(error == E2E_ERR_CARD ||
			    error == E2E_ERR_CARD_SIGNATURE ||
			    error == E2E_ERR_LIMIT ||
			    error == E2E_ERR_KEY_SIZE);
			assert_null(card);
			b.data[i] ^= 1;
		}
		for (i = 0; i < b.length; i++)
			assert_int_equal(card_decode(&card, (struct bytes){
			    b.data, i }), E2E_ERR_CARD);
		(void)buffer_append_byte(&b, 0);
		assert_int_equal(card_decode(&card, buffer_bytes(&b)),
		    E2E_ERR_CARD);
		buffer_free(&b);
	}
}

/* ---- somebody else's key ---- */

/* mallory lists bob's encryption key as his own. Mail for mallory carries
 * mallory's id, so bob does not take it for his. */
static void
card_that_lists_anothers_key_does_not_redirect_mail(void **state)
{
	struct e2e_identity *mallory = lab_fixed_identity(31, 32, "m", 1);
	const struct key *listed = bob->encryption[0];
	struct e2e_card *card;
	const struct e2e_card *to;
	struct e2e_seal q = { .to.cards = &to, .to.card_count = 1,
		.sender = alice, .threads = 1 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, NULL);
	struct buffer envelope;

	assert_int_equal(card_make(&card, mallory->signing, &listed, 1,
	    "bob", 1700000000, 0, 1), E2E_OK);
	to = card;
	envelope = lab_seal(&q, "for mallory", 11, LAB_STREAM);
	lab_refused(E2E_ERR_NO_KEY, envelope.data, envelope.length,
	    &request);
	buffer_free(&envelope);
	/* Hidden, bob's key fits; then he is told that it was not for him. */
	q.to.hide = true;
	envelope = lab_seal(&q, "for mallory", 11, LAB_STREAM);
	lab_refused(E2E_ERR_NOT_ADDRESSED, envelope.data, envelope.length,
	    &request);
	buffer_free(&envelope);
	e2e_card_free(card);
	e2e_identity_free(mallory);
}

/* ---- lines ---- */

static void
line_is(const char *line, enum e2e_error expected)
{
	struct e2e_card *card;

	assert_int_equal(e2e_card_parse(&card, line, strlen(line)),
	    expected);
	assert_int_equal(card != NULL, expected == E2E_OK);
	e2e_card_free(card);
}

static void
public_key_line_in_its_one_form(void **state)
{
	char *line = e2e_card_line(alice->card), text[2048];
	size_t length;
	struct e2e_card *card;

	assert_non_null(line);
	line_is(line, E2E_OK);
	length = strlen(line) - strlen(" alice\n");
	(void)snprintf(text, sizeof(text), "%.*s", (int)length, line);
	line_is(text, E2E_OK);
	(void)snprintf(text, sizeof(text), "%.*s\r\n", (int)length, line);
	line_is(text, E2E_OK);
	(void)snprintf(text, sizeof(text), "%.*s any comment", (int)length,
	    line);
	line_is(text, E2E_OK);
	(void)snprintf(text, sizeof(text), " %s", line);
	line_is(text, E2E_ERR_CARD);
	(void)snprintf(text, sizeof(text), "%.*s=", (int)length, line);
	line_is(text, E2E_ERR_CARD);
	(void)snprintf(text, sizeof(text), "%.*s\tname", (int)length, line);
	line_is(text, E2E_ERR_CARD);
	(void)snprintf(text, sizeof(text), "%s\n", line);
	line_is(text, E2E_ERR_CARD);
	(void)snprintf(text, sizeof(text), "%s%s", line, line);
	line_is(text, E2E_ERR_CARD);
	(void)snprintf(text, sizeof(text), "e2e-pub1  %s", line + 9);
	line_is(text, E2E_ERR_CARD);
	(void)snprintf(text, sizeof(text), "e2e-pub2 %s", line + 9);
	line_is(text, E2E_ERR_CARD);
	(void)snprintf(text, sizeof(text), "E2E-pub1 %s", line + 9);
	line_is(text, E2E_ERR_CARD);
	line_is("e2e-pub1 ", E2E_ERR_CARD);
	line_is("e2e-pub1", E2E_ERR_CARD);
	line_is("", E2E_ERR_CARD);
	line_is("\r\n", E2E_ERR_CARD);
	/* base64, not base64url */
	(void)snprintf(text, sizeof(text), "%s", line);
	assert_non_null(strchr(text, '_') != NULL ? strchr(text, '_') :
	    strchr(text + 9, '-'));
	for (length = 9; text[length] != ' '; length++) {
		if (text[length] == '-')
			text[length] = '+';
		if (text[length] == '_')
			text[length] = '/';
	}
	line_is(text, E2E_ERR_CARD);
	assert_int_equal(e2e_card_parse(&card, line, strlen(line)), E2E_OK);
	assert_true(e2e_card_equal(card, alice->card));
	e2e_card_free(card);
	free(line);
}

/* A name with a line end must not make another line of its card's. */
static void
hostile_name_does_not_reach_the_line(void **state)
{
	const struct key *listed = bob->encryption[0];
	struct e2e_card *card;
	char *line;

	assert_int_equal(card_make(&card, alice->signing, &listed, 1,
	    "x\ne2e-pub1 evil", 1, 0, 1), E2E_OK);
	line = e2e_card_line(card);
	assert_non_null(line);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	line_is(line, E2E_OK);
	free(line);
	e2e_card_free(card);
	assert_false(card_name_acceptable("a\nb"));
	assert_false(card_name_acceptable("a\033[1m"));
	assert_false(card_name_acceptable("a\x7f"));
	assert_false(card_name_acceptable("\xff"));
	assert_false(card_name_acceptable("\xe2\x80\xae"));
	assert_true(card_name_acceptable("J\xc3\xb6rg"));
	assert_true(card_name_acceptable(""));
}

static void
fingerprints_both_ways(void **state)
{
	char text[E2E_FINGERPRINT_LEN + 1], other[128];
	unsigned char id[32], back[32];
	size_t i, k;

	for (i = 0; i < 256; i++) {
		memset(id, (int)i, sizeof(id));
		id[31] = (unsigned char)(255 - i);
		e2e_fingerprint(text, id);
		assert_int_equal(strlen(text), E2E_FINGERPRINT_LEN);
		assert_true(e2e_fingerprint_parse(back, text));
		assert_memory_equal(back, id, 32);
		for (k = 0; text[k] != '\0'; k++)
			other[k] = (char)(text[k] >= 'a' && text[k] <= 'z' ?
			    text[k] - 32 : text[k] == '-' ? ' ' : text[k]);
		other[k] = '\0';
		assert_true(e2e_fingerprint_parse(back, other));
		assert_memory_equal(back, id, 32);
	}
	assert_false(e2e_fingerprint_parse(back, ""));
	text[0] = '1';
	assert_false(e2e_fingerprint_parse(back, text));
	text[0] = 'a';
	text[E2E_FINGERPRINT_LEN - 1] = '\0';
	assert_false(e2e_fingerprint_parse(back, text));
}

/* ---- expiry ---- */

static void
expired_card_is_not_sealed_to(void **state)
{
	const struct key *listed = bob->encryption[0];
	struct e2e_card *card;
	const struct e2e_card *to;
	struct e2e_seal q = { .to.cards = &to, .to.card_count = 1,
		.threads = 1 };
	struct lab_source source;
	struct lab_sink sink;
	struct e2e_input input = lab_input(&source, "x", 1, false);
	struct e2e_output output = lab_output(&sink, false);

	assert_int_equal(card_make(&card, bob->signing, &listed, 1, "bob",
	    1, 2, 1), E2E_OK);
	to = card;
	assert_int_equal(e2e_seal(&q, &input, &output, NULL, NULL),
	    E2E_ERR_RECIPIENT_EXPIRED);
	assert_int_equal(sink.calls, 0);
	lab_sink_free(&sink);
	e2e_card_free(card);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_of_a_card),
		cmocka_unit_test(keys_of_a_card),
		cmocka_unit_test(sixteen_encryption_keys_and_no_more),
		cmocka_unit_test(name_of_64_bytes_and_no_more),
		cmocka_unit_test(card_of_16384_bytes_and_no_more),
		cmocka_unit_test(rsa_moduli_of_2048_to_4096_bits),
		cmocka_unit_test(rsa_exponents_from_65537_to_32_bits),
		cmocka_unit_test(altered_card_never_verifies),
		cmocka_unit_test(
		    card_that_lists_anothers_key_does_not_redirect_mail),
		cmocka_unit_test(public_key_line_in_its_one_form),
		cmocka_unit_test(hostile_name_does_not_reach_the_line),
		cmocka_unit_test(fingerprints_both_ways),
		cmocka_unit_test(expired_card_is_not_sealed_to)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
