/*
 * resolve.h: from what the user wrote to the public keys that are meant.
 */
#ifndef CLI_RESOLVE_H
#define CLI_RESOLVE_H

#include "cli/cardlist.h"
#include "cli/contacts.h"

#include <e2e/error.h>

/*
 * Adds what `word` names: with a slash or as an existing file, the one public
 * key in that file; beginning with "e2e-pub1 ", that public key; else the
 * pinned contact. Keys of contacts are checked (contacts_check, with
 * `revoked` as its code), wherever they come from. Told.
 */
enum e2e_error resolve_word(struct cardlist *list, struct contacts *contacts,
    const char *word, enum e2e_error revoked);

/* The same without the check, for looking at a key. */
enum e2e_error resolve_word_unchecked(struct cardlist *list,
    struct contacts *contacts, const char *word);

/* Adds every public key in the file, or on standard input for "-". */
enum e2e_error resolve_file(struct cardlist *list, struct contacts *contacts,
    const char *path, enum e2e_error revoked);

#endif
