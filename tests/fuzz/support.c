/* People, memory and envelopes for the fuzz targets. */
#include "fuzz.h"

#include "crypto/aead.h"
#include "message/content.h"
#include "message/identity.h"
#include "message/payload.h"
#include "message/recipients.h"
#include "message/rewrap_block.h"
#include "message/sign1.h"
#include "wire/labels.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fuzz_failed(const char *demand, const char *file, int line)
{
	fprintf(stderr, "%s:%d: demanded: %s\n", file, line, demand);
	abort();
}

static unsigned long accepted;

static void
print_accepted(void)
{
	fprintf(stderr, "accepted %lu\n", accepted);
}

void
fuzz_accepted(void)
{
	if (accepted++ == 0)
		(void)atexit(print_accepted);
}

/*
 * OpenSSL's own generators first, in ordinary memory: once there is a secure
 * heap they would lie in that, where the leak checker does not look for what
 * points to them.
 */
__attribute__((constructor)) static void
warm_up(void)
{
	unsigned char byte;

	if (RAND_bytes(&byte, 1) != 1 || RAND_priv_bytes(&byte, 1) != 1)
		abort();
}

/* ---- people ---- */

const struct e2e_identity *
fuzz_identity(enum fuzz_person person)
{
	static const char *const texts[FUZZ_PEOPLE] = {
		fuzz_key_sender, fuzz_key_curve, fuzz_key_rsa
	};
	static struct e2e_identity *people[FUZZ_PEOPLE];

	if (people[person] == NULL)
		FUZZ_REQUIRE(e2e_identity_parse(&people[person],
		    texts[person], strlen(texts[person])) == E2E_OK);
	return people[person];
}

const struct e2e_group_key *
fuzz_group(void)
{
	static struct e2e_group_key *group;
	const struct e2e_identity *keys[] = { fuzz_identity(FUZZ_CURVE) };
	const struct e2e_unwrap_key request = {
		.keys.identities = keys, .keys.identity_count = 1
	};

	if (group == NULL)
		FUZZ_REQUIRE(e2e_unwrap_key(&group, &request, fuzz_key_group,
		    strlen(fuzz_key_group), NULL) == E2E_OK);
	return group;
}

const struct e2e_card *
fuzz_find_card(void *context, const unsigned char id[E2E_ID_LEN])
{
	const struct e2e_card *card =
	    e2e_identity_card(fuzz_identity(FUZZ_SENDER));

	(void)context;
	return memcmp(e2e_card_id(card), id, E2E_ID_LEN) == 0 ? card : NULL;
}

/* ---- known data ---- */

const size_t fuzz_lengths[FUZZ_LENGTHS] = {
	0, 1, 100, 500, 16383, 16384, 16400
};

/* The text repeats itself after this many bytes; no segment is a multiple. */
enum { PERIOD = 61 * 1021 };

static const unsigned char *
text(void)
{
	static unsigned char period[PERIOD];
	size_t i;

	if (period[0] != 0)
		return period;
	for (i = 0; i < PERIOD; i++)
		period[PERIOD - 1 - i] = (unsigned char)(i * 31 +
		    (i >> 8) * 17 + 5);
	FUZZ_REQUIRE(period[0] != 0);
	return period;
}

void
fuzz_put_data(struct buffer *b, size_t length)
{
	size_t part;

	for (; length > 0; length -= part) {
		part = length < PERIOD ? length : PERIOD;
		(void)buffer_append(b, text(), part);
	}
}

bool
fuzz_is_data(const void *data, size_t length)
{
	const unsigned char *d = data;
	size_t part;

	for (; length > 0; length -= part, d += part) {
		part = length < PERIOD ? length : PERIOD;
		if (memcmp(d, text(), part) != 0)
			return false;
	}
	return true;
}

bool
fuzz_is_known_length(uint64_t length)
{
	for (size_t i = 0; i < FUZZ_LENGTHS; i++) {
		if (fuzz_lengths[i] == length)
			return true;
	}
	return false;
}

