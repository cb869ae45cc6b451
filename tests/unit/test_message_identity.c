/*
 * Identities: making, writing, reading, unlocking and rotating them, and
 * key files that are not what they should be; revocations.
 */
#include "forge.h"

#include "message/sign1.h"
#include "wire/armor.h"
#include "wire/keyfile.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct e2e_kdf_cost cheap = { 8192, 1, 1 };
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

/* Are all private keys the same? */
static void
same(const struct e2e_identity *a, const struct e2e_identity *b)
{
	size_t i;

	assert_true(e2e_card_equal(a->card, b->card));
	assert_int_equal(a->encryption_count, b->encryption_count);
	assert_true(bytes_equal(buffer_bytes(&a->signing->private_encoded),
	    buffer_bytes(&b->signing->private_encoded)));
	for (i = 0; i < a->encryption_count; i++)
		assert_true(bytes_equal(
		    buffer_bytes(&a->encryption[i]->private_encoded),
		    buffer_bytes(&b->encryption[i]->private_encoded)));
}

static struct e2e_identity *
written_and_read(const struct e2e_identity *id, const char *passphrase)
{
	struct e2e_identity *again;
	size_t length, size = passphrase != NULL ? strlen(passphrase) : 0;
	char *text;

	assert_int_equal(e2e_identity_text(id, passphrase, size, cheap,
	    &text, &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&again, text, length), E2E_OK);
	e2e_secret_free(text);
	assert_int_equal(e2e_identity_locked(again), passphrase != NULL);
	assert_true(e2e_card_equal(e2e_identity_card(again),
	    e2e_identity_card(id)));
	if (passphrase != NULL)
		assert_int_equal(e2e_identity_unlock(again, passphrase, size,
		    0), E2E_OK);
	same(id, again);
	return again;
}

/* One envelope that the identity itself opens. */
static struct buffer
mail_for(const struct e2e_identity *id)
{
	const struct e2e_card *to = e2e_identity_card(id);
	struct e2e_seal q = { .to.cards = &to, .to.card_count = 1,
		.sender = alice, .threads = 1 };

	return lab_seal(&q, "text", 4, LAB_STREAM);
}

static void
opens(const struct e2e_identity *id, const struct buffer *envelope)
{
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, id, NULL);

	lab_expect(E2E_OK, envelope->data, envelope->length, &request,
	    "text", 4);
}

static void
every_type_is_made_written_read_and_rotated(void **state)
{
	static const char *const types[] = {
		"x25519", "rsa2048", "rsa3072", "rsa4096"
	};
	struct e2e_identity *id, *again;
	struct buffer old, fresh;
	unsigned char signer[32];
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(e2e_identity_generate(&id, types[i],
		    "J\xc3\xb6rg", 4102444800u), E2E_OK);
		assert_string_equal(e2e_card_type(id->card), types[i]);
		assert_string_equal(e2e_card_name(id->card), "J\xc3\xb6rg");
		assert_int_equal(e2e_card_serial(id->card), 1);
		assert_int_equal(e2e_card_expires(id->card), 4102444800u);
		assert_int_equal(e2e_card_encryption_keys(id->card), 1);
		memcpy(signer, e2e_card_id(id->card), 32);
		old = mail_for(id);

		assert_int_equal(e2e_identity_rotate(id), E2E_OK);
		assert_int_equal(e2e_card_serial(id->card), 2);
		assert_memory_equal(signer, e2e_card_id(id->card), 32);
		assert_string_equal(e2e_card_type(id->card), types[i]);
		assert_string_equal(e2e_card_name(id->card), "J\xc3\xb6rg");
		assert_int_equal(e2e_card_expires(id->card), 4102444800u);
		assert_int_equal(e2e_card_encryption_keys(id->card), 1);
		fresh = mail_for(id);
		again = written_and_read(id, "correct horse");
		opens(id, &old);
		opens(id, &fresh);
		opens(again, &old);
		opens(again, &fresh);
		e2e_identity_free(again);
		again = written_and_read(id, NULL);
		opens(again, &old);
		e2e_identity_free(again);
		e2e_identity_free(id);
		buffer_free(&old);
		buffer_free(&fresh);
	}
}

