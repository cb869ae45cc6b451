/*
 * e2e/error.h: what can go wrong, in one list.
 *
 * Every function of libe2e that can fail returns an enum e2e_error; 0 is
 * success. The library never prints and never exits. The words for people
 * and the exit status of the commands are both looked up by the code, from
 * the one table in lib/base/error.c.
 *
 * Threads: everything here is pure or works on the caller's memory.
 */
#ifndef E2E_ERROR_H
#define E2E_ERROR_H

#include <stdint.h>

#if defined(__GNUC__)
#define E2E_API __attribute__((visibility("default")))
#define E2E_CHECK __attribute__((warn_unused_result))
#else
#define E2E_API
#define E2E_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Numbers are part of the ABI: new ones are appended to their group, none
 * is ever reused. The hundreds tell the exit status: code / 100 is the
 * status (see e2e_exit_status).
 */
enum e2e_error {
	E2E_OK = 0,

	/* 1: not authentic; only ever said after the header was decrypted. */
	E2E_ERR_SIGNATURE = 100,	/* the sender's signature of the header */
	E2E_ERR_COMMITMENT = 101,	/* the payload's key commitment */
	E2E_ERR_CHUNK = 102,		/* a chunk of the payload */
	E2E_ERR_SEGMENT = 103,		/* the sender's signature of a segment */
	E2E_ERR_TRUNCATED = 104,	/* the payload ends too early */
	E2E_ERR_CARD_SIGNATURE = 105,	/* a card's own signature */
	E2E_ERR_STATEMENT_SIGNATURE = 106, /* a revocation's signature */
	E2E_ERR_DELIVERY_SIGNATURE = 107, /* a delivery receipt's signature */
	E2E_ERR_DELIVERY_OTHER = 108,	/* for something else than was sent */
	E2E_ERR_FORWARDER_SIGNATURE = 109, /* of a rewrap block */

	/* 2: one answer for everything before the authenticated header. */
	E2E_ERR_NO_KEY = 200,

	/* 3: the sender. */
	E2E_ERR_SENDER_ANONYMOUS = 300,
	E2E_ERR_SENDER_OTHER = 301,
	E2E_ERR_SENDER_UNKNOWN = 302,	/* signed, but no card at hand verifies it */
	E2E_ERR_SENDER_EXPIRED = 303,
	E2E_ERR_SENDER_REVOKED = 304,
	E2E_ERR_NOT_ADDRESSED = 305,	/* signed for others than this reader */
	E2E_ERR_MODE = 306,		/* header-signed where that proves nothing */
	E2E_ERR_FORWARDED = 307,
	E2E_ERR_CONTACT_CHANGED = 308,	/* a pinned name has another identity */
	E2E_ERR_ROLLBACK = 309,		/* a card older than the one known */
	E2E_ERR_RECIPIENT_EXPIRED = 310,
	E2E_ERR_RECIPIENT_REVOKED = 311,
	E2E_ERR_OLD_EPOCH = 312,	/* a group key from before a removal */
	E2E_ERR_NOT_A_MEMBER = 313,	/* who speaks is not of the group */
	E2E_ERR_NOT_MAKER = 314,	/* only its maker changes a group */
	E2E_ERR_FORWARDER_UNKNOWN = 315, /* no card at hand verifies it */

	/* 4: time and order. */
	E2E_ERR_EXPIRED = 400,
	E2E_ERR_TOO_OLD = 401,
	E2E_ERR_FROM_FUTURE = 402,
	E2E_ERR_REPEATED = 403,
	E2E_ERR_NUMBER_REPEATED = 404,	/* of a conversation, by another message */
	E2E_ERR_NUMBER_BEHIND = 405,	/* too far behind to tell whether it was */

