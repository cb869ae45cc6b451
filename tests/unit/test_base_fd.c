/* Descriptors: short counts, interruptions, ends and failures. */
#define _GNU_SOURCE		/* memfd_create, F_GETPIPE_SZ */

#include "base/fd.h"

#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/e2e-test-XXXXXX";
static unsigned char pattern[300000];

static int
enter_folder(void **state)
{
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (unsigned char)(i * 7 + i / 251);
	return mkdtemp(folder) == NULL || chdir(folder) != 0 ? -1 : 0;
}

static int
leave_folder(void **state)
{
	(void)unlink("file");
	(void)unlink("other");
	return chdir("/") != 0 || rmdir(folder) != 0 ? -1 : 0;
}

/* A new file that holds `size` bytes of the pattern, open at its start. */
static int
make_file(const char *name, size_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, pattern, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
on_signal(int sig)
{
}

/* Calls return EINTR, as they do for those who ask for no restart. */
static void
interrupt_calls(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	assert_int_equal(sigaction(SIGUSR1, &sa, NULL), 0);
}

/*
 * A child that writes the pattern in pieces of odd sizes, interrupting its
 * parent before each. Returns the end to read from.
 */
static int
dribble(pid_t *child, size_t size)
{
	int ends[2];

	interrupt_calls();
	assert_int_equal(pipe(ends), 0);
	*child = fork();
	assert_true(*child >= 0);
	if (*child == 0) {
		for (size_t at = 0, n = 1; at < size; at += n, n = n * 3 + 1) {
			n = n % 5000;
			if (n > size - at)
				n = size - at;
			(void)kill(getppid(), SIGUSR1);
			if (write(ends[1], pattern + at, n) != (ssize_t)n)
				_exit(1);
		}
		_exit(0);
	}
	(void)close(ends[1]);
	return ends[0];
}

static void
reap(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) != child)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
reading_goes_on_after_short_counts(void **state)
{
	static unsigned char got[sizeof pattern];
	pid_t child;
	size_t n;
	int fd = dribble(&child, 200000);

	assert_int_equal(fd_read(fd, got, 150000, &n), E2E_OK);
	assert_int_equal(n, 150000);
	assert_memory_equal(got, pattern, 150000);
	assert_int_equal(fd_read(fd, got, 150000, &n), E2E_OK);
	assert_int_equal(n, 50000);
	assert_memory_equal(got, pattern + 150000, 50000);
	assert_int_equal(fd_read(fd, got, 10, &n), E2E_OK);
	assert_int_equal(n, 0);
	reap(child);
	(void)close(fd);
}

static void
reading_waits_on_descriptors_that_do_not_block(void **state)
{
	static unsigned char got[sizeof pattern];
	pid_t child;
	size_t n;
	int fd = dribble(&child, 100000);

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fd_read(fd, got, 100000, &n), E2E_OK);
	assert_int_equal(n, 100000);
	assert_memory_equal(got, pattern, 100000);
	reap(child);
	(void)close(fd);
}

/* A child that compares what it reads, slowly, with the pattern. */
static int
swallow(pid_t *child, size_t size)
{
	unsigned char got[1000];
	int ends[2];

	interrupt_calls();
	assert_int_equal(pipe(ends), 0);
	*child = fork();
	assert_true(*child >= 0);
	if (*child == 0) {
		size_t at = 0;
		ssize_t n;

		(void)close(ends[1]);
		while ((n = read(ends[0], got, sizeof got)) > 0) {
			(void)kill(getppid(), SIGUSR1);
			if (memcmp(got, pattern + at, (size_t)n) != 0)
				_exit(1);
			at += (size_t)n;
		}
		_exit(at == size ? 0 : 2);
	}
	(void)close(ends[0]);
	return ends[1];
}

static void
writing_goes_on_after_short_counts(void **state)
{
	pid_t child;
	int fd;

	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		fd = swallow(&child, sizeof pattern);
		assert_int_equal(fcntl(fd, F_SETFL, flags), 0);
		assert_int_equal(fd_write(fd, pattern, sizeof pattern),
		    E2E_OK);
		assert_int_equal(fd_write(fd, NULL, 0), E2E_OK);
		assert_int_equal(fd_close(fd), E2E_OK);
		reap(child);
	}
}

