/*
 * e2e-keygen: makes an identity.
 *
 * With -o three files appear: the secret key, its public key line, and a
 * revocation to be used when the key is lost. The key is the last of them to get its
 * name: whoever finds a key finds the other two beside it.
 */
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/ownkey.h"
#include "cli/passphrase.h"
#include "cli/process.h"

#include <e2e/e2e.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	{ 't', "type", "rsa2048|rsa3072|rsa4096|x25519",
	    "kind of keys (default: rsa2048)" },
	{ 'n', "name", "TEXT", "your name, inside the public key" },
	{ 'e', "expire", "WHEN", "a duration (2y, 90d), a date, or never" },
	{ 'o', "output", "FILE", "write FILE and, beside it, .pub and "
	    ".revocation" },
	OPTIONS_PASSPHRASE,
	{ OPTION_NO_PASSPHRASE, "no-passphrase", NULL,
	    "leave the secret key unprotected" },
	OPTIONS_KDF,
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-keygen",
	"[-t TYPE] [-n NAME] [-e WHEN] [-o FILE] [OPTION...]",
	"Makes an identity: a signing key, an encryption key and their card.",
	options
};

struct keygen {
	const char *type;
	const char *name;
	const char *output;		/* NULL: standard output */
	uint64_t expires;
	struct passphrase_source source;
	bool no_passphrase;
	struct e2e_kdf_cost cost;
};

/* Opened in this order, named in the other. */
enum { SECRET, PUBLIC, REVOCATION, FILES };

/* The three files, open and unnamed until all of them are complete. */
struct files {
	char *path[FILES];
	struct output out[FILES];
	size_t named;			/* those from here on have their name */
};

static void
parse(struct keygen *k, int argc, char **argv)
{
	struct options o;
	int id;

	options_start(&o, &command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (passphrase_option(&k->source, &o, id,
		    OPTION_PASSPHRASE_FILE) ||
		    passphrase_cost_option(&k->cost, &o, id))
			continue;
		switch (id) {
		case 't':
			(void)options_choice(&o);
			k->type = o.argument;
			break;
		case 'n':
			k->name = options_text(&o, E2E_NAME_MAX);
			break;
		case 'e':
			k->expires = options_expiry(&o);
			break;
		case 'o':
			k->output = strcmp(o.argument, "-") == 0 ? NULL :
			    o.argument;
			break;
		case OPTION_NO_PASSPHRASE:
			k->no_passphrase = true;
			break;
		default:
			options_usage(&command, "unexpected operand '%s'",
			    o.argument);
		}
	}
	if (k->no_passphrase && passphrase_is_given(&k->source))
		options_usage(&command, "--no-passphrase contradicts the "
		    "passphrase options");
}

static enum e2e_error
open_files(struct files *f, const char *path)
{
	static const char *const endings[] = { NULL, "pub", "revocation" };
	enum e2e_error error;
	size_t i;

	f->named = FILES;
	for (i = 0; i < FILES; i++) {
		f->path[i] = i == SECRET ? strdup(path) :
		    own_key_beside(path, endings[i]);
		if (f->path[i] == NULL)
			return message_no_memory();
	}
	for (i = 0; i < FILES; i++) {
		error = output_open(&f->out[i], f->path[i],
		    i == SECRET ? OUTPUT_BINARY : OUTPUT_TEXT, FILE_NEW,
		    i == PUBLIC ? 0666 : 0600, -1);
		if (error != E2E_OK)
			return error;
	}
	return E2E_OK;
}

static enum e2e_error
write_one(struct output *out, const void *data, size_t size)
{
	enum e2e_error error;

	errno = 0;
	if ((error = out->io.write(out, data, size)) != E2E_OK)
		(void)message_system(error, out->name);
	return error;
}

