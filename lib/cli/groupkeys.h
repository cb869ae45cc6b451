/*
 * groupkeys.h: the wrapped keys that a user names with -k, opened.
 */
#ifndef CLI_GROUPKEYS_H
#define CLI_GROUPKEYS_H

#include "cli/contacts.h"

#include <e2e/error.h>
#include <e2e/message.h>

#include <stdbool.h>
#include <stddef.h>

struct buffer;

/* Zeroed at first. 1. `paths` and `list` have `count` entries each; those of
 * `list` are NULL until groupkeys_open. */
struct groupkeys {
	const char **paths;
	struct e2e_group_key **list;
	size_t count;
};

/* Remembers a path as given ("-": standard input); nothing is read. Told. */
enum e2e_error groupkeys_add(struct groupkeys *g, const char *path);

enum groupkeys_use {
	GROUPKEYS_OPEN,		/* what is there already */
	GROUPKEYS_SEAL		/* for whomever the maker chose */
};

/*
 * Opens all of them with `keys` (unlocked identities). A maker who is neither
 * pinned nor among `keys` is warned about; one who is revoked, too, and nothing
 * is sealed by a key of his (E2E_ERR_RECIPIENT_REVOKED). Told.
 */
enum e2e_error groupkeys_open(struct groupkeys *g, const struct e2e_keys *keys,
    struct contacts *contacts, enum groupkeys_use use);

/* Opens one, which the caller frees. Who made it is not judged. Told. */
enum e2e_error groupkeys_read(struct e2e_group_key **group, const char *path,
    const struct e2e_keys *keys, struct contacts *contacts);

/* The same from a text that was read; `name` is what it is called. */
enum e2e_error groupkeys_parse(struct e2e_group_key **group,
    const struct buffer *text, const char *name, const struct e2e_keys *keys,
    struct contacts *contacts);

/* Is none of them of an epoch that another of them has ended? Told. */
enum e2e_error groupkeys_check_epochs(const struct groupkeys *g);
/* E2E_ERR_OLD_EPOCH, told: the group is at epoch `highest` by now. */
enum e2e_error groupkeys_old_epoch(const struct e2e_group_key *group,
    const char *path, uint64_t highest);

/* For requests: the list as they want it. */
const struct e2e_group_key *const *groupkeys_list(const struct groupkeys *g);
/* The path of one of them. */
const char *groupkeys_path(const struct groupkeys *g,
    const struct e2e_group_key *group);
void groupkeys_free(struct groupkeys *g);

/* "NAME", or what stands for a group without a name. Hostile text. */
const char *groupkeys_name(const struct e2e_group_key *group);

#endif