static void
request_for_an_identity_that_cannot_be(void **state)
{
	char name[66];
	struct e2e_identity *id;

	memset(name, 'a', sizeof(name));
	name[65] = '\0';
	assert_int_equal(e2e_identity_generate(&id, "rsa1024", NULL, 0),
	    E2E_ERR_USAGE);
	assert_null(id);
	assert_int_equal(e2e_identity_generate(&id, "", NULL, 0),
	    E2E_ERR_USAGE);
	assert_int_equal(e2e_identity_generate(&id, "x25519", name, 0),
	    E2E_ERR_USAGE);
	name[64] = '\0';
	assert_int_equal(e2e_identity_generate(&id, "x25519", name, 0),
	    E2E_OK);
	e2e_identity_free(id);
	assert_int_equal(e2e_identity_generate(&id, "x25519", "a\nb", 0),
	    E2E_ERR_USAGE);
	assert_int_equal(e2e_identity_generate(&id, "x25519", "\xff", 0),
	    E2E_ERR_USAGE);
}

/* 64 encryption keys, all old mail opens, a 65th is refused. */
static void
sixty_four_keys_and_no_more(void **state)
{
	struct e2e_identity *id = lab_identity("x25519", "many"), *again;
	struct buffer mail[64];
	int i;

	for (i = 0; i < 64; i++) {
		mail[i] = mail_for(id);
		assert_int_equal(e2e_card_serial(id->card), i + 1);
		if (i < 63)
			assert_int_equal(e2e_identity_rotate(id), E2E_OK);
	}
	assert_int_equal(e2e_identity_rotate(id), E2E_ERR_LIMIT);
	assert_int_equal(e2e_card_serial(id->card), 64);
	assert_int_equal(id->encryption_count, 64);
	again = written_and_read(id, NULL);
	for (i = 0; i < 64; i++) {
		opens(again, &mail[i]);
		buffer_free(&mail[i]);
	}
	assert_int_equal(e2e_identity_rotate(again), E2E_ERR_LIMIT);
	e2e_identity_free(again);
	e2e_identity_free(id);
}

/* ---- passphrases ---- */

static void
passphrase_is_changed_taken_away_and_put_back(void **state)
{
	struct e2e_identity *a = written_and_read(alice, "first"), *b, *c;

	b = written_and_read(a, "second");
	c = written_and_read(b, NULL);
	e2e_identity_free(a);
	a = written_and_read(c, "third");
	same(a, alice);
	e2e_identity_free(a);
	e2e_identity_free(b);
	e2e_identity_free(c);
}

static void
wrong_passphrase_leaves_it_locked(void **state)
{
	static const char *const wrong[] = {
		"", "correct hors", "correct horse ", "correct horse\n",
		"Correct horse"
	};
	struct e2e_identity *id;
	size_t length, i;
	char *text;

	assert_int_equal(e2e_identity_text(alice, "correct horse", 13, cheap,
	    &text, &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&id, text, length), E2E_OK);
	e2e_secret_free(text);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(e2e_identity_unlock(id, wrong[i],
		    strlen(wrong[i]), 0), E2E_ERR_PASSPHRASE_WRONG);
		assert_true(e2e_identity_locked(id));
	}
	/* What needs the secrets says so. */
	assert_int_equal(e2e_identity_rotate(id), E2E_ERR_PASSPHRASE_NEEDED);
	assert_int_equal(e2e_identity_text(id, NULL, 0, cheap, &text,
	    &length), E2E_ERR_PASSPHRASE_NEEDED);
	assert_null(text);
	assert_int_equal(e2e_revocation_make(&text, id,
	    E2E_REVOKE_UNSPECIFIED), E2E_ERR_PASSPHRASE_NEEDED);
	assert_null(text);
	assert_int_equal(e2e_identity_unlock(id, "correct horse", 13, 0),
	    E2E_OK);
	same(id, alice);
	/* Once more does nothing. */
	assert_int_equal(e2e_identity_unlock(id, "wrong", 5, 0), E2E_OK);
	e2e_identity_free(id);
}

