/*
 * reader.h: one envelope after the other: what opening and inspecting share.
 */
#ifndef MESSAGE_READER_H
#define MESSAGE_READER_H

#include "message/derive.h"
#include "message/metadata.h"
#include "message/source.h"
#include "message/unseal.h"
#include "wire/header.h"

#include <e2e/message.h>

struct e2e_reader {
	struct source source;
	size_t envelopes;		/* begun so far */
	bool failed;			/* no way to find the next one */

	/* The envelope at hand. */
	struct buffer header_bytes;
	struct header header;
	bool payload_pending;		/* its chunks were not all read */
	bool preamble_read;
	uint64_t begin;			/* offset of its first byte */
	uint64_t chunks;		/* offset of its first chunk */

	/* What opening it found out. */
	struct unsealed unsealed;
	struct metadata claims;
	struct e2e_card *sender;
	struct e2e_card *forwarder;
	unsigned char context_hash[HASH_LEN];
	struct derive_payload *keys;	/* secret; NULL: not opened */
	char file_name[E2E_TEXT_MAX + 1], media_type[E2E_TEXT_MAX + 1];

	/* What inspecting it found. */
	struct e2e_recipient_seen *seen;
};

/*
 * Passes over what is left of the envelope before, and parses the next
 * header; the source is then at the preamble. *end: there is none.
 * E2E_ERR_EMPTY, E2E_ERR_VERSION, E2E_ERR_TRAILING (not `several`), and what
 * header_parse and source_peek say.
 */
enum e2e_error reader_next_header(struct e2e_reader *r, bool several,
    uint32_t memory_max_kib, bool *end);
/* Reads the rest of the envelope at hand, to nowhere. */
enum e2e_error reader_pass_over(struct e2e_reader *r);
/* Reads the preamble's byte string. E2E_ERR_MALFORMED, E2E_ERR_TRUNCATED. */
enum e2e_error reader_preamble(struct e2e_reader *r,
    unsigned char preamble[ENVELOPE_PREAMBLE_LEN]);
/* Forgets everything about the envelope at hand. */
void reader_forget(struct e2e_reader *r);

/*
 * Reads the next chunk, head and bytes, into item[ENVELOPE_CHUNK_ITEM_LEN];
 * when it is the last, the break as well, and the payload is pending no longer.
 * E2E_ERR_TRUNCATED, E2E_ERR_MALFORMED: the next envelope cannot be found.
 */
enum e2e_error reader_chunk(struct e2e_reader *r, unsigned char *item,
    size_t *head_length, size_t *chunk_length, bool *last);

#endif
