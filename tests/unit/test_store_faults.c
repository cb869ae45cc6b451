/*
 * Every call that the store makes of the disk fails once, one after the
 * other: the error is told, nothing that was committed is lost, and the store
 * opened again goes on. The control is a caller that takes a failed commit for
 * a good one.
 */
#define _GNU_SOURCE		/* syscall */

#include "../store/scene.c"
#include "../store/cutvfs.c"
#include "../store/ledger.c"

#include "store/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

enum { TRANSACTIONS = 12, CALLS_MAX = 20000 };

/* ---- which call fails ---- */

static struct {
	unsigned at, seen;
	int with;
	bool hit;
} fault;

/* Counts a system call of SQLite's. True: this one fails. */
static bool
fails(void)
{
	if (fault.at == 0 || ++fault.seen != fault.at)
		return false;
	fault.hit = true;
	errno = fault.with;
	return true;
}

/* SQLite calls these two by name; it finds ours first. */
__attribute__((visibility("default"))) int
fdatasync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) int
fsync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

/* The others it lets be replaced. */
static sqlite3_syscall_ptr real_open, real_read, real_pread, real_write,
    real_pwrite, real_truncate, real_stat, real_unlink;

static int
our_open(const char *path, int flags, int mode)
{
	return fails() ? -1 : ((int (*)(const char *, int, int))real_open)(
	    path, flags, mode);
}

static ssize_t
our_read(int fd, void *data, size_t size)
{
	return fails() ? -1 : ((ssize_t (*)(int, void *, size_t))real_read)(
	    fd, data, size);
}

static ssize_t
our_pread(int fd, void *data, size_t size, off_t at)
{
	return fails() ? -1 : ((ssize_t (*)(int, void *, size_t, off_t))
	    real_pread)(fd, data, size, at);
}

static ssize_t
our_write(int fd, const void *data, size_t size)
{
	return fails() ? -1 : ((ssize_t (*)(int, const void *, size_t))
	    real_write)(fd, data, size);
}

static ssize_t
our_pwrite(int fd, const void *data, size_t size, off_t at)
{
	return fails() ? -1 : ((ssize_t (*)(int, const void *, size_t,
	    off_t))real_pwrite)(fd, data, size, at);
}

static int
our_truncate(int fd, off_t size)
{
	return fails() ? -1 : ((int (*)(int, off_t))real_truncate)(fd, size);
}

static int
our_stat(int fd, struct stat *st)
{
	return fails() ? -1 : ((int (*)(int, struct stat *))real_stat)(fd,
	    st);
}

static int
our_unlink(const char *path)
{
	return fails() ? -1 : ((int (*)(const char *))real_unlink)(path);
}

static const struct {
	const char *name;
	sqlite3_syscall_ptr ours, *real;
} calls[] = {
	{ "open", (sqlite3_syscall_ptr)our_open, &real_open },
	{ "read", (sqlite3_syscall_ptr)our_read, &real_read },
	{ "pread", (sqlite3_syscall_ptr)our_pread, &real_pread },
	{ "pread64", (sqlite3_syscall_ptr)our_pread, &real_pread },
	{ "write", (sqlite3_syscall_ptr)our_write, &real_write },
	{ "pwrite", (sqlite3_syscall_ptr)our_pwrite, &real_pwrite },
	{ "pwrite64", (sqlite3_syscall_ptr)our_pwrite, &real_pwrite },
	{ "ftruncate", (sqlite3_syscall_ptr)our_truncate, &real_truncate },
	{ "fstat", (sqlite3_syscall_ptr)our_stat, &real_stat },
	{ "unlink", (sqlite3_syscall_ptr)our_unlink, &real_unlink }
};

static void
replace_calls(sqlite3_vfs *unix_files)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		sqlite3_syscall_ptr real = unix_files->xGetSystemCall(
		    unix_files, calls[i].name);

		if (real == NULL)
			continue;	/* pread64 where there is only pread */
		*calls[i].real = real;
		assert_int_equal(unix_files->xSetSystemCall(unix_files,
		    calls[i].name, calls[i].ours), SQLITE_OK);
	}
}

/* ---- a way to fail ---- */

struct way {
	const char *name;
	void (*arm)(unsigned at, int code);	/* 0: nothing fails */
	bool (*hit)(void);
	int code;
	bool in_memory;
};

static void
arm_call(unsigned at, int code)
{
	fault.at = at;
	fault.seen = 0;
	fault.with = code;
	fault.hit = false;
}

static bool
hit_call(void)
{
	return fault.hit;
}

static const struct way ways[] = {
	{ "input/output error", cutvfs_fail_at, cutvfs_has_failed,
	    SQLITE_IOERR_WRITE, true },
	{ "full disk", cutvfs_fail_at, cutvfs_has_failed, SQLITE_FULL, true },
	{ "EIO", arm_call, hit_call, EIO, false },
	{ "ENOSPC", arm_call, hit_call, ENOSPC, false },
	{ "EINTR", arm_call, hit_call, EINTR, false }
};

struct tally {
	unsigned faults, in_opening, in_transaction, in_commit, unnoticed,
	    lost;
	const char *how;
};

/* ---- a caller that does not look at commit's answer ---- */

