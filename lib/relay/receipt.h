/*
 * receipt.h: the line of text that answers a deposit.
 *
 *	OK <id> stored=2 dup=0 unknown=0 until=2026-12-20T00:00:00Z
 *	ERR <code> [retry=SECONDS] <text>
 *
 * id: base64url, without padding, of the SHA-256 of the envelope's bytes.
 */
#ifndef RELAY_RECEIPT_H
#define RELAY_RECEIPT_H

#include "base/buffer.h"

#include <e2e/error.h>

#include <stdbool.h>
#include <stdint.h>

enum { RECEIPT_ID_LEN = 32, RECEIPT_ID_TEXT = 43, RECEIPT_LINE_MAX = 256 };

enum receipt_code {
	RECEIPT_OK,
	RECEIPT_SYNTAX,		/* not an envelope: the connection closes */
	RECEIPT_SIZE,		/* larger than this relay takes */
	RECEIPT_QUOTA,		/* a mailbox is full; other ones may have taken it */
	RECEIPT_FULL,		/* the relay's disk */
	RECEIPT_RATE,		/* too many from this address or for this mailbox */
	RECEIPT_NOUSER,		/* no recipient has a mailbox here */
	RECEIPT_EXPIRED,	/* its time was over before it could be kept */
	RECEIPT_BUSY,		/* try again */
	RECEIPT_DRAIN		/* the relay is about to end: try again */
};

struct receipt {
	enum receipt_code code;
	unsigned char id[RECEIPT_ID_LEN];	/* of OK */
	uint64_t stored, dup, unknown, until;
	uint64_t retry;				/* of ERR; 0: none */
	char text[128];				/* of ERR */
};

const char *receipt_code_name(enum receipt_code code);
/* Appends the line and its newline. */
void receipt_put(struct buffer *b, const struct receipt *receipt);
/* A line without its newline. False: not one. Unknown KEY=VALUE of an OK, and
 * unknown codes (as RECEIPT_BUSY), are taken: later relays may say more. */
bool receipt_parse(struct receipt *receipt, const char *line, size_t length);

#endif
