/*
 * diag.h: filling in an e2e_diag.
 */
#ifndef MESSAGE_DIAG_H
#define MESSAGE_DIAG_H

#include <e2e/error.h>

/*
 * Nothing when diag is NULL. errno is kept only for errors of the system
 * (status 66 and up). unit: static, or NULL.
 */
void diag_set(struct e2e_diag *diag, enum e2e_error error, uint64_t position,
    const char *unit);

#endif
