/* Inspecting: the structure of an envelope, for whoever holds no key. */
#include "message/inspect.h"

#include "message/diag.h"
#include "message/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum e2e_error
inspect_recipients(struct e2e_recipient_seen **recipients,
    const struct header *h)
{
	struct e2e_recipient_seen *seen;
	const struct recipient *entry;
	size_t i;

	seen = calloc(h->recipient_count, sizeof(*seen));
	*recipients = seen;
	if (seen == NULL)
		return E2E_ERR_MEMORY;
	for (i = 0; i < h->recipient_count; i++) {
		entry = &h->recipients[i];
		seen[i].kind = (enum e2e_recipient_kind)entry->kind;
		seen[i].algorithm = entry->alg;
		seen[i].hidden = entry->kid == NULL &&
		    entry->kind != RECIPIENT_PASSPHRASE &&
		    entry->kind != RECIPIENT_UNKNOWN;
		if (entry->kid != NULL)
			memcpy(seen[i].kid, entry->kid, E2E_ID_LEN);
		if (entry->kind == RECIPIENT_PASSPHRASE)
			seen[i].cost = (struct e2e_kdf_cost){
				(uint32_t)entry->memory_kib,
				(uint32_t)entry->passes,
				(uint32_t)entry->lanes };
		if (entry->kind == RECIPIENT_RSA)
			seen[i].rsa_bits =
			    (unsigned)entry->wrapped.length * 8;
	}
	return E2E_OK;
}

static enum e2e_error
describe(struct e2e_reader *r, struct e2e_inspected *inspected)
{
	const struct header *h = &r->header;
	enum e2e_error error;

	error = inspect_recipients(&r->seen, h);
	if (error != E2E_OK)
		return error;
	inspected->recipients = r->seen;
	inspected->recipient_count = h->recipient_count;
	inspected->rewrapped = h->rewrapped;
	inspected->header_bytes = h->encoded_length;
	inspected->metadata_bytes = h->ciphertext.length - HEADER_TAG_LEN;
	inspected->armored = r->source.armored;
	return E2E_OK;
}

/* Counts chunks to the break, or to wherever the input ends. */
static enum e2e_error
count_chunks(struct e2e_reader *r, struct e2e_inspected *inspected)
{
	unsigned char preamble[ENVELOPE_PREAMBLE_LEN];
	unsigned char *item = NULL;
	enum e2e_error error;
	size_t head, length;
	bool last = false;

	error = reader_preamble(r, preamble);
	if (error != E2E_OK)
		return error;
	item = malloc(ENVELOPE_CHUNK_ITEM_LEN);
	if (item == NULL)
		return E2E_ERR_MEMORY;
	while (!last) {
		error = reader_chunk(r, item, &head, &length, &last);
		if (error != E2E_OK)
			break;
		if (++inspected->chunks >= ENVELOPE_CHUNKS_MAX) {
			error = E2E_ERR_LIMIT;
			break;
		}
		inspected->stream_bytes += length - ENVELOPE_TAG_LEN;
	}
	inspected->complete = error == E2E_OK;
	free(item);
	return error;
}

enum e2e_error
e2e_inspect_next(struct e2e_reader *reader, struct e2e_inspected *inspected,
    bool *end, struct e2e_diag *diag)
{
	enum e2e_error error;

	memset(inspected, 0, sizeof(*inspected));
	errno = 0;
	/* Nothing is spent here, so no cost is too high to be shown. */
	error = reader_next_header(reader, true, UINT32_MAX, end);
	if (error == E2E_OK && !*end)
		error = describe(reader, inspected);
	if (error == E2E_OK && !*end)
		error = count_chunks(reader, inspected);
	if (error == E2E_ERR_TRUNCATED) {
		reader->failed = true;
		error = E2E_OK;
	}
	inspected->envelope_bytes = reader->source.consumed - reader->begin;
	diag_set(diag, error, inspected->chunks, "chunk");
	return error;
}
