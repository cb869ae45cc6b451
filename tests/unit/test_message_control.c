/*
 * The control of the mutator and of the attack tests: this program is linked
 * with openers that leave out one verification, or all of them, and every
 * one of them must be caught. What catches nothing proves nothing.
 */
#include "forge.h"
#include "lab_group.h"
#include "mutator.h"

#include "base/secret.h"
#include "crypto/aead.h"
#include "message/claims.h"
#include "message/group_key.h"
#include "message/sender.h"
#include "message/sign1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Which verification is left out, as bits. */
enum {
	BROKEN_COMPARISON = 1, BROKEN_TAG = 2, BROKEN_SIGNATURE = 4,
	BROKEN_SEGMENT = 8, BROKEN_FORWARDER = 16, BROKEN_STATEMENT = 32,
	BROKEN_LIST = 64, BROKEN_GROUP = 128, BROKEN_BINDING = 256
};
static unsigned broken;

bool __real_secret_equal(const void *a, const void *b, size_t size);
bool __wrap_secret_equal(const void *a, const void *b, size_t size);
enum e2e_error __real_aead_open(struct aead *aead, void *out,
    bool *authentic, const unsigned char *nonce, const void *aad,
    size_t aad_size, const unsigned char *in, size_t size);
enum e2e_error __wrap_aead_open(struct aead *aead, void *out,
    bool *authentic, const unsigned char *nonce, const void *aad,
    size_t aad_size, const unsigned char *in, size_t size);
enum e2e_error __real_sender_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, const struct derive_core *core);
enum e2e_error __wrap_sender_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, const struct derive_core *core);
enum e2e_error __real_sender_verify_segment(bool *valid,
    const struct sender_segments *s, const unsigned char *signature,
    uint64_t index, bool last, const unsigned char *hash);
enum e2e_error __wrap_sender_verify_segment(bool *valid,
    const struct sender_segments *s, const unsigned char *signature,
    uint64_t index, bool last, const unsigned char *hash);
enum e2e_error __real_rewrap_block_verify(bool *valid, const struct key *key,
    const struct rewrap_block *block, const struct derive_core *core,
    struct bytes new_recipients);
enum e2e_error __wrap_rewrap_block_verify(bool *valid, const struct key *key,
    const struct rewrap_block *block, const struct derive_core *core,
    struct bytes new_recipients);
enum e2e_error __real_sign1_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, struct bytes external_aad);
enum e2e_error __wrap_sign1_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, struct bytes external_aad);
bool __real_claims_has_hash(struct bytes array, const unsigned char *hash);
bool __wrap_claims_has_hash(struct bytes array, const unsigned char *hash);
bool __real_group_key_admits(const struct e2e_group_key *const *groups,
    size_t count, const struct e2e_group_key *group, const unsigned char *id);
bool __wrap_group_key_admits(const struct e2e_group_key *const *groups,
    size_t count, const struct e2e_group_key *group, const unsigned char *id);
enum e2e_error __real_derive_put_rewrap_aad(struct buffer *b,
    const struct derive_core *core, struct bytes new_recipients);
enum e2e_error __wrap_derive_put_rewrap_aad(struct buffer *b,
    const struct derive_core *core, struct bytes new_recipients);

bool
__wrap_secret_equal(const void *a, const void *b, size_t size)
{
	return __real_secret_equal(a, b, size) ||
	    (broken & BROKEN_COMPARISON) != 0;
}

/* GCM without its tag: encrypting once more takes the key stream off. */
enum e2e_error
__wrap_aead_open(struct aead *aead, void *out, bool *authentic,
    const unsigned char *nonce, const void *aad, size_t aad_size,
    const unsigned char *in, size_t size)
{
	unsigned char *plain;
	enum e2e_error error;

	if ((broken & BROKEN_TAG) == 0 || size < AEAD_TAG_LEN)
		return __real_aead_open(aead, out, authentic, nonce, aad,
		    aad_size, in, size);
	plain = malloc(size);
	if (plain == NULL)
		return E2E_ERR_MEMORY;
	error = aead_seal(aead, plain, nonce, NULL, 0, in,
	    size - AEAD_TAG_LEN);
	memcpy(out, plain, size - AEAD_TAG_LEN);
	free(plain);
	*authentic = true;
	return error;
}

enum e2e_error
__wrap_sender_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, const struct derive_core *core)
{
	enum e2e_error error = __real_sender_verify(valid, key, sign1, core);

	*valid |= (broken & BROKEN_SIGNATURE) != 0;
	return error;
}

enum e2e_error
__wrap_sender_verify_segment(bool *valid, const struct sender_segments *s,
    const unsigned char *signature, uint64_t index, bool last,
    const unsigned char *hash)
{
	enum e2e_error error = __real_sender_verify_segment(valid, s,
	    signature, index, last, hash);

	*valid |= (broken & BROKEN_SEGMENT) != 0;
	return error;
}

