/*
 * The kernel's keyring: what is held, for how long, and that nothing stays
 * that has no end, whatever fails or is killed in between. The system calls
 * go through a counter here (--wrap=syscall).
 */
#include "cli/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Calls take no more than that; a caller that passes fewer passes noise, and
 * the kernel does not look at it. */
long __real_syscall(long number, long a, long b, long c, long d, long e);
long __wrap_syscall(long number, long a, long b, long c, long d, long e);

static struct {
	int count, at;		/* at: the call that is met, 0 none */
	int problem;		/* with this errno; 0: by death */
} calls;

long
__wrap_syscall(long number, long a, long b, long c, long d, long e)
{
	if (++calls.count == calls.at) {
		if (calls.problem == 0)
			(void)kill(getpid(), SIGKILL);
		errno = calls.problem;
		return -1;
	}
	return __real_syscall(number, a, b, c, d, e);
}

static void
meet(int at, int problem)
{
	calls.count = 0;
	calls.at = at;
	calls.problem = problem;
}

/* No identity's: nobody has a signing key with this thumbprint. */
static unsigned char id[E2E_ID_LEN];
static unsigned char first[E2E_FILE_KEY_LEN], second[E2E_FILE_KEY_LEN];

static void
name_of(char name[80])
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	e2e_fingerprint(fingerprint, id);
	(void)snprintf(name, 80, "e2e:%s", fingerprint);
}

static bool
is_available(void)
{
	int problem = keyring_hold(id, first, 60);

	(void)keyring_forget(id);
	return problem == 0;
}

/* A skip is judged by its name in tests/skips. */
#define NEEDS_KEYRING() do {						\
		if (!is_available())					\
			skip();						\
	} while (0)

static int
setup(void **state)
{
	(void)state;
	memset(id, 0xe2, sizeof(id));
	(void)snprintf((char *)id, sizeof(id), "%ld %lld", (long)getpid(),
	    (long long)time(NULL));
	memset(first, 1, sizeof(first));
	memset(second, 2, sizeof(second));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	meet(0, 0);
	(void)keyring_forget(id);
	return 0;
}

/* Is a key in the user's keyring that has no end? /proc/keys tells; it shows
 * for a while, too, what is in no keyring any more. */
static bool
is_endless(void)
{
	char line[512], name[80], end[32];
	unsigned long serial;
	bool found = false;
	FILE *keys;
	long held;

	name_of(name);
	held = syscall(SYS_keyctl, (long)KEYCTL_SEARCH,
	    (long)KEY_SPEC_USER_KEYRING, "user", name, 0L);
	if (held < 0)
		return false;
	keys = fopen("/proc/keys", "r");
	assert_non_null(keys);
	while (fgets(line, sizeof(line), keys) != NULL)
		if (sscanf(line, "%lx %*s %*s %31s", &serial, end) == 2 &&
		    serial == (unsigned long)held)
			found = strcmp(end, "perm") == 0;
	(void)fclose(keys);
	return found;
}

static void
gives(int expected, const unsigned char *key)
{
	static const unsigned char zero[E2E_FILE_KEY_LEN];
	unsigned char found[E2E_FILE_KEY_LEN] = { 0 };

	assert_int_equal(keyring_find(found, id), expected);
	assert_memory_equal(found, key != NULL ? key : zero, sizeof(found));
}

static void
held_key_is_found_until_it_is_forgotten(void **state)
{
	NEEDS_KEYRING();
	gives(ENOENT, NULL);
	assert_int_equal(keyring_hold(id, first, 600), 0);
	gives(0, first);
	id[31] ^= 1;
	gives(ENOENT, NULL);
	id[31] ^= 1;
	assert_int_equal(keyring_forget(id), 0);
	gives(ENOENT, NULL);
	assert_int_equal(keyring_forget(id), ENOENT);
}

static void
second_hold_replaces_key_and_end(void **state)
{
	NEEDS_KEYRING();
	assert_int_equal(keyring_hold(id, first, 600), 0);
	assert_int_equal(keyring_hold(id, second, 300), 0);
	gives(0, second);
	assert_false(is_endless());
	assert_int_equal(keyring_forget(id), 0);
	gives(ENOENT, NULL);
}

