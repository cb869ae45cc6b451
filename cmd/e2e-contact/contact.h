/*
 * contact.h: the subcommands of e2e-contact, one file each.
 *
 * argv[0] is the subcommand's word. Each returns an enum e2e_error that has
 * been told.
 */
#ifndef CMD_CONTACT_H
#define CMD_CONTACT_H

#include "cli/contacts.h"
#include "cli/options.h"

#include <stddef.h>

extern const struct command contact_pin_command;
extern const struct command contact_list_command;
extern const struct command contact_unpin_command;
extern const struct command contact_show_command;
extern const struct command contact_verify_command;

int contact_pin(int argc, char **argv);
int contact_list(int argc, char **argv);
int contact_unpin(int argc, char **argv);
int contact_show(int argc, char **argv);
int contact_verify(int argc, char **argv);

/* Collects an operand, at most `max`, or usage. */
void contact_operand(const char **operands, size_t *count, size_t max,
    const struct options *o);

/* The contact called `name`, or E2E_ERR_NO_INPUT, told. */
enum e2e_error contact_find(const struct contact **found,
    struct contacts *contacts, const char *name);

/* "revoked", "expired", "verified" or "pinned". */
const char *contact_state(const struct contact *c);

#endif
