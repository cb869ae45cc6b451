/*
 * What lies behind a signature: the harness signs the input with a key of its
 * own, so that parsers are reached which otherwise nobody can reach. The
 * first byte chooses
 *
 *	0	claims of a message, in an envelope around them
 *	1	claims of a card (signed by Ed25519), 2 (by RSA-PSS)
 *	3	claims of a revocation
 *	4	a protected header, one byte of length in front, and claims
 */
#include "fuzz.h"

#include "message/identity.h"
#include "message/sender.h"
#include "message/sign1.h"
#include "wire/armor.h"
#include "wire/labels.h"

#include <stdlib.h>
#include <string.h>

enum { DATA = 100, WHAT_MAX = 5 };

static const struct bytes no_aad = { NULL, 0 };

static const struct key *
signer(enum fuzz_person person)
{
	return fuzz_identity(person)->signing;
}

/* ---- messages ---- */

static const struct e2e_card *
find_card(void *context, const unsigned char id[E2E_ID_LEN])
{
	(void)id;
	return e2e_identity_card(fuzz_identity(FUZZ_SENDER));
}

/* The one segment that the payload has in mode 2. */
static void
put_segment(struct buffer *stream, const unsigned char *context_hash,
    struct bytes segment)
{
	unsigned char signature[KEY_SIGNATURE_MAX], hash[HASH_LEN];
	struct sender_segments s;
	const struct key *key = signer(FUZZ_SENDER);

	FUZZ_REQUIRE(sender_segments_init(&s, key, context_hash) == E2E_OK);
	FUZZ_REQUIRE(hash_sha256(hash, segment.data, segment.length) ==
	    E2E_OK);
	FUZZ_REQUIRE(sender_sign_segment(signature, &s, 0, true, hash) ==
	    E2E_OK);
	(void)buffer_append(stream, signature,
	    key->type->signature_length(key));
	(void)buffer_append(stream, segment.data, segment.length);
	sender_segments_free(&s);
}

static void
put_envelope(struct buffer *envelope, enum fuzz_list list,
    struct bytes metadata, const struct metadata *m)
{
	unsigned char context_hash[HASH_LEN];
	struct derive_payload keys;
	struct buffer data, stream;

	buffer_init(&data, DATA + 1);
	buffer_init(&stream, DATA + 1 + KEY_SIGNATURE_MAX);
	fuzz_put_front(envelope, &keys, context_hash, list, metadata,
	    m != NULL ? m->payload_key : NULL);
	fuzz_put_data(&data, DATA);
	if (m != NULL && m->padded)
		(void)buffer_append_byte(&data, 0x80);
	if (m != NULL && m->mode == MODE_SEGMENTS)
		put_segment(&stream, context_hash, buffer_bytes(&data));
	else
		(void)buffer_append(&stream, data.data, data.length);
	fuzz_put_chunks(envelope, &keys, buffer_bytes(&stream));
	FUZZ_REQUIRE(!envelope->failed && !stream.failed);
	buffer_free(&data);
	buffer_free(&stream);
}

