/*
 * keyring.h: the kernel's keyring, where the key of a secret key file
 * (e2e_identity_file_key) can be held for a time; the only place that speaks
 * to it.
 *
 * There is one entry for each identity, in the keyring of the user, so that
 * whatever the same user runs finds it, jobs of cron too. It outlives
 * the session, never its time. What is read is for e2e_identity_unlock_key to
 * judge: any process of the user can put something there.
 *
 * Functions return 0 or an errno, and say nothing: that there is no keyring
 * here (ENOSYS, or EPERM and EACCES where it is forbidden) means more to some
 * commands than to others.
 */
#ifndef CLI_KEYRING_H
#define CLI_KEYRING_H

#include <e2e/key.h>

#include <stdint.h>

enum { KEYRING_SECONDS_MAX = 30 * 24 * 60 * 60 };

/* Holds `key` for `seconds` from now, in place of what was held for `id`.
 * EDQUOT: the user's quota is used up. After a failure it is not held. */
int keyring_hold(const unsigned char id[E2E_ID_LEN],
    const unsigned char key[E2E_FILE_KEY_LEN], uint32_t seconds);

/* What is held for `id` into `key`, memory for secrets. ENOENT: nothing, or
 * not any more; EBADMSG: something that is no such key. */
int keyring_find(unsigned char key[E2E_FILE_KEY_LEN],
    const unsigned char id[E2E_ID_LEN]);

/* Takes it away from everybody. ENOENT: nothing was held. */
int keyring_forget(const unsigned char id[E2E_ID_LEN]);

#endif
