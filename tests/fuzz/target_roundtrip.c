/*
 * Sealing, and opening what was sealed: a request and data chosen by the
 * input come back as they were. A request that is refused is refused with
 * nothing written.
 *
 *	byte 0	recipients: curve, RSA, sender himself; hidden, no card
 *	byte 1	signed, padded, armored, segments, segment size, threads
 *	byte 2	output and input by offset; name and type present; a group,
 *		a receipt wanted, a number in a conversation
 *	byte 3, 4	length of the data, near what matters; the number
 *	then	the name and type
 */
#include "fuzz.h"

#include <string.h>

enum { SCRIPT = 5 };

struct texts {
	char name[300], type[300];
};

static size_t
length_of(unsigned which, unsigned extra)
{
	static const size_t near[] = {
		0, 1, 100, 16320, 16384, 32768, 65472, 65536, 131072, 200000
	};
	size_t length = near[which % 10];

	return length + extra % 8 < 4 ? length : length + extra % 8 - 4;
}

static const struct e2e_group_key *const *
the_group(void)
{
	static const struct e2e_group_key *group;

	group = fuzz_group();
	return &group;
}

static void
add_claims(struct e2e_seal *s, const uint8_t *script)
{
	static const unsigned char conversation[E2E_CONVERSATION_LEN] = {
		0x1d
	};

	if (script[2] & 16) {
		s->to.groups = the_group();
		s->to.group_count = 1;
	}
	s->ask_receipt = script[2] & 32;
	if (script[2] & 64) {
		s->conversation = conversation;
		s->sequence = script[4];
	}
}

static struct e2e_seal
request_of(const uint8_t *script, const struct e2e_card **cards,
    struct texts *texts, const uint8_t *rest, size_t size)
{
	struct e2e_seal s = { .to.cards = cards };
	size_t half = size / 2;

