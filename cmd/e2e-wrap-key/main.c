/*
 * e2e-wrap-key: a key in, the same key for the members of a group out.
 */
#include "wrap_key.h"

#include "cli/message.h"
#include "cli/options.h"
#include "cli/process.h"
#include "cli/resolve.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPTION_NEW = OPTION_OWN, OPTION_ADD, OPTION_REMOVE, OPTION_SHOW,
	OPTION_KNOWN, OPTION_NO_CARD
};

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "what to do (default: wrap 32 bytes of standard "
	    "input)" },
	{ OPTION_NEW, "new", NULL, "wrap a fresh key" },
	{ OPTION_ADD, "add", "RECIPIENT",
	    "give the wrapped key in FILE to one more member" },
	{ OPTION_REMOVE, "remove", "RECIPIENT",
	    "begin another epoch of FILE, without this member (or "
	    "fingerprint)" },
	{ 'd', "unwrap", NULL, "write the key that is wrapped in FILE" },
	{ OPTION_SHOW, "show", NULL,
	    "tell what FILE is; with -i, whose" },
	{ 0, NULL, NULL, "who" },
	{ 'i', "identity", "KEY", "the maker's secret key, or the reader's "
	    "(default: your identity.key)" },
	OPTIONS_PASSPHRASE,
	OPTION_KDF_CAP,
	{ 'r', "recipient", "RECIPIENT",
	    "a member: a public key file, a line e2e-pub1..., or a contact" },
	{ 'R', "recipients", "FILE", "every public key line of FILE" },
	{ 's', "sender", "SENDER", "only what this maker has signed" },
	{ OPTION_KNOWN, "known", NULL, "only what a pinned contact has signed" },
	{ 0, NULL, NULL, "how" },
	{ 'n', "name", "TEXT", "a name for the group, seen by its members" },
	{ OPTION_NO_CARD, "no-card", NULL, "leave the maker's card out" },
	{ 'a', "armor", NULL, "text instead of binary" },
	{ 'o', "output", "FILE", "write to FILE, which must not be there" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-wrap-key",
	"--new [-i KEY] -r RECIPIENT... [OPTION...]\n"
	"[-i KEY] -r RECIPIENT... [OPTION...] < KEY\n"
	"--add RECIPIENT | --remove RECIPIENT [-i KEY] [OPTION...] [FILE]\n"
	"-d [-i KEY] [-s SENDER | --known] [-o FILE] [FILE]\n"
	"--show [-i KEY] [FILE]",
	"Wraps a key that the members of a group or a conversation share.",
	options
};

static void
choose_job(struct wrap_key *w, enum wrap_key_job job)
{
	if (w->job != JOB_WRAP && w->job != job)
		options_usage(&command, "--add and --remove, --unwrap, and "
		    "--show exclude each other");
	w->job = job;
}

/* Somebody whose card is not at hand any more is named by the fingerprint. */
static enum e2e_error
add_removed(struct wrap_key *w, const char *word)
{
	struct cardlist list = { .cards = NULL };
	struct wrap_key_removed *more, *one;
	enum e2e_error error = E2E_OK;

	more = realloc(w->removed, (w->removed_count + 1) * sizeof(*more));
	if (more == NULL)
		return message_no_memory();
	w->removed = more;
	one = &more[w->removed_count];
	one->word = word;
	if (!e2e_fingerprint_parse(one->id, word)) {
		error = resolve_word_unchecked(&list, &w->contacts, word);
		if (error == E2E_OK)
			memcpy(one->id, e2e_card_id(list.cards[0]),
			    E2E_ID_LEN);
		cardlist_free(&list);
	}
	if (error == E2E_OK)
		w->removed_count++;
	return error;
}

