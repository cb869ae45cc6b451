/* The inside of a secret key file (docs/FORMAT.md, 8), both forms. */
#include "lab.h"

#include "wire/keyfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define X8 "0101010101010101"
#define X32 X8 X8 X8 X8
#define P "58 2a a2 01 03 3a00010040 5820" X32
#define IV "a1 05 4c 020202020202020202020202"
#define CT "50 00000000000000000000000000000000"
#define PASSPHRASE "83 40 a5 01 3a00010049 3a0001004a 50" X8 X8 \
	"3a0001004b 01 3a0001004c 192000 3a0001004d 01 5828" X32 X8
#define SECRET "d860 84" P IV CT "81" PASSPHRASE
#define SIGNING "a5 01 01 03 32 20 06 21 5820" X32 "23 5820" X32
#define ENCRYPTION "a5 01 01 03 381e 20 04 21 5820" X32 "23 5820" X32

static const struct header_limits limits = {
	.memory_max_kib = 8192, .ciphertext_max = E2E_KEY_FILE_MAX
};

static void
gives(enum e2e_error expected, const char *hex)
{
	struct buffer b = lab_hex(hex);
	struct keyfile file;
	enum e2e_error error = keyfile_parse(&file, buffer_bytes(&b),
	    &limits);

	if (error != expected)
		print_error("%d: %s\n", (int)error, hex);
	assert_int_equal(error, expected);
	if (error != E2E_OK)
		assert_null(file.card.data);
	keyfile_free(&file);
	buffer_free(&b);
}

static void
both_forms_are_written_as_they_were_read(void **state)
{
	static const char *const items[] = { "82 41 aa" SECRET,
		"82 41 aa 43 010203" };
	struct buffer b, again;
	struct keyfile file;
	struct bytes secret;
	size_t i, k;

	for (i = 0; i < 2; i++) {
		b = lab_hex(items[i]);
		assert_int_equal(keyfile_parse(&file, buffer_bytes(&b),
		    &limits), E2E_OK);
		assert_int_equal(file.is_encrypted, i == 0);
		secret = file.key_set;
		if (i == 0)
			secret = (struct bytes){ b.data + 3, b.length - 3 };
		buffer_init(&again, LAB_MAX);
		keyfile_put(&again, file.card, secret, i == 0);
		assert_true(bytes_equal(buffer_bytes(&again),
		    buffer_bytes(&b)));
		keyfile_free(&file);
		for (k = 0; k < b.length; k++)
			assert_int_equal(keyfile_parse(&file, (struct bytes){
			    b.data, k }, &limits), E2E_ERR_KEY_FILE);
		buffer_free(&again);
		buffer_free(&b);
	}
}

static void
items_that_deviate(void **state)
{
	gives(E2E_ERR_KEY_FILE, "");
	gives(E2E_ERR_KEY_FILE, "80");
	gives(E2E_ERR_KEY_FILE, "81 41 aa");
	gives(E2E_ERR_KEY_FILE, "83 41 aa 40 40");
	gives(E2E_ERR_KEY_FILE, "82 41 aa 40 00");
	gives(E2E_ERR_KEY_FILE, "82 61 61 40");
	gives(E2E_ERR_KEY_FILE, "82 41 aa 80");
	gives(E2E_ERR_KEY_FILE, "82 41 aa f6");
	gives(E2E_ERR_KEY_FILE, "9f 41 aa 40 ff");
	gives(E2E_ERR_KEY_FILE, "82 5801 aa 40");
	gives(E2E_ERR_KEY_FILE, "82 5b 8000000000000000");
	/* the encrypted form in a byte string is a key set, not a header */
	gives(E2E_OK, "82 41 aa 42 d860");
	/* tags, ends, more than a passphrase, none, another kind */
	gives(E2E_ERR_KEY_FILE, "82 41 aa d2 84" P IV CT "81" PASSPHRASE);
	gives(E2E_ERR_KEY_FILE, "82 41 aa" SECRET "00");
	gives(E2E_ERR_LIMIT, "82 41 aa d860 84" P IV CT "82" PASSPHRASE
	    PASSPHRASE);
	gives(E2E_ERR_KEY_FILE, "82 41 aa d860 84" P IV CT "82" PASSPHRASE
	    "83 40 a0 40");
	gives(E2E_ERR_KEY_FILE, "82 41 aa d860 84" P IV CT
	    "81 83 40 a0 40");
	gives(E2E_ERR_KEY_FILE, "82 41 aa d860 84" P IV CT
	    "81 83 40 a1 01 3828 40");
	gives(E2E_ERR_KEY_FILE, "82 41 aa d860 84" P
	    "a2 05 4c 020202020202020202020202 3a00010041 82"
	    "4c 020202020202020202020202 40" CT "81" PASSPHRASE);
	/* cost beyond what the caller allows */
	gives(E2E_ERR_KDF_COST, "82 41 aa d860 84" P IV CT
	    "81 83 40 a5 01 3a00010049 3a0001004a 50" X8 X8
	    "3a0001004b 01 3a0001004c 192001 3a0001004d 01 5828" X32 X8);
}

