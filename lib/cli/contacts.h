/*
 * contacts.h: other people's cards, pinned under names.
 *
 * In the folder contacts/ of the user's configuration:
 *	NAME.pub	the card, a public key line
 *	NAME.revoked	its owner's revocation, verified when it was put there
 *	NAME.verified	the fingerprint that the user has compared
 *
 * 1. A name stands for one identity until it is unpinned.
 * 2. A revoked identity is revoked under every name it has.
 */
#ifndef CLI_CONTACTS_H
#define CLI_CONTACTS_H

#include <e2e/error.h>
#include <e2e/key.h>

#include <stdbool.h>
#include <stddef.h>

enum { CONTACT_NAME_MAX = 64 };

struct contact {
	char *name;
	struct e2e_card *card;
	bool revoked;
	bool verified;		/* the user has compared the fingerprint */
};

/* Zeroed at first. The list is sorted by name. */
struct contacts {
	struct contact *list;
	size_t count;
	size_t capacity;
	char *folder;		/* NULL: the environment names none */
	bool loaded;
	bool locked;		/* against other changes, by `lock` */
	int lock;
};

/* [a-z0-9][a-z0-9._@-]{0,63}, not ending in .pub, .revoked or .verified? */
bool contacts_name_valid(const char *name);

/* Reads all contacts, once. No folder is no contacts; a file that cannot be
 * used is warned about and left out. Told. */
enum e2e_error contacts_load(struct contacts *contacts);
/* The same for a change: makes the folder if there is none, and keeps others
 * from changing contacts before contacts_free. Told. */
enum e2e_error contacts_load_to_change(struct contacts *contacts);
void contacts_free(struct contacts *contacts);

const struct contact *contacts_find_name(const struct contacts *contacts,
    const char *name);
const struct contact *contacts_find_id(const struct contacts *contacts,
    const unsigned char id[E2E_ID_LEN]);

/*
 * May this card, found elsewhere, be used? Not when the pinned identity is
 * revoked (`revoked`), has a higher serial (E2E_ERR_ROLLBACK), or
 * another card of the same serial (E2E_ERR_CONTACT_CHANGED). Told.
 */
enum e2e_error contacts_check(const struct contacts *contacts,
    const struct e2e_card *card, enum e2e_error revoked);

/* ---- changes; the list in memory is not brought up to date ---- */

/* Pins, or brings a pinned card up to date. E2E_ERR_CONTACT_CHANGED when the
 * name has another identity. *changed: something was written. Told. */
enum e2e_error contacts_pin(const struct contacts *contacts, const char *name,
    const struct e2e_card *card, bool *changed);
/* Keeps a verified revocation beside every name of the identity. Told. */
enum e2e_error contacts_revoke(const struct contacts *contacts,
    const unsigned char id[E2E_ID_LEN], const char *text, size_t length);
enum e2e_error contacts_set_verified(const struct contacts *contacts,
    const struct contact *contact);
enum e2e_error contacts_unpin(const struct contacts *contacts,
    const struct contact *contact);

#endif
