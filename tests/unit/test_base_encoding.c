/* base64 and base32: the RFC's examples, round trips, one form only. */
#include "base/encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct example {
	const char *data;
	const char *base64;
	const char *base64url;
	const char *base32;
};

/* RFC 4648 section 10, and two that tell the alphabets apart. */
static const struct example examples[] = {
	{ "", "", "", "" },
	{ "f", "Zg==", "Zg", "my" },
	{ "fo", "Zm8=", "Zm8", "mzxq" },
	{ "foo", "Zm9v", "Zm9v", "mzxw6" },
	{ "foob", "Zm9vYg==", "Zm9vYg", "mzxw6yq" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE", "mzxw6ytb" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy", "mzxw6ytboi" },
	{ "\xfb\xff\xbf", "+/+/", "-_-_", "7p736" },
	{ "\xff\xff\xff\xff\xff\xfe", "///////+", "_______-", "777777777y" },
};
#define EXAMPLES (sizeof examples / sizeof examples[0])

static const char alphabets[2][65] = {
	[BASE64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/",
	[BASE64URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-_",
};

static void
check_base64(enum encoding_alphabet alphabet, const char *data,
    const char *text)
{
	size_t size = strlen(data), length = strlen(text), got = 99;
	unsigned char back[64];
	char out[64];

	memset(out, '#', sizeof out);
	assert_int_equal(base64_encoded_length(alphabet, size), length);
	base64_encode(alphabet, out, data, size);
	assert_memory_equal(out, text, length);
	assert_int_equal(out[length], '#');
	assert_true(base64_decode(alphabet, back, &got, text, length));
	assert_int_equal(got, size);
	assert_memory_equal(back, data, size);
}

static void
base64_agrees_with_the_rfc(void **state)
{
	for (size_t i = 0; i < EXAMPLES; i++) {
		check_base64(BASE64, examples[i].data, examples[i].base64);
		check_base64(BASE64URL, examples[i].data,
		    examples[i].base64url);
	}
}

static void
base32_agrees_with_the_rfc(void **state)
{
	for (size_t i = 0; i < EXAMPLES; i++) {
		const char *data = examples[i].data;
		const char *text = examples[i].base32;
		size_t size = strlen(data), length = strlen(text), got = 99;
		unsigned char back[64];
		char out[64], upper[64];

		memset(out, '#', sizeof out);
		base32_encode(out, data, size);
		assert_memory_equal(out, text, length);
		assert_int_equal(out[length], '#');
		assert_true(base32_decode(back, &got, text, length));
		assert_int_equal(got, size);
		assert_memory_equal(back, data, size);
		for (size_t k = 0; k < length; k++)
			upper[k] = (char)(text[k] >= 'a' ? text[k] - 32 :
			    text[k]);
		assert_true(base32_decode(back, &got, upper, length));
		assert_memory_equal(back, data, size);
	}
}

static void
fill(unsigned char *data, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245 + 12345;
		data[i] = (unsigned char)(seed >> 16);
	}
}

static void
every_length_survives_and_stays_within_its_room(void **state)
{
	unsigned char data[200], back[260];
	char text[300];
	size_t got, length;

	for (size_t size = 0; size < sizeof data; size++) {
		fill(data, size, (unsigned int)size + 1);
		for (int a = 0; a < 2; a++) {
			length = base64_encoded_length(a, size);
			memset(text, '#', sizeof text);
			base64_encode(a, text, data, size);
			assert_int_equal(text[length], '#');
			memset(back, '#', sizeof back);
			assert_true(base64_decode(a, back, &got, text,
			    length));
			assert_int_equal(got, size);
			assert_memory_equal(back, data, size);
			assert_int_equal(back[length / 4 * 3 + 3], '#');
		}
		length = (size * 8 + 4) / 5;
		if (length >= sizeof text)
			continue;
		memset(text, '#', sizeof text);
		base32_encode(text, data, size);
		assert_int_equal(text[length], '#');
		memset(back, '#', sizeof back);
		assert_true(base32_decode(back, &got, text, length));
		assert_int_equal(got, size);
		assert_memory_equal(back, data, size);
		assert_int_equal(back[length * 5 / 8], '#');
	}
}

static void
every_value_at_every_place_is_its_character(void **state)
{
	unsigned char data[6], back[9];
	char text[8];
	size_t got;

	for (int a = 0; a < 2; a++)
		for (unsigned int place = 0; place < 8; place++)
			for (uint64_t v = 0; v < 64; v++) {
				uint64_t bits = v << (42 - 6 * place);

				for (int i = 0; i < 6; i++)
					data[i] = (unsigned char)(bits >>
					    (40 - 8 * i));
				base64_encode(a, text, data, 6);
				for (unsigned int k = 0; k < 8; k++)
					assert_int_equal(text[k],
					    alphabets[a][k == place ? v : 0]);
				assert_true(base64_decode(a, back, &got, text,
				    8));
				assert_memory_equal(back, data, 6);
			}
}

/* Every byte that is not of the alphabet, at every place of 11 or 12. */
static void
other_characters_are_refused(void **state)
{
	unsigned char back[12];
	size_t got;

	for (int a = 0; a < 2; a++)
		for (size_t place = 0; place < 11; place++)
			for (int c = 0; c < 256; c++) {
				char text[12] = "AAAAAAAAAAA=";
				size_t length = a == BASE64 ? 12 : 11;
				bool in = c != 0 && strchr(alphabets[a], c);

				text[place] = (char)c;
				/* The last one has two unused bits. */
				if (place == 10 && in)
					in = (strchr(alphabets[a], c) -
					    alphabets[a]) % 4 == 0;
				assert_int_equal(base64_decode(a, back, &got,
				    text, length),
				    in || (place == 10 && c == '=' &&
				    a == BASE64));
			}
}

static void
other_characters_of_base32_are_refused(void **state)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz234567"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	unsigned char back[10];
	size_t got;

	for (size_t place = 0; place < 8; place++)
		for (int c = 0; c < 256; c++) {
			char text[8] = "aaaaaaaa";

			text[place] = (char)c;
			assert_int_equal(base32_decode(back, &got, text, 8),
			    c != 0 && strchr(good, c) != NULL);
		}
}

