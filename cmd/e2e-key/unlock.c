/*
 * e2e-key unlock: the passphrase once, and then for a time not again.
 *
 * What the kernel holds is the key of this one file, neither the passphrase
 * nor a private key. It is of no use without the file, nor with a file that
 * was written since.
 */
#include "key.h"

#include "base/clock.h"
#include "base/secret.h"
#include "cli/keyring.h"
#include "cli/message.h"
#include "cli/ownkey.h"
#include "cli/text.h"

enum { OPTION_TIMEOUT = OPTION_OWN, DEFAULT_SECONDS = 15 * 60 };

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	KEY_OPTION_IDENTITY,
	{ OPTION_TIMEOUT, "timeout", "TIME",
	    "for how long, at most 30d (default: 15m)" },
	OPTIONS_PASSPHRASE,
	OPTION_KDF_CAP,
	OPTIONS_COMMON
};

const struct command key_unlock_command = {
	"e2e-key unlock",
	"[--timeout TIME] [OPTION...] [KEY]",
	"Has the kernel's keyring hold an unlocked key for a time.",
	options
};

static uint32_t
timeout_of(const struct options *o)
{
	uint64_t seconds = options_duration(o);

	if (seconds > KEYRING_SECONDS_MAX)
		options_usage(o->command, "--timeout %s: more than 30d",
		    o->argument);
	return (uint32_t)seconds;
}

static enum e2e_error
hold(const struct own_key *key, uint32_t seconds)
{
	const struct e2e_card *card = e2e_identity_card(key->identity);
	unsigned char *file_key = secret_alloc(E2E_FILE_KEY_LEN);
	char end[TEXT_TIME_LEN + 8];
	enum e2e_error error;
	int problem = 0;

	if (file_key == NULL)
		return message_no_memory();
	error = e2e_identity_file_key(key->identity, file_key);
	if (error == E2E_OK)
		problem = keyring_hold(e2e_card_id(card), file_key, seconds);
	secret_free(file_key);
	if (error != E2E_OK)
		return message_error(error, "%s: %s", key->path,
		    e2e_error_text(error));
	if (problem != 0)
		return key_no_keyring(key->path, problem);
	text_time(end, clock_now() + seconds);
	message_note("%s: unlocked until %s", key->path, end);
	return E2E_OK;
}

static enum e2e_error
unlock(struct own_key *key, struct passphrase_source *source,
    uint32_t memory_max, uint32_t seconds)
{
	enum e2e_error error;

	if (!key->is_protected) {
		message_note("%s: has no passphrase, and needs no unlocking",
		    key->path);
		return E2E_OK;
	}
	error = own_key_unlock_by_passphrase(key, source, memory_max);
	return error == E2E_OK ? hold(key, seconds) : error;
}

int
key_unlock(int argc, char **argv)
{
	struct passphrase_source source =
	    PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS);
	struct own_key key;
	struct options o;
	const char *path = NULL;
	uint32_t memory_max = 0, seconds = DEFAULT_SECONDS;
	enum e2e_error error;
	int id;

	options_start(&o, &key_unlock_command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (passphrase_option(&source, &o, id, OPTION_PASSPHRASE_FILE))
			continue;
		if (id == OPTION_TIMEOUT)
			seconds = timeout_of(&o);
		else if (id == OPTION_KDF_MEMORY_MAX)
			memory_max = (uint32_t)options_number(&o, 8192,
			    UINT32_MAX);
		else
			key_path_option(&path, &o);
	}
	if ((error = own_key_load(&key, path)) == E2E_OK)
		error = unlock(&key, &source, memory_max, seconds);
	own_key_free(&key);
	passphrase_source_free(&source);
	return (int)error;
}
