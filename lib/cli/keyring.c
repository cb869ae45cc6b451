/*
 * keyring.c: a handful of system calls; libkeyutils does nothing more, and
 * would be one more library.
 *
 * A key begins in the keyring of this process, which nobody else can see and
 * which ends with it. It gets into the user's once its end and its
 * permissions are set, so that whatever fails or is killed in between leaves
 * nothing that stays. (Adding it to the user's keyring right away would change
 * the one there, whose end is taken away by that.)
 */
#include "cli/keyring.h"

#include <errno.h>

#ifdef __linux__
#include "base/secret.h"

#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* security/keys of Linux has no header for these: whoever possesses the key
 * may do all, the same user view, read, search it and set its end. */
enum { PERMISSIONS = 0x3f2b0000 };

static const char type[] = "user", prefix[] = "e2e:";

/* The name under which the key of an identity is held. */
struct name {
	char text[sizeof(prefix) + E2E_FINGERPRINT_LEN];
};

static struct name
name_of(const unsigned char id[E2E_ID_LEN])
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct name name;

	e2e_fingerprint(fingerprint, id);
	(void)snprintf(name.text, sizeof(name.text), "%s%s", prefix,
	    fingerprint);
	return name;
}

/* One that has ended is not there, whether or not the kernel has got round to
 * taking it away. */
static int
why(int problem)
{
	return problem == ENOKEY || problem == EKEYEXPIRED ||
	    problem == EKEYREVOKED ? ENOENT : problem;
}

static long
search(const unsigned char id[E2E_ID_LEN])
{
	const struct name name = name_of(id);

	return syscall(SYS_keyctl, (long)KEYCTL_SEARCH,
	    (long)KEY_SPEC_USER_KEYRING, type, name.text, 0L);
}

int
keyring_hold(const unsigned char id[E2E_ID_LEN],
    const unsigned char key[E2E_FILE_KEY_LEN], uint32_t seconds)
{
	const struct name name = name_of(id);
	long serial = syscall(SYS_add_key, type, name.text, key,
	    (size_t)E2E_FILE_KEY_LEN, (long)KEY_SPEC_PROCESS_KEYRING);
	int problem = 0;

	if (serial < 0)
		return errno;
	if (syscall(SYS_keyctl, (long)KEYCTL_SETPERM, serial,
	    (long)PERMISSIONS) != 0 ||
	    syscall(SYS_keyctl, (long)KEYCTL_SET_TIMEOUT, serial,
	    (unsigned long)seconds) != 0 ||
	    syscall(SYS_keyctl, (long)KEYCTL_LINK, serial,
	    (long)KEY_SPEC_USER_KEYRING) != 0)
		problem = errno;
	/* If it stays, then as long as this process. */
	(void)syscall(SYS_keyctl, (long)KEYCTL_UNLINK, serial,
	    (long)KEY_SPEC_PROCESS_KEYRING);
	return problem;
}

int
keyring_find(unsigned char key[E2E_FILE_KEY_LEN],
    const unsigned char id[E2E_ID_LEN])
{
	long serial = search(id), length;
	int problem;

	if (serial < 0)
		return why(errno);
	length = syscall(SYS_keyctl, (long)KEYCTL_READ, serial, key,
	    (size_t)E2E_FILE_KEY_LEN);
	if (length == E2E_FILE_KEY_LEN)
		return 0;
	problem = length < 0 ? why(errno) : EBADMSG;
	secret_wipe(key, E2E_FILE_KEY_LEN);
	return problem;
}

int
keyring_forget(const unsigned char id[E2E_ID_LEN])
{
	long serial = search(id);

	if (serial >= 0 && syscall(SYS_keyctl, (long)KEYCTL_INVALIDATE,
	    serial) == 0)
		return 0;
	return why(errno);
}

#else

int
keyring_hold(const unsigned char id[E2E_ID_LEN],
    const unsigned char key[E2E_FILE_KEY_LEN], uint32_t seconds)
{
	(void)id;
	(void)key;
	(void)seconds;
	return ENOSYS;
}

int
keyring_find(unsigned char key[E2E_FILE_KEY_LEN],
    const unsigned char id[E2E_ID_LEN])
{
	(void)id;
	(void)key;
	return ENOSYS;
}

int
keyring_forget(const unsigned char id[E2E_ID_LEN])
{
	(void)id;
	return ENOSYS;
}

#endif