static void
base64_has_one_form_only(void **state)
{
	static const char *const padded[] = {
		"Z", "Zg", "Zg=", "Zg===", "Zg====", "=", "==", "===", "====",
		"Zm8", "Zm8==", "Zm9v=", "Zm9v====", "Zm9vYg", "Zm9v=Yg=",
		"Z=g=", "Zg=A", "Zg==Zg==", "Zh==", "Zm9=", " Zg==", "Zg== ",
		"Zg==\n", "Zm9v\nYmFy", "Zg\n==", "Zm9vYmE==", "-_-_",
		"Zm9vYmF=", "Zm9vYh==", "A===", "Zm9vZ===",
	};
	static const char *const plain[] = {
		"Z", "Zg==", "Zg=", "Zh", "Zm8=", "Zm9", "+/+/", "Zm9vY",
		"Zm9vYh", "Zm9vYmF", " Zg", "Zg ", "Zg\n", "Zm9vYmFyZ",
	};
	unsigned char back[32];
	size_t got;

	for (size_t i = 0; i < sizeof padded / sizeof padded[0]; i++) {
		got = 99;
		assert_false(base64_decode(BASE64, back, &got, padded[i],
		    strlen(padded[i])));
		assert_int_equal(got, 0);
	}
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		got = 99;
		assert_false(base64_decode(BASE64URL, back, &got, plain[i],
		    strlen(plain[i])));
		assert_int_equal(got, 0);
	}
}

static void
base32_has_one_form_only(void **state)
{
	static const char *const bad[] = {
		"m", "mzx", "mzxw6y", "mzxw6ytbo", "mz", "mzxr", "mzxw7",
		"mzxw6yr", "my======", "m1", "m8", "my ", " my", "my\n",
		"mzxw6ytboj", "mzxw 6yt"
	};
	unsigned char back[32];
	size_t got;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		got = 99;
		assert_false(base32_decode(back, &got, bad[i],
		    strlen(bad[i])));
		assert_int_equal(got, 0);
	}
}

/* Whatever decodes is what its bytes encode to. */
static void
what_decodes_encodes_to_the_same(void **state)
{
	unsigned char data[9], back[16];
	char text[9], again[16];
	size_t got, accepted = 0;

	for (unsigned int seed = 0; seed < 200000; seed++) {
		size_t length = seed % 9;

		fill(data, sizeof data, seed);
		for (size_t i = 0; i < length; i++)
			text[i] = "AZaz09+/-_=BQgw2"[data[i] % 16];
		for (int a = 0; a < 2; a++) {
			if (!base64_decode(a, back, &got, text, length))
				continue;
			assert_int_equal(base64_encoded_length(a, got),
			    length);
			base64_encode(a, again, back, got);
			assert_memory_equal(again, text, length);
			accepted++;
		}
	}
	assert_true(accepted > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_agrees_with_the_rfc),
		cmocka_unit_test(base32_agrees_with_the_rfc),
		cmocka_unit_test(
		    every_length_survives_and_stays_within_its_room),
		cmocka_unit_test(every_value_at_every_place_is_its_character),
		cmocka_unit_test(other_characters_are_refused),
		cmocka_unit_test(other_characters_of_base32_are_refused),
		cmocka_unit_test(base64_has_one_form_only),
		cmocka_unit_test(base32_has_one_form_only),
		cmocka_unit_test(what_decodes_encodes_to_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