/* FNV-1a. */
bool
fuzz_sometimes(const uint8_t *data, size_t size, unsigned odds)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 16777619u;
	return (hash >> 8) % odds == 0;
}

/* ---- memory ---- */

static enum e2e_error
read_at(void *context, void *buffer, size_t size, uint64_t offset,
    size_t *got)
{
	const struct fuzz_memory *m = context;
	size_t left = offset < m->size ? m->size - (size_t)offset : 0;

	*got = size < left ? size : left;
	if (*got > 0)
		memcpy(buffer, m->data + offset, *got);
	return E2E_OK;
}

static enum e2e_error
read_next(void *context, void *buffer, size_t size, size_t *got)
{
	struct fuzz_memory *m = context;
	enum e2e_error error = read_at(m, buffer, size, m->offset, got);

	m->offset += *got;
	return error;
}

struct e2e_input
fuzz_input(struct fuzz_memory *memory, bool random)
{
	memory->offset = 0;
	return (struct e2e_input){
		.context = memory,
		.read = read_next,
		.read_at = random ? read_at : NULL,
		.size = random ? memory->size : 0
	};
}

/* Makes the buffer at least so long. */
static bool
stretch(struct buffer *out, size_t length)
{
	size_t before = out->length;
	unsigned char *room;

	if (length <= before)
		return true;
	room = buffer_extend(out, length - before);
	if (room != NULL)
		memset(room, 0, length - before);
	return room != NULL;
}

/* Where `write` goes on; write_at does not move it, as with a file. */
static size_t position;

static enum e2e_error
write_any(struct buffer *out, const void *data, size_t size, uint64_t offset)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	bool ok;

	if (offset > FUZZ_OUTPUT_MAX || size > FUZZ_OUTPUT_MAX - offset)
		return E2E_ERR_WRITE;
	(void)pthread_mutex_lock(&mutex);
	ok = stretch(out, (size_t)offset + size);
	if (ok && size > 0)
		memcpy(out->data + offset, data, size);
	(void)pthread_mutex_unlock(&mutex);
	return ok ? E2E_OK : E2E_ERR_WRITE;
}

static enum e2e_error
write_next(void *context, const void *data, size_t size)
{
	enum e2e_error error = write_any(context, data, size, position);

	position += size;
	return error;
}

/* Threads: several at once. */
static enum e2e_error
write_at(void *context, const void *data, size_t size, uint64_t offset)
{
	return write_any(context, data, size, offset);
}

static enum e2e_error
set_size(void *context, uint64_t size)
{
	struct buffer *out = context;

	FUZZ_REQUIRE(size <= out->length);
	out->length = (size_t)size;
	return E2E_OK;
}

struct e2e_output
fuzz_output(struct buffer *out, bool random)
{
	position = 0;
	return (struct e2e_output){
		.context = out,
		.write = write_next,
		.write_at = random ? write_at : NULL,
		.set_size = random ? set_size : NULL
	};
}

/* ---- envelopes ---- */

static const unsigned char fixed_cek[DERIVE_CEK_LEN] =
    "a CEK that everybody may know ..";
static const unsigned char fixed_iv[HEADER_IV_LEN] =
    "an IV of 12.";
static const unsigned char fixed_salt[ENVELOPE_SALT_LEN] =
    "the salt of the preamble";
static const unsigned char fixed_id[DERIVE_MESSAGE_ID_LEN] =
    "a message's name";
const unsigned char fuzz_payload_key[HASH_LEN] =
    "an ik that everybody may know ..";
const unsigned char fuzz_first_hash[HASH_LEN] =
    "of recipients who are long gone.";

static void
wrap(struct buffer *entries, enum fuzz_person person, bool hidden)
{
	const struct e2e_card *card =
	    e2e_identity_card(fuzz_identity(person));
	const struct key *key = card->encryption[0];

	FUZZ_REQUIRE(recipient_type_find(key->type->recipient_kind)->wrap(
	    entries, key, hidden ? NULL : e2e_card_id(card), fixed_cek) ==
	    E2E_OK);
}

