/*
 * e2e-key revoke: the statement that ends an identity.
 */
#include "key.h"

#include "cli/message.h"
#include "cli/output.h"
#include "cli/ownkey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_REASON = OPTION_OWN };

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	KEY_OPTION_IDENTITY,
	{ OPTION_REASON, "reason",
	    "unspecified|compromised|superseded|retired",
	    "why (default: unspecified)" },
	{ 'o', "output", "FILE", "write to FILE" },
	OPTIONS_PASSPHRASE,
	OPTION_KDF_CAP,
	OPTIONS_COMMON
};

const struct command key_revoke_command = {
	"e2e-key revoke",
	"[--reason REASON] [-o FILE] [OPTION...] [KEY]",
	"Prints a revocation, for everybody who has the public key.",
	options
};

/* In the order of the choices. */
static const enum e2e_revocation_reason reasons[] = {
	E2E_REVOKE_UNSPECIFIED, E2E_REVOKE_COMPROMISED, E2E_REVOKE_SUPERSEDED,
	E2E_REVOKE_RETIRED
};

static enum e2e_error
print(const struct own_key *key, enum e2e_revocation_reason reason,
    const char *path)
{
	struct output out;
	enum e2e_error error;
	char *text = NULL;

	error = e2e_revocation_make(&text, key->identity, reason);
	if (error != E2E_OK)
		return message_error(error, "%s: %s", key->path,
		    e2e_error_text(error));
	error = output_open(&out, path, OUTPUT_TEXT, FILE_REPLACE, 0666, -1);
	if (error == E2E_OK) {
		error = out.io.write(&out, text, strlen(text));
		if (error != E2E_OK)
			(void)message_system(error, out.name);
		else
			error = output_commit(&out);
		output_abort(&out);
	}
	if (error == E2E_OK)
		message_note("it takes effect where it is given to "
		    "'e2e-contact pin'");
	free(text);
	return error;
}

int
key_revoke(int argc, char **argv)
{
	struct passphrase_source source =
	    PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS);
	struct own_key key;
	struct options o;
	const char *path = NULL, *output = NULL;
	enum e2e_revocation_reason reason = E2E_REVOKE_UNSPECIFIED;
	uint32_t memory_max = 0;
	enum e2e_error error;
	int id;

	options_start(&o, &key_revoke_command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (passphrase_option(&source, &o, id, OPTION_PASSPHRASE_FILE))
			continue;
		if (id == OPTION_REASON)
			reason = reasons[options_choice(&o)];
		else if (id == 'o')
			output = o.argument;
		else if (id == OPTION_KDF_MEMORY_MAX)
			memory_max = (uint32_t)options_number(&o, 8192,
			    UINT32_MAX);
		else
			key_path_option(&path, &o);
	}
	if ((error = own_key_load(&key, path)) == E2E_OK)
		error = own_key_unlock(&key, &source, memory_max);
	if (error == E2E_OK)
		error = print(&key, reason, output);
	own_key_free(&key);
	passphrase_source_free(&source);
	return (int)error;
}