static void
cost_of_the_key_file_is_capped_before_it_is_spent(void **state)
{
	const struct e2e_kdf_cost small = { 8191, 1, 1 },
	    passes = { 8192, 17, 1 }, lanes = { 8192, 1, 9 },
	    huge = { 1048577, 1, 1 }, more = { 16384, 1, 1 };
	struct e2e_identity *id;
	size_t length;
	char *text;

	assert_int_equal(e2e_identity_text(alice, "x", 1, small, &text,
	    &length), E2E_ERR_KDF_COST);
	assert_int_equal(e2e_identity_text(alice, "x", 1, passes, &text,
	    &length), E2E_ERR_KDF_COST);
	assert_int_equal(e2e_identity_text(alice, "x", 1, lanes, &text,
	    &length), E2E_ERR_KDF_COST);
	assert_int_equal(e2e_identity_text(alice, "x", 1, huge, &text,
	    &length), E2E_ERR_KDF_COST);
	assert_int_equal(e2e_identity_text(alice, "x", 1, more, &text,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&id, text, length), E2E_OK);
	e2e_secret_free(text);
	assert_int_equal(e2e_identity_unlock(id, "x", 1, 16383),
	    E2E_ERR_KDF_COST);
	assert_true(e2e_identity_locked(id));
	assert_int_equal(e2e_identity_unlock(id, "x", 1, 16384), E2E_OK);
	e2e_identity_free(id);
}

/* ---- files that are not what they should be ---- */

/* The decoded [card, secret] of an identity's file. */
static struct buffer
item_of(const struct e2e_identity *id, const char *passphrase)
{
	struct buffer item;
	size_t length;
	char *text;

	assert_int_equal(e2e_identity_text(id, passphrase,
	    passphrase != NULL ? strlen(passphrase) : 0, cheap, &text,
	    &length), E2E_OK);
	buffer_init_secret(&item, E2E_KEY_FILE_MAX);
	assert_int_equal(armor_decode(&item, ARMOR_SECRET_KEY, true, text,
	    length), E2E_OK);
	e2e_secret_free(text);
	return item;
}

static enum e2e_error
parse_item(const struct buffer *item, struct e2e_identity **id)
{
	struct buffer text;
	enum e2e_error error;

	buffer_init_secret(&text, 2 * E2E_KEY_FILE_MAX);
	assert_int_equal(armor_encode(&text, ARMOR_SECRET_KEY, item->data,
	    item->length), E2E_OK);
	error = e2e_identity_parse(id, text.data, text.length);
	buffer_free(&text);
	return error;
}

/* [card, << keys >>] */
static void
keys_give(enum e2e_error expected, const struct e2e_card *card,
    const struct key *const *keys, size_t count, bool with_private)
{
	struct buffer key_set, item;
	struct e2e_identity *id;
	size_t i;

	buffer_init_secret(&key_set, E2E_KEY_FILE_MAX);
	buffer_init_secret(&item, E2E_KEY_FILE_MAX);
	dcbor_put_array(&key_set, count);
	for (i = 0; i < count; i++)
		cose_put_key(&key_set, &keys[i]->parts, with_private);
	keyfile_put(&item, buffer_bytes(&card->encoded),
	    buffer_bytes(&key_set), false);
	assert_int_equal(parse_item(&item, &id), expected);
	assert_int_equal(id != NULL, expected == E2E_OK);
	e2e_identity_free(id);
	buffer_free(&key_set);
	buffer_free(&item);
}

static void
key_set_that_is_not_the_cards_is_refused(void **state)
{
	const struct key *s = alice->signing, *e = alice->encryption[0];
	const struct key *other = bob->encryption[0];
	const struct key *right[] = { s, e }, *swapped[] = { e, s };
	const struct key *retired[] = { s, e, other };
	const struct key *wrong_first[] = { s, other, e };
	const struct key *twice[] = { s, e, e };
	const struct key *anothers[] = { bob->signing, e };
	const struct key *two_signing[] = { s, e, bob->signing };

	keys_give(E2E_OK, alice->card, right, 2, true);
	keys_give(E2E_OK, alice->card, retired, 3, true);
	keys_give(E2E_ERR_KEY_FILE, alice->card, right, 2, false);
	keys_give(E2E_ERR_KEY_FILE, alice->card, right, 1, true);
	keys_give(E2E_ERR_KEY_FILE, alice->card, right, 0, true);
	keys_give(E2E_ERR_KEY_FILE, alice->card, swapped, 2, true);
	keys_give(E2E_ERR_KEY_FILE, alice->card, wrong_first, 3, true);
	keys_give(E2E_ERR_KEY_FILE, alice->card, twice, 3, true);
	keys_give(E2E_ERR_KEY_FILE, alice->card, anothers, 2, true);
	keys_give(E2E_ERR_KEY_FILE, alice->card, two_signing, 3, true);
	keys_give(E2E_ERR_KEY_FILE, bob->card, right, 2, true);
}

