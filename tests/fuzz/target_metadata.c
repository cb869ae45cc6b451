/*
 * Metadata, which lies behind the header's encryption: the input is encrypted
 * as it stands, for a known recipient and with a right key commitment, in
 * front of a small correct payload. The first byte chooses the recipients.
 */
#include "fuzz.h"

#include "wire/dcbor.h"
#include "wire/labels.h"

#include <string.h>

enum { DATA = 100 };

static const struct e2e_card *
find_card(void *context, const unsigned char id[E2E_ID_LEN])
{
	(void)id;
	return e2e_identity_card(fuzz_identity(FUZZ_SENDER));
}

/* Nothing in the claims but what metadata_put writes? */
static bool
only_known(struct bytes claims)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	int64_t key;

	dcbor_reader_init(&r, claims.data, claims.length);
	FUZZ_REQUIRE(dcbor_enter_map(&r, &map));
	while (dcbor_next_key(&r, &map, &key)) {
		if (key != CLAIM_EXP && key != CLAIM_IAT &&
		    key != CLAIM_CTI && (key > CLAIM_PAYLOAD_KEY ||
		    key <= CLAIM_TO))
			return false;
		FUZZ_REQUIRE(dcbor_skip(&r, NULL));
	}
	return true;
}

static void
check_claims(const struct metadata *m, struct bytes claims)
{
	struct buffer again;

	FUZZ_REQUIRE(m->media_type.length <= E2E_TEXT_MAX &&
	    m->file_name.length <= E2E_TEXT_MAX);
	if (!only_known(claims))
		return;
	buffer_init_secret(&again, HEADER_METADATA_MAX);
	metadata_put(&again, m, -1);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&again), claims));
	buffer_free(&again);
}

static void
check_opened(const struct e2e_opened *opened, const struct metadata *m,
    const struct buffer *out)
{
	FUZZ_REQUIRE(opened->mode == 0 && m->mode == 0);
	FUZZ_REQUIRE(opened->sender_state == E2E_SENDER_ANONYMOUS &&
	    opened->sender == NULL);
	FUZZ_REQUIRE(opened->created == m->issued);
	FUZZ_REQUIRE((opened->file_name != NULL) ==
	    (m->file_name.data != NULL));
	FUZZ_REQUIRE(out->length == DATA && fuzz_is_data(out->data, DATA));
}

static void
open_it(const struct buffer *envelope, const struct metadata *m,
    enum e2e_error parsed)
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
	/* It was encrypted rightly: only the inside is to blame. */
	FUZZ_REQUIRE(error != E2E_ERR_NO_KEY && !end);
	if (parsed == E2E_OK)
		FUZZ_REQUIRE(error == E2E_OK);
	if (error == E2E_OK) {
		fuzz_accepted();
		FUZZ_REQUIRE(parsed == E2E_OK);
		FUZZ_REQUIRE(e2e_open_payload(reader, &request, &output,
		    &opened, NULL) == E2E_OK);
		check_opened(&opened, m, &out);
	} else {
		/* A signature it cannot have. */
		FUZZ_REQUIRE(error / 100 == 5 || error / 100 == 6 ||
		    error == E2E_ERR_SIGNATURE ||
		    error == E2E_ERR_CARD_SIGNATURE ||
		    error == E2E_ERR_SENDER_UNKNOWN);
	}
	e2e_reader_free(reader);
	buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char mark = 0x80;
	unsigned char context_hash[HASH_LEN];
	struct derive_payload keys;
	struct buffer envelope, stream;
	struct metadata m;
	enum e2e_error parsed;
	struct bytes claims;
	enum fuzz_list list;

	if (size == 0 || size > HEADER_METADATA_MAX)
		return 0;
	list = (enum fuzz_list)(data[0] % FUZZ_LISTS);
	claims = (struct bytes){ data + 1, size - 1 };
	parsed = metadata_parse(&m, claims, false);
	if (parsed == E2E_OK)
		check_claims(&m, claims);
	buffer_init(&envelope, 2 * HEADER_METADATA_MAX);
	buffer_init(&stream, DATA + 1);
	fuzz_put_data(&stream, DATA);
	if (parsed == E2E_OK && m.padded)
		(void)buffer_append(&stream, &mark, 1);
	fuzz_put_front(&envelope, &keys, context_hash, list, claims,
	    parsed == E2E_OK ? m.payload_key : NULL);
	fuzz_put_chunks(&envelope, &keys, buffer_bytes(&stream));
	FUZZ_REQUIRE(!envelope.failed);
	open_it(&envelope, &m, parsed);
	buffer_free(&envelope);
	buffer_free(&stream);
	return 0;
}
