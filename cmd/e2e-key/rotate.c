/*
 * e2e-key rotate: a new encryption key; the old ones stay for old mail.
 *
 * The secret file is replaced first: a public key that nobody can open for
 * must not get out.
 */
#include "key.h"

#include "base/file.h"
#include "cli/cardlist.h"
#include "cli/message.h"
#include "cli/ownkey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
	{ 0, NULL, NULL, "options" },
	KEY_OPTION_IDENTITY,
	OPTIONS_PASSPHRASE,
	OPTION_KDF_CAP,
	OPTIONS_KDF,
	OPTIONS_COMMON
};

const struct command key_rotate_command = {
	"e2e-key rotate",
	"[OPTION...] [KEY]",
	"Adds a new encryption key, and brings the .pub file beside up to date.",
	options
};

/* Is the file at `path` an older card of the same identity? What cannot be
 * read is told, and neither replaced nor passed over as somebody else's. */
static enum e2e_error
is_ours(bool *ours, const char *path, const struct e2e_card *card)
{
	struct e2e_card *old = NULL;
	enum e2e_error error;

	*ours = false;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return E2E_OK;
	error = cardlist_read_one(&old, path, "the public key");
	if (error == E2E_OK)
		*ours = memcmp(e2e_card_id(old), e2e_card_id(card),
		    E2E_ID_LEN) == 0;
	e2e_card_free(old);
	return error;
}

static enum e2e_error
update_public(const struct own_key *key)
{
	const struct e2e_card *card = e2e_identity_card(key->identity);
	char *path = own_key_beside(key->path, "pub"), *line = NULL;
	enum e2e_error error = E2E_OK;
	bool ours;

	if (path == NULL) {
		error = message_no_memory();
		goto out;
	}
	if ((error = is_ours(&ours, path, card)) != E2E_OK)
		goto out;
	if (!ours) {
		message_note("give away the new public key: e2e-key pub %s",
		    key->path);
		goto out;
	}
	if ((line = e2e_card_line(card)) == NULL) {
		error = message_no_memory();
		goto out;
	}
	errno = 0;
	error = file_write(path, line, strlen(line), 0666, FILE_REPLACE);
	if (error != E2E_OK)
		(void)message_system(error, path);
	else
		message_note("give away the new %s", path);
out:
	free(path);
	free(line);
	return error;
}

static enum e2e_error
rotate(struct own_key *key, struct passphrase_source *source,
    uint32_t memory_max, struct e2e_kdf_cost cost)
{
	enum e2e_error error;

	error = own_key_unlock_by_passphrase(key, source, memory_max);
	if (error != E2E_OK)
		return error;
	if ((error = e2e_identity_rotate(key->identity)) != E2E_OK)
		return message_error(error, "%s: %s", key->path,
		    e2e_error_text(error));
	error = own_key_save(key, key->is_protected ? &key->passphrase : NULL,
	    cost);
	if (error != E2E_OK)
		return error;
	own_key_forget_held(key);
	message_detail("%s: serial %" PRIu64, key->path,
	    e2e_card_serial(e2e_identity_card(key->identity)));
	return update_public(key);
}

int
key_rotate(int argc, char **argv)
{
	struct passphrase_source source =
	    PASSPHRASE_SOURCE(PASSPHRASE_OPTIONS);
	struct e2e_kdf_cost cost = { 0, 0, 0 };
	struct own_key key;
	struct options o;
	const char *path = NULL;
	uint32_t memory_max = 0;
	enum e2e_error error;
	int id;

	options_start(&o, &key_rotate_command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (passphrase_option(&source, &o, id,
		    OPTION_PASSPHRASE_FILE) ||
		    passphrase_cost_option(&cost, &o, id))
			continue;
		if (id == OPTION_KDF_MEMORY_MAX)
			memory_max = (uint32_t)options_number(&o, 8192,
			    UINT32_MAX);
		else
			key_path_option(&path, &o);
	}
	if ((error = own_key_load_to_change(&key, path)) == E2E_OK)
		error = rotate(&key, &source, memory_max, cost);
	own_key_free(&key);
	passphrase_source_free(&source);
	return (int)error;
}