/* Public and private part of two different keys. */
static void
private_key_that_does_not_fit_its_public_one_is_refused(void **state)
{
	struct cose_key parts = alice->signing->parts;
	struct key *key;

	parts.d = bob->signing->parts.d;
	assert_int_equal(key_new(&key, &parts), E2E_ERR_KEY_FILE);
	parts = alice->encryption[0]->parts;
	parts.d = bob->encryption[0]->parts.d;
	assert_int_equal(key_new(&key, &parts), E2E_ERR_KEY_FILE);
	parts = rsa->signing->parts;
	parts.rsa[COSE_RSA_P] = rsa->encryption[0]->parts.rsa[COSE_RSA_P];
	assert_int_equal(key_new(&key, &parts), E2E_ERR_KEY_FILE);
	parts = rsa->signing->parts;
	parts.rsa[COSE_RSA_N] = rsa->encryption[0]->parts.rsa[COSE_RSA_N];
	assert_int_equal(key_new(&key, &parts), E2E_ERR_KEY_FILE);
}

/* Plain: no alteration may crash, and none may give alice's name to other
 * secrets. Encrypted: none unlocks. */
static void
altered_key_file_is_refused(void **state)
{
	struct buffer item = item_of(alice, NULL);
	struct e2e_identity *id;
	enum e2e_error error;
	size_t i;

	for (i = 0; i < item.length; i++) {
		item.data[i] ^= 0x10;
		error = parse_item(&item, &id);
		assert_int_not_equal(error, E2E_OK);
		assert_null(id);
		item.data[i] ^= 0x10;
	}
	buffer_free(&item);

	item = item_of(alice, "pw");
	for (i = 0; i < item.length; i++) {
		item.data[i] ^= 0x10;
		error = parse_item(&item, &id);
		if (error == E2E_OK) {
			error = e2e_identity_unlock(id, "pw", 2, 8192);
			assert_true(e2e_identity_locked(id));
			assert_true(error == E2E_ERR_PASSPHRASE_WRONG ||
			    error == E2E_ERR_KDF_COST);
		}
		assert_int_not_equal(error, E2E_OK);
		e2e_identity_free(id);
		item.data[i] ^= 0x10;
	}
	buffer_free(&item);
}

static void
truncated_or_lengthened_key_file_is_refused(void **state)
{
	struct buffer item = item_of(alice, "pw");
	struct e2e_identity *id;
	size_t length = item.length;

	for (item.length = 1; item.length < length; item.length++)
		assert_int_equal(parse_item(&item, &id), E2E_ERR_KEY_FILE);
	(void)buffer_append_byte(&item, 0);
	assert_int_equal(parse_item(&item, &id), E2E_ERR_KEY_FILE);
	buffer_free(&item);
	assert_int_equal(e2e_identity_parse(&id, "", 0), E2E_ERR_KEY_FILE);
	assert_int_equal(e2e_identity_parse(&id, "hello\n", 6),
	    E2E_ERR_KEY_FILE);
}

/* Secrets of one file behind the card of another: bound by the AAD. */
static void
encrypted_secrets_belong_to_their_card(void **state)
{
	struct buffer a = item_of(alice, "pw"), item;
	const struct header_limits limits = {
		.memory_max_kib = UINT32_MAX,
		.ciphertext_max = E2E_KEY_FILE_MAX };
	const struct key *listed = alice->encryption[0];
	struct e2e_card *newer;
	struct e2e_identity *id;
	struct keyfile file;
	size_t secret;

	assert_int_equal(card_make(&newer, alice->signing, &listed, 1,
	    "alice", 1700000000, 0, 2), E2E_OK);
	assert_int_equal(keyfile_parse(&file, buffer_bytes(&a), &limits),
	    E2E_OK);
	secret = (size_t)(file.card.data - a.data) + file.card.length;
	keyfile_free(&file);
	buffer_init_secret(&item, E2E_KEY_FILE_MAX);
	keyfile_put(&item, buffer_bytes(&newer->encoded), (struct bytes){
	    a.data + secret, a.length - secret }, true);
	assert_int_equal(parse_item(&item, &id), E2E_OK);
	assert_int_equal(e2e_identity_unlock(id, "pw", 2, 0),
	    E2E_ERR_PASSPHRASE_WRONG);
	e2e_identity_free(id);
	e2e_card_free(newer);
	buffer_free(&a);
	buffer_free(&item);
}

