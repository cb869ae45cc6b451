/*
 * The worked examples of docs/FORMAT.md, section 15, read out of the document
 * and computed again by the library. Every value of every block is used.
 */
#include "document.h"
#include "forge.h"
#include "lab_group.h"

#include "crypto/aead.h"
#include "crypto/curve.h"
#include "crypto/keywrap.h"
#include "crypto/passhash.h"
#include "message/content.h"
#include "message/group_key.h"
#include "message/sign1.h"
#include "message/wrapped_key.h"
#include "wire/armor.h"
#include "wire/keyfile.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct e2e_identity *alice, *bob;
static unsigned char cek[32], iv[12], ik[32], message_id[16], salt[24];
static const char data[] = "hello\n";
enum { DATA_LEN = 6, VALUES = 60, CREATED = 1700000000 };

/* Names that a test compared; all of them must be. */
static size_t used;
static char used_names[96][48];

static struct bytes
value(const char *name)
{
	size_t i;

	for (i = 0; i < used; i++) {
		if (strcmp(used_names[i], name) == 0)
			return document_value(name);
	}
	assert_true(used < 96);
	memcpy(used_names[used++], name, strlen(name) + 1);
	return document_value(name);
}

static void
is(const char *name, const void *bytes, size_t length)
{
	struct bytes v = value(name);

	if (v.length != length || memcmp(v.data, bytes, length) != 0)
		print_error("docs/FORMAT.md: %s\n", name);
	assert_int_equal(v.length, length);
	assert_memory_equal(v.data, bytes, length);
}

static void
buffer_is(const char *name, struct buffer *b)
{
	assert_false(b->failed);
	is(name, b->data, b->length);
	buffer_free(b);
}

static int
setup(void **state)
{
	(void)state;
	document_open();
	alice = lab_fixed_identity(1, 2, "alice", CREATED);
	bob = lab_fixed_identity(3, 4, "", CREATED);
	memset(cek, 0x05, sizeof(cek));
	memset(iv, 0x06, sizeof(iv));
	memset(ik, 0x08, sizeof(ik));
	memset(message_id, 0x09, sizeof(message_id));
	memset(salt, 0x0a, sizeof(salt));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	e2e_identity_free(alice);
	e2e_identity_free(bob);
	document_close();
	return 0;
}

/* ---- 15.1 ---- */

static void
card_of_the_document(void **state)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct bytes encoded = value("alice_card"), text;
	struct cose_sign1 sign1;
	struct e2e_card *card;
	struct buffer b;
	char *line;

	buffer_init(&b, 512);
	cose_put_thumbprint_input(&b, &alice->signing->parts);
	buffer_is("alice_thumbprint_input", &b);
	is("alice_id", alice->signing->thumbprint, 32);
	is("alice_card", alice->card->encoded.data,
	    alice->card->encoded.length);
	assert_int_equal(card_decode(&card, encoded), E2E_OK);
	assert_int_equal(cose_sign1_parse(&sign1, encoded, TYP_CARD),
	    E2E_OK);
	is("alice_card_protected", sign1.protected_header.data,
	    sign1.protected_header.length);
	is("alice_card_claims", sign1.payload.data, sign1.payload.length);
	assert_string_equal(e2e_card_name(card), "alice");
	assert_int_equal(e2e_card_serial(card), 1);
	assert_int_equal(e2e_card_created(card), CREATED);
	e2e_fingerprint(fingerprint, e2e_card_id(card));
	text = document_text("Fingerprint: ", "Fingerprint: ");
	assert_memory_equal(text.data + 14, fingerprint, E2E_FINGERPRINT_LEN);

	text = document_text("e2e-pub1 0oR", "e2e-pub1 0oR");
	line = e2e_card_line(card);
	assert_non_null(line);
	assert_int_equal(text.length, strlen(line));
	assert_memory_equal(text.data, line, text.length);
	free(line);
	e2e_card_free(card);
}

/* ---- 15.2 ---- */

