/*
 * e2e-key passwd: another passphrase, or none, for the same key.
 */
#include "key.h"

#include "cli/message.h"
#include "cli/ownkey.h"

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	KEY_OPTION_IDENTITY,
	OPTIONS_PASSPHRASE,
	OPTION_KDF_CAP,
	{ 0, NULL, NULL, "the new passphrase" },
	{ OPTION_NEW_PASSPHRASE_FILE, "new-passphrase-file", "FILE",
	    "read it from FILE (private mode)" },
	{ OPTION_NEW_PASSPHRASE_FD, "new-passphrase-fd", "N",
	    "read it from descriptor N" },
	{ OPTION_NO_PASSPHRASE, "no-passphrase", NULL,
	    "leave the key unprotected from now on" },
	OPTIONS_KDF,
	OPTIONS_COMMON
};

const struct command key_passwd_command = {
	"e2e-key passwd",
	"[OPTION...] [KEY]",
	"Changes or removes the passphrase of a secret key file.",
	options
};

struct passwd {
	const char *path;
	struct passphrase_source source;
	struct passphrase_source new_source;
	bool none;
	struct e2e_kdf_cost cost;
	uint32_t memory_max;
};

static void
parse(struct passwd *p, int argc, char **argv)
{
	struct options o;
	int id;

	options_start(&o, &key_passwd_command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (passphrase_option(&p->source, &o, id,
		    OPTION_PASSPHRASE_FILE) ||
		    passphrase_option(&p->new_source, &o, id,
		    OPTION_NEW_PASSPHRASE_FILE) ||
		    passphrase_cost_option(&p->cost, &o, id))
			continue;
		if (id == OPTION_NO_PASSPHRASE)
			p->none = true;
		else if (id == OPTION_KDF_MEMORY_MAX)
			p->memory_max = (uint32_t)options_number(&o, 8192,
			    UINT32_MAX);
		else
			key_path_option(&p->path, &o);
	}
	if (p->none && passphrase_is_given(&p->new_source))
		options_usage(&key_passwd_command, "--no-passphrase "
		    "contradicts a new passphrase");
}

static enum e2e_error
change(struct passwd *p, struct own_key *key)
{
	struct passphrase passphrase = { NULL, 0 };
	enum e2e_error error;

	error = own_key_unlock_by_passphrase(key, &p->source, p->memory_max);
	if (error == E2E_OK && !p->none) {
		error = passphrase_get_new(&passphrase, &p->new_source,
		    key->path);
		if (error == E2E_ERR_PASSPHRASE_NEEDED)
			message_hint("--no-passphrase leaves the key "
			    "unprotected");
	}
	if (error == E2E_OK)
		error = own_key_save(key, p->none ? NULL : &passphrase,
		    p->cost);
	if (error == E2E_OK)
		own_key_forget_held(key);
	passphrase_free(&passphrase);
	return error;
}

int
key_passwd(int argc, char **argv)
{
	struct passwd p = {
		.source = PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS),
		.new_source = PASSPHRASE_SOURCE(
		    "--new-passphrase-file or --new-passphrase-fd")
	};
	struct own_key key;
	enum e2e_error error;

	parse(&p, argc, argv);
	if ((error = own_key_load_to_change(&key, p.path)) == E2E_OK)
		error = change(&p, &key);
	if (error == E2E_OK)
		message_detail("%s: %s", key.path, p.none ?
		    "no longer under a passphrase" : "passphrase changed");
	own_key_free(&key);
	passphrase_source_free(&p.source);
	passphrase_source_free(&p.new_source);
	return (int)error;
}
