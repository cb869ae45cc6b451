/*
 * key.h: the subcommands of e2e-key, one file each.
 *
 * argv[0] is the subcommand's word. Each returns an enum e2e_error that has
 * been told.
 */
#ifndef CMD_KEY_H
#define CMD_KEY_H

#include "cli/options.h"

#include <e2e/error.h>

extern const struct command key_pub_command;
extern const struct command key_show_command;
extern const struct command key_passwd_command;
extern const struct command key_rotate_command;
extern const struct command key_revoke_command;
extern const struct command key_unlock_command;
extern const struct command key_lock_command;

int key_pub(int argc, char **argv);
int key_show(int argc, char **argv);
int key_passwd(int argc, char **argv);
int key_rotate(int argc, char **argv);
int key_revoke(int argc, char **argv);
int key_unlock(int argc, char **argv);
int key_lock(int argc, char **argv);

/* The rows every one of them has. */
#define KEY_OPTION_IDENTITY \
	{ 'i', "identity", "KEY", "the same as the operand KEY" }

/* What failed with an errno of the kernel's keyring, and what it may mean.
 * E2E_ERR_CONFIG. */
enum e2e_error key_no_keyring(const char *path, int problem);

/* Takes -i and the operand: only one of them, once, or usage. */
void key_path_option(const char **path, const struct options *o);

#endif