static void
put_entry(struct buffer *r)
{
	unsigned char ephemeral[32], epk[32], z[32], kek[32], wrapped[40];
	struct recipient entry;
	bool usable;

	memset(ephemeral, 0x07, sizeof(ephemeral));
	assert_int_equal(x25519_public(epk, ephemeral), E2E_OK);
	assert_int_equal(x25519_derive(z, &usable, ephemeral,
	    bob->encryption[0]->parts.x.data), E2E_OK);
	assert_true(usable);
	is("Z", z, sizeof(z));
	is("kdf_context", recipient_kdf_context,
	    sizeof(recipient_kdf_context));
	assert_int_equal(hkdf_sha256(kek, 32, z, 32, recipient_kdf_context,
	    sizeof(recipient_kdf_context)), E2E_OK);
	is("KEK", kek, sizeof(kek));
	assert_int_equal(keywrap_wrap(wrapped, kek, cek), E2E_OK);
	is("W", wrapped, sizeof(wrapped));
	memset(&entry, 0, sizeof(entry));
	entry.kind = RECIPIENT_X25519;
	entry.alg = ALG_ECDH_ES_A256KW;
	entry.kid = e2e_card_id(bob->card);
	entry.ephemeral = epk;
	entry.wrapped = (struct bytes){ wrapped, sizeof(wrapped) };
	dcbor_put_array(r, 1);
	recipient_put(r, &entry);
}

/* P, R and rh as the document has them, once they were computed. */
static void
core_of_the_document(struct derive_core *core)
{
	memset(core, 0, sizeof(*core));
	core->protected_header = value("P");
	core->iv = iv;
	memcpy(core->recipients_hash, value("rh").data, HASH_LEN);
}

static void
header_of_the_document(void **state)
{
	unsigned char kc[32], rh[32];
	struct derive_core core;
	struct buffer b, aad;
	struct bytes info = value("kc_info"), external;

	is("bob_id", e2e_card_id(bob->card), 32);
	is("bob_x25519_public", bob->encryption[0]->parts.x.data, 32);
	assert_int_equal(derive_commitment(kc, cek), E2E_OK);
	is("kc", kc, sizeof(kc));
	assert_int_equal(hkdf_sha256(kc, 32, cek, 32, info.data,
	    info.length), E2E_OK);
	is("kc", kc, sizeof(kc));
	buffer_init(&b, 512);
	assert_int_equal(content_put_protected(&b, cek), E2E_OK);
	buffer_is("P", &b);
	buffer_init(&b, 512);
	put_entry(&b);
	assert_int_equal(hash_sha256(rh, b.data, b.length), E2E_OK);
	buffer_is("R", &b);
	is("rh", rh, sizeof(rh));
	core_of_the_document(&core);
	buffer_init(&aad, 512);
	derive_put_header_aad(&aad, &core);
	/* It ends with external_aad. */
	external = value("header_external_aad");
	assert_true(aad.length > external.length);
	is("header_external_aad", aad.data + aad.length - external.length,
	    external.length);
	buffer_is("header_enc_structure", &aad);
}

/* ---- 15.3, 15.4 ---- */

static void
encrypt_is(const char *name, struct derive_core *core, struct bytes metadata)
{
	struct buffer ciphertext, aad;

	buffer_init(&ciphertext, 4096);
	buffer_init(&aad, 512);
	derive_put_header_aad(&aad, core);
	assert_int_equal(content_encrypt(&ciphertext, cek, iv,
	    buffer_bytes(&aad), metadata), E2E_OK);
	buffer_free(&aad);
	buffer_is(name, &ciphertext);
	core->ciphertext = value(name);
}

static void
keys_are(const char *name, const unsigned char *ch)
{
	struct derive_payload keys;
	unsigned char all[76];

	assert_int_equal(derive_payload(&keys, ik, salt, ch), E2E_OK);
	memcpy(all, keys.key, 32);
	memcpy(all + 32, keys.nonce, 12);
	memcpy(all + 44, keys.commitment, 32);
	is(name, all, sizeof(all));
}

/* The envelope made of what forge.h makes, which has the same constants. */
static void
envelope_is(const char *name, const struct e2e_identity *sender,
    const char *stream)
{
	struct bytes r = value("R");
	struct forge f;

	forge_begin(&f, sender);
	assert_int_equal(r.data[0], 0x81);
	(void)buffer_append(&f.entries, r.data + 1, r.length - 1);
	f.entry_count = 1;
	forge_whole(&f, data, DATA_LEN);
	if (stream != NULL)
		is(stream, f.stream.data, f.stream.length);
	is(name, f.envelope.data, f.envelope.length);
	forge_end(&f);
}

