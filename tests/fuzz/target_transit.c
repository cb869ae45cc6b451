/*
 * Envelopes on their way through. Whole or in pieces, the answer is the same,
 * and it is the one of e2e-inspect.
 */
#include "fuzz.h"

#include "crypto/hash.h"
#include "relay/transit.h"

#include <stdlib.h>
#include <string.h>

/* Pieces of one to `step` bytes, each in memory of its own size. */
static void
feed(struct transit *t, const uint8_t *data, size_t size, size_t step)
{
	size_t at = 0, n, taken;
	unsigned char *copy;

	while (at < size && transit_state(t) < TRANSIT_DONE) {
		n = step == 0 ? size : 1 + (data[at] * 31u + at) % step;
		if (n > size - at)
			n = size - at;
		copy = malloc(n);
		FUZZ_REQUIRE(copy != NULL);
		memcpy(copy, data + at, n);
		FUZZ_REQUIRE(transit_feed(t, copy, n, &taken) == E2E_OK);
		free(copy);
		FUZZ_REQUIRE(taken == n || transit_state(t) >= TRANSIT_DONE);
		at += taken;
		FUZZ_REQUIRE(transit_size(t) == at);
		FUZZ_REQUIRE(transit_held(t) <= at);
		FUZZ_REQUIRE(transit_state(t) == TRANSIT_HEADER ||
		    transit_held(t) == 0);
	}
}

static void
check_done(const struct transit *t, const uint8_t *data)
{
	const unsigned char (*mailboxes)[E2E_ID_LEN];
	unsigned char hash[HASH_LEN];
	size_t count, i;

	FUZZ_REQUIRE(hash_sha256(hash, data, (size_t)transit_size(t)) ==
	    E2E_OK);
	FUZZ_REQUIRE(memcmp(hash, transit_id(t), HASH_LEN) == 0);
	mailboxes = transit_mailboxes(t, &count);
	FUZZ_REQUIRE(count <= 1024);
	for (i = 1; i < count; i++)
		FUZZ_REQUIRE(memcmp(mailboxes[i - 1], mailboxes[i],
		    E2E_ID_LEN) < 0);
}

/* The same as inspecting says? Of armor and the like, transit knows nothing. */
static void
compare_with_inspect(const struct transit *t, const uint8_t *data, size_t size)
{
	struct fuzz_memory memory = { data, size, 0 };
	struct e2e_input input = fuzz_input(&memory, false);
	enum transit_state state = transit_state(t);
	struct e2e_inspected inspected;
	struct e2e_reader *reader;
	enum e2e_error error;
	bool end;

	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	error = e2e_inspect_next(reader, &inspected, &end, NULL);
	if (error == E2E_OK && inspected.complete) {
		FUZZ_REQUIRE(state == TRANSIT_DONE &&
		    transit_size(t) == inspected.envelope_bytes);
	} else if (error == E2E_OK) {
		FUZZ_REQUIRE(state == TRANSIT_BODY);
	} else if (error == E2E_ERR_HEADER_TRUNCATED) {
		/* A map of more items than a header has bytes is hopeless
		 * before it is all there. */
		FUZZ_REQUIRE(state == TRANSIT_HEADER || state == TRANSIT_BAD);
	} else {
		FUZZ_REQUIRE(state == TRANSIT_BAD);
	}
	e2e_reader_free(reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct transit *whole, *pieces;
	static const size_t steps[] = { 1, 3, 40, 5000 };
	enum transit_state state;

	if (size == 0)
		return 0;
	if (whole == NULL) {
		whole = transit_new();
		pieces = transit_new();
		FUZZ_REQUIRE(whole != NULL && pieces != NULL);
	}
	transit_reset(whole);
	transit_reset(pieces);
	feed(whole, data, size, 0);
	feed(pieces, data, size, steps[data[size - 1] % 4]);
	state = transit_state(whole);
	if (state == TRANSIT_DONE) {
		fuzz_accepted();
		check_done(whole, data);
		check_done(pieces, data);
	}
	/* In pieces it may take longer to see that there is no header. */
	FUZZ_REQUIRE(transit_state(pieces) == state || (state == TRANSIT_BAD &&
	    transit_state(pieces) == TRANSIT_HEADER));
	if (state != TRANSIT_BAD)
		FUZZ_REQUIRE(transit_size(whole) == transit_size(pieces));
	if (data[0] == 0xda)
		compare_with_inspect(whole, data, size);
	else
		FUZZ_REQUIRE(state == TRANSIT_BAD);
	return 0;
}
