/* Group key recipients: AES key wrap alone (docs/FORMAT.md, 4.4). */
#include "message/recipients.h"

#include "crypto/keywrap.h"
#include "wire/labels.h"

#include <string.h>

enum e2e_error
recipients_wrap_group(struct buffer *entries,
    const struct e2e_group_key *group, bool hide,
    const unsigned char cek[DERIVE_CEK_LEN])
{
	unsigned char wrapped[KEYWRAP_WRAPPED_LEN];
	struct recipient entry;
	enum e2e_error error;

	error = keywrap_wrap(wrapped, group->secret, cek);
	if (error != E2E_OK)
		return error;
	memset(&entry, 0, sizeof(entry));
	entry.kind = RECIPIENT_GROUP;
	entry.alg = ALG_A256KW;
	entry.kid = hide ? NULL : group->kid;
	entry.wrapped = (struct bytes){ wrapped, sizeof(wrapped) };
	recipient_put(entries, &entry);
	return entries->failed ? E2E_ERR_MEMORY : E2E_OK;
}

enum e2e_error
recipients_unwrap_group(unsigned char cek[DERIVE_CEK_LEN], bool *mine,
    const struct recipient *entry, const struct e2e_group_key *group)
{
	*mine = false;
	if (entry->wrapped.length != KEYWRAP_WRAPPED_LEN)
		return E2E_OK;
	return keywrap_unwrap(cek, mine, group->secret, entry->wrapped.data);
}