static void
opens(const char *name, int mode)
{
	struct bytes envelope = value(name);
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, bob, alice->card);
	struct lab_result r;

	lab_expect(E2E_OK, envelope.data, envelope.length, &request, data,
	    DATA_LEN);
	lab_open(&r, envelope.data, envelope.length, &request, LAB_STREAM);
	assert_int_equal(r.opened.mode, mode);
	assert_int_equal(r.opened.created, CREATED);
	assert_memory_equal(r.opened.message_id, message_id, 16);
	lab_result_free(&r);
}

static void
anonymous_envelope_of_the_document(void **state)
{
	struct bytes metadata = value("anon_metadata");
	unsigned char ch[32];
	struct derive_core core;
	struct metadata m;

	assert_int_equal(metadata_parse(&m, metadata, false), E2E_OK);
	assert_int_equal(m.issued, CREATED);
	core_of_the_document(&core);
	encrypt_is("anon_ciphertext", &core, metadata);
	assert_int_equal(derive_context_hash(ch, &core), E2E_OK);
	is("anon_ch", ch, sizeof(ch));
	keys_are("anon_K_N_C", ch);
	envelope_is("anon_envelope", NULL, NULL);
	opens("anon_envelope", 0);
}

static void
signed_envelope_of_the_document(void **state)
{
	struct bytes metadata = value("signed_metadata");
	unsigned char ch[32], to[32];
	struct cose_sign1 sign1;
	struct derive_core core;
	struct buffer b, aad;

	core_of_the_document(&core);
	assert_int_equal(cose_sign1_parse(&sign1, metadata, TYP_METADATA),
	    E2E_OK);
	buffer_init(&aad, 512);
	derive_put_sender_aad(&aad, &core);
	buffer_init(&b, 2048);
	cose_put_sig_structure(&b, sign1.protected_header,
	    buffer_bytes(&aad), sign1.payload);
	buffer_is("signed_sig_structure", &b);
	buffer_init(&b, 2048);
	assert_int_equal(sign1_make(&b, alice->signing, TYP_METADATA,
	    buffer_bytes(&aad), sign1.payload), E2E_OK);
	buffer_is("signed_metadata", &b);
	buffer_is("signed_sender_external_aad", &aad);
	encrypt_is("signed_ciphertext", &core, metadata);
	assert_int_equal(derive_context_hash(ch, &core), E2E_OK);
	is("signed_ch", ch, sizeof(ch));
	keys_are("signed_K_N_C", ch);
	envelope_is("signed_envelope", alice, "signed_stream");
	opens("signed_envelope", 2);
	assert_int_equal(derive_to(to, message_id, e2e_card_id(bob->card)),
	    E2E_OK);
	is("to_element_bob", to, sizeof(to));
}

static void
segment_signature_of_the_document(void **state)
{
	unsigned char digest[32];
	struct cose_sign1 sign1;
	struct buffer b, aad, payload;

	assert_int_equal(hash_sha256(digest, data, DATA_LEN), E2E_OK);
	buffer_init(&payload, 512);
	dcbor_put_array(&payload, 3);
	dcbor_put_uint(&payload, 0);
	dcbor_put_bool(&payload, true);
	dcbor_put_bytes(&payload, digest, sizeof(digest));
	assert_int_equal(cose_sign1_parse(&sign1, value("signed_metadata"),
	    TYP_METADATA), E2E_OK);
	buffer_init(&aad, 512);
	derive_put_segment_aad(&aad, value("signed_ch").data);
	buffer_init(&b, 2048);
	cose_put_sig_structure(&b, sign1.protected_header,
	    buffer_bytes(&aad), buffer_bytes(&payload));
	buffer_free(&aad);
	buffer_is("signed_segment_payload", &payload);
	buffer_is("signed_segment_sig_structure", &b);
}

/* ---- 15.5 ---- */

