/*
 * lab_group.h: groups, and envelopes that get other recipients, in memory. As
 * in lab.h everything asserts that it worked, unless it returns an error.
 */
#ifndef TESTS_LAB_GROUP_H
#define TESTS_LAB_GROUP_H

#include "lab.h"

/* A wrapped key; buffer_free it. */
struct buffer lab_wrap(const struct e2e_wrap_key *request);
/* What e2e_wrap_key says; nothing may be written when it fails. */
enum e2e_error lab_wrap_error(const struct e2e_wrap_key *request,
    struct e2e_diag *diag);

/* known: a card for find_card, or NULL. */
enum e2e_error lab_unwrap(struct e2e_group_key **group, struct bytes file,
    const struct e2e_identity *reader, const struct e2e_card *known);

/* A new group as its maker has it. */
struct e2e_group_key *lab_group(const struct e2e_identity *maker,
    const struct e2e_card *const *members, size_t count, const char *name);
/* Its next epoch, with these members. */
struct e2e_group_key *lab_next_epoch(const struct e2e_group_key *group,
    const struct e2e_identity *maker, const struct e2e_card *const *members,
    size_t count);

/* The first envelope of these bytes; how: as in lab.h. */
enum e2e_error lab_rewrap_error(struct buffer *out,
    struct e2e_rewrapped *rewrapped, const struct e2e_rewrap *request,
    const void *envelope, size_t length, unsigned how);
/* buffer_free the result. */
struct buffer lab_rewrap(const struct e2e_rewrap *request,
    const void *envelope, size_t length, unsigned how);

#endif