/* Is this rightly signed message one that opens, and why not? */
static enum e2e_error
open_it(const struct buffer *envelope, enum fuzz_list list)
{
	const struct e2e_identity *keys[] = { fuzz_identity(FUZZ_CURVE) };
	struct e2e_open request = {
		.keys.identities = keys, .keys.identity_count = 1, .threads = 1,
		.find_card = find_card, .allow_expired = true
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
	FUZZ_REQUIRE(error != E2E_ERR_NO_KEY && !end);
	if (error == E2E_OK) {
		fuzz_accepted();
		FUZZ_REQUIRE(e2e_open_payload(reader, &request, &output,
		    &opened, NULL) == E2E_OK);
		FUZZ_REQUIRE(out.length == DATA &&
		    fuzz_is_data(out.data, DATA));
		FUZZ_REQUIRE(opened.sender_state == (opened.mode == 1 &&
		    list == FUZZ_TO_BOTH ? E2E_SENDER_BAD_MODE :
		    E2E_SENDER_VERIFIED));
	}
	e2e_reader_free(reader);
	buffer_free(&out);
	return error;
}

static void
try_message(struct bytes claims, enum fuzz_list list)
{
	const struct key *key = signer(FUZZ_SENDER);
	struct buffer aad, metadata, envelope;
	enum e2e_error parsed, error;
	struct metadata m;

	buffer_init(&aad, 512);
	buffer_init_secret(&metadata, HEADER_METADATA_MAX);
	buffer_init(&envelope, 2 * HEADER_METADATA_MAX);
	derive_put_sender_aad(&aad, &fuzz_core(list)->core);
	parsed = metadata_parse(&m, claims, true);
	FUZZ_REQUIRE(sign1_make(&metadata, key, TYP_METADATA,
	    buffer_bytes(&aad), claims) == E2E_OK);
	put_envelope(&envelope, list, buffer_bytes(&metadata),
	    parsed == E2E_OK ? &m : NULL);
	error = open_it(&envelope, list);
	if (parsed != E2E_OK)
		FUZZ_REQUIRE(error == parsed);
	else if (m.card.data == NULL && list != FUZZ_TO_HIDDEN)
		FUZZ_REQUIRE(error == E2E_OK);
	else if (error != E2E_OK)
		FUZZ_REQUIRE(error / 100 == 5 || error / 100 == 6 ||
		    error == E2E_ERR_CARD_SIGNATURE ||
		    (error == E2E_ERR_NOT_ADDRESSED &&
		    list == FUZZ_TO_HIDDEN));
	buffer_free(&aad);
	buffer_free(&metadata);
	buffer_free(&envelope);
}

/* ---- cards and statements ---- */

static void
try_card(struct bytes claims, enum fuzz_person person)
{
	struct e2e_card *card, *again;
	struct buffer encoded;
	enum e2e_error error;
	char *line;

	buffer_init(&encoded, 2 * E2E_CARD_MAX);
	error = sign1_make(&encoded, signer(person), TYP_CARD, no_aad,
	    claims);
	if (error != E2E_OK) {
		FUZZ_REQUIRE(encoded.failed);
		goto out;
	}
	error = card_decode(&card, buffer_bytes(&encoded));
	if (error != E2E_OK) {
		FUZZ_REQUIRE(error == E2E_ERR_CARD ||
		    error == E2E_ERR_LIMIT || error == E2E_ERR_KEY_SIZE ||
		    error == E2E_ERR_CARD_SIGNATURE);
		goto out;
	}
	fuzz_accepted();
	/* Whoever signed it is whom it names. */
	FUZZ_REQUIRE(memcmp(e2e_card_id(card), e2e_card_id(e2e_identity_card(
	    fuzz_identity(person))), E2E_ID_LEN) == 0);
	line = e2e_card_line(card);
	FUZZ_REQUIRE(line != NULL);
	FUZZ_REQUIRE(strchr(line, '\n') == line + strlen(line) - 1);
	FUZZ_REQUIRE(e2e_card_parse(&again, line, strlen(line)) == E2E_OK);
	FUZZ_REQUIRE(e2e_card_equal(card, again));
	free(line);
	e2e_card_free(again);
	e2e_card_free(card);
out:
	buffer_free(&encoded);
}

static void
try_revocation(struct bytes claims)
{
	const struct e2e_card *card =
	    e2e_identity_card(fuzz_identity(FUZZ_SENDER));
	enum e2e_error subject, check;
	enum e2e_revocation_reason reason;
	unsigned char id[E2E_ID_LEN];
	struct buffer encoded, text;
	uint64_t made;

	buffer_init(&encoded, HEADER_METADATA_MAX);
	buffer_init(&text, 2 * HEADER_METADATA_MAX);
	FUZZ_REQUIRE(sign1_make(&encoded, signer(FUZZ_SENDER),
	    TYP_REVOCATION, no_aad, claims) == E2E_OK);
	FUZZ_REQUIRE(armor_encode(&text, ARMOR_REVOCATION, encoded.data,
	    encoded.length) == E2E_OK);
	subject = e2e_revocation_subject((const char *)text.data,
	    text.length, id);
	check = e2e_revocation_check((const char *)text.data, text.length,
	    card, &reason, &made);
	FUZZ_REQUIRE(subject == check);
	FUZZ_REQUIRE(check == E2E_OK || check == E2E_ERR_STATEMENT ||
	    (check == E2E_ERR_LIMIT && encoded.length > 4096));
	/* Only himself. */
	if (check == E2E_OK)
		FUZZ_REQUIRE(memcmp(id, e2e_card_id(card), E2E_ID_LEN) == 0);
	buffer_free(&encoded);
	buffer_free(&text);
}

/* Signed rightly, whatever the protected header says. */
static void
try_protected(struct bytes input)
{
	const struct e2e_card *own =
	    e2e_identity_card(fuzz_identity(FUZZ_SENDER));
	const struct key *key = signer(FUZZ_SENDER);
	unsigned char signature[KEY_SIGNATURE_MAX];
	struct buffer encoded, expected;
	struct bytes header, claims;
	struct e2e_card *card;

	if (input.length == 0 || input.length - 1 < input.data[0])
		return;
	header = (struct bytes){ input.data + 1, input.data[0] };
	claims = (struct bytes){ header.data + header.length,
	    input.length - 1 - header.length };
	buffer_init(&encoded, HEADER_METADATA_MAX);
	buffer_init(&expected, 256);
	FUZZ_REQUIRE(sign1_signature(signature, key, header, no_aad,
	    claims) == E2E_OK);
	cose_put_sign1(&encoded, header, claims, (struct bytes){ signature,
	    key->type->signature_length(key) });
	/* There is one protected header that a card can have. */
	if (!encoded.failed &&
	    card_decode(&card, buffer_bytes(&encoded)) == E2E_OK) {
		cose_put_sign1_protected(&expected, key->type->alg,
		    e2e_card_id(own), TYP_CARD);
		FUZZ_REQUIRE(bytes_equal(buffer_bytes(&expected), header));
		e2e_card_free(card);
	}
	buffer_free(&encoded);
	buffer_free(&expected);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest;
	unsigned choice;

	if (size == 0 || size > E2E_CARD_MAX)
		return 0;
	choice = data[0];
	rest = (struct bytes){ data + 1, size - 1 };
	switch (choice % WHAT_MAX) {
	case 0:
		try_message(rest, (enum fuzz_list)(choice / WHAT_MAX %
		    FUZZ_LISTS));
		break;
	case 1:
		try_card(rest, FUZZ_SENDER);
		break;
	case 2:
		try_card(rest, FUZZ_RSA);
		break;
	case 3:
		try_revocation(rest);
		break;
	default:
		try_protected(rest);
	}
	return 0;
}
