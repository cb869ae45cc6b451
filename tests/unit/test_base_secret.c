/* Secret memory: what it promises, and that mistakes are noticed. */
#include "base/secret.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAK_CHECKER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LEAK_CHECKER 1
#endif

/* Runs in a child; the signal that ended it, or 0. */
static int
signal_of(void (*mistake)(void))
{
	static const struct rlimit none = { 0, 0 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGBUS, SIG_DFL);
		(void)signal(SIGABRT, SIG_DFL);
		(void)setrlimit(RLIMIT_CORE, &none);
		mistake();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static const size_t sizes[] = {
	0, 1, 7, 8, 9, 16, 24, 32, 33, 64, 2047, 2048, 2049, 4095, 4096, 4097,
	65536, 1 << 20
};
#define SIZES (sizeof sizes / sizeof sizes[0])

static void
memory_is_aligned_and_zeroed(void **state)
{
	for (size_t i = 0; i < SIZES; i++) {
		unsigned char *p = secret_alloc(sizes[i]);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xa5, sizes[i]);
		secret_free(p);
	}
}

static void
freed_memory_comes_back_wiped(void **state)
{
	for (int round = 0; round < 3; round++)
		memory_is_aligned_and_zeroed(state);
}

static void
memory_is_wiped_when_freed(void **state)
{
	/* Its neighbor keeps the page; so one may still look. */
	unsigned char *neighbor = secret_alloc(32);
	volatile unsigned char *p = secret_alloc(32);

	memset((void *)(uintptr_t)p, 0x5a, 32);
	secret_free((void *)(uintptr_t)p);
	for (int i = 0; i < 32; i++)
		assert_int_equal(p[i], 0);
	secret_free(neighbor);
}

static void
objects_do_not_overlap(void **state)
{
	enum { COUNT = 300 };
	static unsigned char *all[COUNT];

	/* More than one arena can hold. */
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < COUNT; i++) {
			size_t size = 1 + (size_t)i * 37 % 2048;

			all[i] = secret_alloc(size);
			assert_non_null(all[i]);
			memset(all[i], i & 0xff, size);
		}
		for (int i = 0; i < COUNT; i++)
			for (size_t k = 0; k < 1 + (size_t)i * 37 % 2048; k++)
				assert_int_equal(all[i][k], i & 0xff);
		for (int i = 0; i < COUNT; i += 2)
			secret_free(all[i]);
		for (int i = 1; i < COUNT; i += 2)
			secret_free(all[i]);
	}
}

static void
null_may_be_freed_and_too_much_is_refused(void **state)
{
	secret_free(NULL);
	assert_null(secret_alloc(SIZE_MAX));
	assert_null(secret_alloc(SIZE_MAX - 20));
	assert_null(secret_alloc(SIZE_MAX / 2));
}

/* ---- mistakes ---- */

static void
overrun_small(void)
{
	volatile unsigned char *p = secret_alloc(32);

	p[32] ^= 1;
	secret_free((void *)(uintptr_t)p);
}

static void
overrun_small_by_far(void)
{
	volatile unsigned char *p = secret_alloc(33);

	p[33 + 14] ^= 1;
	secret_free((void *)(uintptr_t)p);
}

static void
overrun_last_of_arena(void)
{
	volatile unsigned char *p = secret_alloc(16);

	for (;;)
		*p++ = 0;
}

static void
underrun_first_of_arena(void)
{
	volatile unsigned char *p = secret_alloc(16);

	for (;;)
		*p-- = 0;
}

static void
overrun_large_within_padding(void)
{
	volatile unsigned char *p = secret_alloc(5001);

	p[5001] ^= 1;
	secret_free((void *)(uintptr_t)p);
}

static void
overrun_large(void)
{
	volatile unsigned char *p = secret_alloc(5008);

	p[5008] = 0;
}

static void
underrun_large(void)
{
	volatile unsigned char *p = secret_alloc(5008);
	long page = sysconf(_SC_PAGESIZE);

	p[-page] = 0;
}

static void
free_twice(void)
{
	void *p = secret_alloc(16);

	secret_free(p);
	secret_free(p);
}

static void
free_twice_large(void)
{
	void *p = secret_alloc(5000);

	secret_free(p);
	secret_free(p);
}

static void
free_inside(void)
{
	unsigned char *p = secret_alloc(64);

	secret_free(p + 16);
}

static void
free_foreign(void)
{
	static unsigned char mine[16];

	secret_free(mine);
}

static void
no_mistake(void)
{
	secret_free(secret_alloc(32));
	secret_free(secret_alloc(5000));
}

static void
mistakes_are_noticed(void **state)
{
	assert_int_equal(signal_of(overrun_small), SIGABRT);
	assert_int_equal(signal_of(overrun_small_by_far), SIGABRT);
	assert_int_equal(signal_of(overrun_large_within_padding), SIGABRT);
	assert_int_equal(signal_of(free_twice), SIGABRT);
	assert_int_equal(signal_of(free_twice_large), SIGABRT);
	assert_int_equal(signal_of(free_inside), SIGABRT);
	assert_int_equal(signal_of(free_foreign), SIGABRT);
	assert_int_equal(signal_of(no_mistake), 0);
}

