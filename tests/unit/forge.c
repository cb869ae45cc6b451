/* Envelopes by hand. */
#include "forge.h"

#include "message/content.h"
#include "message/payload.h"
#include "message/recipients.h"
#include "message/sender.h"
#include "message/sign1.h"
#include "wire/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void
forge_begin(struct forge *f, const struct e2e_identity *signer)
{
	memset(f, 0, sizeof(*f));
	memset(f->cek, 0x05, sizeof(f->cek));
	memset(f->iv, 0x06, sizeof(f->iv));
	memset(f->payload_key, 0x08, sizeof(f->payload_key));
	memset(f->message_id, 0x09, sizeof(f->message_id));
	memset(f->salt, 0x0a, sizeof(f->salt));
	f->signer = signer;
	memset(f->rewrap_iv, 0x0c, sizeof(f->rewrap_iv));
	f->typ = TYP_METADATA;
	f->block_typ = TYP_REWRAP;
	f->claims.issued = 1700000000;
	f->claims.message_id = f->message_id;
	f->claims.payload_key = f->payload_key;
	f->claims.mode = signer != NULL ? MODE_SEGMENTS : MODE_ANONYMOUS;
	f->claims.segment_size = METADATA_SEGMENT_MIN;
	buffer_init(&f->entries, LAB_MAX);
	buffer_init(&f->recipients, LAB_MAX);
	buffer_init(&f->protected_header, 64);
	buffer_init(&f->raw_claims, LAB_MAX);
	buffer_init_secret(&f->metadata, LAB_MAX);
	buffer_init(&f->ciphertext, LAB_MAX);
	buffer_init(&f->stream, LAB_MAX);
	buffer_init(&f->envelope, LAB_MAX);
	buffer_init(&f->raw_block, LAB_MAX);
}

void
forge_end(struct forge *f)
{
	buffer_free(&f->entries);
	buffer_free(&f->recipients);
	buffer_free(&f->protected_header);
	buffer_free(&f->raw_claims);
	buffer_free(&f->metadata);
	buffer_free(&f->ciphertext);
	buffer_free(&f->stream);
	buffer_free(&f->envelope);
	buffer_free(&f->raw_block);
}

/* ---- recipients ---- */

void
forge_add_card(struct forge *f, const struct e2e_card *to,
    const unsigned char *kid)
{
	const struct key *key = to->encryption[0];
	const struct recipient_type *type =
	    recipient_type_find(key->type->recipient_kind);

	assert_non_null(type);
	assert_int_equal(type->wrap(&f->entries, key, kid, f->cek), E2E_OK);
	f->entry_count++;
}

void
forge_add(struct forge *f, const struct e2e_identity *to, bool hidden)
{
	forge_add_card(f, to->card, hidden ? NULL : e2e_card_id(to->card));
}

void
forge_add_group(struct forge *f, const struct e2e_group_key *group,
    bool hidden)
{
	assert_int_equal(recipients_wrap_group(&f->entries, group, hidden,
	    f->cek), E2E_OK);
	f->entry_count++;
}

void
forge_add_passphrase(struct forge *f, const char *passphrase)
{
	const struct e2e_kdf_cost cost = { RECIPIENT_MEMORY_MIN_KIB, 1, 1 };

	assert_int_equal(recipients_wrap_passphrase(&f->entries, passphrase,
	    strlen(passphrase), cost, f->cek), E2E_OK);
	f->entry_count++;
}

void
forge_add_raw(struct forge *f, const char *hex)
{
	struct buffer b = lab_hex(hex);

	assert_true(buffer_append(&f->entries, b.data, b.length));
	f->entry_count++;
	buffer_free(&b);
}

/* ---- header ---- */

static void
put_recipients(struct forge *f)
{
	buffer_clear(&f->recipients);
	dcbor_put_array(&f->recipients, f->entry_count);
	assert_true(buffer_append(&f->recipients, f->entries.data,
	    f->entries.length));
}

void
forge_header(struct forge *f)
{
	put_recipients(f);
	buffer_clear(&f->protected_header);
	assert_int_equal(content_put_protected(&f->protected_header, f->cek),
	    E2E_OK);
	f->core.protected_header = buffer_bytes(&f->protected_header);
	f->core.iv = f->iv;
	assert_int_equal(hash_sha256(f->core.recipients_hash,
	    f->recipients.data, f->recipients.length), E2E_OK);
}