static enum e2e_error (*real_commit)(struct store *);

static enum e2e_error
careless_commit(struct store *s)
{
	(void)real_commit(s);	/* the point of it */
	return E2E_OK;
}

static void
make_careless(struct store *s, struct store_ops *ops)
{
	*ops = *s->ops;
	real_commit = ops->commit;
	ops->commit = careless_commit;
	s->ops = ops;
}

/* ---- the scenario ---- */

/* Opens, works, moves the log, works, closes; what fails is told and the
 * rest is tried all the same, as long as the store takes it. */
static void
work(struct ledger *l, const char *folder, bool careless, struct tally *t)
{
	struct store *s;
	struct store_ops ops;
	enum e2e_error err;
	int failed = 0;

	err = store_sqlite_open(&s, folder, STORE_WRITE, NULL);
	if (err != E2E_OK) {
		assert_null(s);
		t->in_opening++;
		return;
	}
	if (careless)
		make_careless(s, &ops);
	for (unsigned i = 0; i < TRANSACTIONS && !l->open; i++) {
		if (i == TRANSACTIONS / 2)
			(void)sqlite_checkpoint(sqlite_store_of(s)->db, true);
		err = ledger_work(l, s, l->promises == 0 ? 0 : 1000 + i);
		if (err != E2E_OK)
			failed++;
	}
	/* The calls fail once, and not for ever. */
	assert_true(failed <= 1 || l->open || careless);
	t->in_commit += l->open;
	t->in_transaction += failed > 0 && !l->open;
	t->unnoticed += failed == 0;
	s->ops->close(s);
}

static bool
survey(struct ledger *l, const char *folder, struct tally *t)
{
	struct store *s;
	enum e2e_error err = store_sqlite_open(&s, folder, STORE_WRITE,
	    &t->how);
	bool good;

	if (err != E2E_OK) {
		t->how = e2e_error_text(err);
		if (l->open)
			(void)l->after->ops->rollback(l->after);
		return false;
	}
	good = ledger_settle(l, s, &t->how);
	/* And it goes on. */
	if (good) {
		err = ledger_work(l, s, l->promises == 0 ? 0 : 77);
		good = err == E2E_OK && ledger_settle(l, s, &t->how);
	}
	s->ops->close(s);
	return good;
}

/* The n-th call fails. False: there is no n-th call. */
static bool
try_call(const struct way *way, unsigned n, bool careless, struct tally *t)
{
	struct folder folder;
	struct ledger l;
	bool hit;

	folder_make(&folder);
	ledger_open(&l);
	if (way->in_memory)
		cutvfs_reset();
	way->arm(n, way->code);
	work(&l, folder.store, careless, t);
	hit = way->hit();
	way->arm(0, 0);
	t->faults += hit;
	if (!survey(&l, folder.store, t)) {
		t->lost++;
		if (!careless)
			print_error("%s at call %u: %s\n", way->name, n,
			    t->how);
	}
	ledger_close(&l);
	folder_remove(&folder);
	return hit;
}

static void
try_way(const struct way *way, bool careless, unsigned step, struct tally *t)
{
	sqlite3_vfs *disk = sqlite3_vfs_find(way->in_memory ? "cut" : "unix");
	unsigned n = 1;

	assert_non_null(disk);
	assert_int_equal(sqlite3_vfs_register(disk, 1), SQLITE_OK);
	while (n < CALLS_MAX && try_call(way, n, careless, t))
		n += step;
	assert_true(n < CALLS_MAX);
	print_message("# %s%s: %u calls failed (%u in opening, %u in a "
	    "transaction, %u in a commit, %u without harm), lost %u times\n",
	    way->name, careless ? ", careless" : "", t->faults,
	    t->in_opening, t->in_transaction, t->in_commit, t->unnoticed,
	    t->lost);
}

static void
test_fault(void **state)
{
	const struct way *way = *state;
	struct tally t = { .faults = 0 };

	try_way(way, false, 1, &t);
	assert_int_equal(t.lost, 0);
	assert_true(t.faults > 50);
	/* Signals that interrupt are mostly taken in one's stride. */
	assert_true(t.in_commit > 0);
	assert_true(t.in_opening > 0);
}

static void
test_control_careless(void **state)
{
	struct tally t = { .faults = 0 };

	try_way(*state, true, 1, &t);
	assert_true(t.lost > 5);
}

static int
set_up(void **state)
{
	sqlite3_vfs *unix_files = sqlite3_vfs_find("unix");

	assert_non_null(unix_files);
	replace_calls(unix_files);
	cutvfs_install();
	return 0;
}

#define WAY(name, i) \
	{ name, test_fault, NULL, NULL, (void *)(uintptr_t)&ways[i] }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WAY("every call of the disk: input/output error", 0),
		WAY("every call of the disk: full", 1),
		WAY("every system call: EIO", 2),
		WAY("every system call: ENOSPC", 3),
		WAY("every system call: EINTR", 4),
		{ "control: a failed commit taken for a good one",
		    test_control_careless, NULL, NULL,
		    (void *)(uintptr_t)&ways[0] }
	};

	return cmocka_run_group_tests_name("store faults", tests, set_up,
	    NULL);
}
