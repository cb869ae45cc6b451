/*
 * Frames, and the core of CHAL. What is accepted is what the writer would have
 * written; every shorter piece of it is short; and what is refused stays so
 * whatever follows. The first byte chooses: 0 a core, else frames.
 */
#include "fuzz.h"

#include "relay/frame.h"

#include <stdlib.h>
#include <string.h>

/* At the end of its memory, where reading on is noticed. */
static enum frame_state
parse(struct frame *f, unsigned char **copy, const uint8_t *data, size_t size,
    size_t *length)
{
	*copy = malloc(size + 1);
	FUZZ_REQUIRE(*copy != NULL);
	memcpy(*copy + 1, data, size);
	return frame_parse(f, *copy + 1, size, length);
}

static enum frame_state
state_of(const uint8_t *data, size_t size)
{
	static struct frame f;
	unsigned char *copy;
	size_t length;
	enum frame_state state = parse(&f, &copy, data, size, &length);

	FUZZ_REQUIRE(state == FRAME_COMPLETE || length == 0);
	free(copy);
	return state;
}

/* Mailboxes of a parsed PUT stand with their heads between. */
static void
put_again(struct buffer *b, struct frame *f)
{
	static unsigned char packed[FRAME_MAILBOXES_MAX][E2E_ID_LEN];
	size_t i;

	if (f->type == FRAME_PUT) {
		FUZZ_REQUIRE(f->put.count <= FRAME_MAILBOXES_MAX);
		for (i = 0; i < f->put.count; i++)
			memcpy(packed[i], frame_mailbox(f, i), E2E_ID_LEN);
		f->put.mailboxes = (struct bytes){ packed[0],
		    f->put.count * E2E_ID_LEN };
	}
	frame_put(b, f);
}

static void
check_core(const uint8_t *data, size_t size)
{
	struct frame_core core;
	struct buffer b;

	if (frame_parse_core(&core, (struct bytes){ data, size }) != E2E_OK)
		return;
	fuzz_accepted();
	buffer_init(&b, 2 * FRAME_MAX);
	frame_put_core(&b, &core);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&b),
	    (struct bytes){ data, size }));
	buffer_free(&b);
}

static void
check_frame(struct frame *f, const uint8_t *data, size_t length)
{
	struct buffer b;
	size_t cut = (data[length - 1] * 257u) % length;

	fuzz_accepted();
	FUZZ_REQUIRE(length <= FRAME_MAX);
	buffer_init(&b, 2 * FRAME_MAX);
	put_again(&b, f);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&b),
	    (struct bytes){ data, length }));
	buffer_free(&b);
	FUZZ_REQUIRE(state_of(data, cut) == FRAME_SHORT);
	FUZZ_REQUIRE(state_of(data, length - 1) == FRAME_SHORT);
	if (f->type == FRAME_CHAL)
		check_core(f->chal.core.data, f->chal.core.length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frame f;
	unsigned char *copy;
	enum frame_state state;
	size_t length;

	if (size < 1)
		return 0;
	data++;
	size--;
	if (data[-1] == 0) {
		check_core(data, size);
		return 0;
	}
	for (; size > 0; data += length, size -= length) {
		state = parse(&f, &copy, data, size, &length);
		if (state == FRAME_COMPLETE)
			check_frame(&f, data, length);
		free(copy);
		if (state != FRAME_COMPLETE)
			break;
	}
	/* Of what is cut off, no beginning was wrong; and what a beginning
	 * shows to be wrong no more bytes make right. */
	if (size > 0 && state == FRAME_SHORT)
		FUZZ_REQUIRE(state_of(data, size - 1) == FRAME_SHORT);
	else if (size > 0 && state_of(data, size / 2) == FRAME_BAD)
		FUZZ_REQUIRE(state == FRAME_BAD);
	return 0;
}