	if (script[0] & 1)
		cards[s.to.card_count++] =
		    e2e_identity_card(fuzz_identity(FUZZ_CURVE));
	if (script[0] & 2)
		cards[s.to.card_count++] =
		    e2e_identity_card(fuzz_identity(FUZZ_RSA));
	if (script[0] & 4)
		cards[s.to.card_count++] =
		    e2e_identity_card(fuzz_identity(FUZZ_CURVE));
	s.to_self = script[0] & 8;
	s.to.hide = script[0] & 16;
	s.no_card = script[0] & 32;
	s.sender = script[1] & 1 ? fuzz_identity(FUZZ_SENDER) : NULL;
	s.pad = script[1] & 2;
	s.armor = script[1] & 4;
	s.sign_segments = script[1] & 8;
	s.segment_size = script[1] & 16 ? 65536 : script[1] & 32 ? 81856 : 0;
	s.threads = script[1] & 64 ? 3 : 1;
	add_claims(&s, script);
	memset(texts, 0, sizeof(*texts));
	half = half < 299 ? half : 299;
	if (script[2] & 4) {
		memcpy(texts->name, rest, half);
		s.file_name = texts->name;
	}
	if (script[2] & 8) {
		memcpy(texts->type, rest + size - half, half);
		s.media_type = texts->type;
	}
	return s;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What was asked for beside the data. */
static void
check_claims(const struct e2e_seal *q, const struct e2e_sealed *sealed,
    const struct e2e_opened *opened)
{
	const struct e2e_identity *reader = fuzz_identity(FUZZ_CURVE);
	unsigned char receipt[E2E_DELIVERY_MAX];
	struct e2e_delivery d;
	size_t length;

	FUZZ_REQUIRE(opened->is_numbered == (q->conversation != NULL));
	if (opened->is_numbered)
		FUZZ_REQUIRE(opened->sequence == q->sequence &&
		    memcmp(opened->conversation, q->conversation,
		    E2E_CONVERSATION_LEN) == 0);
	FUZZ_REQUIRE(opened->receipt_wanted == q->ask_receipt);
	FUZZ_REQUIRE(memcmp(opened->context_hash, sealed->context_hash,
	    E2E_HASH_LEN) == 0);
	if (!q->ask_receipt)
		return;
	FUZZ_REQUIRE(memcmp(opened->data_hash, sealed->data_hash,
	    E2E_HASH_LEN) == 0);
	FUZZ_REQUIRE(e2e_delivery_make(receipt, &length, reader, opened) ==
	    E2E_OK);
	FUZZ_REQUIRE(e2e_delivery_read(&d, receipt, length,
	    e2e_identity_card(reader)) == E2E_OK);
	FUZZ_REQUIRE(memcmp(d.data_hash, sealed->data_hash, E2E_HASH_LEN) ==
	    0);
}

static void
open_it(const struct e2e_seal *q, const struct e2e_sealed *sealed,
    const struct buffer *envelope, const struct buffer *data, bool random)
{
	const struct e2e_identity *keys[] = {
		fuzz_identity(q->to.card_count == 0 ? FUZZ_SENDER :
		    q->to.cards[0] == e2e_identity_card(fuzz_identity(
		    FUZZ_RSA)) ? FUZZ_RSA : FUZZ_CURVE)
	};
	struct e2e_open request = {
		.keys.identities = keys, .keys.identity_count = 1,
		.keys.groups = the_group(), .keys.group_count = 1,
		.threads = q->threads, .find_card = fuzz_find_card,
		.hash_data = q->ask_receipt
	};
	struct fuzz_memory memory = {
		.data = envelope->data, .size = envelope->length
	};
	struct e2e_input input = fuzz_input(&memory, random);
	struct e2e_opened opened;
	struct e2e_reader *reader;
	struct buffer out;
	struct e2e_output output = fuzz_output(&out, random);
	bool end;

	buffer_init(&out, FUZZ_OUTPUT_MAX);
	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	FUZZ_REQUIRE(e2e_open_next(reader, &request, &opened, &end, NULL) ==
	    E2E_OK && !end);
	FUZZ_REQUIRE(opened.sender_state == (q->sender != NULL ?
	    E2E_SENDER_VERIFIED : E2E_SENDER_ANONYMOUS));
	FUZZ_REQUIRE(opened.padded == q->pad);
	FUZZ_REQUIRE(same_text(opened.file_name, q->file_name));
	FUZZ_REQUIRE(same_text(opened.media_type, q->media_type));
	FUZZ_REQUIRE(e2e_open_payload(reader, &request, &output, &opened,
	    NULL) == E2E_OK);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&out), buffer_bytes(data)));
	FUZZ_REQUIRE(opened.data_bytes == data->length);
	check_claims(q, sealed, &opened);
	e2e_reader_free(reader);
	buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *script, size_t size)
{
	const struct e2e_card *cards[3];
	struct buffer data, envelope;
	struct e2e_output output;
	struct fuzz_memory memory;
	struct e2e_sealed sealed;
	struct e2e_input input;
	struct e2e_seal request;
	struct texts texts;
	enum e2e_error error;

	if (size < SCRIPT)
		return 0;
	request = request_of(script, cards, &texts, script + SCRIPT,
	    size - SCRIPT);
	buffer_init(&data, FUZZ_OUTPUT_MAX);
	buffer_init(&envelope, FUZZ_OUTPUT_MAX);
	FUZZ_REQUIRE(buffer_reserve(&data, 1));
	fuzz_put_data(&data, length_of(script[3], script[4]));
	memory = (struct fuzz_memory){ .data = data.data,
		.size = data.length };
	input = fuzz_input(&memory, script[2] & 1);
	output = fuzz_output(&envelope, script[2] & 2);
	error = e2e_seal(&request, &input, &output, &sealed, NULL);
	if (error == E2E_OK) {
		fuzz_accepted();
		FUZZ_REQUIRE(sealed.data_bytes == data.length);
		FUZZ_REQUIRE(request.armor ||
		    sealed.envelope_bytes == envelope.length);
		open_it(&request, &sealed, &envelope, &data, false);
		open_it(&request, &sealed, &envelope, &data, true);
	} else {
		FUZZ_REQUIRE(error == E2E_ERR_USAGE);
		FUZZ_REQUIRE(envelope.length == 0);
	}
	buffer_free(&data);
	buffer_free(&envelope);
	return 0;
}
