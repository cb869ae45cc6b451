/*
 * inspect.h: what anybody can see of a header's recipients.
 */
#ifndef MESSAGE_INSPECT_H
#define MESSAGE_INSPECT_H

#include "wire/header.h"

#include <e2e/message.h>

/* As many as the header has; free() them. E2E_ERR_MEMORY. */
enum e2e_error inspect_recipients(struct e2e_recipient_seen **seen,
    const struct header *h);

#endif
