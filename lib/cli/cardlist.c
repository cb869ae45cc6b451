/*
 * cardlist.c: reading lists of public keys.
 */
#include "cli/cardlist.h"

#include "base/buffer.h"
#include "cli/input.h"
#include "cli/message.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Room for a full list of the longest lines; more than that is a mistake. */
enum { LIST_FILE_MAX = 32 * 1024 * 1024 };

void
cardlist_free(struct cardlist *list)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		e2e_card_free(list->cards[i]);
		free(list->labels[i]);
	}
	free(list->cards);
	free(list->labels);
	memset(list, 0, sizeof(*list));
}

static bool
grow(struct cardlist *list)
{
	size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
	struct e2e_card **cards;
	char **labels;

	if (list->count < list->capacity)
		return true;
	if ((cards = realloc(list->cards, capacity * sizeof(*cards))) == NULL)
		return false;
	list->cards = cards;
	labels = realloc(list->labels, capacity * sizeof(*labels));
	if (labels == NULL)
		return false;
	list->labels = labels;
	list->capacity = capacity;
	return true;
}

enum e2e_error
cardlist_add(struct cardlist *list, struct e2e_card *card, const char *label)
{
	char *copy = strdup(label);

	if (copy == NULL || !grow(list)) {
		free(copy);
		e2e_card_free(card);
		return message_no_memory();
	}
	list->cards[list->count] = card;
	list->labels[list->count] = copy;
	list->count++;
	return E2E_OK;
}

/* An empty line or a comment; a line without its LF. */
static bool
is_ignored(const char *line, size_t length)
{
	return length == 0 || line[0] == '#' ||
	    (length == 1 && line[0] == '\r');
}

static enum e2e_error
add_line(struct cardlist *list, const char *line, size_t length,
    const char *label, size_t number)
{
	struct e2e_card *card = NULL;
	enum e2e_error error;

	if ((error = e2e_card_parse(&card, line, length)) == E2E_OK)
		return cardlist_add(list, card, label);
	(void)message_error(error, "%s: %s at line %zu", label,
	    e2e_error_text(error), number);
	if (length > 10 && memcmp(line, "-----BEGIN", 10) == 0)
		message_hint("a public key file (.pub) is one line that begins "
		    "with e2e-pub1");
	return error;
}

enum e2e_error
cardlist_parse(struct cardlist *list, const char *text, size_t length,
    const char *label)
{
	const char *end = text + length, *line, *stop;
	size_t number = 0, before = list->count;
	enum e2e_error error;

	for (line = text; line != end; line = stop == end ? end : stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL)
			stop = end;
		number++;
		if (is_ignored(line, (size_t)(stop - line)))
			continue;
		/* With its LF: a CR before the end of the text is none of a
		 * line's end. */
		error = add_line(list, line, (size_t)(stop - line) +
		    (stop != end), label, number);
		if (error != E2E_OK)
			return error;
	}
	if (list->count == before)
		return message_error(E2E_ERR_CARD, "%s: holds no public key",
		    label);
	return E2E_OK;
}

enum e2e_error
cardlist_read(struct cardlist *list, const char *path, const char *purpose)
{
	struct buffer text;
	enum e2e_error error;

	buffer_init(&text, LIST_FILE_MAX);
	error = input_read_file(&text, path, purpose);
	if (error == E2E_OK)
		error = cardlist_parse(list, (const char *)text.data,
		    text.length, strcmp(path, "-") == 0 ? "standard input" :
		    path);
	buffer_free(&text);
	return error;
}

enum e2e_error
cardlist_read_one(struct e2e_card **card, const char *path,
    const char *purpose)
{
	struct cardlist list = { NULL, NULL, 0, 0 };
	enum e2e_error error;

	*card = NULL;
	error = cardlist_read(&list, path, purpose);
	if (error == E2E_OK && list.count > 1)
		error = message_error(E2E_ERR_CARD,
		    "%s: holds %zu public keys where one is expected", path,
		    list.count);
	if (error == E2E_OK) {
		*card = list.cards[0];	/* transferred */
		list.cards[0] = NULL;
	}
	cardlist_free(&list);
	return error;
}

void
cardlist_describe(struct buffer *b, const struct e2e_card *card)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1], when[TEXT_TIME_LEN + 8];

	e2e_fingerprint(fingerprint, e2e_card_id(card));
	text_add(b, "fingerprint: %s\nname: ", fingerprint);
	text_add_escaped(b, e2e_card_name(card));
	text_add(b, "\ntype: %s\nserial: %" PRIu64 "\n", e2e_card_type(card),
	    e2e_card_serial(card));
	text_time(when, e2e_card_created(card));
	text_add(b, "created: %s\n", when);
	if (e2e_card_expires(card) == 0) {
		text_add(b, "expires: never\n");
		return;
	}
	text_time(when, e2e_card_expires(card));
	text_add(b, "expires: %s\n", when);
}