static void
guard_pages_stop_overruns(void **state)
{
	assert_int_equal(signal_of(overrun_large), SIGSEGV);
	assert_int_equal(signal_of(underrun_large), SIGSEGV);
	assert_int_equal(signal_of(overrun_last_of_arena), SIGSEGV);
	assert_int_equal(signal_of(underrun_first_of_arena), SIGSEGV);
}

/* ---- fork ---- */

static unsigned char *small_inherited, *large_inherited;

static void
look_at_inherited(void)
{
	for (int i = 0; i < 40; i++)
		if (small_inherited[i] != 1 || large_inherited[i] != 1)
			(void)raise(SIGUSR1);
	secret_free(small_inherited);
	secret_free(large_inherited);
	no_mistake();
}

/* A key that had turned to zeros would still seal, for anybody to open. */
static void
child_finds_secrets_as_they_were(void **state)
{
	small_inherited = secret_alloc(40);
	large_inherited = secret_alloc(5003);
	memset(small_inherited, 1, 40);
	memset(large_inherited, 1, 5003);
	assert_int_equal(signal_of(look_at_inherited), 0);
	assert_int_equal(small_inherited[39], 1);
	secret_free(small_inherited);
	secret_free(large_inherited);
}

/* ---- threads ---- */

static void *
churn(void *seed)
{
	unsigned int n = *(unsigned int *)seed;
	unsigned char *held[16] = { NULL };
	size_t length[16] = { 0 };

	for (int i = 0; i < 4000; i++) {
		unsigned int at = (n = n * 1103515245 + 12345) >> 16 & 15;

		for (size_t k = 0; k < length[at]; k++)
			if (held[at][k] != (unsigned char)at)
				return NULL;
		secret_free(held[at]);
		length[at] = (n >> 8) % (i % 50 == 0 ? 9000 : 300);
		held[at] = secret_alloc(length[at]);
		memset(held[at], (int)at, length[at]);
	}
	for (int i = 0; i < 16; i++)
		secret_free(held[i]);
	return seed;
}

static void
threads_do_not_disturb_each_other(void **state)
{
	unsigned int seeds[4] = { 1, 2, 3, 4 };
	pthread_t threads[4];
	void *result;

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn,
		    &seeds[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, &seeds[i]);
	}
}

/* ---- the rest ---- */

static void
equal_compares_every_byte(void **state)
{
	unsigned char a[40], b[40];

	memset(a, 7, sizeof a);
	memset(b, 7, sizeof b);
	assert_true(secret_equal(a, b, sizeof a));
	assert_true(secret_equal(a, b, 0));
	for (size_t i = 0; i < sizeof a; i++)
		for (int bit = 0; bit < 8; bit++) {
			b[i] ^= (unsigned char)(1 << bit);
			assert_false(secret_equal(a, b, sizeof a));
			assert_true(secret_equal(a, b, i));
			b[i] ^= (unsigned char)(1 << bit);
		}
}

static void
wipe_wipes_exactly_what_it_is_told(void **state)
{
	unsigned char a[5] = { 1, 2, 3, 4, 5 };

	secret_wipe(a + 1, 3);
	assert_memory_equal(a, "\1\0\0\0\5", 5);
	secret_wipe(a, 0);
	secret_wipe(NULL, 0);
	assert_int_equal(a[0], 1);
}

static void
check_hardened(void)
{
	struct rlimit core = { 1, 1 };

	secret_harden_process();
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 ||
	    core.rlim_max != 0)
		(void)raise(SIGUSR1);
#if defined(__linux__) && !defined(LEAK_CHECKER)	/* which has to trace */
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		(void)raise(SIGUSR2);
#endif
}

static void
hardened_process_leaves_no_core(void **state)
{
	assert_int_equal(signal_of(check_hardened), 0);
}

static void
no_lockable_memory(void)
{
	static const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0)
		(void)raise(SIGUSR1);
	if (secret_alloc(5000) == NULL)
		(void)raise(SIGUSR2);
}

static void
memory_that_cannot_be_locked_is_used_all_the_same(void **state)
{
	assert_int_equal(signal_of(no_lockable_memory), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_aligned_and_zeroed),
		cmocka_unit_test(freed_memory_comes_back_wiped),
		cmocka_unit_test(memory_is_wiped_when_freed),
		cmocka_unit_test(objects_do_not_overlap),
		cmocka_unit_test(null_may_be_freed_and_too_much_is_refused),
		cmocka_unit_test(mistakes_are_noticed),
		cmocka_unit_test(guard_pages_stop_overruns),
		cmocka_unit_test(child_finds_secrets_as_they_were),
		cmocka_unit_test(threads_do_not_disturb_each_other),
		cmocka_unit_test(equal_compares_every_byte),
		cmocka_unit_test(wipe_wipes_exactly_what_it_is_told),
		cmocka_unit_test(hardened_process_leaves_no_core),
		cmocka_unit_test(
		    memory_that_cannot_be_locked_is_used_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
