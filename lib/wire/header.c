/*
 * The header. Its recipients are counted before they are stored, and stored
 * one by one as their bytes prove to be there: a count costs nothing.
 */
#include "wire/header.h"

#include "wire/labels.h"

#include <stdlib.h>
#include <string.h>

static bool
take_key(struct dcbor_reader *r, struct dcbor_map *map, int64_t expected)
{
	int64_t key;

	return dcbor_next_key(r, map, &key) && key == expected;
}

/* P: exactly {1: 3, -65601: kc}, so its length is one number. */
static bool
parse_protected(struct header *h)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	int64_t alg;

	dcbor_reader_init(&r, h->protected_header.data,
	    h->protected_header.length);
	if (!dcbor_enter_map(&r, &map) || map.left != 2 ||
	    !take_key(&r, &map, HEADER_ALG) || !dcbor_get_int(&r, &alg) ||
	    alg != ALG_A256GCM ||
	    !take_key(&r, &map, HEADER_KEY_COMMITMENT) ||
	    !dcbor_get_bytes_of(&r, &h->commitment, HEADER_COMMITMENT_LEN))
		return false;
	dcbor_leave(&r);
	return dcbor_finish(&r);
}

/* A byte string whose length is judged by what it declares, whether its bytes
 * come or not. */
static enum e2e_error
take_bounded(struct bytes *value, struct dcbor_reader *r, size_t max)
{
	size_t end = r->offset + dcbor_bytes_head_length(max) + max;

	if (!dcbor_get_bytes(r, value))
		return r->state == DCBOR_SHORT && dcbor_declared_end(r) > end ?
		    E2E_ERR_LIMIT : E2E_ERR_MALFORMED;
	return value->length > max ? E2E_ERR_LIMIT : E2E_OK;
}

/* Exactly {5: IV} or, but for `no_rewrap`, {5: IV, -65602: [iv12, ct]}. */
static enum e2e_error
parse_unprotected(struct header *h, struct dcbor_reader *r, bool no_rewrap)
{
	struct dcbor_map map;
	enum e2e_error error;
	uint64_t count;

	if (!dcbor_enter_map(r, &map) || map.left < 1 ||
	    map.left > (no_rewrap ? 1 : 2) ||
	    !take_key(r, &map, HEADER_IV) ||
	    !dcbor_get_bytes_of(r, &h->iv, HEADER_IV_LEN))
		return E2E_ERR_MALFORMED;
	if (map.left == 1) {
		h->rewrapped = true;
		if (!take_key(r, &map, HEADER_REWRAP) ||
		    !dcbor_enter_array(r, &count) || count != 2 ||
		    !dcbor_get_bytes_of(r, &h->rewrap_iv, HEADER_IV_LEN))
			return E2E_ERR_MALFORMED;
		error = take_bounded(&h->rewrap_ciphertext, r,
		    HEADER_REWRAP_MAX + HEADER_TAG_LEN);
		if (error != E2E_OK)
			return error;
		dcbor_leave(r);
	}
	dcbor_leave(r);
	return E2E_OK;
}

static enum e2e_error
append_recipient(struct header *h, size_t *capacity,
    const struct recipient *entry)
{
	struct recipient *more;
	size_t wanted;

	if (h->recipient_count == *capacity) {
		wanted = *capacity == 0 ? 4 : *capacity * 2;
		more = realloc(h->recipients, wanted * sizeof(*more));
		if (more == NULL)
			return E2E_ERR_MEMORY;
		h->recipients = more;
		*capacity = wanted;
	}
	h->recipients[h->recipient_count++] = *entry;
	return E2E_OK;
}

static enum e2e_error
parse_recipients(struct header *h, struct dcbor_reader *r,
    uint32_t memory_max_kib)
{
	struct recipient entry;
	enum e2e_error error;
	size_t start = r->offset, capacity = 0;
	unsigned passphrases = 0;
	uint64_t count;

	if (!dcbor_enter_array(r, &count) || count == 0)
		return E2E_ERR_MALFORMED;
	if (count > HEADER_RECIPIENTS_MAX)
		return E2E_ERR_TOO_MANY_RECIPIENTS;
	while (count-- > 0) {
		error = recipient_parse(&entry, r, memory_max_kib);
		if (error == E2E_OK)
			error = append_recipient(h, &capacity, &entry);
		if (error != E2E_OK)
			return error;
		if (entry.kind == RECIPIENT_PASSPHRASE && ++passphrases > 1)
			return E2E_ERR_LIMIT;
	}
	dcbor_leave(r);
	h->recipients_encoded = (struct bytes){ r->data + start,
	    r->offset - start };
	return E2E_OK;
}

