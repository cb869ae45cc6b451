/*
 * open_checks.h: the rules about a header that was opened and verified
 * (docs/FORMAT.md, section 6, steps 8a and 9).
 */
#ifndef MESSAGE_OPEN_CHECKS_H
#define MESSAGE_OPEN_CHECKS_H

#include "message/reader.h"

/*
 * Is it for the reader, and, if a group key opened it, from somebody who may
 * speak there? Decides about opened->sender_state. E2E_ERR_NOT_ADDRESSED,
 * E2E_ERR_SENDER_ANONYMOUS, E2E_ERR_MODE, E2E_ERR_NOT_A_MEMBER,
 * E2E_ERR_OLD_EPOCH.
 */
enum e2e_error open_check_addressed(const struct e2e_reader *r,
    const struct e2e_open *request, struct e2e_opened *opened);

/* E2E_ERR_EXPIRED, E2E_ERR_TOO_OLD, E2E_ERR_FROM_FUTURE. */
enum e2e_error open_check_time(const struct metadata *m,
    const struct e2e_open *request);

#endif