struct seen {
	size_t count;
	enum e2e_error answer;
	int64_t algs[128];
};

static enum e2e_error
see(void *context, const struct cose_key *key)
{
	struct seen *s = context;

	s->algs[s->count++] = key->alg;
	return s->answer;
}

static enum e2e_error
each(const char *hex, struct seen *s, enum e2e_error answer)
{
	struct buffer b = lab_hex(hex);
	enum e2e_error error;

	memset(s, 0, sizeof(*s));
	s->answer = answer;
	error = keyfile_each_key(buffer_bytes(&b), see, s);
	buffer_free(&b);
	return error;
}

static void
keys_come_in_their_order(void **state)
{
	struct seen s;

	assert_int_equal(each("83" SIGNING ENCRYPTION ENCRYPTION, &s,
	    E2E_OK), E2E_OK);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.algs[0], -19);
	assert_int_equal(s.algs[1], -31);
	/* The first error ends it. */
	assert_int_equal(each("83" SIGNING ENCRYPTION ENCRYPTION, &s,
	    E2E_ERR_LIMIT), E2E_ERR_LIMIT);
	assert_int_equal(s.count, 1);
}

static void
key_sets_that_deviate(void **state)
{
	struct seen s;

	assert_int_equal(each("", &s, E2E_OK), E2E_ERR_KEY_FILE);
	assert_int_equal(each("80", &s, E2E_OK), E2E_ERR_KEY_FILE);
	assert_int_equal(each("81" SIGNING, &s, E2E_OK), E2E_ERR_KEY_FILE);
	assert_int_equal(each("a1 00 00", &s, E2E_OK), E2E_ERR_KEY_FILE);
	assert_int_equal(each("82" SIGNING, &s, E2E_OK), E2E_ERR_KEY_FILE);
	assert_int_equal(each("82" SIGNING ENCRYPTION "00", &s, E2E_OK),
	    E2E_ERR_KEY_FILE);
	assert_int_equal(each("82" SIGNING "00", &s, E2E_OK),
	    E2E_ERR_KEY_FILE);
	/* a public key is no secret */
	assert_int_equal(each("82" SIGNING "a4 01 01 03 381e 20 04 21 5820"
	    X32, &s, E2E_OK), E2E_ERR_KEY_FILE);
	/* a key in hardware: not in this release */
	assert_int_equal(each("82" SIGNING
	    "a5 01 01 03 381e 20 04 21 5820" X32 "3a00010073 61 61", &s,
	    E2E_OK), E2E_ERR_KEY_FILE);
}

static void
sixty_five_keys_and_no_more(void **state)
{
	struct buffer b, key = lab_hex(ENCRYPTION);
	struct seen s = { .count = 0 };
	size_t count, i;

	for (count = 65; count <= 66; count++) {
		buffer_init(&b, LAB_MAX);
		dcbor_put_array(&b, count);
		for (i = 0; i < count; i++)
			(void)buffer_append(&b, key.data, key.length);
		memset(&s, 0, sizeof(s));
		assert_int_equal(keyfile_each_key(buffer_bytes(&b), see, &s),
		    count == 65 ? E2E_OK : E2E_ERR_LIMIT);
		buffer_free(&b);
	}
	assert_int_equal(s.count, 0);
	buffer_free(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_are_written_as_they_were_read),
		cmocka_unit_test(items_that_deviate),
		cmocka_unit_test(keys_come_in_their_order),
		cmocka_unit_test(key_sets_that_deviate),
		cmocka_unit_test(sixty_five_keys_and_no_more)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