/* Not when: the bound is for a kernel that never does it. */
static void
held_key_ends(void **state)
{
	static const struct timespec nap = { .tv_nsec = 50000000 };
	unsigned char found[E2E_FILE_KEY_LEN];
	int i, got = 0;

	NEEDS_KEYRING();
	assert_int_equal(keyring_hold(id, first, 1), 0);
	for (i = 0; i < 1200 && (got = keyring_find(found, id)) == 0; i++)
		(void)nanosleep(&nap, NULL);
	assert_int_equal(got, ENOENT);
	assert_int_equal(keyring_forget(id), ENOENT);
	/* And can be held anew. */
	assert_int_equal(keyring_hold(id, second, 600), 0);
	gives(0, second);
	assert_int_equal(keyring_forget(id), 0);
}

static void
what_fails_is_told_and_leaves_nothing(void **state)
{
	static const int problems[] = { ENOSYS, EPERM, EDQUOT };
	int n, i, calls_needed;

	NEEDS_KEYRING();
	meet(0, 0);
	assert_int_equal(keyring_hold(id, first, 600), 0);
	calls_needed = calls.count;
	assert_int_equal(keyring_forget(id), 0);
	/* The last one gives this process's own link back. */
	for (n = 1; n < calls_needed; n++) {
		for (i = 0; i < 3; i++) {
			meet(n, problems[i]);
			assert_int_equal(keyring_hold(id, first, 600),
			    problems[i]);
			meet(0, 0);
			gives(ENOENT, NULL);
			assert_false(is_endless());
		}
	}
	assert_true(n > 3);
	for (n = 1; n <= 2; n++) {
		assert_int_equal(keyring_hold(id, first, 600), 0);
		meet(n, EPERM);
		gives(EPERM, NULL);
		meet(n, EPERM);
		assert_int_equal(keyring_forget(id), EPERM);
		meet(0, 0);
		assert_int_equal(keyring_forget(id), 0);
	}
}

/* As it must not be: in the user's keyring first, its end after that. */
static int
careless_hold(const unsigned char owner[E2E_ID_LEN],
    const unsigned char key[E2E_FILE_KEY_LEN], uint32_t seconds)
{
	char name[80];
	long serial;

	(void)owner;
	name_of(name);
	serial = syscall(SYS_add_key, "user", name, key,
	    (size_t)E2E_FILE_KEY_LEN, (long)KEY_SPEC_USER_KEYRING);
	(void)syscall(SYS_keyctl, (long)KEYCTL_SET_TIMEOUT, serial,
	    (unsigned long)seconds);
	return 0;
}

/* How many of the deaths, one at each call, leave a key without an end. */
static int
endless_after_death(int hold(const unsigned char *owner,
    const unsigned char *key, uint32_t seconds), int deaths)
{
	int n, status, endless = 0;
	pid_t pid;

	for (n = 1; n <= deaths; n++) {
		if ((pid = fork()) == 0) {
			meet(n, 0);
			(void)hold(id, first, 600);
			_exit(0);
		}
		assert_true(pid > 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		endless += is_endless();
		(void)keyring_forget(id);
	}
	return endless;
}

static void
death_in_between_leaves_no_key_without_end(void **state)
{
	int deaths;

	NEEDS_KEYRING();
	meet(0, 0);
	assert_int_equal(keyring_hold(id, first, 600), 0);
	deaths = calls.count;
	assert_int_equal(keyring_forget(id), 0);
	assert_int_equal(endless_after_death(keyring_hold, deaths), 0);
	/* Control: the other order is caught. */
	assert_int_equal(endless_after_death(careless_hold, 2), 1);
}

static void
what_is_no_such_key_is_not_given(void **state)
{
	static const size_t sizes[] = { 1, 31, 33, 4096 };
	unsigned char other[4096] = { 5 };
	char name[80];
	size_t i;

	NEEDS_KEYRING();
	name_of(name);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_true(syscall(SYS_add_key, "user", name, other,
		    sizes[i], (long)KEY_SPEC_USER_KEYRING) > 0);
		gives(EBADMSG, NULL);
		assert_int_equal(keyring_forget(id), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    held_key_is_found_until_it_is_forgotten, teardown),
		cmocka_unit_test_teardown(second_hold_replaces_key_and_end,
		    teardown),
		cmocka_unit_test_teardown(held_key_ends, teardown),
		cmocka_unit_test_teardown(
		    what_fails_is_told_and_leaves_nothing, teardown),
		cmocka_unit_test_teardown(
		    death_in_between_leaves_no_key_without_end, teardown),
		cmocka_unit_test_teardown(what_is_no_such_key_is_not_given,
		    teardown)
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
