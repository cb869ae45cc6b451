/*
 * e2e-key: looks after the user's own secret key.
 */
#include "key.h"

#include "cli/message.h"
#include "cli/process.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-key",
	"pub|show|passwd|rotate|revoke|unlock|lock [OPTION...] [KEY]",
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
	{ &key_unlock_command, "unlock", key_unlock },
	{ &key_lock_command, "lock", key_lock },
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

enum e2e_error
key_no_keyring(const char *path, int problem)
{
	(void)message_error(E2E_ERR_CONFIG,
	    "%s: the kernel's keyring cannot be used: %s", path,
	    strerror(problem));
	if (problem == EDQUOT)
		message_hint("/proc/sys/kernel/keys has the limits of a user");
	else if (problem == ENOSYS || problem == EPERM || problem == EACCES)
		message_hint("only Linux has one, and containers often "
		    "forbid it");
	return E2E_ERR_CONFIG;
}

int
main(int argc, char **argv)
{
	process_start(command.name);
	return process_finish((enum e2e_error)options_subcommand(&command,
	    subcommands, argc, argv));
}
