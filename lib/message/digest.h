/*
 * digest.h: the hash of data that passes by, for delivery receipts
 * (docs/FORMAT.md, 11). What passes is in order, so offsets are not offered.
 */
#ifndef MESSAGE_DIGEST_H
#define MESSAGE_DIGEST_H

#include "crypto/hash.h"

#include <e2e/io.h>

/* io in place of `input`; hash_final and hash_free are the caller's. */
struct digest_input {
	const struct e2e_input *input;
	struct hash *hash;
	struct e2e_input io;	/* context is this struct: do not copy it */
	uint64_t offset;
};
enum e2e_error digest_input_init(struct digest_input *d,
    const struct e2e_input *input);

/* The same for an output. */
struct digest_output {
	const struct e2e_output *output;
	struct hash *hash;
	struct e2e_output io;
};
enum e2e_error digest_output_init(struct digest_output *d,
    const struct e2e_output *output);

#endif
