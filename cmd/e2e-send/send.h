/*
 * send.h: the parts of e2e-send.
 */
#ifndef CMD_SEND_H
#define CMD_SEND_H

#include "cli/relay.h"
#include "net/envelopes.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEND_RETRIES = 4 };

/* What does not change from one envelope to the next, and the session. */
struct send_job {
	struct relay_place place;
	/* --to, ascending, each once; count 0: whom the envelope names. */
	unsigned char (*to)[E2E_ID_LEN];
	size_t to_count, to_capacity;
	unsigned retries;	/* after a failure, at most */
	uint64_t retry_for;	/* or for so many seconds; 0: count them */
	struct relay_client relay;
	bool open;
};

/*
 * Deposits an envelope and prints its receipt. E2E_ERR_REFUSED when the relay
 * will not have this one; others concern the relay, or the output, as a
 * whole. label: where the envelope came from. Told.
 */
enum e2e_error send_deposit(struct send_job *job,
    const struct envelope *envelope, const char *label);

#endif
