/*
 * e2e-key: looks after the user's own secret key.
 */
#include "key.h"

#include "cli/process.h"

#include <stddef.h>

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-key",
	"pub|show|passwd|rotate|revoke [OPTION...] [KEY]",
	"Looks after a secret key file (default: your identity.key).\n"
	"'e2e-key SUBCOMMAND --help' tells more about each.",
	options
};

static const struct subcommand subcommands[] = {
	{ &key_pub_command, "pub", key_pub },
	{ &key_show_command, "show", key_show },
	{ &key_passwd_command, "passwd", key_passwd },
	{ &key_rotate_command, "rotate", key_rotate },
	{ &key_revoke_command, "revoke", key_revoke },
	{ NULL, NULL, NULL }
};

void
key_path_option(const char **path, const struct options *o)
{
	if (*path != NULL)
		options_usage(o->command, "more than one key: '%s'",
		    o->argument);
	*path = o->argument;
}

int
main(int argc, char **argv)
{
	process_start(command.name);
	return process_finish((enum e2e_error)options_subcommand(&command,
	    subcommands, argc, argv));
}
