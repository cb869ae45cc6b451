/*
 * remember.h: the folder of --state, for the commands that have one: opened,
 * and what goes wrong with it told. lib/state knows what is in it.
 */
#ifndef CLI_REMEMBER_H
#define CLI_REMEMBER_H

#include "cli/groupkeys.h"
#include "state/state.h"

#include <e2e/error.h>

struct remember {
	struct state *state;		/* NULL: nothing is remembered */
	const char *folder;		/* --state DIR, or NULL */
};

/* Opens the folder, if one was named. Told. */
enum e2e_error remember_open(struct remember *r);
void remember_close(struct remember *r);
/* Tells what a function of lib/state failed with; returns the code. */
enum e2e_error remember_failed(const struct remember *r,
    enum e2e_error error);

/* Remembers the epochs of these keys. Told. */
enum e2e_error remember_epochs(const struct remember *r,
    const struct groupkeys *groups);
/* Is a later epoch of its group remembered? E2E_ERR_OLD_EPOCH. Told. */
enum e2e_error remember_check_epoch(const struct remember *r,
    const struct e2e_group_key *group, const char *path);

#endif
