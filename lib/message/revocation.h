/*
 * revocation.h: revocations as bytes, without armor: as they travel to and
 * from a relay. include/e2e/key.h has those that people keep.
 */
#ifndef MESSAGE_REVOCATION_H
#define MESSAGE_REVOCATION_H

#include "base/buffer.h"

#include <e2e/key.h>

enum { REVOCATION_MAX = 4096 };

/* The id that it says it revokes, nothing verified. E2E_ERR_STATEMENT,
 * E2E_ERR_LIMIT. */
enum e2e_error revocation_subject(struct bytes encoded,
    unsigned char id[E2E_ID_LEN]);
/* Is it card's own? E2E_ERR_STATEMENT, E2E_ERR_LIMIT,
 * E2E_ERR_STATEMENT_SIGNATURE. */
enum e2e_error revocation_verify(struct bytes encoded,
    const struct e2e_card *card, enum e2e_revocation_reason *reason,
    uint64_t *made);

#endif