static void
secret_keys_of_the_document(void **state)
{
	struct bytes item = value("secret_file_item");
	const struct header_limits limits = {
		.memory_max_kib = UINT32_MAX,
		.ciphertext_max = E2E_KEY_FILE_MAX };
	unsigned char kek[32], card_hash[32], rh[32], argon2_salt[16];
	struct keyfile file;
	struct buffer b;

	buffer_init(&b, 4096);
	dcbor_put_array(&b, 2);
	cose_put_key(&b, &alice->signing->parts, true);
	cose_put_key(&b, &alice->encryption[0]->parts, true);
	buffer_is("alice_keyset", &b);
	memset(argon2_salt, 0x0b, sizeof(argon2_salt));
	assert_int_equal(passhash_argon2id(kek, "correct horse", 13,
	    argon2_salt, 1, 8192, 1), E2E_OK);
	is("secret_KEK", kek, sizeof(kek));

	assert_int_equal(keyfile_parse(&file, item, &limits), E2E_OK);
	assert_true(file.is_encrypted);
	is("alice_card", file.card.data, file.card.length);
	is("secret_R", file.header.recipients_encoded.data,
	    file.header.recipients_encoded.length);
	assert_int_equal(hash_sha256(card_hash, file.card.data,
	    file.card.length), E2E_OK);
	assert_int_equal(hash_sha256(rh, value("secret_R").data,
	    value("secret_R").length), E2E_OK);
	buffer_init(&b, 512);
	derive_put_secret_aad(&b, file.header.protected_header, card_hash,
	    rh);
	{
		struct bytes aad = value("secret_external_aad");

		assert_true(b.length > aad.length);
		is("secret_external_aad", b.data + b.length - aad.length,
		    aad.length);
	}
	buffer_free(&b);
	keyfile_free(&file);
}

static void
is_alice(const struct e2e_identity *id)
{
	assert_false(e2e_identity_locked(id));
	assert_true(e2e_card_equal(e2e_identity_card(id), alice->card));
	assert_int_equal(id->encryption_count, 1);
	assert_true(bytes_equal(buffer_bytes(&id->signing->private_encoded),
	    buffer_bytes(&alice->signing->private_encoded)));
	assert_true(bytes_equal(
	    buffer_bytes(&id->encryption[0]->private_encoded),
	    buffer_bytes(&alice->encryption[0]->private_encoded)));
}

static void
secret_file_of_the_document_in_both_forms(void **state)
{
	struct bytes item = value("secret_file_item"), text;
	struct e2e_identity *id;
	struct buffer armored;
	struct e2e_kdf_cost cost = { 0, 0, 0 };
	size_t length;
	char *plain;

	buffer_init(&armored, E2E_KEY_FILE_MAX);
	assert_int_equal(armor_encode(&armored, ARMOR_SECRET_KEY, item.data,
	    item.length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&id, armored.data,
	    armored.length), E2E_OK);
	assert_true(e2e_identity_locked(id));
	assert_true(e2e_card_equal(e2e_identity_card(id), alice->card));
	assert_int_equal(e2e_identity_unlock(id, "wrong horse", 11, 0),
	    E2E_ERR_PASSPHRASE_WRONG);
	assert_true(e2e_identity_locked(id));
	assert_int_equal(e2e_identity_unlock(id, "correct horse", 13, 0),
	    E2E_OK);
	is_alice(id);
	e2e_identity_free(id);
	buffer_free(&armored);

	text = document_text("-----BEGIN E2E SECRET KEY-----\nglj",
	    "-----END E2E SECRET KEY-----");
	assert_int_equal(e2e_identity_parse(&id, text.data, text.length),
	    E2E_OK);
	is_alice(id);
	/* Written again it ends with the same armor. */
	assert_int_equal(e2e_identity_text(id, NULL, 0, cost, &plain,
	    &length), E2E_OK);
	assert_true(length > text.length);
	assert_memory_equal(plain + length - text.length, text.data,
	    text.length);
	e2e_secret_free(plain);
	e2e_identity_free(id);
}

/* ---- 15.6 ---- */

/* The group key as whoever opened the document's wrapped key has it. */
static struct e2e_group_key *
group_of_the_document(const struct e2e_identity *reader)
{
	struct e2e_group_key *group;

	assert_int_equal(lab_unwrap(&group, value("wrapped_key"), reader,
	    alice->card), E2E_OK);
	return group;
}

