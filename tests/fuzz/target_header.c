/*
 * Headers: the COSE_Encrypt in front of an envelope. What is accepted is what
 * the writer would have written, entry by entry; no shorter piece of it is a
 * header, and nothing behind it is looked at.
 */
#include "fuzz.h"

#include "wire/header.h"

#include <stdlib.h>
#include <string.h>

static const struct header_limits limits = {
	.memory_max_kib = RECIPIENT_MEMORY_MAX_KIB,
	.ciphertext_max = HEADER_METADATA_MAX + HEADER_TAG_LEN
};

/* R once more, each entry beside its bytes. */
static void
check_recipients(const struct header *h)
{
	struct dcbor_reader r, item;
	struct recipient again;
	struct bytes encoded;
	struct buffer out;
	uint64_t count;
	size_t i;

	dcbor_reader_init(&r, h->recipients_encoded.data,
	    h->recipients_encoded.length);
	FUZZ_REQUIRE(dcbor_enter_array(&r, &count) &&
	    count == h->recipient_count && count >= 1 &&
	    count <= HEADER_RECIPIENTS_MAX);
	buffer_init(&out, HEADER_MAX);
	for (i = 0; i < count; i++) {
		item = r;
		FUZZ_REQUIRE(dcbor_skip(&r, &encoded));
		FUZZ_REQUIRE(recipient_parse(&again, &item,
		    limits.memory_max_kib) == E2E_OK);
		FUZZ_REQUIRE(item.offset == r.offset);
		FUZZ_REQUIRE(again.kind == h->recipients[i].kind &&
		    again.alg == h->recipients[i].alg &&
		    again.kid == h->recipients[i].kid);
		if (again.kind == RECIPIENT_UNKNOWN)
			continue;
		buffer_clear(&out);
		recipient_put(&out, &again);
		FUZZ_REQUIRE(bytes_equal(buffer_bytes(&out), encoded));
	}
	dcbor_leave(&r);
	FUZZ_REQUIRE(dcbor_finish(&r));
	buffer_free(&out);
}

static void
check_encoding(const struct header *h, const uint8_t *data)
{
	struct buffer protected_header, out;

	buffer_init(&protected_header, 64);
	buffer_init(&out, HEADER_MAX);
	header_put_protected(&protected_header, h->commitment);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&protected_header),
	    h->protected_header));
	if (h->rewrapped)
		header_put_rewrapped(&out, h->protected_header, h->iv,
		    h->rewrap_iv, h->rewrap_ciphertext, h->ciphertext,
		    h->recipients_encoded);
	else
		header_put(&out, h->protected_header, h->iv, h->ciphertext,
		    h->recipients_encoded);
	FUZZ_REQUIRE(bytes_equal(buffer_bytes(&out),
	    (struct bytes){ data, h->encoded_length }));
	buffer_free(&protected_header);
	buffer_free(&out);
}

/* The same bytes at the end of their memory, where reading on is noticed. */
static void
check_exact(const struct header *h, const uint8_t *data, size_t shorter)
{
	unsigned char *copy = malloc(h->encoded_length);
	struct header again;

	FUZZ_REQUIRE(copy != NULL);
	memcpy(copy, data, h->encoded_length);
	FUZZ_REQUIRE(header_parse(&again, copy, h->encoded_length, 1,
	    &limits) == E2E_OK);
	FUZZ_REQUIRE(again.encoded_length == h->encoded_length &&
	    again.recipient_count == h->recipient_count);
	header_free(&again);
	free(copy);

	copy = malloc(shorter + 1);
	FUZZ_REQUIRE(copy != NULL);
	memcpy(copy, data, shorter);
	FUZZ_REQUIRE(header_parse(&again, copy, shorter, 1, &limits) ==
	    E2E_ERR_HEADER_TRUNCATED);
	FUZZ_REQUIRE(again.recipients == NULL);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct header h;
	enum e2e_error error;

	error = header_parse(&h, data, size, 1, &limits);
	if (error != E2E_OK) {
		FUZZ_REQUIRE(h.recipients == NULL && h.encoded_length == 0);
		FUZZ_REQUIRE(error / 100 == 5 || error / 100 == 6);
		return 0;
	}
	fuzz_accepted();
	FUZZ_REQUIRE(h.encoded_length <= size);
	check_recipients(&h);
	check_encoding(&h, data);
	check_exact(&h, data, (data[size - 1] * 257u) % h.encoded_length);
	header_free(&h);
	return 0;
}
