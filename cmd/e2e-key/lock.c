/*
 * e2e-key lock: what unlock had the kernel hold is taken away.
 */
#include "key.h"

#include "cli/keyring.h"
#include "cli/message.h"
#include "cli/ownkey.h"

#include <errno.h>

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	KEY_OPTION_IDENTITY,
	OPTIONS_COMMON
};

const struct command key_lock_command = {
	"e2e-key lock",
	"[KEY]",
	"Takes away what the kernel holds of a key.",
	options
};

static enum e2e_error
lock(const struct own_key *key)
{
	const struct e2e_card *card = e2e_identity_card(key->identity);
	int problem = keyring_forget(e2e_card_id(card));

	/* Nothing is claimed that cannot be known. */
	if (problem != 0 && problem != ENOENT)
		return key_no_keyring(key->path, problem);
	message_detail("%s: %s", key->path, problem == 0 ? "locked" :
	    "was not unlocked");
	return E2E_OK;
}

int
key_lock(int argc, char **argv)
{
	struct own_key key;
	struct options o;
	const char *path = NULL;
	enum e2e_error error;

	options_start(&o, &key_lock_command, argc, argv);
	while (options_next(&o) != OPTIONS_END)
		key_path_option(&path, &o);
	if ((error = own_key_load(&key, path)) == E2E_OK)
		error = lock(&key);
	own_key_free(&key);
	return (int)error;
}
