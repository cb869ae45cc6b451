/*
 * The line of a receipt: what is taken can be put again and means the same,
 * and it never breaks the line it stands in.
 */
#include "fuzz.h"

#include "relay/receipt.h"

#include <stdlib.h>
#include <string.h>

static bool
parse(struct receipt *receipt, const void *data, size_t size)
{
	char *copy = malloc(size + 1);
	bool taken;

	FUZZ_REQUIRE(copy != NULL);
	memcpy(copy + 1, data, size);
	taken = receipt_parse(receipt, copy + 1, size);
	free(copy);
	return taken;
}

static bool
same(const struct receipt *a, const struct receipt *b)
{
	return a->code == b->code && a->stored == b->stored &&
	    a->dup == b->dup && a->unknown == b->unknown &&
	    a->until == b->until && a->retry == b->retry &&
	    memcmp(a->id, b->id, RECEIPT_ID_LEN) == 0 &&
	    strcmp(a->text, b->text) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct receipt receipt, again;
	struct buffer b;

	if (!parse(&receipt, data, size)) {
		memset(&again, 0, sizeof(again));
		FUZZ_REQUIRE(same(&receipt, &again));
		return 0;
	}
	fuzz_accepted();
	FUZZ_REQUIRE(memchr(receipt.text, 0, sizeof(receipt.text)) != NULL);
	buffer_init(&b, 1024);
	receipt_put(&b, &receipt);
	FUZZ_REQUIRE(!b.failed && b.length <= RECEIPT_LINE_MAX);
	FUZZ_REQUIRE(memchr(b.data, '\n', b.length) == b.data + b.length - 1);
	FUZZ_REQUIRE(parse(&again, b.data, b.length - 1));
	FUZZ_REQUIRE(same(&receipt, &again));
	buffer_free(&b);
	return 0;
}
