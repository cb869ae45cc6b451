/*
 * knownrelays.c: the relay of the first time is the relay of every time.
 */
#include "cli/knownrelays.h"

#include "base/buffer.h"
#include "base/file.h"
#include "cli/config.h"
#include "cli/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 4 * 1024 * 1024 };

/* The file's contents, and where the line of one address stands in them. */
struct known {
	char *path;
	struct buffer text;
	bool found;
	unsigned char id[E2E_ID_LEN];
	size_t begin, end;		/* of the line, with its newline */
};

static void
free_known(struct known *k)
{
	free(k->path);
	buffer_free(&k->text);
	memset(k, 0, sizeof(*k));
}

/* One line, without its newline: "ADDRESS FINGERPRINT". */
static bool
parse_line(const char *line, size_t length, size_t *address_length,
    unsigned char id[E2E_ID_LEN])
{
	char text[E2E_FINGERPRINT_LEN + 1];

	if (length < E2E_FINGERPRINT_LEN + 2)
		return false;
	*address_length = length - E2E_FINGERPRINT_LEN - 1;
	memcpy(text, line + *address_length + 1, E2E_FINGERPRINT_LEN);
	text[E2E_FINGERPRINT_LEN] = '\0';
	return line[*address_length] == ' ' &&
	    memchr(line, '\0', length) == NULL &&
	    strchr(text, ' ') == NULL && e2e_fingerprint_parse(id, text);
}

static enum e2e_error
search(struct known *k, const char *address)
{
	const char *text = (const char *)k->text.data, *stop;
	unsigned char id[E2E_ID_LEN];
	size_t at = 0, length, address_length, number = 1, next;

	for (; at < k->text.length; at = next, number++) {
		stop = memchr(text + at, '\n', k->text.length - at);
		length = stop == NULL ? k->text.length - at :
		    (size_t)(stop - (text + at));
		next = at + length + (stop == NULL ? 0 : 1);
		if (length == 0 || text[at] == '#')
			continue;
		if (!parse_line(text + at, length, &address_length, id))
			return message_error(E2E_ERR_CONFIG,
			    "%s: line %zu is not 'HOST:PORT FINGERPRINT'",
			    k->path, number);
		if (k->found || address_length != strlen(address) ||
		    memcmp(text + at, address, address_length) != 0)
			continue;
		k->found = true;
		memcpy(k->id, id, E2E_ID_LEN);
		k->begin = at;
		k->end = next;
	}
	return E2E_OK;
}

/* No file knows nobody. */
static enum e2e_error
load(struct known *k, const char *address)
{
	enum e2e_error error;

	memset(k, 0, sizeof(*k));
	buffer_init(&k->text, FILE_MAX);
	error = config_path(&k->path, "known_relays");
	if (error != E2E_OK || k->path == NULL)
		return error;
	errno = 0;
	error = file_read(k->path, &k->text);
	if (error == E2E_ERR_NO_INPUT && errno == ENOENT)
		return E2E_OK;
	if (error != E2E_OK)
		return message_system(error == E2E_ERR_MEMORY ? error :
		    E2E_ERR_CONFIG, k->path);
	return search(k, address);
}

static enum e2e_error
write_known(const struct known *k, const char *address,
    const unsigned char id[E2E_ID_LEN])
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct buffer text;
	enum e2e_error error = E2E_ERR_MEMORY;
	size_t begin = k->found ? k->begin : k->text.length;
	size_t end = k->found ? k->end : k->text.length;

	buffer_init(&text, FILE_MAX);
	e2e_fingerprint(fingerprint, id);
	(void)buffer_append(&text, k->text.data, begin);
	if (begin > 0 && k->text.data[begin - 1] != '\n')
		(void)buffer_append_byte(&text, '\n');
	text_add(&text, "%s %s\n", address, fingerprint);
	if (end < k->text.length)
		(void)buffer_append(&text, k->text.data + end,
		    k->text.length - end);
	errno = 0;
	if (!text.failed)
		error = file_write(k->path, text.data, text.length, 0666,
		    FILE_REPLACE);
	if (error != E2E_OK)
		(void)message_system(error, k->path);
	buffer_free(&text);
	return error;
}

/* Another process may have pinned something since the file was read: then
 * its pin is the first one, unless this one replaces what stood there. */
