/*
 * frame.h: the frames of a session, bytes to structs and back
 * (docs/PROTOCOL.md, section 4). Nothing is verified here.
 *
 *	frame = #6.1697801523([type, ...])	deterministic CBOR, at most 64 KiB
 *
 *	C HELLO    [1, [+ version], mailbox id / null, cnonce, credit messages, credit bytes]
 *	S CHAL     [2, core bstr, signature bstr]
 *	           core = [version, card bstr, [* [old card bstr, succession bstr]], snonce, time,
 *	                   {1: envelope max, 2: ttl, 3: box bytes, 4: box items, 5: registration}]
 *	C AUTH     [3, signature bstr, card bstr / null]
 *	S READY    [4, waiting, bytes, oldest, dropped]
 *	S MSG      [5, seq, id, stored, until, size], then the envelope's bytes
 *	C ACK      [6, [+ [first, last]], signature bstr]
 *	S ACKED    [7, [+ [first, last]]]
 *	C GET      [8, seq, offset]
 *	S DATA     [9, seq, id, size, offset], then the bytes from offset to size
 *	C PUT      [10, [* mailbox id]], then an envelope, which ends itself
 *	S RECEIPT  [11, line tstr, null / [leaf bstr, index, tree size, [* hash], signature bstr]]
 *	C REGISTER [12, card bstr, token tstr / null]
 *	C LOOKUP   [13, name tstr / id bstr]
 *	C REVOKE   [14, statement bstr]
 *	S RECORD   [15, card bstr / null, [* revocation bstr], registered at, signature bstr]
 *	  PING     [16, number]
 *	  PONG     [17, number]
 *	  GOAWAY   [18, reason tstr, retry seconds]
 *	  ERROR    [19, code tstr, text tstr]
 *	S EMPTY    [20]			nothing waits but what was sent in this session
 *	C CREDIT   [21, messages, bytes]	more credit
 *
 * Card, succession, revocation and signature are COSE_Sign1 bytes, not looked
 * into here. Ranges ascend and neither overlap nor touch.
 */
#ifndef RELAY_FRAME_H
#define RELAY_FRAME_H

#include "base/buffer.h"

#include <e2e/error.h>
#include <e2e/key.h>

#include <stdbool.h>
#include <stdint.h>

enum {
	FRAME_MAX = 65536,
	FRAME_VERSION = 1,
	FRAME_NONCE_LEN = 32,
	FRAME_VERSIONS_MAX = 8,
	FRAME_SUCCESSIONS_MAX = 8,
	FRAME_RANGES_MAX = 256,
	FRAME_MAILBOXES_MAX = 1024,
	FRAME_MAILBOX_STEP = 2 + E2E_ID_LEN,
	FRAME_REVOCATIONS_MAX = 4,
	FRAME_PATH_MAX = 32,
	FRAME_STATEMENT_MAX = 4096,	/* as STORE_REVOCATION_MAX */
	FRAME_NAME_MAX = 64,		/* as STORE_NAME_MAX */
	FRAME_TEXT_MAX = 256,		/* reasons, codes, lines, tokens */
	FRAME_START_LEN = 5		/* da 65 32 65 33 */
};

extern const unsigned char frame_start[FRAME_START_LEN];

enum frame_type {
	FRAME_HELLO = 1, FRAME_CHAL, FRAME_AUTH, FRAME_READY, FRAME_MSG,
	FRAME_ACK, FRAME_ACKED, FRAME_GET, FRAME_DATA, FRAME_PUT,
	FRAME_RECEIPT, FRAME_REGISTER, FRAME_LOOKUP, FRAME_REVOKE,
	FRAME_RECORD, FRAME_PING, FRAME_PONG, FRAME_GOAWAY, FRAME_ERROR,
	FRAME_EMPTY, FRAME_CREDIT
};

enum frame_registration { FRAME_OPEN = 0, FRAME_TOKEN = 1, FRAME_CLOSED = 2 };

struct frame_range {
	uint64_t first, last;
};

struct frame_limits {
	uint64_t envelope_max, ttl, box_bytes, box_items;
	uint64_t registration;
};

/* Who the relay was before: a card, and its statement that names the next. */
struct frame_succession {
	struct bytes card, statement;
};

/* What CHAL's core holds; the newest succession first. */
struct frame_core {
	uint64_t version;
	struct bytes card;
	struct frame_succession successions[FRAME_SUCCESSIONS_MAX];
	size_t succession_count;
	const unsigned char *snonce;
	uint64_t time;
	struct frame_limits limits;
};

/* A frame; pointers lead into the parsed bytes, or the caller's to be put. */
struct frame {
	enum frame_type type;
	union {
		struct { uint64_t versions[FRAME_VERSIONS_MAX];
		    size_t version_count; const unsigned char *mailbox, *cnonce;
		    uint64_t credit_items, credit_bytes; } hello;
		struct { struct bytes core, signature; } chal;
		struct { struct bytes signature, card; } auth; /* card.data NULL: none */
		struct { uint64_t items, bytes, oldest, dropped; } ready;
		struct { uint64_t seq; const unsigned char *id;
		    uint64_t stored, until, size; } msg;
		struct { struct frame_range ranges[FRAME_RANGES_MAX];
		    size_t count; struct bytes signature; } ack; /* ACKED, too */
		struct { uint64_t seq, offset; } get;
		struct { uint64_t seq; const unsigned char *id;
		    uint64_t size, offset; } data;
		struct { struct bytes mailboxes; size_t count; } put; /* 32 bytes
		    * each lie FRAME_MAILBOX_STEP apart: frame_mailbox */
		struct { struct bytes line; bool is_signed; struct bytes leaf;
		    uint64_t index, tree_size; const unsigned char *path[FRAME_PATH_MAX];
		    size_t path_length; struct bytes signature; } receipt;
		struct { struct bytes card, token; } enroll; /* REGISTER */
		struct { struct bytes name; const unsigned char *id; } lookup;
		struct { struct bytes statement; } revoke;
		struct { struct bytes card;
		    struct bytes revocations[FRAME_REVOCATIONS_MAX];
		    size_t revocation_count; uint64_t registered;
		    struct bytes signature; } record;
		struct { uint64_t number; } ping;	/* PONG, too */
		struct { struct bytes reason; uint64_t retry; } goaway;
		struct { struct bytes code, text; } error;
		struct { uint64_t items, bytes; } credit;
	};
};

enum frame_state { FRAME_COMPLETE, FRAME_SHORT, FRAME_BAD };

/*
 * The frame at the beginning of `data`; *length is its own. FRAME_SHORT: more
 * bytes are needed, and none that have come are wrong. FRAME_BAD: malformed,
 * of an unknown type, or longer than FRAME_MAX (told from its heads, without
 * waiting for the bytes).
 */
enum frame_state frame_parse(struct frame *frame, const void *data,
    size_t size, size_t *length);
/* Appends. frame_parse of the result gives the same frame. For PUT, mailboxes
 * is count * E2E_ID_LEN bytes here. */
void frame_put(struct buffer *b, const struct frame *frame);
/* The index-th mailbox of a parsed PUT. */
const unsigned char *frame_mailbox(const struct frame *put, size_t index);

void frame_put_core(struct buffer *b, const struct frame_core *core);
/* E2E_ERR_MALFORMED. */
enum e2e_error frame_parse_core(struct frame_core *core, struct bytes encoded);

/* An ERROR or GOAWAY of constant text. */
void frame_put_error(struct buffer *b, const char *code, const char *text);
void frame_put_goaway(struct buffer *b, const char *reason, uint64_t retry);

#endif