static void
put_second_entry(struct buffer *r)
{
	unsigned char ephemeral[32], epk[32], z[32], kek[32], wrapped[40];
	struct recipient entry;
	bool usable;

	memset(ephemeral, 0x0c, sizeof(ephemeral));
	assert_int_equal(x25519_public(epk, ephemeral), E2E_OK);
	assert_int_equal(x25519_derive(z, &usable, ephemeral,
	    alice->encryption[0]->parts.x.data), E2E_OK);
	assert_int_equal(hkdf_sha256(kek, 32, z, 32, recipient_kdf_context,
	    sizeof(recipient_kdf_context)), E2E_OK);
	assert_int_equal(keywrap_wrap(wrapped, kek, cek), E2E_OK);
	memset(&entry, 0, sizeof(entry));
	entry.kind = RECIPIENT_X25519;
	entry.alg = ALG_ECDH_ES_A256KW;
	entry.kid = e2e_card_id(alice->card);
	entry.ephemeral = epk;
	entry.wrapped = (struct bytes){ wrapped, sizeof(wrapped) };
	recipient_put(r, &entry);
}

static void
put_group_claims(struct buffer *claims)
{
	static const char name[] = "rowers";
	unsigned char key[32], random[16], members[64];
	struct wrapped_key w;

	memset(key, 0x0d, sizeof(key));
	memset(random, 0x0e, sizeof(random));
	memcpy(members, e2e_card_id(bob->card), 32);
	memcpy(members + 32, e2e_card_id(alice->card), 32);
	memset(&w, 0, sizeof(w));
	w.issued = CREATED;
	w.id = message_id;
	w.key = key;
	w.name = (struct bytes){ (const unsigned char *)name, 6 };
	w.epoch = 1;
	w.members = (struct bytes){ members, sizeof(members) };
	w.random = random;
	wrapped_key_put(claims, &w);
}

static void
wrapped_key_of_the_document(void **state)
{
	struct bytes r = value("R"), aad;
	struct buffer b;
	struct forge f;

	forge_begin(&f, alice);
	f.typ = TYP_WRAPPED_KEY;
	(void)buffer_append(&f.entries, r.data + 1, r.length - 1);
	put_second_entry(&f.entries);
	f.entry_count = 2;
	put_group_claims(&f.raw_claims);
	is("wrapped_claims", f.raw_claims.data, f.raw_claims.length);
	forge_wrapped_key(&f);
	is("wrapped_R", f.recipients.data, f.recipients.length);
	is("wrapped_rh", f.core.recipients_hash, HASH_LEN);
	buffer_init(&b, 512);
	derive_put_sender_aad(&b, &f.core);
	buffer_is("wrapped_sender_external_aad", &b);
	is("wrapped_metadata", f.metadata.data, f.metadata.length);
	buffer_init(&b, 512);
	derive_put_header_aad(&b, &f.core);
	aad = value("wrapped_external_aad");
	assert_true(b.length > aad.length);
	is("wrapped_external_aad", b.data + b.length - aad.length,
	    aad.length);
	buffer_free(&b);
	is("wrapped_ciphertext", f.ciphertext.data, f.ciphertext.length);
	is("wrapped_key", f.envelope.data, f.envelope.length);
	forge_end(&f);
}

static void
group_of_the_document_opens_for_its_members(void **state)
{
	const struct e2e_identity *readers[] = { alice, bob };
	unsigned char hash[HASH_LEN], key[32], to[HASH_LEN];
	struct bytes input = value("group_kid_input");
	struct e2e_group_key *group;
	struct forge f;
	size_t i;

	memset(key, 0x0d, sizeof(key));
	assert_int_equal(hash_sha256(hash, input.data, input.length), E2E_OK);
	for (i = 0; i < 2; i++) {
		group = group_of_the_document(readers[i]);
		is("group_kid", e2e_group_key_id(group), E2E_ID_LEN);
		assert_memory_equal(hash, group->kid, HASH_LEN);
		assert_memory_equal(group->secret, key, sizeof(key));
		assert_string_equal(e2e_group_key_name(group), "rowers");
		assert_int_equal(e2e_group_key_members(group), 2);
		e2e_group_key_free(group);
	}
	group = group_of_the_document(bob);
	forge_begin(&f, NULL);
	forge_add_group(&f, group, false);
	is("group_entry", f.entries.data, f.entries.length);
	is("group_W", f.entries.data + f.entries.length - 40, 40);
	buffer_clear(&f.entries);
	forge_add_group(&f, group, true);
	is("group_entry_hidden", f.entries.data, f.entries.length);
	assert_int_equal(derive_to(to, message_id, group->kid), E2E_OK);
	is("to_element_group", to, sizeof(to));
	forge_end(&f);
	e2e_group_key_free(group);
}

/* ---- 15.7 ---- */