	/* 5: malformed. */
	E2E_ERR_MALFORMED = 500,
	E2E_ERR_VERSION = 501,
	E2E_ERR_TRAILING = 502,		/* bytes after the one envelope */
	E2E_ERR_ARMOR = 503,
	E2E_ERR_MANGLED = 504,		/* UTF-16 or line endings changed in transit */
	E2E_ERR_EMPTY = 505,		/* no envelope at all */
	E2E_ERR_CARD = 506,
	E2E_ERR_KEY_FILE = 507,
	E2E_ERR_HEADER_TRUNCATED = 508,
	E2E_ERR_STATEMENT = 509,
	E2E_ERR_WRAPPED_KEY = 510,
	E2E_ERR_GROUP_KEY = 511,	/* not 32 bytes */
	E2E_ERR_DELIVERY = 512,

	/* 6: beyond a limit. */
	E2E_ERR_LIMIT = 600,
	E2E_ERR_KDF_COST = 601,
	E2E_ERR_RSA_TRIALS = 602,
	E2E_ERR_KEY_SIZE = 603,		/* an RSA modulus or exponent out of bounds */
	E2E_ERR_TOO_MANY_RECIPIENTS = 604,

	/* 7: passphrases. */
	E2E_ERR_PASSPHRASE_NEEDED = 700,
	E2E_ERR_PASSPHRASE_WRONG = 701,

	/* sysexits, as mail and cron know them. */
	E2E_ERR_USAGE = 6400,
	E2E_ERR_NO_INPUT = 6600,	/* errno tells why it cannot be opened */
	E2E_ERR_CRYPTO = 7000,		/* the crypto library failed */
	E2E_ERR_CREATE = 7300,		/* an output cannot be made */
	E2E_ERR_EXISTS = 7301,		/* a key is never overwritten */
	E2E_ERR_SAME_FILE = 7302,	/* input and output are one file */
	E2E_ERR_TERMINAL = 7303,	/* refused to write this to a terminal */
	E2E_ERR_READ = 7400,
	E2E_ERR_WRITE = 7401,
	E2E_ERR_CHANGED = 7402,		/* input shrank while it was read */
	E2E_ERR_STORE = 7403,		/* the store of a relay, or a folder of state */
	E2E_ERR_FULL = 7404,		/* no space left for it */
	E2E_ERR_MEMORY = 7500,
	E2E_ERR_UNREACHABLE = 7501,	/* no connection, or it broke */
	E2E_ERR_BUSY = 7502,		/* the relay, or others with the state */
	E2E_ERR_RUNNING = 7503,		/* another process does this already */
	E2E_ERR_UNDELIVERED = 7504,	/* taken, but not handed on: kept at the relay */
	E2E_ERR_PROTOCOL = 7600,	/* what a relay does not say */
	E2E_ERR_RELAY_PROOF = 7601,	/* a signature of the relay */
	E2E_ERR_RELAY_OTHER = 7602,	/* not the relay that is pinned */
	E2E_ERR_REFUSED = 7700,		/* the relay's answer is no */
	E2E_ERR_NOT_FOUND = 7701,	/* nobody of this name or fingerprint there */
	E2E_ERR_CONFIG = 7800,
	E2E_ERR_PERMISSIONS = 7801,	/* a secret file that others can read */
	E2E_ERR_STORE_VERSION = 7802,	/* a store or state of a newer version */
	E2E_ERR_STORE_DAMAGED = 7803,
	E2E_ERR_STORE_IN_USE = 7804	/* by another relay */
};

/*
 * Where and why, beside the code. Owned by the caller; functions that take
 * one accept NULL. Never holds bytes of a key, a passphrase or a message.
 */
struct e2e_diag {
	enum e2e_error code;
	int sys_errno;		/* errno of the failed system call, else 0 */
	uint64_t position;	/* what `unit` counts; meaningless when unit is NULL */
	const char *unit;	/* static: "byte", "chunk", "segment", "recipient", or NULL */
};

/* The sentence for a code: static, lower case, no full stop, never NULL. */
E2E_API const char *e2e_error_text(enum e2e_error code);

/* The exit status of a command that fails with this code; 70 for a number
 * that is no code. */
E2E_API int e2e_exit_status(enum e2e_error code);

#ifdef __cplusplus
}
#endif
#endif
