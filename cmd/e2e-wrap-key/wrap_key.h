/*
 * wrap_key.h: what the parts of e2e-wrap-key share.
 */
#ifndef CMD_WRAP_KEY_H
#define CMD_WRAP_KEY_H

#include "cli/cardlist.h"
#include "cli/contacts.h"
#include "cli/groupkeys.h"
#include "cli/ownkey.h"
#include "cli/passphrase.h"

#include <e2e/e2e.h>

#include <stdbool.h>

enum wrap_key_job { JOB_WRAP, JOB_CHANGE, JOB_UNWRAP, JOB_SHOW };

struct wrap_key {
	enum wrap_key_job job;
	const char *identity, *input, *output;
	bool fresh;			/* --new */
	const char *name;
	bool no_card, armor;
	struct cardlist members;	/* -r, -R */
	struct cardlist added;		/* --add */
	struct wrap_key_removed {	/* --remove: the word, and who that is */
		const char *word;
		unsigned char id[E2E_ID_LEN];
	} *removed;
	size_t removed_count;
	struct cardlist makers;		/* -s */
	bool known;			/* --known */
	struct contacts contacts;
	struct own_key key;
	struct passphrase_source source;
	uint32_t kdf_memory_max;
	/* The owner of `key`, once prepared. */
	const struct e2e_identity *reader;
	struct e2e_keys keys;
};

/* Loads and unlocks the key. Told. */
enum e2e_error wrap_key_prepare(struct wrap_key *w);

/* ---- wrap.c ---- */

/* A new group: a key from standard input, or a fresh one. Told. */
enum e2e_error wrap_new(struct wrap_key *w);
/* The same group with other members. Told. */
enum e2e_error wrap_change(struct wrap_key *w);

/* ---- unwrap.c ---- */

/* The key itself. Told. */
enum e2e_error unwrap_run(struct wrap_key *w);
/* With -s or --known: is its maker one of those? Told. */
enum e2e_error unwrap_judge(struct wrap_key *w,
    const struct e2e_group_key *group);

/* ---- show.c ---- */

/* What can be seen without a key, and with one everything but the key. Told. */
enum e2e_error show_run(struct wrap_key *w);

#endif