static enum e2e_error
take_ciphertext(struct header *h, struct dcbor_reader *r, size_t max)
{
	enum e2e_error error;

	error = take_bounded(&h->ciphertext, r, max);
	return error == E2E_OK && h->ciphertext.length < HEADER_TAG_LEN ?
	    E2E_ERR_MALFORMED : error;
}

static enum e2e_error
parse(struct header *h, struct dcbor_reader *r,
    const struct header_limits *limits)
{
	enum e2e_error error;
	uint64_t count;

	if (!dcbor_get_tag(r, TAG_COSE_ENCRYPT) ||
	    !dcbor_enter_array(r, &count) || count != 4 ||
	    !dcbor_get_bytes(r, &h->protected_header) ||
	    !parse_protected(h))
		return E2E_ERR_MALFORMED;
	error = parse_unprotected(h, r, limits->no_rewrap);
	if (error != E2E_OK)
		return error;
	error = take_ciphertext(h, r, limits->ciphertext_max);
	if (error != E2E_OK)
		return error;
	error = parse_recipients(h, r, limits->memory_max_kib);
	if (error != E2E_OK)
		return error;
	dcbor_leave(r);
	h->encoded_length = r->offset;
	return r->offset > HEADER_MAX ? E2E_ERR_LIMIT : E2E_OK;
}

enum e2e_error
header_parse(struct header *h, const void *data, size_t length,
    unsigned depth, const struct header_limits *limits)
{
	struct dcbor_reader r;
	enum e2e_error error;

	memset(h, 0, sizeof(*h));
	dcbor_reader_init(&r, data, length);
	r.depth = depth;
	error = parse(h, &r, limits);
	if (error == E2E_OK)
		return E2E_OK;
	header_free(h);
	if (r.state != DCBOR_SHORT || error != E2E_ERR_MALFORMED)
		return error;
	/* A header that goes on beyond its limit never becomes one. */
	return length >= HEADER_MAX || dcbor_declared_end(&r) > HEADER_MAX ?
	    E2E_ERR_LIMIT : E2E_ERR_HEADER_TRUNCATED;
}

void
header_free(struct header *h)
{
	free(h->recipients);
	memset(h, 0, sizeof(*h));
}

void
header_put_protected(struct buffer *b,
    const unsigned char commitment[HEADER_COMMITMENT_LEN])
{
	dcbor_put_map(b, 2);
	dcbor_put_int(b, HEADER_ALG);
	dcbor_put_int(b, ALG_A256GCM);
	dcbor_put_int(b, HEADER_KEY_COMMITMENT);
	dcbor_put_bytes(b, commitment, HEADER_COMMITMENT_LEN);
}

/* Everything before the rewrap block. */
static void
put_start(struct buffer *b, struct bytes protected_header,
    const unsigned char iv[HEADER_IV_LEN], size_t unprotected)
{
	dcbor_put_tag(b, TAG_COSE_ENCRYPT);
	dcbor_put_array(b, 4);
	dcbor_put_bytes(b, protected_header.data, protected_header.length);
	dcbor_put_map(b, unprotected);
	dcbor_put_int(b, HEADER_IV);
	dcbor_put_bytes(b, iv, HEADER_IV_LEN);
}

static void
put_rest(struct buffer *b, struct bytes ciphertext,
    struct bytes recipients_encoded)
{
	dcbor_put_bytes(b, ciphertext.data, ciphertext.length);
	(void)buffer_append(b, recipients_encoded.data,
	    recipients_encoded.length);
}

void
header_put(struct buffer *b, struct bytes protected_header,
    const unsigned char iv[HEADER_IV_LEN], struct bytes ciphertext,
    struct bytes recipients_encoded)
{
	put_start(b, protected_header, iv, 1);
	put_rest(b, ciphertext, recipients_encoded);
}

void
header_put_rewrapped(struct buffer *b, struct bytes protected_header,
    const unsigned char iv[HEADER_IV_LEN],
    const unsigned char rewrap_iv[HEADER_IV_LEN],
    struct bytes rewrap_ciphertext, struct bytes ciphertext,
    struct bytes recipients_encoded)
{
	put_start(b, protected_header, iv, 2);
	dcbor_put_int(b, HEADER_REWRAP);
	dcbor_put_array(b, 2);
	dcbor_put_bytes(b, rewrap_iv, HEADER_IV_LEN);
	dcbor_put_bytes(b, rewrap_ciphertext.data, rewrap_ciphertext.length);
	put_rest(b, ciphertext, recipients_encoded);
}
