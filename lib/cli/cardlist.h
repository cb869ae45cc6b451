/*
 * cardlist.h: public keys, each with the words that named it.
 */
#ifndef CLI_CARDLIST_H
#define CLI_CARDLIST_H

#include <e2e/error.h>
#include <e2e/key.h>

#include <stddef.h>

struct buffer;

/*
 * 1. cards and labels have `count` entries each, all of them owned.
 */
struct cardlist {
	struct e2e_card **cards;
	char **labels;
	size_t count;
	size_t capacity;
};

void cardlist_free(struct cardlist *list);

/* Adds a card, which is the list's from now on, also on failure. Told. */
enum e2e_error cardlist_add(struct cardlist *list, struct e2e_card *card,
    const char *label);

/*
 * Adds every public key line of a text; empty lines and those that begin
 * with # are skipped, anything else is E2E_ERR_CARD, naming `label` and the
 * line's number but nothing of the line (it might be secret). None at all is
 * E2E_ERR_CARD, too. Told.
 */
enum e2e_error cardlist_parse(struct cardlist *list, const char *text,
    size_t length, const char *label);

/* The same from a file, or standard input for "-". */
enum e2e_error cardlist_read(struct cardlist *list, const char *path,
    const char *purpose);

/* The one public key of a file; more are E2E_ERR_CARD. Told. */
enum e2e_error cardlist_read_one(struct e2e_card **card, const char *path,
    const char *purpose);

/* What a card says, a fact a line, escaped. */
void cardlist_describe(struct buffer *b, const struct e2e_card *card);

#endif
