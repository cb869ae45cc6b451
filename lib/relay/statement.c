/* Revocations, in and out of their armor. */
#include "relay/statement.h"

#include "wire/armor.h"

enum e2e_error
statement_from_text(struct buffer *encoded, const char *text, size_t length)
{
	enum e2e_error error;

	error = armor_decode(encoded, ARMOR_REVOCATION, true, text, length);
	return error == E2E_ERR_ARMOR ? E2E_ERR_STATEMENT : error;
}

enum e2e_error
statement_to_text(struct buffer *text, struct bytes encoded)
{
	return armor_encode(text, ARMOR_REVOCATION, encoded.data,
	    encoded.length);
}