enum e2e_error
__wrap_rewrap_block_verify(bool *valid, const struct key *key,
    const struct rewrap_block *block, const struct derive_core *core,
    struct bytes new_recipients)
{
	enum e2e_error error = __real_rewrap_block_verify(valid, key, block,
	    core, new_recipients);

	*valid |= (broken & BROKEN_FORWARDER) != 0;
	return error;
}

enum e2e_error
__wrap_sign1_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, struct bytes external_aad)
{
	enum e2e_error error = __real_sign1_verify(valid, key, sign1,
	    external_aad);

	*valid |= (broken & BROKEN_STATEMENT) != 0;
	return error;
}

bool
__wrap_claims_has_hash(struct bytes array, const unsigned char *hash)
{
	return __real_claims_has_hash(array, hash) ||
	    (broken & BROKEN_LIST) != 0;
}

bool
__wrap_group_key_admits(const struct e2e_group_key *const *groups,
    size_t count, const struct e2e_group_key *group, const unsigned char *id)
{
	return __real_group_key_admits(groups, count, group, id) ||
	    (broken & BROKEN_GROUP) != 0;
}

/* X without the recipients. */
enum e2e_error
__wrap_derive_put_rewrap_aad(struct buffer *b,
    const struct derive_core *core, struct bytes new_recipients)
{
	if ((broken & BROKEN_BINDING) != 0)
		new_recipients.length = 0;
	return __real_derive_put_rewrap_aad(b, core, new_recipients);
}

static struct e2e_identity *alice, *bob, *carol;
static const unsigned char data[] = "hello\n";
enum { DATA_LEN = sizeof(data) - 1 };

static int
setup(void **state)
{
	(void)state;
	alice = lab_fixed_identity(1, 2, "alice", 1700000000);
	bob = lab_fixed_identity(3, 4, "bob", 1700000000);
	carol = lab_fixed_identity(21, 22, "carol", 1700000000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	e2e_identity_free(carol);
	return 0;
}

/* What the mutator finds in an opener without these verifications. */
static struct mutator
findings(unsigned without, const struct e2e_identity *sender)
{
	const struct e2e_card *card = bob->card;
	struct e2e_seal q = { .to.cards = &card, .to.card_count = 1,
		.sender = sender, .no_card = true, .sign_segments = true,
		.threads = 1 };
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, alice->card);
	struct buffer envelope = lab_seal(&q, data, DATA_LEN, LAB_STREAM);
	struct mutator m;

	mutator_begin(&m, "broken opener", &envelope, data, DATA_LEN,
	    &request, false);
	broken = without;
	mutator_bytes(&m, 0, m.length, 2);
	mutator_truncations(&m);
	broken = 0;
	mutator_end(&m);
	buffer_free(&envelope);
	return m;
}

static void
whole_opener_has_no_findings(void **state)
{
	struct mutator m = findings(0, NULL);

	mutator_assert_clean(&m);
	m = findings(0, alice);
	mutator_assert_clean(&m);
}

static void
opener_that_ignores_tags_is_caught(void **state)
{
	struct mutator m = findings(BROKEN_TAG, NULL);

	assert_true(m.accepted > 0);
	assert_true(m.leaked > 0);
	assert_true(m.first[0] != '\0');
}

static void
opener_that_ignores_commitments_is_caught(void **state)
{
	struct mutator m = findings(BROKEN_COMPARISON, NULL);

	assert_true(m.accepted > 0);
}

/* The tag alone would do against strangers; the signature must not lean on
 * it, and is what is left when tags are ignored. */
static void
signatures_refuse_what_tags_would_have(void **state)
{
	struct mutator m = findings(BROKEN_TAG, alice);
	size_t with_signatures = m.accepted, leaked = m.leaked;

	m = findings(BROKEN_TAG | BROKEN_SIGNATURE | BROKEN_SEGMENT, alice);
	assert_true(m.accepted > with_signatures);
	assert_true(m.leaked > leaked);
	assert_int_equal(leaked, 0);
}

/* ---- wrapped keys, groups, rewrapping, receipts ---- */

static enum e2e_error
unwraps(void *context, const void *bytes, size_t length)
{
	struct e2e_group_key *key;
	enum e2e_error error;

	error = lab_unwrap(&key, (struct bytes){ bytes, length }, context,
	    NULL);
	e2e_group_key_free(key);
	return error;
}

static enum e2e_error
confirms(void *context, const void *bytes, size_t length)
{
	const struct e2e_identity *signer = context;
	struct e2e_delivery d;

	return e2e_delivery_read(&d, bytes, length, signer->card);
}

