/*
 * directory.h: the subcommands of e2e-directory, one file each.
 *
 * argv[0] is the subcommand's word. Each returns an enum e2e_error that has
 * been told.
 */
#ifndef CMD_DIRECTORY_H
#define CMD_DIRECTORY_H

#include "cli/options.h"
#include "cli/relay.h"

extern const struct command directory_register_command;
extern const struct command directory_lookup_command;
extern const struct command directory_revoke_command;

int directory_register(int argc, char **argv);
int directory_lookup(int argc, char **argv);
int directory_revoke(int argc, char **argv);

/* What a relay answered about an identity. */
struct directory_answer {
	struct e2e_card *card;		/* NULL: nobody is known there */
	bool revoked;
	struct buffer revocation;	/* encoded */
};

/* Asks, and judges the answer: for a name, or for an id when name is NULL.
 * Not told: relay_client_tell. directory_answer_free is right afterwards in
 * any case. */
enum e2e_error directory_ask(struct directory_answer *answer,
    struct relay_client *r, const struct frame *question, const char *name,
    const unsigned char *id);
void directory_answer_free(struct directory_answer *answer);

/* A JSON line: event, name and fingerprint of the card. */
void directory_report(const char *event, const struct e2e_card *card);

#endif
