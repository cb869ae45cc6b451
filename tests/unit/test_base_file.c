/* Files that appear complete or not at all, whatever goes wrong. */
#define _GNU_SOURCE		/* O_TMPFILE, openat64, nftw */

#include "base/file.h"

#include "base/buffer.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * System calls that fail on demand. The C library's names are defined here, so
 * that the calls of file.c come by; where it uses other names than these the
 * tests that need them are skipped.
 */
#if defined(__linux__) && defined(__GLIBC__) && defined(O_TMPFILE)
#include <sys/syscall.h>
#define HOOKS 1
#endif

static struct {
	bool no_unnamed;	/* a file system without O_TMPFILE */
	bool no_noreplace;	/* and without RENAME_NOREPLACE */
	int fsync_errno;
	int fsync_skip;		/* calls that succeed before */
	int rename_errno;
	int rename_signal;
	int link_errno;
	int calls;
} hook;

#ifdef HOOKS
int
openat64(int at, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if ((flags & O_TMPFILE) == O_TMPFILE && hook.no_unnamed) {
		hook.calls++;
		errno = EOPNOTSUPP;
		return -1;
	}
	if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return (int)syscall(SYS_openat, at, path, flags | O_LARGEFILE, mode);
}

int
fsync(int fd)
{
	hook.calls++;
	if (hook.fsync_errno != 0 && hook.fsync_skip-- == 0) {
		errno = hook.fsync_errno;
		hook.fsync_errno = 0;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int
renameat(int from, const char *old, int to, const char *new)
{
	if (hook.rename_signal != 0)
		(void)raise(hook.rename_signal);
	if (hook.rename_errno != 0) {
		hook.calls++;
		errno = hook.rename_errno;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

int
renameat2(int from, const char *old, int to, const char *new,
    unsigned int flags)
{
	if (hook.no_noreplace) {
		hook.calls++;
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

int
linkat(int from, const char *old, int to, const char *new, int flags)
{
	if (hook.link_errno != 0) {
		hook.calls++;
		errno = hook.link_errno;
		return -1;
	}
	return (int)syscall(SYS_linkat, from, old, to, new, flags);
}
#endif

/* ---- a folder to play in ---- */

static char folder[] = "/tmp/e2e-test-XXXXXX";

static int
enter_folder(void **state)
{
	(void)umask(022);
	return mkdtemp(folder) == NULL || chdir(folder) != 0 ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return ftw->level == 0 ? 0 : remove(path);
}

static int
clean(void **state)
{
	memset(&hook, 0, sizeof hook);
	(void)umask(022);
	return nftw(".", remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
leave_folder(void **state)
{
	return chdir("/") != 0 || rmdir(folder) != 0 ? -1 : 0;
}

static int
entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n - 2;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static bool
holds(const char *path, const char *text)
{
	char got[200];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, got, sizeof got);
	(void)close(fd);
	return n == (ssize_t)strlen(text) && memcmp(got, text, (size_t)n) == 0;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static enum e2e_error
write_text(const char *path, const char *text, mode_t mode,
    enum file_manner manner)
{
	return file_write(path, text, strlen(text), mode, manner);
}

static struct file_out *
begin(const char *path, enum file_manner manner)
{
	struct file_out *out;

	assert_int_equal(file_out_open(&out, path, 0666, manner), E2E_OK);
	assert_non_null(out);
	assert_int_equal(fd_write(file_out_fd(out), "new", 3), E2E_OK);
	return out;
}

/* Everything is to hold with and without unnamed files. */
static void
both_ways(void (*test)(void))
{
	test();
	assert_int_equal(clean(NULL), 0);
#ifdef HOOKS
	hook.no_unnamed = true;
	test();
	assert_int_equal(clean(NULL), 0);
	hook.no_unnamed = hook.no_noreplace = true;
	test();
	assert_int_equal(clean(NULL), 0);
#endif
}

/* Runs in a child without privileges; what it returns is its status. */
static int
unprivileged(int (*test)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) != 0 ||
		    setuid(65534) != 0))
			_exit(99);
		_exit(test());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Gives a file to the user that unprivileged() is. */
static void
give(const char *path, gid_t group)
{
	if (geteuid() == 0)
		assert_int_equal(chown(path, 65534, group), 0);
}

#ifdef HOOKS
/* Else the tests below would show less than they say. */
static void
failures_can_be_ordered(void **state)
{
	struct file_out *out;

	hook.no_unnamed = true;
	out = begin("out", FILE_REPLACE);
	assert_int_equal(hook.calls, 1);
	assert_int_equal(entries("."), 1);
	assert_int_equal(file_out_commit(out), E2E_OK);
	assert_int_equal(hook.calls, 3);
	hook.rename_errno = EIO;
	assert_int_equal(file_out_commit(begin("out", FILE_REPLACE)),
	    E2E_ERR_WRITE);
	assert_int_equal(hook.calls, 6);
	hook.no_noreplace = true;
	hook.link_errno = EIO;
	assert_int_equal(file_out_commit(begin("fresh", FILE_NEW)),
	    E2E_ERR_WRITE);
	assert_int_equal(hook.calls, 10);
}
#endif

/* ---- complete or not at all ---- */

static void
new_name(void)
{
	for (int manner = FILE_REPLACE; manner <= FILE_NEW; manner++) {
		struct file_out *out = begin("out", manner);

		assert_true(file_out_is_hidden(out));
		assert_int_equal(access("out", F_OK), -1);
		assert_int_equal(file_out_commit(out), E2E_OK);
		assert_true(holds("out", "new"));
		assert_int_equal(entries("."), 1);
		assert_int_equal(unlink("out"), 0);
	}
}

static void
file_appears_at_commit(void **state)
{
	both_ways(new_name);
}

static void
replaced(void)
{
	struct file_out *out;

	put("out", "old", 0644);
	out = begin("out", FILE_REPLACE);
	assert_true(holds("out", "old"));
	assert_int_equal(file_out_commit(out), E2E_OK);
	assert_true(holds("out", "new"));
	assert_int_equal(entries("."), 1);
}

static void
old_file_stays_until_commit(void **state)
{
	both_ways(replaced);
}

static void
aborted(void)
{
	struct file_out *out;

	file_out_abort(NULL);
	out = begin("fresh", FILE_NEW);
	errno = 77;
	file_out_abort(out);
	assert_int_equal(errno, 77);
	assert_int_equal(entries("."), 0);
	put("out", "old", 0644);
	file_out_abort(begin("out", FILE_REPLACE));
	assert_true(holds("out", "old"));
	assert_int_equal(entries("."), 1);
}

static void
abort_leaves_nothing(void **state)
{
	both_ways(aborted);
}

static void
existing(void)
{
	struct file_out *out = NULL;

	put("out", "old", 0644);
	assert_int_equal(mkdir("dir", 0755), 0);
	assert_int_equal(symlink("nowhere", "link"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	for (int i = 0; i < 5; i++) {
		const char *names[] = { "out", "dir", "link", "fifo",
		    "/dev/null" };

		out = (struct file_out *)&out;
		assert_int_equal(file_out_open(&out, names[i], 0600,
		    FILE_NEW), E2E_ERR_EXISTS);
		assert_int_equal(errno, EEXIST);
		assert_null(out);
	}
	assert_true(holds("out", "old"));
	assert_int_equal(access("nowhere", F_OK), -1);
	assert_int_equal(entries("."), 4);
}

static void
new_never_touches_what_exists(void **state)
{
	both_ways(existing);
}

static void
appearing(void)
{
	struct file_out *out = begin("out", FILE_NEW);

	put("out", "rival", 0644);
	assert_int_equal(file_out_commit(out), E2E_ERR_EXISTS);
	assert_true(holds("out", "rival"));
	assert_int_equal(entries("."), 1);
}

static void
new_never_replaces_what_appears_meanwhile(void **state)
{
	both_ways(appearing);
}

static void
four_at_once(void)
{
	struct file_out *outs[5];
	char name[2] = "a";

	for (int i = 0; i < 4; i++) {
		name[0] = (char)('a' + i);
		outs[i] = begin(name, FILE_REPLACE);
	}
	assert_int_equal(file_out_open(&outs[4], "e", 0600, FILE_REPLACE),
	    E2E_ERR_CREATE);
	assert_int_equal(errno, EMFILE);
	assert_null(outs[4]);
	for (int i = 0; i < 4; i++)
		assert_int_equal(file_out_commit(outs[i]), E2E_OK);
	assert_int_equal(entries("."), 4);
	assert_int_equal(file_out_commit(begin("e", FILE_NEW)), E2E_OK);
}

static void
four_may_be_open_and_no_fifth(void **state)
{
	both_ways(four_at_once);
}

static void
elsewhere(void)
{
	struct file_out *out;

	assert_int_equal(mkdir("one", 0755), 0);
	assert_int_equal(mkdir("two", 0755), 0);
	out = begin("one/out", FILE_REPLACE);
	assert_int_equal(rename("one", "three"), 0);
	assert_int_equal(rename("two", "one"), 0);
	assert_int_equal(file_out_commit(out), E2E_OK);
	assert_true(holds("three/out", "new"));
	assert_int_equal(entries("one"), 0);
	assert_int_equal(entries("three"), 1);
}

static void
file_ends_where_it_began(void **state)
{
	both_ways(elsewhere);
}

/* ---- where it cannot be ---- */

static void
check_refused(const char *path, int because)
{
	struct file_out *out = (struct file_out *)&out;

	assert_int_equal(file_out_open(&out, path, 0600, FILE_REPLACE),
	    E2E_ERR_CREATE);
	assert_int_equal(errno, because);
	assert_null(out);
}

static void
impossible_names_are_refused(void **state)
{
	static char name[300];

	memset(name, 'x', sizeof name - 1);
	assert_int_equal(mkdir("dir", 0755), 0);
	put("file", "old", 0644);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(symlink("dir", "link"), 0);
	check_refused("dir", EISDIR);
	check_refused("dir/", EISDIR);
	check_refused("link", EISDIR);
	check_refused(".", EISDIR);
	check_refused("/", EISDIR);
	check_refused("absent/", EISDIR);
	check_refused("", ENOENT);
	check_refused("absent/out", ENOENT);
	check_refused("file/out", ENOTDIR);
	check_refused("file/", ENOTDIR);
	check_refused("loop", ELOOP);
	check_refused(name, ENAMETOOLONG);
	assert_int_equal(entries("."), 4);
}

static int
write_where_one_may_not(void)
{
	if (write_text("dir/out", "new", 0600, FILE_REPLACE) !=
	    E2E_ERR_CREATE || errno != EACCES)
		return 1;
	if (write_text("dir/out", "new", 0600, FILE_NEW) != E2E_ERR_CREATE)
		return 2;
	if (write_text("file", "new", 0600, FILE_REPLACE) != E2E_ERR_CREATE ||
	    errno != EACCES)
		return 3;
	return 0;
}

static void
unwritable_folder_and_file_are_refused(void **state)
{
	assert_int_equal(chmod(".", 0777), 0);
	assert_int_equal(mkdir("dir", 0555), 0);
	put("file", "old", 0444);
	give("dir", 65534);
	give("file", 65534);
	assert_int_equal(unprivileged(write_where_one_may_not), 0);
	assert_int_equal(entries("dir"), 0);
	assert_int_equal(entries("."), 2);
	assert_true(holds("file", "old"));
	assert_int_equal(chmod(".", 0700), 0);
}

static int
write_without_listing(void)
{
	return write_text("dir/out", "new", 0600, FILE_REPLACE) != E2E_OK ? 1 :
	    write_text("dir/out", "new", 0600, FILE_REPLACE) != E2E_OK ? 2 : 0;
}

static void
folder_that_cannot_be_listed_is_no_obstacle(void **state)
{
	assert_int_equal(chmod(".", 0777), 0);
	assert_int_equal(mkdir("dir", 0755), 0);
	assert_int_equal(chmod("dir", 0300), 0);
	give("dir", 65534);
	assert_int_equal(unprivileged(write_without_listing), 0);
	assert_int_equal(chmod("dir", 0700), 0);
	assert_int_equal(entries("dir"), 1);
	assert_int_equal(chmod(".", 0700), 0);
}

/* ---- permissions ---- */

static void
permissions(void)
{
	assert_int_equal(write_text("a", "x", 0666, FILE_REPLACE), E2E_OK);
	assert_int_equal(mode_of("a"), 0644);
	(void)umask(077);
	assert_int_equal(write_text("b", "x", 0666, FILE_NEW), E2E_OK);
	assert_int_equal(mode_of("b"), 0600);
	(void)umask(0);
	assert_int_equal(write_text("c", "x", 0600, FILE_NEW), E2E_OK);
	assert_int_equal(mode_of("c"), 0600);
	(void)umask(022);
	/* The old file's own, umask or not; the set-uid bit is not kept. */
	put("d", "old", 04666);
	assert_int_equal(write_text("d", "x", 0666, FILE_REPLACE), E2E_OK);
	assert_int_equal(mode_of("d"), 0666);
	put("e", "old", 0600);
	assert_int_equal(write_text("e", "x", 0666, FILE_REPLACE), E2E_OK);
	assert_int_equal(mode_of("e"), 0600);
	/* Unless it is to be a secret. */
	put("f", "old", 0644);
	assert_int_equal(write_text("f", "x", 0600, FILE_REPLACE), E2E_OK);
	assert_int_equal(mode_of("f"), 0600);
}

static void
permissions_are_kept_or_made_stricter(void **state)
{
	both_ways(permissions);
}

static void
hidden_permissions(void)
{
	struct file_out *out;
	struct stat st;

	put("out", "old", 0600);
	out = begin("out", FILE_REPLACE);
	assert_int_equal(fstat(file_out_fd(out), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	file_out_abort(out);
}

static void
temporary_is_no_more_open_than_the_file(void **state)
{
	both_ways(hidden_permissions);
}

static void
ownership(void)
{
	struct stat st;

	put("out", "old", 0660);
	give("out", 65534);
	assert_int_equal(write_text("out", "new", 0666, FILE_REPLACE), E2E_OK);
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_uid, geteuid() == 0 ? 65534 : geteuid());
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void
owner_is_kept_where_that_is_possible(void **state)
{
	both_ways(ownership);
}

static int
replace_file_of_another_group(void)
{
	return write_text("out", "new", 0666, FILE_REPLACE) != E2E_OK;
}

static void
group_that_cannot_be_kept_loses_its_rights(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(".", 0777), 0);
	put("out", "old", 0664);
	give("out", 0);
	assert_int_equal(unprivileged(replace_file_of_another_group), 0);
	assert_true(holds("out", "new"));
	assert_int_equal(mode_of("out"), 0604);
	assert_int_equal(chmod(".", 0700), 0);
}

/* ---- links, devices and descriptors ---- */

static void
links(void)
{
	struct stat st;

	assert_int_equal(mkdir("dir", 0755), 0);
	put("dir/file", "old", 0644);
	assert_int_equal(symlink("dir/file", "link"), 0);
	assert_int_equal(symlink("link", "link2"), 0);
	assert_int_equal(write_text("link2", "new", 0666, FILE_REPLACE),
	    E2E_OK);
	assert_true(holds("dir/file", "new"));
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(entries("dir"), 1);
	/* A dangling one is followed to what it names, seen from itself. */
	assert_int_equal(symlink("absent", "dir/link"), 0);
	assert_int_equal(write_text("dir/link", "new", 0666, FILE_REPLACE),
	    E2E_OK);
	assert_true(holds("dir/absent", "new"));
	assert_int_equal(lstat("dir/link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(entries("."), 3);
}

static void
target_of_a_link_is_replaced(void **state)
{
	both_ways(links);
}

static void
devices_are_written_in_place(void **state)
{
	struct file_out *out = begin("/dev/null", FILE_REPLACE);
	struct stat st;

	assert_false(file_out_is_hidden(out));
	assert_int_equal(file_out_commit(out), E2E_OK);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	file_out_abort(begin("/dev/null", FILE_REPLACE));
	if (access("/dev/full", W_OK) == 0) {
		assert_int_equal(write_text("/dev/full", "x", 0600,
		    FILE_REPLACE), E2E_ERR_WRITE);
		assert_int_equal(errno, ENOSPC);
	}
}

static void
fifos_are_written_in_place(void **state)
{
	char got[10];
	int fd;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(write_text("fifo", "new", 0666, FILE_REPLACE),
	    E2E_OK);
	assert_int_equal(read(fd, got, sizeof got), 3);
	assert_memory_equal(got, "new", 3);
	(void)close(fd);
	assert_int_equal(entries("."), 1);
}

static void
own_descriptors_are_written_where_they_stand(void **state)
{
	struct stat before, after;
	char name[40];
	int fd;

	for (int i = 0; i < 2; i++) {
		put("out", "old", 0644);
		fd = open("out", O_WRONLY | O_APPEND);
		assert_int_equal(fstat(fd, &before), 0);
		(void)snprintf(name, sizeof name, i == 0 ? "/dev/fd/%d" :
		    "/proc/self/fd/%d", fd);
		if (access(name, F_OK) != 0) {
			(void)close(fd);
			continue;
		}
		assert_int_equal(write_text(name, "new", 0600, FILE_REPLACE),
		    E2E_OK);
		assert_int_equal(write(fd, "er", 2), 2);
		(void)close(fd);
		assert_true(holds("out", "oldnewer"));
		assert_int_equal(stat("out", &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(mode_of("out"), 0644);
		assert_int_equal(entries("."), 1);
	}
	check_refused("/dev/fd/987", ENOENT);
}

static int
write_to_stdout(void)
{
	int fd = open("out", O_WRONLY | O_APPEND);

	return fd < 0 || dup2(fd, 1) < 0 || write_text("/dev/stdout", "new",
	    0666, FILE_REPLACE) != E2E_OK;
}

static void
standard_output_is_never_replaced(void **state)
{
	put("out", "old", 0666);
	assert_int_equal(chmod(".", 0777), 0);
	assert_int_equal(unprivileged(write_to_stdout), 0);
	assert_true(holds("out", "oldnew"));
	assert_int_equal(chmod(".", 0700), 0);
}

/* ---- failures ---- */

static void
check_commit_fails(enum file_manner manner)
{
	int before = entries(".");
	struct file_out *out = begin(manner == FILE_NEW ? "fresh" : "out",
	    manner);

	assert_int_equal(file_out_commit(out), E2E_ERR_WRITE);
	assert_int_equal(errno, EIO);
	assert_true(holds("out", "old"));
	assert_int_equal(entries("."), before);
}

static void
failing_commits(void)
{
	put("out", "old", 0644);
	for (int manner = FILE_REPLACE; manner <= FILE_NEW; manner++) {
		hook.fsync_errno = EIO;
		hook.fsync_skip = 0;
		check_commit_fails(manner);
	}
	hook.rename_errno = EIO;
	check_commit_fails(FILE_REPLACE);
	hook.rename_errno = 0;
	hook.link_errno = EIO;
	if (!hook.no_unnamed || hook.no_noreplace)
		check_commit_fails(FILE_NEW);
	if (!hook.no_unnamed)
		check_commit_fails(FILE_REPLACE);
}

static void
failed_commit_leaves_the_old_file(void **state)
{
#ifdef HOOKS
	both_ways(failing_commits);
#else
	skip();
#endif
}

static void
unflushed_folder(void)
{
	hook.fsync_errno = EIO;
	hook.fsync_skip = 1;
	assert_int_equal(file_out_commit(begin("out", FILE_REPLACE)),
	    E2E_ERR_WRITE);
	assert_int_equal(errno, EIO);
	assert_true(holds("out", "new"));
	assert_int_equal(entries("."), 1);
}

static void
folder_that_fails_to_flush_is_reported(void **state)
{
#ifdef HOOKS
	both_ways(unflushed_folder);
#else
	skip();
#endif
}

static void
interrupted_and_needless_flushes_are_no_failure(void **state)
{
#ifdef HOOKS
	static const int harmless[] = { EINTR, EINVAL, ENOTSUP };

	for (int i = 0; i < 3; i++)
		for (int n = 0; n < 2; n++) {
			hook.fsync_errno = harmless[i];
			hook.fsync_skip = n;
			assert_int_equal(file_out_commit(begin("out",
			    FILE_REPLACE)), E2E_OK);
			assert_int_equal(hook.fsync_errno, 0);
		}
#else
	skip();
#endif
}

/* ---- signals ---- */

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

/* A child that is killed with two files half written; its signal. */
static int
killed_while_writing(int sig, bool in_rename)
{
	int status, ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct file_out *out;

		(void)signal(sig, SIG_DFL);
		file_remove_on_signal();
		out = begin("out", FILE_REPLACE);
		(void)begin("fresh", FILE_NEW);
		hook.rename_signal = in_rename ? sig : 0;
		if (in_rename)
			(void)file_out_commit(out);
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	if (!in_rename) {
		assert_int_equal(read(ends[0], &byte, 1), 1);
		assert_int_equal(kill(pid, sig), 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
killed(void)
{
	put("out", "old", 0644);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(killed_while_writing(deadly[i], false),
		    deadly[i]);
		assert_true(holds("out", "old"));
		assert_int_equal(entries("."), 1);
	}
}

static void
signals_remove_what_is_half_written_and_kill(void **state)
{
	both_ways(killed);
}

static void
killed_in_rename(void)
{
	put("out", "old", 0644);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(killed_while_writing(deadly[i], true),
		    deadly[i]);
		assert_true(holds("out", "old"));
		assert_int_equal(entries("."), 1);
	}
}

static void
signals_just_before_the_rename_leave_nothing(void **state)
{
#ifdef HOOKS
	both_ways(killed_in_rename);
#else
	skip();
#endif
}

static void
ignored_signals_stay_ignored(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGHUP, SIG_IGN);
		(void)signal(SIGPIPE, SIG_IGN);
		file_remove_on_signal();
		(void)raise(SIGHUP);
		(void)raise(SIGPIPE);
		_exit(5);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 5);
}

static void
committed_files_survive_signals(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		file_remove_on_signal();
		if (write_text("out", "new", 0600, FILE_NEW) == E2E_OK)
			(void)raise(SIGTERM);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_true(holds("out", "new"));
	assert_int_equal(entries("."), 1);
}

/* ---- whole files ---- */

static void
files_are_read_within_their_limit(void **state)
{
	struct buffer b;

	put("file", "0123456789", 0600);
	buffer_init(&b, 10);
	assert_int_equal(file_read("file", &b), E2E_OK);
	assert_int_equal(b.length, 10);
	assert_memory_equal(b.data, "0123456789", 10);
	buffer_free(&b);
	buffer_init_secret(&b, 9);
	assert_int_equal(file_read("file", &b), E2E_ERR_LIMIT);
	buffer_free(&b);
}

static void
absent_input_is_told_from_unreadable(void **state)
{
	struct buffer b;

	buffer_init(&b, 10);
	assert_int_equal(file_read("absent", &b), E2E_ERR_NO_INPUT);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(file_read(".", &b), E2E_ERR_NO_INPUT);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(b.length, 0);
	buffer_free(&b);
}

static void
private_means_the_owner_alone(void **state)
{
	static const struct {
		mode_t mode;
		bool is_private;
	} files[] = {
		{ 0600, true }, { 0400, true }, { 0700, true }, { 0711, true },
		{ 0640, false }, { 0620, false }, { 0604, false },
		{ 0602, false }, { 0644, false }
	};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		int fd;

		put("file", "x", files[i].mode);
		fd = open("file", O_RDONLY);
		assert_int_equal(file_is_private(fd), files[i].is_private);
		(void)close(fd);
	}
	assert_false(file_is_private(-1));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, clean)
	const struct CMUnitTest tests[] = {
#ifdef HOOKS
		TEST(failures_can_be_ordered),
#endif
		TEST(file_appears_at_commit),
		TEST(old_file_stays_until_commit),
		TEST(abort_leaves_nothing),
		TEST(new_never_touches_what_exists),
		TEST(new_never_replaces_what_appears_meanwhile),
		TEST(four_may_be_open_and_no_fifth),
		TEST(file_ends_where_it_began),
		TEST(impossible_names_are_refused),
		TEST(unwritable_folder_and_file_are_refused),
		TEST(folder_that_cannot_be_listed_is_no_obstacle),
		TEST(permissions_are_kept_or_made_stricter),
		TEST(temporary_is_no_more_open_than_the_file),
		TEST(owner_is_kept_where_that_is_possible),
		TEST(group_that_cannot_be_kept_loses_its_rights),
		TEST(target_of_a_link_is_replaced),
		TEST(devices_are_written_in_place),
		TEST(fifos_are_written_in_place),
		TEST(own_descriptors_are_written_where_they_stand),
		TEST(standard_output_is_never_replaced),
		TEST(failed_commit_leaves_the_old_file),
		TEST(folder_that_fails_to_flush_is_reported),
		TEST(interrupted_and_needless_flushes_are_no_failure),
		TEST(signals_remove_what_is_half_written_and_kill),
		TEST(signals_just_before_the_rename_leave_nothing),
		TEST(ignored_signals_stay_ignored),
		TEST(committed_files_survive_signals),
		TEST(files_are_read_within_their_limit),
		TEST(absent_input_is_told_from_unreadable),
		TEST(private_means_the_owner_alone),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
