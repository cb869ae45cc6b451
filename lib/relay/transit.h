/*
 * transit.h: an envelope on its way through: where it ends, who it is for,
 * and what it is called, from its bytes as they come, without any key.
 *
 * The header is parsed once it is complete, and checked as strictly as
 * e2e-inspect does; chunks are followed by their heads alone. Memory: the
 * header's bytes (at most HEADER_MAX) until it is parsed; nothing of the rest.
 *
 * The caller keeps the bytes, if it wants them; this only looks.
 */
#ifndef RELAY_TRANSIT_H
#define RELAY_TRANSIT_H

#include "base/buffer.h"

#include <e2e/error.h>
#include <e2e/key.h>

#include <stdbool.h>
#include <stdint.h>

enum { TRANSIT_ID_LEN = 32 };

enum transit_state {
	TRANSIT_HEADER,		/* the header is not complete */
	TRANSIT_BODY,		/* the mailboxes are known */
	TRANSIT_DONE,		/* the last byte was seen: size and id are known */
	TRANSIT_BAD		/* not an envelope; where it ends, nobody knows */
};

struct transit;

struct transit *transit_new(void);	/* NULL: no memory */
void transit_free(struct transit *t);	/* NULL is fine */
/* For the next envelope. */
void transit_reset(struct transit *t);

/*
 * Takes bytes up to the end of the envelope; *taken of them. What follows is
 * not its own. E2E_ERR_MEMORY, E2E_ERR_CRYPTO; a malformed envelope is a state.
 */
enum e2e_error transit_feed(struct transit *t, const void *data, size_t size,
    size_t *taken);

enum transit_state transit_state(const struct transit *t);
/* Bytes so far. */
uint64_t transit_size(const struct transit *t);
/* Bytes of header held right now (of which a server has a budget). */
size_t transit_held(const struct transit *t);
/* The kids of its public-key recipients, each once, ascending; from
 * TRANSIT_BODY on. At most 1024. */
const unsigned char (*transit_mailboxes(const struct transit *t,
    size_t *count))[E2E_ID_LEN];
/* SHA-256 of all bytes; when TRANSIT_DONE. */
const unsigned char *transit_id(const struct transit *t);

#endif