static void
failures_keep_their_errno(void **state)
{
	unsigned char byte;
	int ends[2], full;
	size_t n = 5;

	assert_int_equal(fd_read(-1, &byte, 1, &n), E2E_ERR_READ);
	assert_int_equal(errno, EBADF);
	assert_int_equal(n, 0);
	assert_int_equal(fd_read_at(-1, &byte, 1, 0, &n), E2E_ERR_READ);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd_write(-1, "x", 1), E2E_ERR_WRITE);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd_write_at(-1, "x", 1, 0), E2E_ERR_WRITE);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd_close(-1), E2E_ERR_WRITE);
	assert_int_equal(errno, EBADF);

	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	assert_int_equal(fd_write(ends[1], "x", 1), E2E_ERR_WRITE);
	assert_int_equal(errno, EPIPE);
	(void)close(ends[1]);

	full = open("/dev/full", O_WRONLY);
	if (full < 0)
		return;
	assert_int_equal(fd_write(full, "x", 1), E2E_ERR_WRITE);
	assert_int_equal(errno, ENOSPC);
	(void)close(full);
}

static void
positions_are_absolute_and_move_nothing(void **state)
{
	unsigned char got[2000];
	int fd = make_file("file", 1000);
	size_t n;

	assert_int_equal(fd_read_at(fd, got, 300, 400, &n), E2E_OK);
	assert_int_equal(n, 300);
	assert_memory_equal(got, pattern + 400, 300);
	assert_int_equal(fd_read_at(fd, got, 300, 900, &n), E2E_OK);
	assert_int_equal(n, 100);
	assert_int_equal(fd_read_at(fd, got, 300, 5000, &n), E2E_OK);
	assert_int_equal(n, 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);

	assert_int_equal(fd_write_at(fd, "end", 3, 1500), E2E_OK);
	assert_int_equal(fd_write_at(fd, "begin", 5, 0), E2E_OK);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(fd_read(fd, got, sizeof got, &n), E2E_OK);
	assert_int_equal(n, 1503);
	assert_memory_equal(got, "begin", 5);
	assert_memory_equal(got + 5, pattern + 5, 995);
	assert_int_equal(got[1000], 0);
	assert_memory_equal(got + 1500, "end", 3);
	(void)close(fd);
}

static void
positions_beyond_off_t_are_refused(void **state)
{
	int fd = make_file("file", 10);
	unsigned char got[4];
	size_t n = 9;

	assert_int_equal(fd_read_at(fd, got, 4, UINT64_MAX, &n), E2E_ERR_READ);
	assert_int_equal(errno, EOVERFLOW);
	assert_int_equal(n, 0);
	assert_int_equal(fd_read_at(fd, got, 4, INT64_MAX - 3, &n),
	    E2E_ERR_READ);
	assert_int_equal(fd_write_at(fd, got, 4, (uint64_t)INT64_MAX + 1),
	    E2E_ERR_WRITE);
	assert_int_equal(errno, EOVERFLOW);
	(void)close(fd);
}

/* ---- fd_read_all ---- */

static void
check_read_all(int fd, size_t limit, bool secret, size_t from, size_t size)
{
	struct buffer b;

	if (secret)
		buffer_init_secret(&b, limit);
	else
		buffer_init(&b, limit);
	assert_int_equal(fd_read_all(fd, &b), E2E_OK);
	assert_int_equal(b.length, size);
	if (size > 0)
		assert_memory_equal(b.data, pattern + from, size);
	buffer_free(&b);
}

