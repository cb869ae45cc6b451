/*
 * Rewrapping of envelopes from the outside, for others than they were for.
 * What comes out is an envelope or an error; it opens when the one that went
 * in did, and never says anything else.
 *
 *	byte 0	armor, hidden, signed, to the group; read by offset
 *	then	the envelopes
 */
#include "fuzz.h"

#include <string.h>

enum { CHEAP_KIB = 8192, ROUNDS_MAX = 8 };
enum { ARMOR = 1, HIDE = 2, SIGN = 4, GROUP = 8, BY_OFFSET = 16 };

struct keyring {
	const struct e2e_identity *identities[2];
	const struct e2e_group_key *groups[1];
	const struct e2e_card *cards[1];
};

static struct e2e_keys
keys_of(struct keyring *ring)
{
	ring->identities[0] = fuzz_identity(FUZZ_CURVE);
	ring->identities[1] = fuzz_identity(FUZZ_RSA);
	ring->groups[0] = fuzz_group();
	ring->cards[0] = e2e_identity_card(ring->identities[0]);
	return (struct e2e_keys){
		.identities = ring->identities, .identity_count = 2,
		.groups = ring->groups, .group_count = 1,
		.kdf_memory_max_kib = CHEAP_KIB, .rsa_trials_max = 4
	};
}

static struct e2e_rewrap
request_of(struct keyring *ring, unsigned how)
{
	struct e2e_rewrap q = { .keys = keys_of(ring) };

	q.armor = how & ARMOR;
	q.to.hide = how & HIDE;
	if (how & (SIGN | GROUP))
		q.forwarder = fuzz_identity(FUZZ_SENDER);
	if (how & GROUP) {
		q.to.groups = ring->groups;
		q.to.group_count = 1;
	} else {
		q.to.cards = ring->cards;
		q.to.card_count = 1;
	}
	return q;
}

struct verdict {
	enum e2e_error error;
	struct e2e_opened opened;
	struct buffer out;
};

/* Opens the first envelope. */
static void
open_it(struct verdict *v, struct bytes envelope)
{
	struct keyring ring;
	struct e2e_open request = {
		.keys = keys_of(&ring), .find_card = fuzz_find_card,
		.threads = 1, .several = true
	};
	struct fuzz_memory memory = {
		.data = envelope.data, .size = envelope.length
	};
	struct e2e_input input = fuzz_input(&memory, false);
	struct e2e_output output = fuzz_output(&v->out, false);
	struct e2e_reader *reader;
	bool end;

	buffer_init_secret(&v->out, FUZZ_OUTPUT_MAX);
	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	v->error = e2e_open_next(reader, &request, &v->opened, &end, NULL);
	FUZZ_REQUIRE(!end);
	if (v->error == E2E_OK)
		v->error = e2e_open_payload(reader, &request, &output,
		    &v->opened, NULL);
	e2e_reader_free(reader);
}

static void
check_frame(struct bytes envelope, bool armored)
{
	struct fuzz_memory memory = {
		.data = envelope.data, .size = envelope.length
	};
	struct e2e_input input = fuzz_input(&memory, true);
	struct e2e_inspected seen;
	struct e2e_reader *reader;
	bool end;

	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	FUZZ_REQUIRE(e2e_inspect_next(reader, &seen, &end, NULL) == E2E_OK &&
	    !end && seen.complete && seen.rewrapped &&
	    seen.recipient_count == 1 && seen.armored == armored);
	FUZZ_REQUIRE(armored || seen.envelope_bytes == envelope.length);
	FUZZ_REQUIRE(e2e_inspect_next(reader, &seen, &end, NULL) == E2E_OK &&
	    end);
	e2e_reader_free(reader);
}

/* `before`: the envelope that went in, if it was the first. */
static void
check_new(struct bytes envelope, const struct e2e_rewrapped *rewrapped,
    unsigned how, const struct verdict *before)
{
	struct verdict after;

	check_frame(envelope, how & ARMOR);
	FUZZ_REQUIRE((how & ARMOR) != 0 ||
	    rewrapped->envelope_bytes == envelope.length);
	open_it(&after, envelope);
	if (after.error == E2E_OK) {
		fuzz_accepted();
		FUZZ_REQUIRE(after.opened.rewrapped);
		FUZZ_REQUIRE((after.opened.group != NULL) ==
		    ((how & GROUP) != 0));
		FUZZ_REQUIRE((after.opened.forwarder != NULL) ==
		    ((how & (SIGN | GROUP)) != 0));
		FUZZ_REQUIRE(after.opened.mode == rewrapped->mode);
		FUZZ_REQUIRE(memcmp(after.opened.message_id,
		    rewrapped->message_id, E2E_MESSAGE_ID_LEN) == 0);
		FUZZ_REQUIRE(fuzz_is_known_length(after.out.length));
	}
	FUZZ_REQUIRE(fuzz_is_data(after.out.data, after.out.length));
	if (before != NULL && before->error == E2E_OK)
		FUZZ_REQUIRE(after.error == E2E_OK &&
		    bytes_equal(buffer_bytes(&after.out),
		    buffer_bytes(&before->out)) &&
		    memcmp(after.opened.context_hash,
		    before->opened.context_hash, E2E_HASH_LEN) == 0);
	buffer_free(&after.out);
}

/* All the envelopes there are. */
static void
rewrap_all(struct bytes data, unsigned how, const struct verdict *first)
{
	struct keyring ring;
	struct e2e_rewrap request = request_of(&ring, how);
	struct fuzz_memory memory = {
		.data = data.data, .size = data.length
	};
	struct e2e_input input = fuzz_input(&memory, how & BY_OFFSET);
	struct e2e_rewrapped rewrapped;
	struct e2e_reader *reader;
	struct e2e_output output;
	struct e2e_diag diag;
	enum e2e_error error;
	struct buffer out;
	int round;
	bool end;

	buffer_init(&out, FUZZ_OUTPUT_MAX);
	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	for (round = 0; round < ROUNDS_MAX; round++) {
		buffer_clear(&out);
		output = fuzz_output(&out, false);
		error = e2e_rewrap_next(reader, &request, &output,
		    &rewrapped, &end, &diag);
		FUZZ_REQUIRE(diag.code == error);
		FUZZ_REQUIRE(!end || error == E2E_OK);
		if (end || !e2e_reader_in_step(reader))
			break;
		if (error == E2E_OK)
			check_new(buffer_bytes(&out), &rewrapped, how,
			    round == 0 ? first : NULL);
		else
			FUZZ_REQUIRE(out.length == 0);
		FUZZ_REQUIRE(round > 0 || first->error != E2E_OK ||
		    error == E2E_OK);
	}
	e2e_reader_free(reader);
	buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verdict first;
	struct bytes envelopes;

	if (size == 0)
		return 0;
	envelopes = (struct bytes){ data + 1, size - 1 };
	open_it(&first, envelopes);
	rewrap_all(envelopes, data[0], &first);
	buffer_free(&first.out);
	return 0;
}
