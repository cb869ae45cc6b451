/*
 * recipient.h: the shapes of recipient entries, bytes to structs and back.
 *
 * Wrapping and unwrapping are lib/message/recipient*.c. A new kind is a row in
 * the table of recipient.c here, and a row there.
 */
#ifndef WIRE_RECIPIENT_H
#define WIRE_RECIPIENT_H

#include "base/buffer.h"
#include "wire/dcbor.h"

#include <e2e/error.h>

#include <stdint.h>

enum {
	RECIPIENT_SALT_LEN = 16,
	RECIPIENT_EPHEMERAL_LEN = 32,
	RECIPIENT_KID_LEN = 32,

	/* What an Argon2id of a stranger may cost (docs/FORMAT.md, L9-L11). */
	RECIPIENT_MEMORY_MIN_KIB = 8192,
	RECIPIENT_MEMORY_MAX_KIB = 1048576,
	RECIPIENT_PASSES_MAX = 16,
	RECIPIENT_LANES_MAX = 8
};

enum recipient_kind {
	RECIPIENT_RSA = 1,
	RECIPIENT_X25519 = 2,
	RECIPIENT_PASSPHRASE = 3,
	RECIPIENT_GROUP = 4,
	RECIPIENT_UNKNOWN = 5
};

/* One entry; pointers lead into the parsed bytes. */
struct recipient {
	enum recipient_kind kind;
	int64_t alg;			/* 0 where none can be told */
	const unsigned char *kid;	/* NULL: hidden, or a kind without */
	struct bytes wrapped;
	const unsigned char *ephemeral;	/* X25519 */
	const unsigned char *salt;	/* passphrase */
	uint64_t passes, memory_kib, lanes;
};

/*
 * The next item of the reader. memory_max_kib: the reader's cap for Argon2.
 * E2E_ERR_MALFORMED; E2E_ERR_KDF_COST, looked at before anything is spent.
 * When r->state is DCBOR_SHORT the bytes merely ended.
 */
enum e2e_error recipient_parse(struct recipient *recipient,
    struct dcbor_reader *r, uint32_t memory_max_kib);
/* Writes an entry of a known kind. */
void recipient_put(struct buffer *b, const struct recipient *recipient);

/* The whole COSE_KDF_Context of X25519 entries (RFC 9053, 5.2). */
extern const unsigned char recipient_kdf_context[19];

#endif
