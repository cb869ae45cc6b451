/* The sender's signatures. */
#include "message/sender.h"

#include "message/sign1.h"
#include "wire/labels.h"

#include <string.h>

enum { SMALL = 512 };

/* Length of the finished metadata with `padding` zeros in -65632. */
static size_t
padded_length(size_t claims, size_t padding, size_t protected_header,
    size_t signature)
{
	/* Label -65632 takes five bytes; the map's head stays one. */
	claims += 5 + dcbor_bytes_head_length(padding) + padding;
	if (signature == 0)
		return claims;
	/* Tag, array, empty map. */
	return 3 + dcbor_bytes_head_length(protected_header) +
	    protected_header + dcbor_bytes_head_length(claims) + claims +
	    dcbor_bytes_head_length(signature) + signature;
}

/* The smallest padding that makes a multiple, by trying: heads grow, too. */
static int
find_padding(size_t claims, size_t protected_header, size_t signature)
{
	int padding = 0;

	while (padded_length(claims, (size_t)padding, protected_header,
	    signature) % METADATA_PADDED_MULTIPLE != 0)
		padding++;
	return padding;
}

static enum e2e_error
put_claims(struct buffer *claims, const struct metadata *m,
    const struct key *key)
{
	struct buffer protected_header;
	int padding = -1;

	metadata_put(claims, m, padding);
	if (m->padded && !claims->failed) {
		buffer_init(&protected_header, SMALL);
		if (key != NULL)
			cose_put_sign1_protected(&protected_header,
			    key->type->alg, key->thumbprint, TYP_METADATA);
		padding = find_padding(claims->length,
		    protected_header.length,
		    key != NULL ? key->type->signature_length(key) : 0);
		claims->failed |= protected_header.failed;
		buffer_free(&protected_header);
		if (!claims->failed) {
			buffer_clear(claims);
			metadata_put(claims, m, padding);
		}
	}
	/* All that goes in is bounded, and fits. */
	return claims->failed ? E2E_ERR_MEMORY : E2E_OK;
}

enum e2e_error
sender_put_metadata(struct buffer *metadata, const struct metadata *m,
    const struct key *key, const struct derive_core *core)
{
	struct buffer claims, aad;
	enum e2e_error error;

	buffer_init_secret(&claims, HEADER_METADATA_MAX);
	buffer_init(&aad, SMALL);
	error = put_claims(&claims, m, key);
	if (error == E2E_OK && key == NULL) {
		if (!buffer_append(metadata, claims.data, claims.length))
			error = E2E_ERR_MEMORY;
	} else if (error == E2E_OK) {
		derive_put_sender_aad(&aad, core);
		error = aad.failed ? E2E_ERR_MEMORY : sign1_make(metadata,
		    key, TYP_METADATA, buffer_bytes(&aad),
		    buffer_bytes(&claims));
	}
	buffer_free(&claims);
	buffer_free(&aad);
	return error;
}

enum e2e_error
sender_parse_metadata(struct metadata *m, struct cose_sign1 *sign1,
    bool *is_signed, struct bytes metadata)
{
	struct dcbor_reader first;
	enum e2e_error error;

	dcbor_reader_init(&first, metadata.data, metadata.length);
	*is_signed = dcbor_peek(&first) == DCBOR_TAG;
	if (!*is_signed)
		return metadata_parse(m, metadata, false);
	error = cose_sign1_parse(sign1, metadata, TYP_METADATA);
	return error == E2E_OK ? metadata_parse(m, sign1->payload, true) :
	    error;
}

enum e2e_error
sender_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, const struct derive_core *core)
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer aad;

	*valid = false;
	buffer_init(&aad, SMALL);
	derive_put_sender_aad(&aad, core);
	if (!aad.failed)
		error = sign1_verify(valid, key, sign1, buffer_bytes(&aad));
	buffer_free(&aad);
	return error;
}

/* ---- segments ---- */

enum e2e_error
sender_segments_init(struct sender_segments *s, const struct key *key,
    const unsigned char context_hash[HASH_LEN])
{
	s->key = key;
	buffer_init(&s->protected_header, SMALL);
	buffer_init(&s->aad, SMALL);
	cose_put_sign1_protected(&s->protected_header, key->type->alg,
	    key->thumbprint, TYP_METADATA);
	derive_put_segment_aad(&s->aad, context_hash);
	return s->protected_header.failed || s->aad.failed ?
	    E2E_ERR_MEMORY : E2E_OK;
}

void
sender_segments_free(struct sender_segments *s)
{
	buffer_free(&s->protected_header);
	buffer_free(&s->aad);
}

/* [index, is_last, hash] */
static bool
put_payload(struct buffer *payload, uint64_t index, bool last,
    const unsigned char hash[HASH_LEN])
{
	buffer_init(payload, SMALL);
	dcbor_put_array(payload, 3);
	dcbor_put_uint(payload, index);
	dcbor_put_bool(payload, last);
	dcbor_put_bytes(payload, hash, HASH_LEN);
	return !payload->failed;
}

enum e2e_error
sender_sign_segment(unsigned char *signature, const struct sender_segments *s,
    uint64_t index, bool last, const unsigned char hash[HASH_LEN])
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer payload;

	if (put_payload(&payload, index, last, hash))
		error = sign1_signature(signature, s->key,
		    buffer_bytes(&s->protected_header),
		    buffer_bytes(&s->aad), buffer_bytes(&payload));
	buffer_free(&payload);
	return error;
}

enum e2e_error
sender_verify_segment(bool *valid, const struct sender_segments *s,
    const unsigned char *signature, uint64_t index, bool last,
    const unsigned char hash[HASH_LEN])
{
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer payload;
	struct bytes sig = { signature,
		s->key->type->signature_length(s->key) };

	*valid = false;
	if (put_payload(&payload, index, last, hash))
		error = sign1_check(valid, s->key, sig,
		    buffer_bytes(&s->protected_header),
		    buffer_bytes(&s->aad), buffer_bytes(&payload));
	buffer_free(&payload);
	return error;
}