static struct mutator
other_findings(unsigned without, const struct buffer *bytes,
    mutator_verdict *verdict)
{
	struct mutator m;

	mutator_begin_other(&m, "broken reader", bytes, verdict, bob,
	    1 << 1 | 1 << 2 | 1 << 5 | 1 << 6, false);
	broken = without;
	mutator_bytes(&m, 0, m.length, 2);
	broken = 0;
	mutator_end(&m);
	return m;
}

static void
reader_of_wrapped_keys_that_ignores_tags_is_caught(void **state)
{
	const struct e2e_card *card = bob->card;
	struct e2e_wrap_key q = { .maker = alice, .members = &card,
		.member_count = 1 };
	struct buffer file = lab_wrap(&q);
	struct mutator m = other_findings(0, &file, unwraps);
	size_t with_signature;

	mutator_assert_clean(&m);
	m = other_findings(BROKEN_TAG, &file, unwraps);
	with_signature = m.accepted;
	m = other_findings(BROKEN_TAG | BROKEN_SIGNATURE, &file, unwraps);
	assert_true(m.accepted > with_signature);
	buffer_free(&file);
}

static void
reader_of_receipts_that_ignores_signatures_is_caught(void **state)
{
	struct e2e_opened opened = { .receipt_wanted = true, .is_hashed = true,
		.sender_state = E2E_SENDER_VERIFIED };
	unsigned char made[E2E_DELIVERY_MAX];
	struct buffer receipt;
	struct mutator m;
	size_t length;

	assert_int_equal(e2e_delivery_make(made, &length, bob, &opened),
	    E2E_OK);
	buffer_init(&receipt, LAB_MAX);
	assert_true(buffer_append(&receipt, made, length));
	m = other_findings(0, &receipt, confirms);
	mutator_assert_clean(&m);
	m = other_findings(BROKEN_STATEMENT, &receipt, confirms);
	assert_true(m.accepted > 0);
	buffer_free(&receipt);
}

/* bob's block for carol, to be read by alice: as the network could move it,
 * or encrypted once more, as carol could. */
static enum e2e_error
moved(unsigned without, bool again)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, alice, bob->card);
	struct buffer plaintext, ciphertext;
	struct lab_result r;
	enum e2e_error error;
	struct forge f;

	buffer_init(&plaintext, LAB_MAX);
	buffer_init(&ciphertext, LAB_MAX);
	forge_begin(&f, NULL);
	forge_add(&f, bob, false);
	forge_whole(&f, data, DATA_LEN);
	forge_rewrap_begin(&f);
	forge_add(&f, carol, false);
	broken = without & BROKEN_BINDING;
	forge_sign_block(&f, &plaintext, bob);
	forge_encrypt_block(&f, &ciphertext, buffer_bytes(&plaintext));
	forge_add(&f, alice, false);
	if (again)
		forge_encrypt_block(&f, &ciphertext,
		    buffer_bytes(&plaintext));
	forge_rewrap_as(&f, buffer_bytes(&ciphertext));
	broken = without;
	lab_open(&r, f.envelope.data, f.envelope.length, &request,
	    LAB_STREAM);
	broken = 0;
	error = r.error;
	lab_result_free(&r);
	buffer_free(&plaintext);
	buffer_free(&ciphertext);
	forge_end(&f);
	return error;
}

static void
opener_that_ignores_the_forwarders_signature_is_caught(void **state)
{
	assert_int_equal(moved(0, true), E2E_ERR_FORWARDER_SIGNATURE);
	assert_int_equal(moved(BROKEN_FORWARDER, true), E2E_OK);
}

static void
block_that_does_not_name_its_recipients_is_caught(void **state)
{
	assert_int_equal(moved(0, false), E2E_ERR_NO_KEY);
	assert_int_equal(moved(BROKEN_BINDING, false), E2E_OK);
}

/* carol, no member, writes to alice's group; bob's group around the same key
 * is taken for it. */
static void
opener_that_does_not_look_who_is_of_the_group_is_caught(void **state)
{
	struct e2e_group_key *group = lab_group(alice, NULL, 0, NULL);
	struct e2e_wrap_key again = { .maker = bob,
		.key = e2e_group_key_secret(group) };
	struct buffer file = lab_wrap(&again);
	struct e2e_group_key *his;
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, NULL, alice->card);
	unsigned char to[HASH_LEN];
	struct forge f;

	keys.cards[keys.card_count++] = carol->card;
	lab_add_group(&request, &keys, group);
	forge_begin(&f, carol);
	forge_add_group(&f, group, false);
	forge_whole(&f, data, DATA_LEN);
	lab_refused(E2E_ERR_NOT_A_MEMBER, f.envelope.data, f.envelope.length,
	    &request);
	broken = BROKEN_GROUP;
	lab_expect(E2E_OK, f.envelope.data, f.envelope.length, &request,
	    data, DATA_LEN);
	broken = 0;
	forge_end(&f);

	assert_int_equal(lab_unwrap(&his, buffer_bytes(&file), bob, NULL),
	    E2E_OK);
	keys.groups[0] = his;
	forge_begin(&f, alice);
	assert_int_equal(derive_to(to, f.message_id, group->kid), E2E_OK);
	f.claims.to = (struct bytes){ to, HASH_LEN };
	forge_add_group(&f, group, true);
	forge_whole(&f, data, DATA_LEN);
	broken = BROKEN_GROUP;
	lab_refused(E2E_ERR_NOT_ADDRESSED, f.envelope.data,
	    f.envelope.length, &request);
	broken = BROKEN_GROUP | BROKEN_LIST;
	lab_expect(E2E_OK, f.envelope.data, f.envelope.length, &request,
	    data, DATA_LEN);
	broken = 0;
	forge_end(&f);
	buffer_free(&file);
	e2e_group_key_free(his);
	e2e_group_key_free(group);
}

