/*
 * metadata.h: the claims of a message (docs/FORMAT.md, 5.2), bytes to struct
 * and back. Who signed them is sender.h.
 */
#ifndef MESSAGE_METADATA_H
#define MESSAGE_METADATA_H

#include "message/derive.h"

#include <e2e/message.h>

enum metadata_mode { MODE_ANONYMOUS = 0, MODE_HEADER = 1, MODE_SEGMENTS = 2 };

enum {
	METADATA_SEGMENT_MIN = 65536,
	METADATA_SEGMENT_MAX = 16777216,
	METADATA_PADDED_MULTIPLE = 512
};

/* Pointers lead into what was parsed, or to the caller's own. */
struct metadata {
	uint64_t issued;
	const unsigned char *message_id;	/* DERIVE_MESSAGE_ID_LEN */
	const unsigned char *payload_key;	/* ik, HASH_LEN; secret */
	uint64_t mode;
	uint64_t segment_size;			/* mode 2 */
	bool has_expiry;
	uint64_t expires;
	struct bytes media_type, file_name;	/* data NULL: absent */
	const unsigned char *reply_to;		/* NULL: absent */
	const unsigned char *conversation;	/* NULL: absent */
	uint64_t sequence;
	struct bytes card;			/* data NULL: absent */
	bool padded;
	bool receipt_wanted;
	struct bytes to;	/* the hashes one after the other, when written;
				 * the encoded array, when parsed */
};

/*
 * Parses a claims map; `is_signed` decides which claims it must and must not have.
 * E2E_ERR_MALFORMED, E2E_ERR_LIMIT.
 */
enum e2e_error metadata_parse(struct metadata *m, struct bytes claims,
    bool is_signed);

/* padding: bytes of -65632, or negative for none. */
void metadata_put(struct buffer *b, const struct metadata *m, int padding);

#endif
