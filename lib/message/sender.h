/*
 * sender.h: who vouches for a message: the signature over its metadata, and
 * those over the segments of its payload (docs/FORMAT.md, 5.1 and 5.5).
 */
#ifndef MESSAGE_SENDER_H
#define MESSAGE_SENDER_H

#include "message/derive.h"
#include "message/key.h"
#include "message/metadata.h"
#include "wire/cose.h"

/* The finished metadata: bare claims when key is NULL, else a COSE_Sign1,
 * padded when m->padded. Appended to a secret buffer. E2E_ERR_LIMIT. */
enum e2e_error sender_put_metadata(struct buffer *metadata,
    const struct metadata *m, const struct key *key,
    const struct derive_core *core);

/* The inverse: *is_signed, and then sign1, which is not verified yet.
 * E2E_ERR_MALFORMED, E2E_ERR_LIMIT. */
enum e2e_error sender_parse_metadata(struct metadata *m,
    struct cose_sign1 *sign1, bool *is_signed, struct bytes metadata);

/* Whether the signature over the metadata is this key's. */
enum e2e_error sender_verify(bool *valid, const struct key *key,
    const struct cose_sign1 *sign1, const struct derive_core *core);

/* What every segment signature of one message has in common. */
struct sender_segments {
	const struct key *key;
	struct buffer protected_header;	/* of the metadata's COSE_Sign1 */
	struct buffer aad;
};

/* Both end with sender_segments_free, also after failure. */
enum e2e_error sender_segments_init(struct sender_segments *s,
    const struct key *key, const unsigned char context_hash[HASH_LEN]);
void sender_segments_free(struct sender_segments *s);

/* Threads: several at once. hash: SHA-256 of the segment. */
enum e2e_error sender_sign_segment(unsigned char *signature,
    const struct sender_segments *s, uint64_t index, bool last,
    const unsigned char hash[HASH_LEN]);
enum e2e_error sender_verify_segment(bool *valid,
    const struct sender_segments *s, const unsigned char *signature,
    uint64_t index, bool last, const unsigned char hash[HASH_LEN]);

#endif