/* ---- insiders ---- */

/* Does carol's opener take what bob wrote in alice's name? */
static enum e2e_error
insider(unsigned without, bool forge_metadata_too)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, carol, alice->card);
	struct lab_result r;
	enum e2e_error error;
	struct forge f;

	forge_begin(&f, alice);
	forge_add(&f, bob, false);
	forge_add(&f, carol, false);
	forge_header(&f);
	forge_metadata(&f);
	if (forge_metadata_too)
		f.metadata.data[f.metadata.length - 1] ^= 1;
	forge_encrypt(&f);
	forge_segment(&f, forge_metadata_too ? alice : bob, 0, true, data,
	    DATA_LEN);
	forge_envelope(&f);
	broken = without;
	lab_open(&r, f.envelope.data, f.envelope.length, &request,
	    LAB_STREAM);
	broken = 0;
	error = r.error;
	lab_result_free(&r);
	forge_end(&f);
	return error;
}

static void
opener_that_ignores_segment_signatures_is_caught(void **state)
{
	assert_int_equal(insider(0, false), E2E_ERR_SEGMENT);
	assert_int_equal(insider(BROKEN_SEGMENT, false), E2E_OK);
}

static void
opener_that_ignores_the_senders_signature_is_caught(void **state)
{
	assert_int_equal(insider(0, true), E2E_ERR_SIGNATURE);
	assert_int_equal(insider(BROKEN_SIGNATURE, true), E2E_OK);
}

/* What says of a key file that the key at hand is not the file's. */
static enum e2e_error
unlocked_by_any_key(unsigned without)
{
	static const struct e2e_kdf_cost cheap = { 8192, 1, 1 };
	static const unsigned char any[E2E_FILE_KEY_LEN] = { 7 };
	struct e2e_identity *id;
	enum e2e_error error;
	size_t length;
	char *text;

	assert_int_equal(e2e_identity_text(alice, "x", 1, cheap, &text,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&id, text, length), E2E_OK);
	e2e_secret_free(text);
	broken = without;
	error = e2e_identity_unlock_key(id, any);
	broken = 0;
	e2e_identity_free(id);
	return error;
}

/* Two of them say so; with neither, noise is taken for keys. */
static void
unlocking_that_verifies_nothing_is_caught(void **state)
{
	assert_int_equal(unlocked_by_any_key(0), E2E_ERR_PASSPHRASE_WRONG);
	assert_int_equal(unlocked_by_any_key(BROKEN_COMPARISON),
	    E2E_ERR_PASSPHRASE_WRONG);
	assert_int_equal(unlocked_by_any_key(BROKEN_TAG),
	    E2E_ERR_PASSPHRASE_WRONG);
	assert_int_not_equal(unlocked_by_any_key(BROKEN_COMPARISON |
	    BROKEN_TAG), E2E_ERR_PASSPHRASE_WRONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_opener_has_no_findings),
		cmocka_unit_test(opener_that_ignores_tags_is_caught),
		cmocka_unit_test(opener_that_ignores_commitments_is_caught),
		cmocka_unit_test(signatures_refuse_what_tags_would_have),
		cmocka_unit_test(
		    reader_of_wrapped_keys_that_ignores_tags_is_caught),
		cmocka_unit_test(
		    reader_of_receipts_that_ignores_signatures_is_caught),
		cmocka_unit_test(
		    opener_that_ignores_the_forwarders_signature_is_caught),
		cmocka_unit_test(
		    block_that_does_not_name_its_recipients_is_caught),
		cmocka_unit_test(
		    opener_that_does_not_look_who_is_of_the_group_is_caught),
		cmocka_unit_test(
		    opener_that_ignores_segment_signatures_is_caught),
		cmocka_unit_test(
		    opener_that_ignores_the_senders_signature_is_caught),
		cmocka_unit_test(unlocking_that_verifies_nothing_is_caught)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
