/*
 * Rewrap blocks, which lie behind the header's encryption: the input is
 * encrypted as it stands, or signed first, in an otherwise correct envelope
 * with other recipients. The first byte: signed; which recipients.
 */
#include "fuzz.h"

#include "message/rewrap_block.h"
#include "wire/labels.h"

#include <string.h>

enum { DATA = 100 };

/* Nothing in the claims but what a block is written with? */
static bool
only_known(struct bytes claims)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	int64_t key;

	dcbor_reader_init(&r, claims.data, claims.length);
	FUZZ_REQUIRE(dcbor_enter_map(&r, &map));
	while (dcbor_next_key(&r, &map, &key)) {
		if (key != CLAIM_IAT && key != CLAIM_CARD &&
		    key != CLAIM_TO && key != CLAIM_ORIGINAL_HASH)
			return false;
		FUZZ_REQUIRE(dcbor_skip(&r, NULL));
	}
	return true;
}

/* The elements of `to` without heads, as they are written. */
static void
put_hashes(struct buffer *hashes, struct bytes to)
{
	const unsigned char *hash;
	struct dcbor_reader r;
	uint64_t count;

	dcbor_reader_init(&r, to.data, to.length);
	FUZZ_REQUIRE(dcbor_enter_array(&r, &count) && count > 0);
	while (count-- > 0) {
		FUZZ_REQUIRE(dcbor_get_bytes_of(&r, &hash, HASH_LEN));
		(void)buffer_append(hashes, hash, HASH_LEN);
	}
}

/* Sealed and opened by the library it is what it was. */
static void
check_encoding(const struct rewrap_block *block, struct bytes claims)
{
	static const unsigned char cek[DERIVE_CEK_LEN] = { 1 };
	static const unsigned char iv[HEADER_IV_LEN] = { 2 };
	const struct fuzz_core *c = fuzz_core(FUZZ_TO_CURVE);
	struct rewrap_block again = *block;
	struct buffer hashes, ciphertext, plaintext;
	struct header h = {
		.rewrap_iv = iv,
		.recipients_encoded = buffer_bytes(&c->recipients)
	};
	bool authentic;

	if (block->is_signed || !only_known(claims))
		return;
	buffer_init(&hashes, HEADER_REWRAP_MAX);
	buffer_init(&ciphertext, HEADER_REWRAP_MAX + HEADER_TAG_LEN);
	buffer_init_secret(&plaintext, HEADER_REWRAP_MAX + HEADER_TAG_LEN);
	if (block->to.data != NULL) {
		put_hashes(&hashes, block->to);
		again.to = buffer_bytes(&hashes);
	}
	FUZZ_REQUIRE(rewrap_block_seal(&ciphertext, iv, &again, NULL,
	    &c->core, buffer_bytes(&c->recipients), cek) == E2E_OK);
	h.rewrap_ciphertext = buffer_bytes(&ciphertext);
	FUZZ_REQUIRE(rewrap_block_decrypt(&plaintext, &authentic, &c->core,
	    &h, cek) == E2E_OK && authentic);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&plaintext), claims));
	buffer_free(&hashes);
	buffer_free(&ciphertext);
	buffer_free(&plaintext);
}

static bool
is_refusal(enum e2e_error error)
{
	switch (error) {
	case E2E_ERR_NO_KEY:		/* another rh */
	case E2E_ERR_NOT_ADDRESSED:
	case E2E_ERR_FORWARDER_UNKNOWN:
	case E2E_ERR_FORWARDER_SIGNATURE:
	case E2E_ERR_CARD_SIGNATURE:
		return true;
	default:
		return error / 100 == 5 || error / 100 == 6;
	}
}

/* block: NULL when it is none, unless it is signed and holds a card. */
static void
check_opened(const struct e2e_opened *opened,
    const struct rewrap_block *block, bool is_signed)
{
	fuzz_accepted();
	FUZZ_REQUIRE(opened->rewrapped);
	FUZZ_REQUIRE((opened->forwarder != NULL) == is_signed);
	FUZZ_REQUIRE(is_signed || block != NULL);
	if (block == NULL)
		return;
	FUZZ_REQUIRE(!block->is_signed);
	FUZZ_REQUIRE(opened->forwarded == block->issued);
	FUZZ_REQUIRE(memcmp(block->recipients_hash, fuzz_first_hash,
	    HASH_LEN) == 0);
}

static void
open_it(const struct buffer *envelope, const struct rewrap_block *block,
    bool is_signed)
{
	const struct e2e_identity *keys[] = { fuzz_identity(FUZZ_CURVE) };
	struct e2e_open request = {
		.keys.identities = keys, .keys.identity_count = 1,
		.threads = 1, .find_card = fuzz_find_card
	};
	struct fuzz_memory memory = {
		.data = envelope->data, .size = envelope->length
	};
	struct e2e_input input = fuzz_input(&memory, true);
	struct e2e_opened opened;
	struct e2e_reader *reader;
	struct buffer out;
	struct e2e_output output = fuzz_output(&out, false);
	enum e2e_error error;
	bool end;

	buffer_init(&out, FUZZ_OUTPUT_MAX);
	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	error = e2e_open_next(reader, &request, &opened, &end, NULL);
	FUZZ_REQUIRE(!end);
	if (error == E2E_OK) {
		check_opened(&opened, block, is_signed);
		FUZZ_REQUIRE(e2e_open_payload(reader, &request, &output,
		    &opened, NULL) == E2E_OK);
		FUZZ_REQUIRE(out.length == DATA &&
		    fuzz_is_data(out.data, DATA));
	} else {
		FUZZ_REQUIRE(is_refusal(error));
		/* With the right rh it opens, or not for another reason. */
		if (block != NULL && !block->is_signed &&
		    memcmp(block->recipients_hash, fuzz_first_hash,
		    HASH_LEN) == 0)
			FUZZ_REQUIRE(error == E2E_ERR_NOT_ADDRESSED);
	}
	e2e_reader_free(reader);
	buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct metadata m = fuzz_claims(MODE_ANONYMOUS);
	struct buffer metadata, envelope, stream;
	struct derive_payload keys;
	struct rewrap_block block;
	enum e2e_error parsed;
	struct bytes claims;
	bool is_signed;

	if (size == 0 || size > HEADER_REWRAP_MAX - 1024)
		return 0;
	is_signed = data[0] & 1;
	claims = (struct bytes){ data + 1, size - 1 };
	/* As if it were bare: signed, it may also hold a card. */
	parsed = rewrap_block_parse(&block, claims);
	if (parsed == E2E_OK)
		check_encoding(&block, claims);
	buffer_init_secret(&metadata, HEADER_METADATA_MAX);
	buffer_init(&envelope, 2 * HEADER_METADATA_MAX);
	buffer_init(&stream, DATA);
	metadata_put(&metadata, &m, -1);
	fuzz_put_data(&stream, DATA);
	fuzz_put_rewrapped(&envelope, &keys, (enum fuzz_list)(data[0] / 2 %
	    FUZZ_LISTS), buffer_bytes(&metadata), is_signed ?
	    fuzz_identity(FUZZ_SENDER) : NULL, claims);
	fuzz_put_chunks(&envelope, &keys, buffer_bytes(&stream));
	FUZZ_REQUIRE(!envelope.failed);
	open_it(&envelope, parsed == E2E_OK ? &block : NULL, is_signed);
	buffer_free(&metadata);
	buffer_free(&envelope);
	buffer_free(&stream);
	return 0;
}
