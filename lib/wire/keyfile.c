/* The secret key file's inside. */
#include "wire/keyfile.h"

#include "wire/labels.h"

#include <string.h>

/* A key set is a signing key and at most this many encryption keys. */
enum { KEY_SET_MAX = 1 + 64 };

static enum e2e_error
parse_secret(struct keyfile *file, struct dcbor_reader *r,
    const struct header_limits *limits)
{
	struct header_limits own = *limits;
	enum e2e_error error;

	own.no_rewrap = true;
	if (dcbor_peek(r) != DCBOR_TAG) {
		if (!dcbor_get_bytes(r, &file->key_set))
			return E2E_ERR_KEY_FILE;
		return E2E_OK;
	}
	file->is_encrypted = true;
	error = header_parse(&file->header, r->data + r->offset,
	    r->length - r->offset, r->depth, &own);
	if (error == E2E_ERR_MALFORMED || error == E2E_ERR_HEADER_TRUNCATED)
		return E2E_ERR_KEY_FILE;
	if (error != E2E_OK)
		return error;
	r->offset += file->header.encoded_length;
	/* Exactly one passphrase. */
	if (file->header.recipient_count != 1 ||
	    file->header.recipients[0].kind != RECIPIENT_PASSPHRASE)
		return E2E_ERR_KEY_FILE;
	return E2E_OK;
}

enum e2e_error
keyfile_parse(struct keyfile *file, struct bytes encoded,
    const struct header_limits *limits)
{
	struct dcbor_reader r;
	enum e2e_error error;
	uint64_t count;

	memset(file, 0, sizeof(*file));
	dcbor_reader_init(&r, encoded.data, encoded.length);
	if (!dcbor_enter_array(&r, &count) || count != 2 ||
	    !dcbor_get_bytes(&r, &file->card))
		return E2E_ERR_KEY_FILE;
	error = parse_secret(file, &r, limits);
	dcbor_leave(&r);
	if (error == E2E_OK && !dcbor_finish(&r))
		error = E2E_ERR_KEY_FILE;
	if (error != E2E_OK)
		keyfile_free(file);
	return error;
}

void
keyfile_free(struct keyfile *file)
{
	header_free(&file->header);
	memset(file, 0, sizeof(*file));
}

void
keyfile_put(struct buffer *b, struct bytes card, struct bytes secret,
    bool is_encrypted)
{
	dcbor_put_array(b, 2);
	dcbor_put_bytes(b, card.data, card.length);
	if (is_encrypted)
		(void)buffer_append(b, secret.data, secret.length);
	else
		dcbor_put_bytes(b, secret.data, secret.length);
}

enum e2e_error
keyfile_each_key(struct bytes key_set,
    enum e2e_error (*each)(void *, const struct cose_key *), void *context)
{
	struct dcbor_reader r;
	struct cose_key key;
	enum e2e_error error;
	uint64_t count;

	dcbor_reader_init(&r, key_set.data, key_set.length);
	if (!dcbor_enter_array(&r, &count) || count < 2)
		return E2E_ERR_KEY_FILE;
	if (count > KEY_SET_MAX)
		return E2E_ERR_LIMIT;
	while (count-- > 0) {
		if (cose_key_parse(&key, &r, true) != E2E_OK)
			return E2E_ERR_KEY_FILE;
		error = each(context, &key);
		if (error != E2E_OK)
			return error;
	}
	dcbor_leave(&r);
	return dcbor_finish(&r) ? E2E_OK : E2E_ERR_KEY_FILE;
}