static void
key_file_of_262144_bytes_and_no_more(void **state)
{
	struct e2e_identity *id;
	size_t length, i;
	char *text, *longer = malloc(E2E_KEY_FILE_MAX + 1);

	assert_non_null(longer);
	assert_int_equal(e2e_identity_text(alice, NULL, 0, cheap, &text,
	    &length), E2E_OK);
	memcpy(longer, text, length);
	for (i = length; i <= E2E_KEY_FILE_MAX; i++)
		longer[i] = '\n';
	assert_int_equal(e2e_identity_parse(&id, longer, E2E_KEY_FILE_MAX),
	    E2E_OK);
	e2e_identity_free(id);
	assert_int_equal(e2e_identity_parse(&id, longer,
	    E2E_KEY_FILE_MAX + 1), E2E_ERR_LIMIT);
	e2e_secret_free(text);
	free(longer);
}

/* ---- the key of a file ---- */

/* Locked, as a new file under `passphrase` says. */
static struct e2e_identity *
locked(const struct e2e_identity *id, const char *passphrase)
{
	struct e2e_identity *again;
	size_t length;
	char *text;

	assert_int_equal(e2e_identity_text(id, passphrase,
	    strlen(passphrase), cheap, &text, &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&again, text, length), E2E_OK);
	assert_true(e2e_identity_locked(again));
	e2e_secret_free(text);
	return again;
}

/* The same file once more, as long as `id` is locked. */
static struct e2e_identity *
copy_of(const struct e2e_identity *id)
{
	struct e2e_identity *copy;

	assert_int_equal(parse_item(&id->item, &copy), E2E_OK);
	return copy;
}

static void
file_key_unlocks_its_file_once_more(void **state)
{
	const struct e2e_identity *const owners[] = { alice, rsa };
	unsigned char key[E2E_FILE_KEY_LEN], again[E2E_FILE_KEY_LEN];
	struct e2e_identity *first, *second;
	size_t i;

	for (i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		first = locked(owners[i], "correct horse");
		second = copy_of(first);
		assert_int_equal(e2e_identity_unlock(first, "correct horse",
		    13, 0), E2E_OK);
		assert_int_equal(e2e_identity_file_key(first, key), E2E_OK);
		assert_int_equal(e2e_identity_unlock_key(second, key),
		    E2E_OK);
		same(owners[i], second);
		/* It is known from then on, too; once more does nothing. */
		assert_int_equal(e2e_identity_file_key(second, again),
		    E2E_OK);
		assert_memory_equal(key, again, sizeof(key));
		again[0] ^= 1;
		assert_int_equal(e2e_identity_unlock_key(second, again),
		    E2E_OK);
		same(owners[i], second);
		e2e_identity_free(first);
		e2e_identity_free(second);
	}
}

static void
file_key_is_there_only_for_a_file_that_was_unlocked(void **state)
{
	static const unsigned char zero[E2E_FILE_KEY_LEN];
	unsigned char key[E2E_FILE_KEY_LEN] = { 1 };
	struct e2e_identity *plain = written_and_read(alice, NULL),
	    *under = locked(alice, "x");

	assert_int_equal(e2e_identity_file_key(alice, key), E2E_ERR_USAGE);
	assert_memory_equal(key, zero, sizeof(key));
	assert_int_equal(e2e_identity_file_key(plain, key), E2E_ERR_USAGE);
	assert_int_equal(e2e_identity_file_key(under, key), E2E_ERR_USAGE);
	assert_int_equal(e2e_identity_unlock(under, "y", 1, 0),
	    E2E_ERR_PASSPHRASE_WRONG);
	assert_int_equal(e2e_identity_file_key(under, key), E2E_ERR_USAGE);
	assert_memory_equal(key, zero, sizeof(key));
	e2e_identity_free(plain);
	e2e_identity_free(under);
}

/* Each file has its own, also of the same identity and passphrase. */
static void
file_key_of_another_file_leaves_it_locked(void **state)
{
	struct e2e_identity *files[] = {
		locked(alice, "x"), locked(alice, "x"), locked(bob, "x")
	}, *target = locked(alice, "x");
	unsigned char key[E2E_FILE_KEY_LEN];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(e2e_identity_unlock(files[i], "x", 1, 0),
		    E2E_OK);
		assert_int_equal(e2e_identity_file_key(files[i], key),
		    E2E_OK);
		assert_int_equal(e2e_identity_unlock_key(target, key),
		    E2E_ERR_PASSPHRASE_WRONG);
		assert_true(e2e_identity_locked(target));
		assert_int_equal(e2e_identity_file_key(target, key),
		    E2E_ERR_USAGE);
		e2e_identity_free(files[i]);
	}
	assert_int_equal(e2e_identity_unlock(target, "x", 1, 0), E2E_OK);
	same(alice, target);
	e2e_identity_free(target);
}