static void
files_are_read_whole(void **state)
{
	static const size_t sizes[] = {
		0, 1, 63, 64, 65, 65535, 65536, 65537, 200000
	};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		int fd = make_file("file", sizes[i]);

		for (int secret = 0; secret < 2; secret++) {
			(void)lseek(fd, 0, SEEK_SET);
			check_read_all(fd, SIZE_MAX, secret, 0, sizes[i]);
			(void)lseek(fd, 0, SEEK_SET);
			check_read_all(fd, sizes[i], secret, 0, sizes[i]);
			(void)lseek(fd, (off_t)sizes[i] / 2, SEEK_SET);
			check_read_all(fd, 1 << 20, secret, sizes[i] / 2,
			    sizes[i] - sizes[i] / 2);
			(void)lseek(fd, 10000000, SEEK_SET);
			check_read_all(fd, 1 << 20, secret, 0, 0);
		}
		(void)close(fd);
	}
}

static void
pipes_are_read_to_their_end(void **state)
{
	pid_t child;
	int fd = dribble(&child, 250000);

	check_read_all(fd, 250000, false, 0, 250000);
	reap(child);
	(void)close(fd);
}

static void
reading_all_appends(void **state)
{
	int fd = make_file("file", 100);
	struct buffer b;

	buffer_init(&b, 104);
	assert_true(buffer_append(&b, "head", 4));
	assert_int_equal(fd_read_all(fd, &b), E2E_OK);
	assert_int_equal(b.length, 104);
	assert_memory_equal(b.data, "head", 4);
	assert_memory_equal(b.data + 4, pattern, 100);
	buffer_free(&b);
	(void)close(fd);
}

static void
one_byte_beyond_the_limit_is_refused(void **state)
{
	struct buffer b;
	int fd;

	for (size_t limit = 0; limit < 200000; limit = limit * 5 + 1) {
		fd = make_file("file", limit + 1);
		buffer_init(&b, limit);
		assert_int_equal(fd_read_all(fd, &b), E2E_ERR_LIMIT);
		buffer_free(&b);
		(void)close(fd);
	}
	fd = open("/dev/zero", O_RDONLY);
	assert_true(fd >= 0);
	buffer_init(&b, 100000);
	assert_int_equal(fd_read_all(fd, &b), E2E_ERR_LIMIT);
	assert_true(b.length <= b.limit);
	buffer_free(&b);
	(void)close(fd);
}

static void
unreadable_input_is_no_end(void **state)
{
	int fd = open(".", O_RDONLY);
	struct buffer b;

	buffer_init(&b, 100);
	assert_int_equal(fd_read_all(fd, &b), E2E_ERR_READ);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(fd_read_all(-1, &b), E2E_ERR_READ);
	buffer_free(&b);
	(void)close(fd);
}

static void
file_larger_than_memory_is_out_of_memory(void **state)
{
#ifdef MFD_CLOEXEC
	int fd = memfd_create("huge", MFD_CLOEXEC);
	struct buffer b;

	if (fd < 0 || ftruncate(fd, (off_t)1 << 60) != 0)
		skip();
	buffer_init_secret(&b, SIZE_MAX);
	assert_int_equal(fd_read_all(fd, &b), E2E_ERR_MEMORY);
	buffer_free(&b);
	(void)close(fd);
#else
	skip();
#endif
}

/* ---- what a descriptor is ---- */

static void
regular_files_are_told_from_the_rest(void **state)
{
	int fd = make_file("file", 500), null = open("/dev/null", O_RDWR);
	uint64_t position = 9, size = 9;
	int ends[2];

	assert_true(fd_is_regular(fd, &position, &size));
	assert_true(position == 0 && size == 500);
	(void)lseek(fd, 123, SEEK_SET);
	assert_true(fd_is_regular(fd, &position, &size));
	assert_true(position == 123 && size == 500);

	assert_int_equal(pipe(ends), 0);
	assert_false(fd_is_regular(ends[0], &position, &size));
	assert_true(position == 0 && size == 0);
	assert_false(fd_is_regular(null, &position, &size));
	assert_false(fd_is_regular(-1, &position, &size));
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(null);
	(void)close(fd);
}

