/* The kinds of recipients. */
#include "message/recipients.h"

static const struct recipient_type *const types[] = {
	&recipient_type_rsa, &recipient_type_x25519
};

const struct recipient_type *
recipient_type_find(enum recipient_kind kind)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i]->kind == kind)
			return types[i];
	}
	return NULL;
}