static enum e2e_error
pin(const struct known *before, const char *address,
    const unsigned char id[E2E_ID_LEN])
{
	struct known k;
	char *folder = NULL;
	enum e2e_error error;
	int lock = -1;

	memset(&k, 0, sizeof(k));
	error = config_path_needed(&folder, "known_relays");
	if (error == E2E_OK) {
		*strrchr(folder, '/') = '\0';
		error = config_make_folder(folder);
	}
	if (error == E2E_OK) {
		errno = 0;
		if ((error = file_lock_folder(&lock, before->path)) != E2E_OK)
			(void)message_system(error, folder);
	}
	if (error == E2E_OK)
		error = load(&k, address);
	if (error == E2E_OK && k.found == before->found && (!k.found ||
	    memcmp(k.id, before->id, E2E_ID_LEN) == 0))
		error = write_known(&k, address, id);
	else if (error == E2E_OK && memcmp(k.id, id, E2E_ID_LEN) != 0)
		error = message_error(E2E_ERR_RELAY_OTHER, "%s: %s", address,
		    "another relay was just pinned");
	if (lock >= 0)
		(void)close(lock);
	free_known(&k);
	free(folder);
	return error;
}

/* Loud: this is what somebody in the middle would look like. */
static enum e2e_error
refuse(const char *address, const unsigned char known[E2E_ID_LEN],
    const unsigned char id[E2E_ID_LEN], bool given)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	(void)message_error(E2E_ERR_RELAY_OTHER, "%s: %s", address,
	    given ? "this is not the relay that was asked for" :
	    e2e_error_text(E2E_ERR_RELAY_OTHER));
	e2e_fingerprint(fingerprint, known);
	message_hint("%s: %s", given ? "asked for" : "pinned", fingerprint);
	e2e_fingerprint(fingerprint, id);
	message_hint("there now: %s", fingerprint);
	message_hint("somebody may be posing as the relay; ask who runs it. "
	    "If the new key is right, give it once with --relay-key");
	return E2E_ERR_RELAY_OTHER;
}

static void
report(const char *event, const char *address,
    const unsigned char id[E2E_ID_LEN], const char *what)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct json j;

	e2e_fingerprint(fingerprint, id);
	message_note("%s: %s: %s", address, what, fingerprint);
	message_event(&j, event);
	json_string(&j, "address", address);
	json_string(&j, "fingerprint", fingerprint);
	message_status(&j);
}

/* Whoever gives the key each time needs no folder to remember it in. */
static bool
can_keep(const struct known *k)
{
	char *slash;
	bool can;

	if (k->path == NULL)
		return false;
	slash = strrchr(k->path, '/');
	*slash = '\0';
	can = access(k->path, W_OK) == 0 || errno == ENOENT;
	*slash = '/';
	return can;
}

static enum e2e_error
check(const struct known *k, const char *address,
    const unsigned char id[E2E_ID_LEN], const unsigned char *given,
    knownrelays_succeeds *succeeds, const void *context)
{
	const unsigned char *wanted =
	    given != NULL ? given : k->found ? k->id : NULL;
	bool followed = false;
	enum e2e_error error;

	if (wanted != NULL && memcmp(wanted, id, E2E_ID_LEN) != 0) {
		followed = succeeds(context, wanted);
		if (!followed)
			return refuse(address, wanted, id, given != NULL);
	}
	if (k->found && memcmp(k->id, id, E2E_ID_LEN) == 0)
		return E2E_OK;
	if (given != NULL && !can_keep(k))
		return E2E_OK;
	if ((error = pin(k, address, id)) != E2E_OK)
		return error;
	if (followed)
		report("relay_succeeded", address, id, "the relay has a new "
		    "key, signed by the one that was known");
	else
		report("relay_pinned", address, id, given != NULL ?
		    "pinned the relay's key" :
		    "pinned the relay's key at first use");
	return E2E_OK;
}

enum e2e_error
knownrelays_check(const char *address, const unsigned char id[E2E_ID_LEN],
    const unsigned char *given, knownrelays_succeeds *succeeds,
    const void *context)
{
	struct known k;
	enum e2e_error error = load(&k, address);

	if (error == E2E_OK)
		error = check(&k, address, id, given, succeeds, context);
	free_known(&k);
	return error;
}
