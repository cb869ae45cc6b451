/* Members of claims maps. */
#include "message/claims.h"

#include <e2e/message.h>

#include <string.h>

enum e2e_error
claims_judge(bool ok)
{
	return ok ? E2E_OK : E2E_ERR_MALFORMED;
}

enum e2e_error
claims_walk(struct bytes claims, claims_take *take, void *context)
{
	struct dcbor_reader r;
	struct dcbor_map map;
	enum e2e_error error;
	int64_t claim;

	dcbor_reader_init(&r, claims.data, claims.length);
	if (!dcbor_enter_map(&r, &map))
		return E2E_ERR_MALFORMED;
	while (dcbor_next_key(&r, &map, &claim)) {
		error = take(context, &r, claim);
		if (error != E2E_OK)
			return error;
	}
	dcbor_leave(&r);
	return claims_judge(dcbor_finish(&r));
}

enum e2e_error
claims_take_text(struct dcbor_reader *r, struct bytes *text)
{
	/* Texts are also C strings. */
	if (!dcbor_get_text(r, text) || (text->length > 0 &&
	    memchr(text->data, 0, text->length) != NULL))
		return E2E_ERR_MALFORMED;
	return text->length > E2E_TEXT_MAX ? E2E_ERR_LIMIT : E2E_OK;
}

enum e2e_error
claims_take_card(struct dcbor_reader *r, struct bytes *card)
{
	if (!dcbor_get_bytes(r, card))
		return E2E_ERR_MALFORMED;
	return card->length > E2E_CARD_MAX ? E2E_ERR_LIMIT : E2E_OK;
}

enum e2e_error
claims_take_number(struct dcbor_reader *r, uint64_t *number)
{
	if (!dcbor_get_uint(r, number))
		return E2E_ERR_MALFORMED;
	return *number > E2E_NUMBER_MAX ? E2E_ERR_LIMIT : E2E_OK;
}

enum e2e_error
claims_take_hashes(struct dcbor_reader *r, struct bytes *array,
    uint64_t least, uint64_t most)
{
	const unsigned char *hash;
	size_t start = r->offset;
	uint64_t count;

	if (!dcbor_enter_array(r, &count) || count < least)
		return E2E_ERR_MALFORMED;
	if (count > most)
		return E2E_ERR_LIMIT;
	while (count-- > 0) {
		if (!dcbor_get_bytes_of(r, &hash, HASH_LEN))
			return E2E_ERR_MALFORMED;
	}
	dcbor_leave(r);
	*array = (struct bytes){ r->data + start, r->offset - start };
	return E2E_OK;
}

bool
claims_has_hash(struct bytes array, const unsigned char hash[HASH_LEN])
{
	const unsigned char *element;
	struct dcbor_reader r;
	uint64_t count;

	if (array.data == NULL)
		return false;
	dcbor_reader_init(&r, array.data, array.length);
	if (!dcbor_enter_array(&r, &count))
		return false;
	while (count-- > 0 && dcbor_get_bytes_of(&r, &element, HASH_LEN)) {
		if (memcmp(element, hash, HASH_LEN) == 0)
			return true;
	}
	return false;
}

void
claims_put_bytes(struct buffer *b, int64_t claim, const unsigned char *data,
    size_t size)
{
	dcbor_put_int(b, claim);
	dcbor_put_bytes(b, data, size);
}

void
claims_put_uint(struct buffer *b, int64_t claim, uint64_t value)
{
	dcbor_put_int(b, claim);
	dcbor_put_uint(b, value);
}

void
claims_put_text(struct buffer *b, int64_t claim, struct bytes text)
{
	dcbor_put_int(b, claim);
	dcbor_put_text(b, text.data, text.length);
}

void
claims_put_hashes(struct buffer *b, int64_t claim, struct bytes hashes)
{
	size_t i, count = hashes.length / HASH_LEN;

	dcbor_put_int(b, claim);
	dcbor_put_array(b, count);
	for (i = 0; i < count; i++)
		dcbor_put_bytes(b, hashes.data + i * HASH_LEN, HASH_LEN);
}
