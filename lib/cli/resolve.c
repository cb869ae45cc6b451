/*
 * resolve.c: the three ways to name somebody.
 */
#include "cli/resolve.h"

#include "cli/message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_START "e2e-pub1 "

static bool
is_file(const char *word)
{
	struct stat st;

	return strchr(word, '/') != NULL ||
	    (stat(word, &st) == 0 && !S_ISDIR(st.st_mode));
}

/* c: the contact of that name, or NULL. */
static enum e2e_error
add_contact(struct cardlist *list, const struct contact *c, const char *name)
{
	struct e2e_card *card;

	if (c == NULL) {
		(void)message_error(E2E_ERR_NO_INPUT,
		    "%s: no such file, and no contact of that name", name);
		message_hint("give a public key file, a line 'e2e-pub1 ...', or "
		    "the name of a contact pinned with e2e-contact");
		return E2E_ERR_NO_INPUT;
	}
	if ((card = e2e_card_dup(c->card)) == NULL)
		return message_no_memory();
	return cardlist_add(list, card, name);
}

static enum e2e_error
add_file(struct cardlist *list, const char *path)
{
	struct e2e_card *card;
	enum e2e_error error;

	error = cardlist_read_one(&card, path, "a public key");
	return error != E2E_OK ? error : cardlist_add(list, card, path);
}

/* One line, and no second one behind it that nobody would notice. */
static enum e2e_error
add_line(struct cardlist *list, const char *line)
{
	static const char label[] = "the public key given";
	const char *end = strchr(line, '\n');

	if (end != NULL && end[1] != '\0')
		return message_error(E2E_ERR_CARD, "%s: one line is expected",
		    label);
	return cardlist_parse(list, line, strlen(line), label);
}

/* Checks what was added since there were `before`. */
static enum e2e_error
check_from(const struct cardlist *list, const struct contacts *contacts,
    size_t before, enum e2e_error revoked)
{
	enum e2e_error error;
	size_t i;

	for (i = before; i < list->count; i++) {
		error = contacts_check(contacts, list->cards[i], revoked);
		if (error != E2E_OK)
			return error;
	}
	return E2E_OK;
}

enum e2e_error
resolve_word_unchecked(struct cardlist *list, struct contacts *contacts,
    const char *word)
{
	const struct contact *pinned;
	enum e2e_error error;

	if ((error = contacts_load(contacts)) != E2E_OK)
		return error;
	if (strncmp(word, LINE_START, strlen(LINE_START)) == 0)
		return add_line(list, word);
	/* A pinned name, which never has a slash, means that contact whatever
	 * lies in the folder one stands in: files there may be anybody's. */
	pinned = contacts_find_name(contacts, word);
	if (pinned == NULL && is_file(word))
		return add_file(list, word);
	return add_contact(list, pinned, word);
}

enum e2e_error
resolve_word(struct cardlist *list, struct contacts *contacts,
    const char *word, enum e2e_error revoked)
{
	size_t before = list->count;
	enum e2e_error error;

	error = resolve_word_unchecked(list, contacts, word);
	if (error != E2E_OK)
		return error;
	return check_from(list, contacts, before, revoked);
}

enum e2e_error
resolve_file(struct cardlist *list, struct contacts *contacts,
    const char *path, enum e2e_error revoked)
{
	size_t before = list->count;
	enum e2e_error error;

	if ((error = contacts_load(contacts)) == E2E_OK)
		error = cardlist_read(list, path, "the list of recipients");
	if (error != E2E_OK)
		return error;
	return check_from(list, contacts, before, revoked);
}
