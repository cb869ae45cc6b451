/*
 * envelopes.h: the envelopes of a file, one after the other, each of them
 * known to be whole before a byte of it is sent.
 *
 * Binary, back to back, or one block of armor around that.
 */
#ifndef NET_ENVELOPES_H
#define NET_ENVELOPES_H

#include "net/spool.h"

#include <e2e/error.h>
#include <e2e/io.h>
#include <e2e/key.h>

#include <stdbool.h>

struct envelopes;

struct envelope {
	struct spool *spool;	/* the receiver's to free */
	unsigned char id[SPOOL_ID_LEN];
	/* Whom it names, ascending; valid until envelopes_next. */
	const unsigned char (*mailboxes)[E2E_ID_LEN];
	size_t mailbox_count;
};

/* `input` is copied; its context must live on. */
enum e2e_error envelopes_open(struct envelopes **envelopes,
    const struct e2e_input *input);
void envelopes_close(struct envelopes *envelopes);

/*
 * The next one, or *end. Nothing at all is E2E_ERR_EMPTY, half of one
 * E2E_ERR_HEADER_TRUNCATED or E2E_ERR_TRUNCATED, anything else
 * E2E_ERR_MALFORMED or another of header.h's; and what spool.h, and source.h
 * for reading, name.
 */
enum e2e_error envelopes_next(struct envelopes *envelopes,
    struct envelope *envelope, bool *end);

#endif