void
forge_metadata(struct forge *f)
{
	struct buffer aad;

	if (f->raw_claims.length == 0)
		metadata_put(&f->raw_claims, &f->claims, -1);
	assert_false(f->raw_claims.failed);
	buffer_clear(&f->metadata);
	if (f->signer == NULL) {
		assert_true(buffer_append(&f->metadata, f->raw_claims.data,
		    f->raw_claims.length));
		return;
	}
	buffer_init(&aad, 512);
	derive_put_sender_aad(&aad, &f->core);
	assert_int_equal(sign1_make(&f->metadata, f->signer->signing, f->typ,
	    buffer_bytes(&aad), buffer_bytes(&f->raw_claims)), E2E_OK);
	buffer_free(&aad);
}

void
forge_encrypt(struct forge *f)
{
	struct buffer aad;

	buffer_init(&aad, 512);
	derive_put_header_aad(&aad, &f->core);
	buffer_clear(&f->ciphertext);
	assert_int_equal(content_encrypt(&f->ciphertext, f->cek, f->iv,
	    buffer_bytes(&aad), buffer_bytes(&f->metadata)), E2E_OK);
	buffer_free(&aad);
	f->core.ciphertext = buffer_bytes(&f->ciphertext);
	assert_int_equal(derive_context_hash(f->context_hash, &f->core),
	    E2E_OK);
}

void
forge_all_of_header(struct forge *f)
{
	forge_header(f);
	forge_metadata(f);
	forge_encrypt(f);
}

/* ---- payload ---- */

void
forge_segment(struct forge *f, const struct e2e_identity *signer,
    uint64_t index, bool last, const void *data, size_t length)
{
	unsigned char signature[KEY_SIGNATURE_MAX], digest[HASH_LEN];
	struct sender_segments segments;

	assert_int_equal(sender_segments_init(&segments, signer->signing,
	    f->context_hash), E2E_OK);
	assert_int_equal(hash_sha256(digest, data, length), E2E_OK);
	assert_int_equal(sender_sign_segment(signature, &segments, index,
	    last, digest), E2E_OK);
	sender_segments_free(&segments);
	assert_true(buffer_append(&f->stream, signature,
	    signer->signing->type->signature_length(signer->signing)));
	assert_true(buffer_append(&f->stream, data, length));
}

static void
put_chunks(struct forge *f, const struct derive_payload *keys)
{
	unsigned char item[ENVELOPE_CHUNK_ITEM_LEN];
	size_t at = 0, part, item_length;
	struct aead *aead;
	uint64_t k = 0;

	assert_int_equal(aead_new(&aead, keys->key), E2E_OK);
	do {
		part = f->stream.length - at;
		part = part < ENVELOPE_DATA_LEN ? part : ENVELOPE_DATA_LEN;
		assert_int_equal(payload_seal_chunk(aead, keys, k++, item,
		    &item_length, part > 0 ? f->stream.data + at : NULL,
		    part), E2E_OK);
		assert_true(buffer_append(&f->envelope, item, item_length));
		at += part;
	} while (part == ENVELOPE_DATA_LEN);
	aead_free(aead);
}

void
forge_envelope(struct forge *f)
{
	struct derive_payload keys;

	buffer_clear(&f->envelope);
	assert_true(buffer_append(&f->envelope, envelope_start,
	    sizeof(envelope_start)));
	header_put(&f->envelope, f->core.protected_header, f->iv,
	    f->core.ciphertext, buffer_bytes(&f->recipients));
	assert_int_equal(derive_payload(&keys, f->payload_key, f->salt,
	    f->context_hash), E2E_OK);
	dcbor_put_bytes_head(&f->envelope, ENVELOPE_PREAMBLE_LEN);
	(void)buffer_append(&f->envelope, f->salt, sizeof(f->salt));
	(void)buffer_append(&f->envelope, keys.commitment,
	    sizeof(keys.commitment));
	put_chunks(f, &keys);
	(void)buffer_append_byte(&f->envelope, ENVELOPE_BREAK);
	assert_false(f->envelope.failed);
}

void
forge_whole(struct forge *f, const void *data, size_t length)
{
	const unsigned char *from = data;
	size_t segment = (size_t)f->claims.segment_size, part;
	uint64_t index = 0;

	forge_all_of_header(f);
	if (f->signer == NULL || f->claims.mode != MODE_SEGMENTS) {
		assert_true(buffer_append(&f->stream, data, length));
	} else {
		do {
			part = length < segment ? length : segment;
			forge_segment(f, f->signer, index++, part == length,
			    from, part);
			from += part;
			length -= part;
		} while (length > 0);
	}
	forge_envelope(f);
}