static void
make_core(struct fuzz_core *c, enum fuzz_list list)
{
	buffer_init(&c->recipients, 4096);
	buffer_init(&c->protected_header, 64);
	dcbor_put_array(&c->recipients, list == FUZZ_TO_BOTH ? 2 : 1);
	wrap(&c->recipients, FUZZ_CURVE, list == FUZZ_TO_HIDDEN);
	if (list == FUZZ_TO_BOTH)
		wrap(&c->recipients, FUZZ_RSA, false);
	FUZZ_REQUIRE(content_put_protected(&c->protected_header, fixed_cek) ==
	    E2E_OK && !c->recipients.failed);
	c->core.protected_header = buffer_bytes(&c->protected_header);
	c->core.iv = fixed_iv;
	FUZZ_REQUIRE(hash_sha256(c->core.recipients_hash, c->recipients.data,
	    c->recipients.length) == E2E_OK);
}

const struct fuzz_core *
fuzz_core(enum fuzz_list list)
{
	static struct fuzz_core cores[FUZZ_LISTS];

	if (cores[list].core.iv == NULL)
		make_core(&cores[list], list);
	return &cores[list];
}

/* The metadata under the CEK: the header's last immutable part. */
static void
encrypt(struct derive_core *core, struct buffer *ciphertext,
    struct bytes metadata)
{
	struct buffer aad;

	buffer_init(&aad, 512);
	buffer_init(ciphertext, HEADER_METADATA_MAX + 4096);
	derive_put_header_aad(&aad, core);
	FUZZ_REQUIRE(content_encrypt(ciphertext, fixed_cek, fixed_iv,
	    buffer_bytes(&aad), metadata) == E2E_OK);
	core->ciphertext = buffer_bytes(ciphertext);
	buffer_free(&aad);
}

static void
put_preamble(struct buffer *b, struct derive_payload *keys,
    const unsigned char context_hash[HASH_LEN],
    const unsigned char *payload_key)
{
	static const unsigned char zeros[HASH_LEN];

	FUZZ_REQUIRE(derive_payload(keys, payload_key != NULL ? payload_key :
	    zeros, fixed_salt, context_hash) == E2E_OK);
	(void)buffer_append(b, envelope_preamble_head,
	    sizeof(envelope_preamble_head));
	(void)buffer_append(b, fixed_salt, sizeof(fixed_salt));
	(void)buffer_append(b, keys->commitment, sizeof(keys->commitment));
}

void
fuzz_put_front(struct buffer *b, struct derive_payload *keys,
    unsigned char context_hash[HASH_LEN], enum fuzz_list list,
    struct bytes metadata, const unsigned char *payload_key)
{
	const struct fuzz_core *c = fuzz_core(list);
	struct derive_core core = c->core;
	struct buffer ciphertext;

	encrypt(&core, &ciphertext, metadata);
	(void)buffer_append(b, envelope_start, sizeof(envelope_start));
	header_put(b, core.protected_header, fixed_iv, core.ciphertext,
	    buffer_bytes(&c->recipients));
	FUZZ_REQUIRE(derive_context_hash(context_hash, &core) == E2E_OK);
	put_preamble(b, keys, context_hash, payload_key);
	buffer_free(&ciphertext);
}

/* The block as it is, or signed, under the CEK. */
static void
encrypt_block(struct buffer *ciphertext, const struct derive_core *core,
    struct bytes recipients, const struct e2e_identity *forwarder,
    struct bytes block)
{
	unsigned char key[AEAD_KEY_LEN];
	struct buffer aad, signed_block;

	buffer_init(&aad, 512);
	buffer_init(&signed_block, HEADER_REWRAP_MAX + 4096);
	buffer_init(ciphertext, HEADER_REWRAP_MAX + 4096);
	FUZZ_REQUIRE(derive_put_rewrap_aad(&aad, core, recipients) == E2E_OK);
	if (forwarder != NULL) {
		FUZZ_REQUIRE(sign1_make(&signed_block, forwarder->signing,
		    TYP_REWRAP, buffer_bytes(&aad), block) == E2E_OK);
		block = buffer_bytes(&signed_block);
	}
	FUZZ_REQUIRE(derive_rewrap_key(key, fixed_cek) == E2E_OK);
	FUZZ_REQUIRE(content_encrypt(ciphertext, key, fixed_iv,
	    buffer_bytes(&aad), block) == E2E_OK);
	buffer_free(&aad);
	buffer_free(&signed_block);
}

