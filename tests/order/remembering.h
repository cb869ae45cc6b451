/* remembering.h: what the linker puts in place of what remembers. */
#ifndef ORDER_REMEMBERING_H
#define ORDER_REMEMBERING_H

#include "state/state.h"

enum e2e_error __real_state_admit(struct state *s,
    const struct state_message *message, struct state_order *order);
enum e2e_error __wrap_state_admit(struct state *s,
    const struct state_message *message, struct state_order *order);
enum e2e_error __real_state_done(struct state *s);
enum e2e_error __wrap_state_done(struct state *s);
enum e2e_error __wrap_state_abandon(struct state *s);

#endif
