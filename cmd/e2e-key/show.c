/*
 * e2e-key show: what a key file is, without its passphrase.
 */
#include "key.h"

#include "cli/cardlist.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/ownkey.h"

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	KEY_OPTION_IDENTITY,
	OPTIONS_COMMON
};

const struct command key_show_command = {
	"e2e-key show",
	"[KEY]",
	"Prints what can be known without the passphrase.",
	options
};

static enum e2e_error
print(const struct own_key *key)
{
	struct buffer b;
	enum e2e_error error;

	buffer_init(&b, TEXT_MAX);
	text_add(&b, "file: ");
	text_add_escaped(&b, key->path);
	text_add(&b, "\n");
	cardlist_describe(&b, e2e_identity_card(key->identity));
	text_add(&b, "protected: %s\n", key->is_protected ?
	    "by a passphrase" : "no");
	if (!e2e_identity_locked(key->identity))
		text_add(&b, "retired keys: %zu\n",
		    e2e_identity_encryption_keys(key->identity) -
		    e2e_card_encryption_keys(e2e_identity_card(
		    key->identity)));
	error = output_text(&b);
	buffer_free(&b);
	return error;
}

int
key_show(int argc, char **argv)
{
	struct own_key key;
	struct options o;
	const char *path = NULL;
	enum e2e_error error;

	options_start(&o, &key_show_command, argc, argv);
	while (options_next(&o) != OPTIONS_END)
		key_path_option(&path, &o);
	if ((error = own_key_load(&key, path)) == E2E_OK)
		error = print(&key);
	own_key_free(&key);
	return (int)error;
}