static enum e2e_error
parse_one(struct wrap_key *w, const struct options *o, int id)
{
	switch (id) {
	case OPTION_NEW:
		w->fresh = true;
		break;
	case OPTION_ADD:
		choose_job(w, JOB_CHANGE);
		return resolve_word(&w->added, &w->contacts, o->argument,
		    E2E_ERR_RECIPIENT_REVOKED);
	case OPTION_REMOVE:
		choose_job(w, JOB_CHANGE);
		return add_removed(w, o->argument);
	case 'd':
		choose_job(w, JOB_UNWRAP);
		break;
	case OPTION_SHOW:
		choose_job(w, JOB_SHOW);
		break;
	case 'i':
		w->identity = o->argument;
		break;
	case OPTION_KDF_MEMORY_MAX:
		w->kdf_memory_max = (uint32_t)options_number(o, 8192,
		    UINT32_MAX);
		break;
	case 'r':
		return resolve_word(&w->members, &w->contacts, o->argument,
		    E2E_ERR_RECIPIENT_REVOKED);
	case 'R':
		return resolve_file(&w->members, &w->contacts, o->argument,
		    E2E_ERR_RECIPIENT_REVOKED);
	case 's':
		return resolve_word(&w->makers, &w->contacts, o->argument,
		    E2E_ERR_SENDER_REVOKED);
	case OPTION_KNOWN:
		w->known = true;
		break;
	case 'n':
		w->name = options_text(o, E2E_TEXT_MAX);
		break;
	case OPTION_NO_CARD:
		w->no_card = true;
		break;
	case 'a':
		w->armor = true;
		break;
	case 'o':
		w->output = o->argument;
		break;
	default:
		if (w->input != NULL)
			options_usage(&command, "more than one input: '%s'",
			    o->argument);
		w->input = o->argument;
	}
	return E2E_OK;
}

/* What goes together. */
static void
check_usage(const struct wrap_key *w)
{
	bool makes = w->job == JOB_WRAP || w->job == JOB_CHANGE;

	if (w->job == JOB_WRAP && w->members.count == 0)
		options_usage(&command, "no member: -r or -R");
	if (w->job != JOB_WRAP && (w->fresh || w->name != NULL))
		options_usage(&command, "--new and --name are for a new "
		    "group");
	if (w->fresh && w->input != NULL)
		options_usage(&command, "--new reads no key: '%s'", w->input);
	if (!makes && (w->members.count > 0 || w->no_card || w->armor))
		options_usage(&command, "-r, -R, --no-card and --armor are for "
		    "wrapping");
	if (makes && (w->makers.count > 0 || w->known))
		options_usage(&command, "--sender and --known are for --unwrap "
		    "and --show");
	if (w->known && w->makers.count > 0)
		options_usage(&command, "--sender and --known exclude each "
		    "other");
	if (w->job == JOB_SHOW && w->output != NULL)
		options_usage(&command, "--show writes to standard output");
	if (w->job == JOB_SHOW && w->identity == NULL &&
	    (w->makers.count > 0 || w->known))
		options_usage(&command, "who made it can be seen only with a "
		    "key, -i");
}

static enum e2e_error
parse(struct wrap_key *w, int argc, char **argv)
{
	enum e2e_error error = E2E_OK;
	struct options o;
	int id;

	options_start(&o, &command, argc, argv);
	while (error == E2E_OK && (id = options_next(&o)) != OPTIONS_END) {
		if (!passphrase_option(&w->source, &o, id,
		    OPTION_PASSPHRASE_FILE))
			error = parse_one(w, &o, id);
	}
	if (error == E2E_OK)
		check_usage(w);
	return error;
}

enum e2e_error
wrap_key_prepare(struct wrap_key *w)
{
	enum e2e_error error;

	error = own_key_load(&w->key, w->identity);
	if (error == E2E_OK)
		error = own_key_unlock(&w->key, &w->source,
		    w->kdf_memory_max);
	w->reader = w->key.identity;
	w->keys.identities = &w->reader;
	w->keys.identity_count = 1;
	w->keys.kdf_memory_max_kib = w->kdf_memory_max;
	return error;
}

static enum e2e_error
run(struct wrap_key *w)
{
	switch (w->job) {
	case JOB_WRAP:
		return wrap_new(w);
	case JOB_CHANGE:
		return wrap_change(w);
	case JOB_UNWRAP:
		return unwrap_run(w);
	case JOB_SHOW:
		break;
	}
	return show_run(w);
}

int
main(int argc, char **argv)
{
	struct wrap_key w = {
		.source = PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS)
	};
	enum e2e_error error;

	process_start(command.name);
	error = parse(&w, argc, argv);
	if (error == E2E_OK)
		error = run(&w);
	own_key_free(&w.key);
	passphrase_source_free(&w.source);
	cardlist_free(&w.members);
	cardlist_free(&w.added);
	free(w.removed);
	cardlist_free(&w.makers);
	contacts_free(&w.contacts);
	return process_finish(error);
}
