/*
 * statement.h: revocations as people keep them, in armor, and as they travel
 * to and from a relay, in binary. Neither is verified here.
 */
#ifndef RELAY_STATEMENT_H
#define RELAY_STATEMENT_H

#include "base/buffer.h"

#include <e2e/error.h>

/* Appends. E2E_ERR_STATEMENT, E2E_ERR_MEMORY. */
enum e2e_error statement_from_text(struct buffer *encoded, const char *text,
    size_t length);
enum e2e_error statement_to_text(struct buffer *text, struct bytes encoded);

#endif
