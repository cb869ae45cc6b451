/*
 * fuzz.h: what the fuzz targets share.
 *
 * A target is target_NAME.c with the one function that libFuzzer calls. What
 * a target demands, it demands with FUZZ_REQUIRE: a broken demand ends the
 * process, which libFuzzer reports with the input that did it. Inputs are
 * judged by themselves: a target keeps nothing from one call to the next but
 * what does not depend on them.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/buffer.h"
#include "message/derive.h"
#include "message/metadata.h"

#include <e2e/e2e.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_REQUIRE(condition) \
	((condition) ? (void)0 : fuzz_failed(#condition, __FILE__, __LINE__))

void fuzz_failed(const char *demand, const char *file, int line);

/*
 * Counts an input that was taken for good; the sum is printed at the end. A
 * target that never takes anything looks at nothing but refusals.
 */
void fuzz_accepted(void);

/* ---- people ---- */

extern const char fuzz_key_sender[], fuzz_key_curve[], fuzz_key_rsa[];
extern const char fuzz_key_group[];	/* wrapped */
#define FUZZ_PASSPHRASE "correct horse"

enum fuzz_person { FUZZ_SENDER, FUZZ_CURVE, FUZZ_RSA, FUZZ_PEOPLE };

const struct e2e_identity *fuzz_identity(enum fuzz_person person);
/* The group of all three, which the first of them made. */
const struct e2e_group_key *fuzz_group(void);
/* For requests: knows the card of FUZZ_SENDER. */
const struct e2e_card *fuzz_find_card(void *context,
    const unsigned char id[E2E_ID_LEN]);

/* ---- data that is known ---- */

/*
 * Every envelope that the targets start from holds the first bytes of one
 * endless text, in one of a few lengths. Nobody can forge, so whatever is
 * opened is of that text; anything else was released without verification.
 */
extern const size_t fuzz_lengths[];
enum { FUZZ_LENGTHS = 7 };

void fuzz_put_data(struct buffer *b, size_t length);
bool fuzz_is_data(const void *data, size_t length);
bool fuzz_is_known_length(uint64_t length);

/* True for one input in `odds`, always the same ones. */
enum { FUZZ_DEAR_ODDS = 16 };	/* for what costs an Argon2 */
bool fuzz_sometimes(const uint8_t *data, size_t size, unsigned odds);

/* ---- input and output in memory ---- */

struct fuzz_memory {
	const unsigned char *data;
	size_t size, offset;
};

/* An input over memory.data; `random`: with read_at. */
struct e2e_input fuzz_input(struct fuzz_memory *memory, bool random);

enum { FUZZ_OUTPUT_MAX = 8 << 20 };

/*
 * An output into a buffer; one at a time, into an empty one. With `random`,
 * write_at is there, and only what set_size counts is left in the buffer.
 */
struct e2e_output fuzz_output(struct buffer *out, bool random);

/* ---- envelopes around chosen insides ---- */

/* Who the envelope is for; every one wraps the same CEK. */
enum fuzz_list {
	FUZZ_TO_CURVE, FUZZ_TO_HIDDEN, FUZZ_TO_BOTH, FUZZ_LISTS
};

struct fuzz_core {
	struct buffer recipients, protected_header;
	struct derive_core core;	/* but for the ciphertext */
};

const struct fuzz_core *fuzz_core(enum fuzz_list list);

/*
 * Tag, header and preamble around this metadata, correct in every way that
 * does not depend on the metadata. payload_key: NULL where the metadata names
 * none; then the commitment is of zeros.
 */
void fuzz_put_front(struct buffer *b, struct derive_payload *keys,
    unsigned char context_hash[HASH_LEN], enum fuzz_list list,
    struct bytes metadata, const unsigned char *payload_key);

/* The hash of the recipients that an envelope had before it was rewrapped. */
extern const unsigned char fuzz_first_hash[HASH_LEN];

/*
 * The same, rewrapped for this list: the block is encrypted as it is; signed
 * before that unless forwarder is NULL. Right is a block with fuzz_first_hash.
 */
void fuzz_put_rewrapped(struct buffer *b, struct derive_payload *keys,
    enum fuzz_list list, struct bytes metadata,
    const struct e2e_identity *forwarder, struct bytes block);

/* A wrapped key with these claims, signed by FUZZ_SENDER, for the list. */
void fuzz_put_wrapped_key(struct buffer *b, enum fuzz_list list,
    struct bytes claims);

/* The chunks of a stream and the break. */
void fuzz_put_chunks(struct buffer *b, const struct derive_payload *keys,
    struct bytes stream);

/* Valid claims of this mode, for payload_key fuzz_payload_key. */
extern const unsigned char fuzz_payload_key[HASH_LEN];
struct metadata fuzz_claims(enum metadata_mode mode);

#endif