/* ---- other recipients ---- */

void
forge_rewrap_begin(struct forge *f)
{
	buffer_clear(&f->entries);
	f->entry_count = 0;
	buffer_clear(&f->raw_block);
	memset(&f->block, 0, sizeof(f->block));
	f->block.issued = 1700000001;
	f->block.recipients_hash = f->core.recipients_hash;
}

void
forge_put_rewrap_aad(struct forge *f, struct buffer *aad)
{
	put_recipients(f);
	assert_int_equal(derive_put_rewrap_aad(aad, &f->core,
	    buffer_bytes(&f->recipients)), E2E_OK);
}

void
forge_rewrap_as(struct forge *f, struct bytes ciphertext)
{
	size_t at = lab_header_end(f->envelope.data, f->envelope.length);
	struct buffer whole;

	put_recipients(f);
	buffer_init(&whole, LAB_MAX);
	(void)buffer_append(&whole, envelope_start, sizeof(envelope_start));
	header_put_rewrapped(&whole, f->core.protected_header, f->iv,
	    f->rewrap_iv, ciphertext, f->core.ciphertext,
	    buffer_bytes(&f->recipients));
	(void)buffer_append(&whole, f->envelope.data + at,
	    f->envelope.length - at);
	assert_false(whole.failed);
	buffer_free(&f->envelope);
	f->envelope = whole;		/* transferred */
}

void
forge_sign_block(struct forge *f, struct buffer *plaintext,
    const struct e2e_identity *forwarder)
{
	struct buffer aad;

	if (f->raw_block.length == 0) {
		dcbor_put_map(&f->raw_block, 2);
		dcbor_put_int(&f->raw_block, CLAIM_IAT);
		dcbor_put_uint(&f->raw_block, f->block.issued);
		dcbor_put_int(&f->raw_block, CLAIM_ORIGINAL_HASH);
		dcbor_put_bytes(&f->raw_block, f->block.recipients_hash,
		    HASH_LEN);
	}
	if (forwarder == NULL) {
		assert_true(buffer_append(plaintext, f->raw_block.data,
		    f->raw_block.length));
		return;
	}
	buffer_init(&aad, 512);
	forge_put_rewrap_aad(f, &aad);
	assert_int_equal(sign1_make(plaintext, forwarder->signing,
	    f->block_typ, buffer_bytes(&aad), buffer_bytes(&f->raw_block)),
	    E2E_OK);
	buffer_free(&aad);
}

void
forge_encrypt_block(struct forge *f, struct buffer *ciphertext,
    struct bytes plaintext)
{
	unsigned char key[AEAD_KEY_LEN];
	struct buffer aad;

	buffer_init(&aad, 512);
	forge_put_rewrap_aad(f, &aad);
	assert_int_equal(derive_rewrap_key(key, f->cek), E2E_OK);
	buffer_clear(ciphertext);
	assert_int_equal(content_encrypt(ciphertext, key, f->rewrap_iv,
	    buffer_bytes(&aad), plaintext), E2E_OK);
	buffer_free(&aad);
}

void
forge_rewrap(struct forge *f, const struct e2e_identity *forwarder)
{
	struct buffer plaintext, ciphertext;

	buffer_init(&plaintext, LAB_MAX);
	buffer_init(&ciphertext, LAB_MAX);
	put_recipients(f);
	if (f->raw_block.length > 0) {
		forge_sign_block(f, &plaintext, forwarder);
		forge_encrypt_block(f, &ciphertext, buffer_bytes(&plaintext));
	} else {
		assert_int_equal(rewrap_block_seal(&ciphertext, f->rewrap_iv,
		    &f->block, forwarder != NULL ? forwarder->signing : NULL,
		    &f->core, buffer_bytes(&f->recipients), f->cek), E2E_OK);
	}
	forge_rewrap_as(f, buffer_bytes(&ciphertext));
	buffer_free(&plaintext);
	buffer_free(&ciphertext);
}

/* ---- wrapped keys ---- */

void
forge_wrapped_key(struct forge *f)
{
	f->core.purpose = DERIVE_WRAPPED_KEY;
	forge_all_of_header(f);
	buffer_clear(&f->envelope);
	dcbor_put_tag(&f->envelope, TAG_WRAPPED_KEY);
	header_put(&f->envelope, f->core.protected_header, f->iv,
	    f->core.ciphertext, buffer_bytes(&f->recipients));
	assert_false(f->envelope.failed);
}