static void
altered_file_key_leaves_it_locked(void **state)
{
	struct e2e_identity *first = locked(alice, "x"),
	    *second = copy_of(first);
	unsigned char key[E2E_FILE_KEY_LEN];
	size_t bit;

	assert_int_equal(e2e_identity_unlock(first, "x", 1, 0), E2E_OK);
	assert_int_equal(e2e_identity_file_key(first, key), E2E_OK);
	for (bit = 0; bit < sizeof(key) * 8; bit++) {
		key[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_int_equal(e2e_identity_unlock_key(second, key),
		    E2E_ERR_PASSPHRASE_WRONG);
		assert_true(e2e_identity_locked(second));
		key[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_int_equal(e2e_identity_unlock_key(second, key), E2E_OK);
	same(alice, second);
	e2e_identity_free(first);
	e2e_identity_free(second);
}

/* Nobody can do without the commitment, the tag, or the card's check. */
static void
file_key_does_not_unlock_an_altered_file(void **state)
{
	struct e2e_identity *first = locked(alice, "x"), *second;
	struct buffer item;
	unsigned char key[E2E_FILE_KEY_LEN];
	size_t i, refused = 0;

	buffer_init_secret(&item, E2E_KEY_FILE_MAX);
	assert_true(buffer_append(&item, first->item.data,
	    first->item.length));
	assert_int_equal(e2e_identity_unlock(first, "x", 1, 0), E2E_OK);
	assert_int_equal(e2e_identity_file_key(first, key), E2E_OK);
	for (i = 0; i < item.length; i++) {
		item.data[i] ^= 1;
		if (parse_item(&item, &second) == E2E_OK) {
			assert_int_equal(e2e_identity_unlock_key(second,
			    key), E2E_ERR_PASSPHRASE_WRONG);
			assert_true(e2e_identity_locked(second));
			refused++;
		}
		e2e_identity_free(second);
		item.data[i] ^= 1;
	}
	assert_true(refused > 100);
	buffer_free(&item);
	e2e_identity_free(first);
}

/* ---- revocations ---- */

static void
revocation_is_made_and_checked(void **state)
{
	static const enum e2e_revocation_reason reasons[] = {
		E2E_REVOKE_UNSPECIFIED, E2E_REVOKE_COMPROMISED,
		E2E_REVOKE_SUPERSEDED, E2E_REVOKE_RETIRED
	};
	struct e2e_identity *ids[2] = { alice, rsa };
	enum e2e_revocation_reason reason;
	enum e2e_error error;
	unsigned char id[32];
	uint64_t made;
	size_t i, k;
	char *text;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < 4; i++) {
			assert_int_equal(e2e_revocation_make(&text, ids[k],
			    reasons[i]), E2E_OK);
			assert_int_equal(e2e_revocation_subject(text,
			    strlen(text), id), E2E_OK);
			assert_memory_equal(id, e2e_card_id(ids[k]->card),
			    32);
			assert_int_equal(e2e_revocation_check(text,
			    strlen(text), ids[k]->card, &reason, &made),
			    E2E_OK);
			assert_int_equal(reason, reasons[i]);
			assert_true(made > 1700000000);
			/* Not by somebody else's card, of the same kind of
			 * key or of another. */
			error = e2e_revocation_check(text, strlen(text),
			    bob->card, &reason, &made);
			assert_true(error == E2E_ERR_STATEMENT_SIGNATURE ||
			    (k == 1 && error == E2E_ERR_STATEMENT));
			free(text);
		}
	}
}

/* It says that bob's identity ended, and mallory signed it. */
static void
revocation_by_another_is_refused(void **state)
{
	const struct bytes no_aad = { NULL, 0 };
	unsigned char ids[2][32];
	struct buffer claims, encoded, text;
	enum e2e_revocation_reason reason;
	unsigned char id[32];
	uint64_t made;
	int by, whom;

	memcpy(ids[0], e2e_card_id(alice->card), 32);
	memcpy(ids[1], e2e_card_id(bob->card), 32);
	for (by = 0; by < 2; by++) {
		for (whom = 0; whom < 2; whom++) {
			buffer_init(&claims, 4096);
			buffer_init(&encoded, 4096);
			buffer_init(&text, 8192);
			dcbor_put_map(&claims, 5);
			dcbor_put_int(&claims, CLAIM_ISS);
			dcbor_put_bytes(&claims, ids[by], 32);
			dcbor_put_int(&claims, CLAIM_IAT);
			dcbor_put_uint(&claims, 1700000000);
			dcbor_put_int(&claims, CLAIM_CTI);
			dcbor_put_bytes(&claims, ids[0], 16);
			dcbor_put_int(&claims, CLAIM_CNF);
			dcbor_put_map(&claims, 1);
			dcbor_put_int(&claims, CNF_THUMBPRINT);
			dcbor_put_bytes(&claims, ids[whom], 32);
			dcbor_put_int(&claims, CLAIM_REASON);
			dcbor_put_uint(&claims, 1);
			assert_int_equal(sign1_make(&encoded, alice->signing,
			    TYP_REVOCATION, no_aad, buffer_bytes(&claims)),
			    E2E_OK);
			assert_int_equal(armor_encode(&text,
			    ARMOR_REVOCATION, encoded.data, encoded.length),
			    E2E_OK);
			assert_int_equal(e2e_revocation_subject(
			    (char *)text.data, text.length, id),
			    by == 0 && whom == 0 ? E2E_OK :
			    E2E_ERR_STATEMENT);
			if (by != 0 || whom != 0)
				assert_int_equal(e2e_revocation_check(
				    (char *)text.data, text.length,
				    bob->card, &reason, &made),
				    E2E_ERR_STATEMENT);
			buffer_free(&claims);
			buffer_free(&encoded);
			buffer_free(&text);
		}
	}
}

/* Every byte of the armored text. */
static void
altered_revocation_is_refused(void **state)
{
	enum e2e_revocation_reason reason;
	enum e2e_error error;
	uint64_t made;
	size_t i, begin;
	char *text, *at;

	assert_int_equal(e2e_revocation_make(&text, alice,
	    E2E_REVOKE_COMPROMISED), E2E_OK);
	at = strstr(text, "-----BEGIN");
	assert_non_null(at);
	begin = (size_t)(at - text);
	for (i = begin; text[i + 1] != '\0'; i++) {
		text[i] ^= 1;
		error = e2e_revocation_check(text, strlen(text), alice->card,
		    &reason, &made);
		assert_true(error == E2E_ERR_STATEMENT ||
		    error == E2E_ERR_STATEMENT_SIGNATURE);
		text[i] ^= 1;
	}
	for (i = 0; i + 1 < strlen(text); i++) {
		error = e2e_revocation_check(text, i, alice->card, &reason,
		    &made);
		assert_true(error == E2E_ERR_STATEMENT || i + 1 ==
		    strlen(text));
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_made_written_read_and_rotated),
		cmocka_unit_test(request_for_an_identity_that_cannot_be),
		cmocka_unit_test(sixty_four_keys_and_no_more),
		cmocka_unit_test(
		    passphrase_is_changed_taken_away_and_put_back),
		cmocka_unit_test(wrong_passphrase_leaves_it_locked),
		cmocka_unit_test(
		    cost_of_the_key_file_is_capped_before_it_is_spent),
		cmocka_unit_test(key_set_that_is_not_the_cards_is_refused),
		cmocka_unit_test(
		    private_key_that_does_not_fit_its_public_one_is_refused),
		cmocka_unit_test(altered_key_file_is_refused),
		cmocka_unit_test(truncated_or_lengthened_key_file_is_refused),
		cmocka_unit_test(encrypted_secrets_belong_to_their_card),
		cmocka_unit_test(key_file_of_262144_bytes_and_no_more),
		cmocka_unit_test(file_key_unlocks_its_file_once_more),
		cmocka_unit_test(
		    file_key_is_there_only_for_a_file_that_was_unlocked),
		cmocka_unit_test(file_key_of_another_file_leaves_it_locked),
		cmocka_unit_test(altered_file_key_leaves_it_locked),
		cmocka_unit_test(file_key_does_not_unlock_an_altered_file),
		cmocka_unit_test(revocation_is_made_and_checked),
		cmocka_unit_test(revocation_by_another_is_refused),
		cmocka_unit_test(altered_revocation_is_refused)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