static enum e2e_error
write_files(struct files *f, const struct e2e_identity *identity,
    const char *text, size_t length)
{
	char *line = NULL, *revocation = NULL;
	enum e2e_error error;
	size_t i;

	error = e2e_revocation_make(&revocation, identity,
	    E2E_REVOKE_UNSPECIFIED);
	if (error != E2E_OK) {
		(void)message_diag(error, NULL, f->path[REVOCATION]);
		goto out;
	}
	if ((line = e2e_card_line(e2e_identity_card(identity))) == NULL) {
		error = message_no_memory();
		goto out;
	}
	if ((error = write_one(&f->out[PUBLIC], line, strlen(line))) != E2E_OK ||
	    (error = write_one(&f->out[REVOCATION], revocation,
	    strlen(revocation))) != E2E_OK ||
	    (error = write_one(&f->out[SECRET], text, length)) != E2E_OK)
		goto out;
	for (i = FILES; i-- > 0; f->named = i)
		if ((error = output_commit(&f->out[i])) != E2E_OK)
			goto out;
out:
	free(line);
	free(revocation);
	return error;
}

/* After a failure nothing is left of what was begun. */
static void
close_files(struct files *f, enum e2e_error error)
{
	size_t i;

	for (i = 0; i < FILES; i++) {
		if (error != E2E_OK && f->path[i] != NULL && i >= f->named)
			(void)unlink(f->path[i]);
		output_abort(&f->out[i]);
		free(f->path[i]);
	}
}

static void
report(const struct keygen *k, const struct files *f,
    const struct e2e_identity *identity)
{
	const struct e2e_card *card = e2e_identity_card(identity);
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct json j;

	e2e_fingerprint(fingerprint, e2e_card_id(card));
	if (k->output != NULL)
		message_note("%s (secret), %s (to give away), %s (to keep "
		    "for when the key is lost)", f->path[SECRET],
		    f->path[PUBLIC], f->path[REVOCATION]);
	message_note("fingerprint %s", fingerprint);
	message_event(&j, "generated");
	json_string(&j, "fingerprint", fingerprint);
	json_string(&j, "type", e2e_card_type(card));
	if (k->output != NULL) {
		json_string(&j, "secret_file", f->path[SECRET]);
		json_string(&j, "public_file", f->path[PUBLIC]);
		json_string(&j, "revocation_file", f->path[REVOCATION]);
	}
	message_status(&j);
}

static enum e2e_error
get_passphrase(struct passphrase *p, struct keygen *k)
{
	enum e2e_error error;

	if (k->no_passphrase)
		return E2E_OK;
	error = passphrase_get_new(p, &k->source,
	    k->output == NULL ? "the new key" : k->output);
	if (error == E2E_ERR_PASSPHRASE_NEEDED)
		message_hint("--no-passphrase leaves the key unprotected");
	return error;
}

static enum e2e_error
run(struct keygen *k)
{
	struct e2e_identity *identity = NULL;
	struct passphrase passphrase = { NULL, 0 };
	struct files files;
	struct output out;
	enum e2e_error error;
	char *text = NULL;
	size_t length;

	memset(&files, 0, sizeof(files));
	/* What cannot be written is known before anything is asked. */
	if (k->output != NULL)
		error = open_files(&files, k->output);
	else
		error = output_open(&out, NULL, OUTPUT_BINARY, FILE_NEW, 0,
		    -1);
	if (error == E2E_ERR_TERMINAL)
		message_hint("-o FILE writes the secret key to a file");
	if (error != E2E_OK ||
	    (error = get_passphrase(&passphrase, k)) != E2E_OK)
		goto out;
	error = e2e_identity_generate(&identity, k->type, k->name, k->expires);
	if (error == E2E_OK)
		error = e2e_identity_text(identity, passphrase.data,
		    passphrase.length, k->cost, &text, &length);
	if (error != E2E_OK) {
		(void)message_diag(error, NULL, "making the key");
		goto out;
	}
	if (k->output != NULL)
		error = write_files(&files, identity, text, length);
	else
		error = write_one(&out, text, length);
	if (error == E2E_OK)
		report(k, &files, identity);
out:
	close_files(&files, error);
	passphrase_free(&passphrase);
	e2e_secret_free(text);
	e2e_identity_free(identity);
	return error;
}

int
main(int argc, char **argv)
{
	struct keygen k = {
		.type = "rsa2048",
		.source = PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS)
	};
	enum e2e_error error;

	process_start(command.name);
	parse(&k, argc, argv);
	error = run(&k);
	passphrase_source_free(&k.source);
	return process_finish(error);
}
