/*
 * seen.h: words for what can be seen of a recipient without a key.
 */
#ifndef CLI_SEEN_H
#define CLI_SEEN_H

#include "cli/contacts.h"
#include "cli/text.h"

#include <e2e/message.h>

/* "recipient: ..." and what is known of it, one line. */
void seen_add(struct buffer *b, const struct contacts *contacts,
    const struct e2e_recipient_seen *r);
/* The same as an object. */
void seen_add_json(struct json *j, const struct contacts *contacts,
    const struct e2e_recipient_seen *r);

#endif