static void
rewrapped_envelope_of_the_document(void **state)
{
	struct e2e_group_key *group = group_of_the_document(alice);
	struct bytes r = value("R"), info = value("rewrap_info");
	unsigned char key[32], again[32];
	struct cose_sign1 sign1;
	struct buffer b, aad;
	struct forge f;
	size_t end;

	forge_begin(&f, alice);
	(void)buffer_append(&f.entries, r.data + 1, r.length - 1);
	f.entry_count = 1;
	forge_whole(&f, data, DATA_LEN);
	forge_rewrap_begin(&f);
	f.block.issued = CREATED;
	memset(f.rewrap_iv, 0x0f, sizeof(f.rewrap_iv));
	forge_add_group(&f, group, false);
	forge_rewrap(&f, bob);
	is("rewrap_R", f.recipients.data, f.recipients.length);
	is("rewrap_envelope", f.envelope.data, f.envelope.length);
	end = lab_header_end(f.envelope.data, f.envelope.length);
	is("rewrap_header", f.envelope.data + ENVELOPE_START_LEN,
	    end - ENVELOPE_START_LEN);

	assert_int_equal(derive_rewrap_key(key, cek), E2E_OK);
	is("rewrap_rk", key, sizeof(key));
	assert_int_equal(hkdf_sha256(again, 32, cek, 32, info.data,
	    info.length), E2E_OK);
	is("rewrap_rk", again, sizeof(again));
	buffer_init(&aad, 512);
	forge_put_rewrap_aad(&f, &aad);
	buffer_init(&b, 4096);
	forge_sign_block(&f, &b, bob);
	is("rewrap_claims", f.raw_block.data, f.raw_block.length);
	buffer_is("rewrap_block", &b);
	buffer_init(&b, 4096);
	forge_encrypt_block(&f, &b, value("rewrap_block"));
	buffer_is("rewrap_ct", &b);
	assert_int_equal(cose_sign1_parse(&sign1, value("rewrap_block"),
	    TYP_REWRAP), E2E_OK);
	buffer_init(&b, 4096);
	cose_put_sig_structure(&b, sign1.protected_header,
	    buffer_bytes(&aad), sign1.payload);
	buffer_is("rewrap_sig_structure", &b);
	buffer_is("rewrap_X", &aad);
	forge_end(&f);
	e2e_group_key_free(group);
}

static void
rewrapped_envelope_of_the_document_opens(void **state)
{
	struct e2e_group_key *group = group_of_the_document(alice);
	struct bytes envelope = value("rewrap_envelope");
	struct lab_keys keys;
	struct e2e_open request = lab_request(&keys, NULL, alice->card);
	struct lab_result r;

	keys.cards[keys.card_count++] = bob->card;
	lab_add_group(&request, &keys, group);
	lab_expect(E2E_OK, envelope.data, envelope.length, &request, data,
	    DATA_LEN);
	lab_open(&r, envelope.data, envelope.length, &request, LAB_STREAM);
	assert_true(r.opened.rewrapped);
	assert_int_equal(r.opened.forwarded, CREATED);
	is("signed_ch", r.opened.context_hash, HASH_LEN);
	lab_result_free(&r);
	e2e_group_key_free(group);
}

static void
every_value_of_the_document_was_compared(void **state)
{
	size_t i, k;

	for (i = 0; i < document_count(); i++) {
		for (k = 0; k < used; k++) {
			if (strcmp(used_names[k], document_name(i)) == 0)
				break;
		}
		if (k == used)
			print_error("not compared: %s\n", document_name(i));
		assert_true(k < used);
	}
	assert_true(used >= VALUES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(card_of_the_document),
		cmocka_unit_test(header_of_the_document),
		cmocka_unit_test(anonymous_envelope_of_the_document),
		cmocka_unit_test(signed_envelope_of_the_document),
		cmocka_unit_test(segment_signature_of_the_document),
		cmocka_unit_test(secret_keys_of_the_document),
		cmocka_unit_test(secret_file_of_the_document_in_both_forms),
		cmocka_unit_test(wrapped_key_of_the_document),
		cmocka_unit_test(group_of_the_document_opens_for_its_members),
		cmocka_unit_test(rewrapped_envelope_of_the_document),
		cmocka_unit_test(rewrapped_envelope_of_the_document_opens),
		cmocka_unit_test(every_value_of_the_document_was_compared)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
