/*
 * e2e-key pub: the public key line, which a locked key file shows, too.
 */
#include "key.h"

#include "cli/message.h"
#include "cli/output.h"
#include "cli/ownkey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	KEY_OPTION_IDENTITY,
	{ 'o', "output", "FILE", "write to FILE" },
	OPTIONS_COMMON
};

const struct command key_pub_command = {
	"e2e-key pub",
	"[-o FILE] [KEY]",
	"Prints the public key line, without asking for a passphrase.",
	options
};

static enum e2e_error
print(const struct own_key *key, const char *path)
{
	struct output out;
	enum e2e_error error;
	char *line;

	error = output_open(&out, path, OUTPUT_TEXT, FILE_REPLACE, 0666, -1);
	if (error != E2E_OK)
		return error;
	if ((line = e2e_card_line(e2e_identity_card(key->identity))) == NULL) {
		error = message_no_memory();
	} else {
		error = out.io.write(&out, line, strlen(line));
		if (error != E2E_OK)
			(void)message_system(error, out.name);
	}
	if (error == E2E_OK)
		error = output_commit(&out);
	output_abort(&out);
	free(line);
	return error;
}

int
key_pub(int argc, char **argv)
{
	struct own_key key;
	struct options o;
	const char *path = NULL, *output = NULL;
	enum e2e_error error;
	int id;

	options_start(&o, &key_pub_command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (id == 'o')
			output = o.argument;
		else
			key_path_option(&path, &o);
	}
	if ((error = own_key_load(&key, path)) == E2E_OK)
		error = print(&key, output);
	own_key_free(&key);
	return (int)error;
}
