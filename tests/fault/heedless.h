/* heedless.h: what the linker puts in place of the functions that refuse. */
#ifndef FAULT_HEEDLESS_H
#define FAULT_HEEDLESS_H

#include "message/open_checks.h"
#include "message/rewrap_block.h"
#include "state/state.h"

enum e2e_error __real_open_check_addressed(const struct e2e_reader *r,
    const struct e2e_open *request, struct e2e_opened *opened);
enum e2e_error __wrap_open_check_addressed(const struct e2e_reader *r,
    const struct e2e_open *request, struct e2e_opened *opened);
enum e2e_error __wrap_rewrap_block_verify(bool *valid, const struct key *key,
    const struct rewrap_block *block, const struct derive_core *core,
    struct bytes new_recipients);
enum e2e_error __wrap_state_admit(struct state *s,
    const struct state_message *message, struct state_order *order);
enum e2e_error __wrap_state_done(struct state *s);
enum e2e_error __wrap_state_abandon(struct state *s);
enum e2e_error __wrap_state_find_sent(struct state *s,
    struct state_sent *sent, bool *found);

#endif