void
fuzz_put_rewrapped(struct buffer *b, struct derive_payload *keys,
    enum fuzz_list list, struct bytes metadata,
    const struct e2e_identity *forwarder, struct bytes block)
{
	const struct fuzz_core *c = fuzz_core(list);
	struct derive_core core = c->core;
	struct buffer ciphertext, block_ciphertext;
	unsigned char context_hash[HASH_LEN];

	memcpy(core.recipients_hash, fuzz_first_hash, HASH_LEN);
	encrypt(&core, &ciphertext, metadata);
	encrypt_block(&block_ciphertext, &core, buffer_bytes(&c->recipients),
	    forwarder, block);
	(void)buffer_append(b, envelope_start, sizeof(envelope_start));
	header_put_rewrapped(b, core.protected_header, fixed_iv, fixed_iv,
	    buffer_bytes(&block_ciphertext), core.ciphertext,
	    buffer_bytes(&c->recipients));
	FUZZ_REQUIRE(derive_context_hash(context_hash, &core) == E2E_OK);
	put_preamble(b, keys, context_hash, fuzz_payload_key);
	buffer_free(&ciphertext);
	buffer_free(&block_ciphertext);
}

void
fuzz_put_wrapped_key(struct buffer *b, enum fuzz_list list,
    struct bytes claims)
{
	const struct fuzz_core *c = fuzz_core(list);
	struct derive_core core = c->core;
	struct buffer aad, metadata, ciphertext;

	core.purpose = DERIVE_WRAPPED_KEY;
	buffer_init(&aad, 512);
	buffer_init(&metadata, HEADER_METADATA_MAX + 4096);
	derive_put_sender_aad(&aad, &core);
	FUZZ_REQUIRE(sign1_make(&metadata, fuzz_identity(FUZZ_SENDER)->signing,
	    TYP_WRAPPED_KEY, buffer_bytes(&aad), claims) == E2E_OK);
	encrypt(&core, &ciphertext, buffer_bytes(&metadata));
	dcbor_put_tag(b, TAG_WRAPPED_KEY);
	header_put(b, core.protected_header, fixed_iv, core.ciphertext,
	    buffer_bytes(&c->recipients));
	buffer_free(&aad);
	buffer_free(&metadata);
	buffer_free(&ciphertext);
}

void
fuzz_put_chunks(struct buffer *b, const struct derive_payload *keys,
    struct bytes stream)
{
	unsigned char item[ENVELOPE_CHUNK_ITEM_LEN];
	size_t size, length, at = 0;
	struct aead *aead;
	uint64_t k = 0;

	FUZZ_REQUIRE(aead_new(&aead, keys->key) == E2E_OK);
	do {
		size = stream.length - at < ENVELOPE_DATA_LEN ?
		    stream.length - at : ENVELOPE_DATA_LEN;
		FUZZ_REQUIRE(payload_seal_chunk(aead, keys, k++, item,
		    &length, size > 0 ? stream.data + at : NULL, size) ==
		    E2E_OK);
		(void)buffer_append(b, item, length);
		at += size;
	} while (size == ENVELOPE_DATA_LEN);
	(void)buffer_append_byte(b, ENVELOPE_BREAK);
	aead_free(aead);
}

struct metadata
fuzz_claims(enum metadata_mode mode)
{
	struct metadata m;

	memset(&m, 0, sizeof(m));
	m.issued = 1700000000;
	m.message_id = fixed_id;
	m.payload_key = fuzz_payload_key;
	m.mode = mode;
	m.segment_size = METADATA_SEGMENT_MIN;
	if (mode != MODE_ANONYMOUS)
		m.card = buffer_bytes(&e2e_identity_card(
		    fuzz_identity(FUZZ_SENDER))->encoded);
	return m;
}