static void
same_file_is_told_by_any_name(void **state)
{
	int a = make_file("file", 1), b = open("file", O_WRONLY);
	int c = make_file("other", 1), d = dup(a);
	int null = open("/dev/null", O_RDWR), null2 = open("/dev/null", O_RDWR);

	assert_true(fd_same_file(a, b));
	assert_true(fd_same_file(a, d));
	assert_true(fd_same_file(a, a));
	assert_false(fd_same_file(a, c));
	assert_false(fd_same_file(null, null2));
	assert_false(fd_same_file(null, null));
	assert_false(fd_same_file(a, -1));
	assert_false(fd_same_file(-1, -1));
	(void)close(a);
	(void)close(b);
	(void)close(c);
	(void)close(d);
	(void)close(null);
	(void)close(null2);
}

static void
enlarging_never_shrinks_nor_fails(void **state)
{
	int ends[2], fd = make_file("file", 1);

	errno = 77;
	fd_enlarge_pipe(-1);
	fd_enlarge_pipe(fd);
	assert_int_equal(errno, 77);
	assert_int_equal(pipe(ends), 0);
#ifdef F_GETPIPE_SZ
	int before = fcntl(ends[1], F_GETPIPE_SZ), after;

	fd_enlarge_pipe(ends[1]);
	after = fcntl(ends[1], F_GETPIPE_SZ);
	assert_true(after >= before);
	fd_enlarge_pipe(ends[0]);
	assert_int_equal(fcntl(ends[1], F_GETPIPE_SZ), after);
#else
	fd_enlarge_pipe(ends[1]);
#endif
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(fd);
}

/* Does another process find this byte locked? */
static bool
is_locked(int fd, off_t at)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = at, .l_len = 1 };
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(fcntl(fd, F_GETLK, &lock) != 0 ? 2 :
		    lock.l_type != F_UNLCK);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 1;
}

static void
one_byte_is_locked_for_others(void **state)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_lock_at(fd, 7, 0), E2E_OK);
	assert_int_equal(fd_lock_at(fd, INT64_MAX - 1, 0), E2E_OK);
	assert_true(is_locked(fd, 7) && is_locked(fd, INT64_MAX - 1));
	assert_false(is_locked(fd, 6) || is_locked(fd, 8));
	assert_int_equal(fd_unlock_at(fd, 7), E2E_OK);
	assert_false(is_locked(fd, 7));
	assert_true(is_locked(fd, INT64_MAX - 1));
	assert_int_equal(fd_lock_at(fd, UINT64_C(1) << 63, 0), E2E_ERR_WRITE);
	assert_int_equal(errno, EOVERFLOW);
	assert_int_equal(fd_close(fd), E2E_OK);
}

/* Tries again, and then no more: by 1 ms, and long enough for naps to grow. */
static void
who_waits_for_a_byte_gives_up(void **state)
{
	static const unsigned waits[] = { 0, 1, 50 };
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600), status;
	pid_t child;

	assert_true(fd >= 0);
	assert_int_equal(fd_lock_at(fd, 7, 0), E2E_OK);
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(fd_lock_at(fd, 8, waits[i]) != E2E_OK ||
			    fd_lock_at(fd, 7, waits[i]) != E2E_ERR_BUSY);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_int_equal(fd_close(fd), E2E_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_goes_on_after_short_counts),
		cmocka_unit_test(
		    reading_waits_on_descriptors_that_do_not_block),
		cmocka_unit_test(writing_goes_on_after_short_counts),
		cmocka_unit_test(failures_keep_their_errno),
		cmocka_unit_test(positions_are_absolute_and_move_nothing),
		cmocka_unit_test(positions_beyond_off_t_are_refused),
		cmocka_unit_test(files_are_read_whole),
		cmocka_unit_test(pipes_are_read_to_their_end),
		cmocka_unit_test(reading_all_appends),
		cmocka_unit_test(one_byte_beyond_the_limit_is_refused),
		cmocka_unit_test(unreadable_input_is_no_end),
		cmocka_unit_test(file_larger_than_memory_is_out_of_memory),
		cmocka_unit_test(regular_files_are_told_from_the_rest),
		cmocka_unit_test(same_file_is_told_by_any_name),
		cmocka_unit_test(enlarging_never_shrinks_nor_fails),
		cmocka_unit_test(one_byte_is_locked_for_others),
		cmocka_unit_test(who_waits_for_a_byte_gives_up),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
