/* The state: once each, in order, within bounds, and never made anew. */
#include "../store/scene.c"

#include "base/buffer.h"
#include "base/file.h"
#include "state/tables.h"
#include "state/window.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOW UINT64_C(1800000000)
#define DAY UINT64_C(86400)

static struct folder folder;

static int
make(void **state)
{
	folder_make(&folder);
	return 0;
}

static int
unmake(void **state)
{
	folder_remove(&folder);
	return 0;
}

static const char *
inside(const char *name)
{
	static char path[160];

	(void)snprintf(path, sizeof path, "%s/%s", folder.store, name);
	return path;
}

static struct state *
open_with(uint64_t now, uint64_t keep, uint64_t rows)
{
	struct state_policy policy = {
		.now = now, .keep = keep, .rows = rows
	};
	struct state *s;
	const char *why;
	enum e2e_error err = state_open(&s, folder.store, &policy, &why);

	if (err != E2E_OK)
		print_error("%s: %s\n", e2e_error_text(err),
		    why != NULL ? why : "");
	assert_int_equal(err, E2E_OK);
	assert_non_null(s);
	return s;
}

static struct state *
open_it(void)
{
	return open_with(NOW, 0, 0);
}

static void
refuses(enum e2e_error want, bool says_why)
{
	struct state_policy policy = { .now = NOW };
	struct state *s;
	const char *why;

	assert_int_equal(state_open(&s, folder.store, &policy, &why), want);
	assert_null(s);
	assert_int_equal(why != NULL, says_why);
}

static struct state_message
message(unsigned char name, uint64_t time)
{
	struct state_message m = { .hash = { name, 1, 2, 3 }, .time = time };

	return m;
}

static struct state_message
numbered(unsigned char name, uint64_t number)
{
	struct state_message m = message(name, NOW);

	m.hash[20] = (unsigned char)(number >> 8);
	m.numbered = true;
	m.sender[0] = 's';
	m.conversation[0] = 'c';
	m.number = number;
	return m;
}

static enum e2e_error
admit(struct state *s, const struct state_message *m)
{
	struct state_order order;

	return state_admit(s, m, &order);
}

/* Opened to the end. */
static struct state_order
take(struct state *s, const struct state_message *m)
{
	struct state_order order;

	assert_int_equal(state_admit(s, m, &order), E2E_OK);
	assert_int_equal(state_done(s), E2E_OK);
	return order;
}

/* As if killed after it was admitted. */
static void
leave(const struct state_message *m)
{
	struct state *s = open_it();

	assert_int_equal(admit(s, m), E2E_OK);
	state_close(s);
}

static void
write_bytes(const char *name, const void *data, size_t size)
{
	int fd = open(inside(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	assert_int_equal(close(fd), 0);
}

static bool
is_there(const char *name)
{
	struct stat st;

	return lstat(inside(name), &st) == 0;
}

/* ---- the folder ---- */

static void
test_made_private_and_found_again(void **state)
{
	static const char *const names[] = { "state.db", "lock", "format" };
	struct state_message m = message(1, NOW);
	struct state *s = open_it();
	struct stat st;

	(void)take(s, &m);
	state_close(s);
	assert_int_equal(stat(folder.store, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(stat(inside(names[i]), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_false(is_there("state.db-begun"));
	assert_false(is_there("state.db-journal"));
	s = open_it();
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	state_close(s);
	state_close(NULL);
}

static void
test_a_folder_with_other_things(void **state)
{
	assert_int_equal(mkdir(folder.store, 0755), 0);
	write_bytes("notes", "x", 1);
	state_close(open_it());
	state_close(open_it());
	assert_true(is_there("notes"));
}

static void
test_what_is_no_folder(void **state)
{
	struct state_policy policy = { .now = NOW };
	struct state *s;

	assert_int_equal(file_write(folder.store, "x", 1, 0600, FILE_NEW),
	    E2E_OK);
	errno = 0;
	refuses(E2E_ERR_CREATE, false);
	assert_int_equal(errno, ENOTDIR);
	errno = 0;
	assert_int_equal(state_open(&s, folder_name(&folder, "a/b"), &policy,
	    NULL), E2E_ERR_CREATE);
	assert_int_equal(errno, ENOENT);
}

static void
test_a_start_that_was_cut_off(void **state)
{
	/* After the folder. */
	assert_int_equal(mkdir(folder.store, 0700), 0);
	write_bytes("lock", "", 0);
	/* After the mark, and after the file. */
	write_bytes("state.db-begun", "", 0);
	state_close(open_it());
	assert_int_equal(unlink(inside("format")), 0);
	write_bytes("state.db", "", 0);
	write_bytes("state.db-begun", "", 0);
	state_close(open_it());
	assert_false(is_there("state.db-begun"));
	/* After the database. */
	assert_int_equal(unlink(inside("format")), 0);
	state_close(open_it());
	assert_true(is_there("format"));
}

/* Does something to a state in which one message is. Then it is refused,
 * and not touched. */
static void
damaged(const char *name, const void *data, size_t size, enum e2e_error want)
{
	struct state_message m = message(1, NOW);
	struct state *s = open_it();
	struct buffer before, after;

	(void)take(s, &m);
	state_close(s);
	if (data == NULL)
		assert_int_equal(unlink(inside(name)), 0);
	else
		write_bytes(name, data, size);
	buffer_init(&before, 1 << 20);
	buffer_init(&after, 1 << 20);
	if (data != NULL)
		assert_int_equal(file_read(inside(name), &before), E2E_OK);
	refuses(want, true);
	refuses(want, true);
	if (data != NULL)
		assert_int_equal(file_read(inside(name), &after), E2E_OK);
	else
		assert_false(is_there(name));
	assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
	buffer_free(&before);
	buffer_free(&after);
}

static void
test_gone(void **state)
{
	damaged("state.db", NULL, 0, E2E_ERR_STORE_DAMAGED);
}

static void
test_emptied(void **state)
{
	damaged("state.db", "", 0, E2E_ERR_STORE_DAMAGED);
}

static void
test_garbage(void **state)
{
	static unsigned char bytes[20000];

	memset(bytes, 0xa5, sizeof bytes);
	damaged("state.db", bytes, sizeof bytes, E2E_ERR_STORE_DAMAGED);
}

static void
test_emptied_with_mark(void **state)
{
	state_close(open_it());
	write_bytes("state.db-begun", "", 0);
	damaged("state.db", "", 0, E2E_ERR_STORE_DAMAGED);
}

static void
test_markers(void **state)
{
	static const struct {
		const char *text;
		enum e2e_error want;
	} markers[] = {
		{ "", E2E_ERR_STORE_DAMAGED },
		{ "e2e state 0\n", E2E_ERR_STORE_DAMAGED },
		{ "e2e state 1", E2E_ERR_STORE_DAMAGED },
		{ "e2e state \n", E2E_ERR_STORE_DAMAGED },
		{ "e2e state 1x\n", E2E_ERR_STORE_DAMAGED },
		{ "of somebody else's\n", E2E_ERR_STORE_DAMAGED },
		{ "e2e state 1111111111111111111111111111111111\n",
		    E2E_ERR_STORE_DAMAGED },
		{ "e2e state 2\n", E2E_ERR_STORE_VERSION },
		{ "e2e state 18446744073709551615\n", E2E_ERR_STORE_VERSION }
	};

	for (size_t i = 0; i < sizeof markers / sizeof markers[0]; i++) {
		damaged("format", markers[i].text, strlen(markers[i].text),
		    markers[i].want);
		folder_remove(&folder);
		folder_make(&folder);
	}
}

/* Changes bytes of the database itself. */
static void
poke(off_t at, const void *data, size_t size)
{
	int fd = open(inside("state.db"), O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, at), (ssize_t)size);
	assert_int_equal(close(fd), 0);
}

static void
test_headers(void **state)
{
	static unsigned char zeros[3000];

	state_close(open_it());
	poke(68, "abcd", 4);
	refuses(E2E_ERR_STORE_DAMAGED, true);
	poke(68, "e2es", 4);
	poke(60, "\0\0\0\2", 4);
	refuses(E2E_ERR_STORE_VERSION, true);
	poke(60, "\0\0\0\1", 4);
	state_close(open_it());
	/* The tables' definitions. */
	poke(100, zeros, sizeof zeros);
	refuses(E2E_ERR_STORE_DAMAGED, true);
}

static void
test_cut_short(void **state)
{
	struct stat st;

	state_close(open_it());
	assert_int_equal(stat(inside("state.db"), &st), 0);
	assert_int_equal(truncate(inside("state.db"), st.st_size / 2), 0);
	refuses(E2E_ERR_STORE_DAMAGED, true);
	assert_int_equal(truncate(inside("state.db"), 50), 0);
	refuses(E2E_ERR_STORE_DAMAGED, true);
}

static void
test_tables_gone(void **state)
{
	struct state *s = open_it();

	assert_int_equal(sqlite_run(s->db, "DROP TABLE epoch"), E2E_OK);
	state_close(s);
	refuses(E2E_ERR_STORE_DAMAGED, true);
}

enum stranger { FIFO, LINK_TO_NOTHING, LINK_TO_ITSELF, FOLDER, STRANGERS };

/* In the place of a file, which is kept under another name if it is there. */
static void
replace(const char *name, enum stranger stranger)
{
	char path[160], kept[160];

	(void)snprintf(path, sizeof path, "%s", inside(name));
	(void)snprintf(kept, sizeof kept, "%s", inside("kept"));
	if (rename(path, kept) != 0)
		assert_int_equal(errno, ENOENT);
	switch (stranger) {
	case FIFO:
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case LINK_TO_NOTHING:
		assert_int_equal(symlink("elsewhere", path), 0);
		break;
	case LINK_TO_ITSELF:
		assert_int_equal(symlink("kept", path), 0);
		break;
	default:
		assert_int_equal(mkdir(path, 0700), 0);
	}
}

/* Neither waited for nor followed, in a folder that is made, and in one that
 * was. */
static void
test_what_is_no_file(void **state)
{
	static const char *const names[] = {
		"format", "lock", "state.db", "state.db-journal",
		"state.db-wal"
	};
	bool made;

	for (size_t i = 0; i < 2 * sizeof names / sizeof names[0]; i++) {
		for (int k = 0; k < STRANGERS; k++) {
			made = i % 2 != 0;
			if (made)
				state_close(open_it());
			else
				assert_int_equal(mkdir(folder.store, 0700),
				    0);
			replace(names[i / 2], (enum stranger)k);
			refuses(E2E_ERR_STORE_DAMAGED, true);
			assert_false(is_there("elsewhere"));
			assert_true(made || !is_there("kept"));
			folder_remove(&folder);
			folder_make(&folder);
		}
	}
}

/* The folder may be. */
static void
test_a_link_to_the_folder(void **state)
{
	struct state_policy policy = { .now = NOW };
	struct state_message m = message(1, NOW);
	const char *link = folder_name(&folder, "link");
	struct state *s = open_it();

	(void)take(s, &m);
	state_close(s);
	assert_int_equal(symlink(folder.store, link), 0);
	assert_int_equal(state_open(&s, link, &policy, NULL), E2E_OK);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	state_close(s);
}

static void
test_columns_of_the_wrong_length(void **state)
{
	struct state_message m = numbered(1, 5), next = numbered(2, 6);
	struct state *s = open_it();

	(void)take(s, &m);
	assert_int_equal(sqlite_run(s->db, "UPDATE numbers SET bits = 'x'"),
	    E2E_OK);
	assert_int_equal(admit(s, &next), E2E_ERR_STORE_DAMAGED);
	assert_non_null(state_why(s));
	state_close(s);
}

static void
test_deleted_while_open(void **state)
{
	struct state_message m = message(1, NOW);
	struct state *s = open_it();

	assert_int_equal(unlink(inside("state.db")), 0);
	assert_int_equal(admit(s, &m), E2E_ERR_STORE);
	assert_non_null(state_why(s));
	state_close(s);
	refuses(E2E_ERR_STORE_DAMAGED, true);
}

static void
test_busy(void **state)
{
	struct state_message m = message(1, NOW);
	struct state *s = open_it(), *other = open_it();

	assert_int_equal(sqlite_run(s->db, "PRAGMA busy_timeout = 1"),
	    E2E_OK);
	assert_int_equal(sqlite_begin(other->db), E2E_OK);
	assert_int_equal(admit(s, &m), E2E_ERR_BUSY);
	assert_non_null(state_why(s));
	assert_int_equal(sqlite_rollback(other->db), E2E_OK);
	(void)take(s, &m);
	state_close(other);
	state_close(s);
}

static void
test_settings(void **state)
{
	struct state *s = open_it();
	uint64_t n;

	assert_int_equal(sqlite_ask(s->db, "PRAGMA synchronous", &n), E2E_OK);
	assert_int_equal(n, 3);
	assert_int_equal(sqlite_ask(s->db, "SELECT count(*) FROM "
	    "pragma_journal_mode WHERE journal_mode = 'delete'", &n), E2E_OK);
	assert_int_equal(n, 1);
	state_close(s);
}

/* ---- once each ---- */

static void
test_done_is_refused_for_good(void **state)
{
	struct state_message m = message(1, NOW), n = message(2, NOW);
	struct state *s = open_it();

	assert_false(take(s, &m).interrupted);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	(void)take(s, &n);
	state_close(s);
	s = open_it();
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	assert_int_equal(admit(s, &n), E2E_ERR_REPEATED);
	state_close(s);
}

static void
test_abandoned_is_as_if_never_seen(void **state)
{
	struct state_message m = numbered(1, 9);
	struct state_order order;
	struct state *s = open_it();

	assert_int_equal(admit(s, &m), E2E_OK);
	assert_int_equal(state_abandon(s), E2E_OK);
	assert_int_equal(state_admit(s, &m, &order), E2E_OK);
	assert_false(order.interrupted);
	assert_int_equal(order.place, STATE_FIRST);
	assert_int_equal(state_abandon(s), E2E_OK);
	/* Another message may have its number. */
	m.hash[0]++;
	assert_int_equal(take(s, &m).place, STATE_FIRST);
	state_close(s);
}

static void
test_interrupted_is_admitted_again(void **state)
{
	struct state_message m = numbered(1, 9);
	struct state_order order;
	struct state *s;

	leave(&m);
	leave(&m);
	s = open_it();
	assert_int_equal(state_admit(s, &m, &order), E2E_OK);
	assert_true(order.interrupted);
	assert_int_equal(order.place, STATE_FIRST);
	assert_int_equal(state_done(s), E2E_OK);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	state_close(s);
}

/* What fails afterwards may be another, altered copy. */
static void
test_abandoned_stays_interrupted(void **state)
{
	struct state_message m = numbered(1, 9), n = numbered(2, 9);
	struct state_order order;
	struct state *s;

	leave(&m);
	s = open_it();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(state_admit(s, &m, &order), E2E_OK);
		assert_true(order.interrupted);
		assert_int_equal(state_abandon(s), E2E_OK);
		assert_int_equal(admit(s, &n), E2E_ERR_NUMBER_REPEATED);
	}
	/* Of another message nothing stays. */
	n.number = 10;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(state_admit(s, &n, &order), E2E_OK);
		assert_false(order.interrupted);
		assert_int_equal(state_abandon(s), E2E_OK);
	}
	assert_true(take(s, &m).interrupted);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	state_close(s);
}

static void
test_one_at_a_time(void **state)
{
	struct state_message m = message(1, NOW);
	struct state *s = open_it();

	assert_int_equal(state_done(s), E2E_ERR_USAGE);
	assert_int_equal(state_abandon(s), E2E_ERR_USAGE);
	assert_int_equal(admit(s, &m), E2E_OK);
	assert_int_equal(admit(s, &m), E2E_ERR_USAGE);
	assert_int_equal(state_done(s), E2E_OK);
	assert_int_equal(state_done(s), E2E_ERR_USAGE);
	state_close(s);
}

static void
test_two_handles(void **state)
{
	struct state_message m = message(1, NOW);
	struct state *s = open_it(), *other = open_it();

	/* Record locks do not stop a process from meeting itself. */
	assert_int_equal(admit(s, &m), E2E_OK);
	assert_int_equal(admit(other, &m), E2E_OK);
	assert_int_equal(state_done(other), E2E_OK);
	assert_int_equal(state_done(s), E2E_ERR_REPEATED);
	state_close(other);
	state_close(s);
}

/* Runs work(i) in `count` processes at once; how many have this status? */
static unsigned
in_processes(unsigned count, int (*work)(unsigned), int status)
{
	unsigned found = 0;
	pid_t children[16];
	int got;

	for (unsigned i = 0; i < count; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(work(i));
	}
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(waitpid(children[i], &got, 0), children[i]);
		assert_true(WIFEXITED(got));
		found += WEXITSTATUS(got) == status;
	}
	return found;
}

/* 0: done, 1: refused as done, else an error. */
static int
open_the_same(unsigned i)
{
	struct state_policy policy = { .now = NOW };
	struct state_message m = message(1, NOW);
	struct state *s;
	enum e2e_error err = state_open(&s, folder.store, &policy, NULL);

	if (err == E2E_OK)
		err = admit(s, &m);
	if (err == E2E_OK)
		err = state_done(s);
	state_close(s);
	return err == E2E_OK ? 0 : err == E2E_ERR_REPEATED ? 1 : 2;
}

static void
test_one_of_many_processes(void **state)
{
	/* They make the folder, too. */
	assert_int_equal(in_processes(12, open_the_same, 1), 11);
	assert_int_equal(in_processes(3, open_the_same, 1), 3);
}

static int
fail_or_do(unsigned i)
{
	struct state_policy policy = { .now = NOW };
	struct state_message m = message(1, NOW);
	struct state *s;

	if (state_open(&s, folder.store, &policy, NULL) != E2E_OK ||
	    admit(s, &m) != E2E_OK)
		return 2;
	if (i % 2 == 0 && state_abandon(s) != E2E_OK)
		return 2;
	/* Else it ends without a word. */
	return 0;
}

static void
test_who_fails_lets_others_try(void **state)
{
	assert_int_equal(in_processes(12, fail_or_do, 0), 12);
	assert_int_equal(open_the_same(0), 0);
}

/* A process that stays in the middle of something until it is told. */
struct holder {
	pid_t process;
	int told;		/* closed: go on */
};

static struct holder
hold(void (*begin)(void), void (*end)(void))
{
	struct holder h;
	int there[2], told[2];
	char byte;

	assert_int_equal(pipe(there), 0);
	assert_int_equal(pipe(told), 0);
	h.process = fork();
	assert_true(h.process >= 0);
	if (h.process == 0) {
		(void)close(told[1]);
		begin();
		(void)!write(there[1], "x", 1);
		(void)!read(told[0], &byte, 1);
		end();
		_exit(0);
	}
	(void)close(there[1]);
	(void)close(told[0]);
	assert_int_equal(read(there[0], &byte, 1), 1);
	(void)close(there[0]);
	h.told = told[1];
	return h;
}

static void
let_end(struct holder h)
{
	int status;

	assert_int_equal(close(h.told), 0);
	assert_int_equal(waitpid(h.process, &status, 0), h.process);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static struct state *held;

static void
begin_message(void)
{
	struct state_message m = numbered(1, 5);

	held = open_it();
	if (admit(held, &m) != E2E_OK)
		_exit(1);
}

static void
end_message(void)
{
	if (state_done(held) != E2E_OK)
		_exit(1);
	state_close(held);
}

static void
test_the_same_is_not_waited_for_for_ever(void **state)
{
	struct state_policy policy = { .now = NOW, .wait = 20 };
	struct state_message m = numbered(1, 5), n = numbered(2, 6);
	struct holder h = hold(begin_message, end_message);
	struct state *s;

	assert_int_equal(state_open(&s, folder.store, &policy, NULL), E2E_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(admit(s, &m), E2E_ERR_BUSY);
		assert_non_null(state_why(s));
		assert_int_equal(state_abandon(s), E2E_ERR_USAGE);
	}
	/* Others go on. */
	(void)take(s, &n);
	let_end(h);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	state_close(s);
}

static void
begin_making(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = INT64_C(1) << 62, .l_len = 1 };
	int fd;

	(void)mkdir(folder.store, 0700);
	fd = open(inside("lock"), O_RDWR | O_CREAT, 0600);
	if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0)
		_exit(1);
}

static void
end_making(void)
{
}

static void
test_who_makes_it_is_not_waited_for_for_ever(void **state)
{
	struct state_policy policy = { .now = NOW, .wait = 20 };
	struct holder h = hold(begin_making, end_making);
	struct state *s;
	const char *why;

	assert_int_equal(state_open(&s, folder.store, &policy, &why),
	    E2E_ERR_BUSY);
	assert_non_null(why);
	assert_null(s);
	assert_false(is_there("state.db"));
	let_end(h);
	state_close(open_it());
}

/* ---- in order ---- */

static void
test_order(void **state)
{
	struct state_message m = numbered(1, 5);
	struct state_order order;
	struct state *s = open_it();

	assert_int_equal(take(s, &m).place, STATE_FIRST);
	m = numbered(2, 6);
	assert_int_equal(take(s, &m).place, STATE_NEXT);
	m = numbered(3, 10);
	order = take(s, &m);
	assert_int_equal(order.place, STATE_GAP);
	assert_int_equal(order.missing_from, 7);
	assert_int_equal(order.missing_to, 9);
	m = numbered(4, 8);
	assert_int_equal(take(s, &m).place, STATE_LATE);
	m = numbered(5, 0);
	assert_int_equal(take(s, &m).place, STATE_LATE);
	m = numbered(6, 8);
	assert_int_equal(admit(s, &m), E2E_ERR_NUMBER_REPEATED);
	/* Of another sender, and of another conversation. */
	m.sender[31] = 1;
	assert_int_equal(take(s, &m).place, STATE_FIRST);
	m = numbered(7, 8);
	m.conversation[15] = 1;
	assert_int_equal(take(s, &m).place, STATE_FIRST);
	m = message(8, NOW);
	assert_int_equal(take(s, &m).place, STATE_NONE);
	state_close(s);
}

static void
test_behind(void **state)
{
	struct state_message m = numbered(1, 5000);
	struct state *s = open_it();

	(void)take(s, &m);
	m = numbered(2, 5000 - WINDOW_NUMBERS + 1);
	assert_int_equal(take(s, &m).place, STATE_LATE);
	m = numbered(3, 5000 - WINDOW_NUMBERS);
	assert_int_equal(admit(s, &m), E2E_ERR_NUMBER_BEHIND);
	m = numbered(4, INT64_MAX);
	assert_int_equal(take(s, &m).place, STATE_GAP);
	m = numbered(5, INT64_MAX);
	assert_int_equal(admit(s, &m), E2E_ERR_NUMBER_REPEATED);
	m = numbered(6, UINT64_C(1) << 63);
	assert_int_equal(admit(s, &m), E2E_ERR_LIMIT);
	state_close(s);
}

static void
test_pending_holds_its_number(void **state)
{
	struct state_message m = numbered(1, 5), n = numbered(2, 5);
	struct state_message far = numbered(3, 4000);
	struct state_order order;
	struct state *s;

	leave(&m);
	s = open_it();
	assert_int_equal(admit(s, &n), E2E_ERR_NUMBER_REPEATED);
	/* Whatever comes meanwhile, it can still be opened. */
	(void)take(s, &far);
	assert_int_equal(state_admit(s, &m, &order), E2E_OK);
	assert_int_equal(order.place, STATE_LATE);
	assert_int_equal(state_done(s), E2E_OK);
	assert_int_equal(admit(s, &n), E2E_ERR_NUMBER_BEHIND);
	state_close(s);
}

/* ---- within bounds ---- */

static uint64_t
ask(struct state *s, const char *sql)
{
	uint64_t n;

	assert_int_equal(sqlite_ask(s->db, sql, &n), E2E_OK);
	return n;
}

static void
test_no_more_rows_than_that(void **state)
{
	struct state *s = open_with(NOW, 0, 8);
	struct state_message m;

	for (unsigned char i = 0; i < 20; i++) {
		m = message(i, NOW - 100 + i);
		(void)take(s, &m);
		assert_true(ask(s, "SELECT count(*) FROM message") <= 8);
		assert_int_equal(ask(s, "SELECT messages FROM self"),
		    ask(s, "SELECT count(*) FROM message"));
	}
	/* Those that were forgotten, those that are remembered. */
	for (unsigned char i = 0; i < 20; i++) {
		m = message(i, NOW - 100 + i);
		assert_int_equal(admit(s, &m), i < 12 ? E2E_ERR_TOO_OLD :
		    E2E_ERR_REPEATED);
	}
	/* One that is as old as the last of those, and was never seen. */
	m = message(100, NOW - 100 + 12);
	assert_int_equal(admit(s, &m), E2E_ERR_TOO_OLD);
	m = message(101, NOW - 100 + 14);
	(void)take(s, &m);
	state_close(s);
}

static void
test_horizon_of_equal_times(void **state)
{
	struct state *s = open_with(NOW, 0, 4);
	struct state_message m;

	for (unsigned char i = 0; i < 4; i++) {
		m = message(i, NOW);
		(void)take(s, &m);
	}
	m = message(4, NOW);
	assert_int_equal(admit(s, &m), E2E_ERR_TOO_OLD);
	/* Nothing was forgotten for one that was refused. */
	m = message(0, NOW);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	m = message(5, NOW + 1);
	(void)take(s, &m);
	m = message(0, NOW);
	assert_int_equal(admit(s, &m), E2E_ERR_TOO_OLD);
	/* Of the same time, and not forgotten. */
	m = message(3, NOW);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	state_close(s);
}

static void
test_kept_for_so_long(void **state)
{
	struct state_message m = message(1, NOW), n = message(2, NOW + 1),
	    fresh = message(3, NOW + 10 * DAY + 1);
	struct state *s = open_with(NOW, 10 * DAY, 0);

	(void)take(s, &m);
	(void)take(s, &n);
	state_close(s);
	s = open_with(NOW + 10 * DAY, 10 * DAY, 0);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	state_close(s);
	s = open_with(NOW + 10 * DAY + 1, 10 * DAY, 0);
	(void)take(s, &fresh);
	assert_int_equal(admit(s, &m), E2E_ERR_TOO_OLD);
	assert_int_equal(admit(s, &n), E2E_ERR_REPEATED);
	state_close(s);
	/* What is forgotten stays forgotten, whatever the policy. */
	s = open_with(NOW, 0, 0);
	assert_int_equal(admit(s, &m), E2E_ERR_TOO_OLD);
	assert_int_equal(admit(s, &n), E2E_ERR_REPEATED);
	state_close(s);
}

/* For once the clock was two years ahead, and mail came meanwhile. */
static void
test_a_clock_ahead(void **state)
{
	struct state_message m = message(1, NOW), n = message(2, NOW + 5),
	    late = message(3, NOW + 1), last = message(4, NOW + 500 * DAY);
	struct state *s = open_it();

	(void)take(s, &m);
	state_close(s);
	s = open_with(NOW + 730 * DAY, 0, 0);
	(void)take(s, &n);
	state_close(s);
	s = open_with(NOW + 10, 0, 0);
	(void)take(s, &late);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	assert_int_equal(admit(s, &n), E2E_ERR_REPEATED);
	/* A date that is ahead forgets nothing while the clock is right. */
	(void)take(s, &last);
	assert_int_equal(ask(s, "SELECT horizon FROM self"), 0);
	state_close(s);
	/* And when its time has come, they end. */
	s = open_with(NOW + 500 * DAY, 0, 0);
	m = message(5, NOW + 500 * DAY);
	(void)take(s, &m);
	assert_int_equal(ask(s, "SELECT horizon FROM self"), NOW + 6);
	state_close(s);
}

/* Nothing of that time was forgotten: old is not too old. */
static void
test_old_and_unknown(void **state)
{
	struct state_message m = message(1, 0);
	struct state *s = open_it();

	(void)take(s, &m);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	m = message(2, INT64_MAX);
	assert_int_equal(admit(s, &m), E2E_ERR_LIMIT);
	m = message(2, INT64_MAX - 1);
	(void)take(s, &m);
	state_close(s);
}

static void
test_pending_ends_and_is_not_held_against_it(void **state)
{
	struct state_message m = numbered(1, 5), n = numbered(2, 5);
	struct state_order order;
	struct state *s;

	leave(&m);
	s = open_with(NOW + 500 * DAY, 0, 0);
	n.time = NOW + 500 * DAY;
	(void)take(s, &n);
	/* It was never opened, and its number is another's now. */
	assert_int_equal(admit(s, &m), E2E_ERR_NUMBER_REPEATED);
	m = message(3, NOW);
	assert_int_equal(state_admit(s, &m, &order), E2E_OK);
	assert_int_equal(state_abandon(s), E2E_OK);
	state_close(s);
}

/* Its row went while it was being opened. */
static void
test_done_without_a_row(void **state)
{
	struct state_message m = message(1, NOW), n = message(2, NOW + 1);
	struct state *s = open_it(), *other;

	assert_int_equal(admit(s, &m), E2E_OK);
	other = open_with(NOW, 0, 1);
	(void)take(other, &n);
	assert_int_equal(ask(other, "SELECT count(*) FROM message"), 1);
	state_close(other);
	assert_int_equal(state_done(s), E2E_OK);
	assert_int_equal(admit(s, &m), E2E_ERR_REPEATED);
	state_close(s);
}

static void
test_forgets_little_at_once(void **state)
{
	struct state *s = open_it();
	struct state_message m = message(0, NOW);

	for (unsigned i = 0; i < 3 * FORGET_MAX; i++) {
		m = message((unsigned char)i, NOW);
		m.hash[9] = (unsigned char)(i >> 8);
		(void)take(s, &m);
	}
	state_close(s);
	s = open_with(NOW + 1000 * DAY, 0, 0);
	for (unsigned i = 1; i < 4; i++) {
		m = message((unsigned char)i, NOW + 1000 * DAY);
		m.hash[9] = 0xff;
		(void)take(s, &m);
		assert_int_equal(ask(s, "SELECT messages FROM self"),
		    (3 - i) * FORGET_MAX + i);
	}
	state_close(s);
}

static void
test_conversations_are_forgotten(void **state)
{
	struct state_message m = numbered(1, 5), n = numbered(2, 5);
	struct state *s = open_it();

	(void)take(s, &m);
	state_close(s);
	s = open_with(NOW + 401 * DAY, 0, 2);
	n.time = NOW + 401 * DAY;
	assert_int_equal(take(s, &n).place, STATE_FIRST);
	for (unsigned char i = 0; i < 5; i++) {
		m = numbered((unsigned char)(10 + i), 1);
		m.time = NOW + 402 * DAY + i;
		m.conversation[3] = i;
		(void)take(s, &m);
		assert_true(ask(s, "SELECT count(*) FROM numbers") <= 2);
	}
	assert_int_equal(ask(s, "SELECT numbers FROM self"), 2);
	state_close(s);
}

/* ---- sending ---- */

static uint64_t
reserve(struct state *s, unsigned char who, const char *name,
    unsigned char conversation[STATE_CONVERSATION_LEN])
{
	unsigned char sender[E2E_ID_LEN] = { who };
	uint64_t number;

	assert_int_equal(state_reserve(s, sender, name, strlen(name),
	    conversation, &number), E2E_OK);
	return number;
}

static void
test_numbers_rise(void **state)
{
	unsigned char first[STATE_CONVERSATION_LEN],
	    c[STATE_CONVERSATION_LEN];
	struct state *s = open_it();

	assert_int_equal(reserve(s, 1, "bob", first), 1);
	assert_int_equal(reserve(s, 1, "bob", c), 2);
	assert_memory_equal(c, first, sizeof c);
	assert_int_equal(reserve(s, 1, "carol", c), 1);
	assert_memory_not_equal(c, first, sizeof c);
	assert_int_equal(reserve(s, 2, "bob", c), 1);
	assert_memory_not_equal(c, first, sizeof c);
	assert_int_equal(reserve(s, 1, "", c), 1);
	state_close(s);
	s = open_it();
	assert_int_equal(reserve(s, 1, "bob", c), 3);
	assert_memory_equal(c, first, sizeof c);
	state_close(s);
}

static void
test_names_and_numbers_have_an_end(void **state)
{
	static unsigned char name[STATE_NAME_MAX + 1];
	unsigned char sender[E2E_ID_LEN] = { 1 };
	unsigned char c[STATE_CONVERSATION_LEN];
	struct state *s = open_it();
	uint64_t number;

	assert_int_equal(state_reserve(s, sender, name, sizeof name, c,
	    &number), E2E_ERR_LIMIT);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(state_reserve(s, sender, name,
		    STATE_NAME_MAX, c, &number), E2E_OK);
		assert_int_equal(number, i);
	}
	assert_int_equal(sqlite_run(s->db, "UPDATE own SET last = "
	    "9223372036854775806"), E2E_OK);
	assert_int_equal(state_reserve(s, sender, name, STATE_NAME_MAX, c,
	    &number), E2E_OK);
	assert_true(number == INT64_MAX);
	assert_int_equal(state_reserve(s, sender, name, STATE_NAME_MAX, c,
	    &number), E2E_ERR_LIMIT);
	assert_int_equal(number, 0);
	state_close(s);
}

static int
reserve_some(unsigned i)
{
	unsigned char c[STATE_CONVERSATION_LEN];
	struct state *s = open_it();
	uint64_t last = 0, number;

	for (int k = 0; k < 10; k++, last = number)
		if ((number = reserve(s, 1, "all", c)) <= last)
			return 1;
	state_close(s);
	return 0;
}

static void
test_numbers_of_many_processes(void **state)
{
	unsigned char c[STATE_CONVERSATION_LEN];
	struct state *s;

	assert_int_equal(in_processes(8, reserve_some, 0), 8);
	s = open_it();
	assert_int_equal(reserve(s, 1, "all", c), 81);
	state_close(s);
}

static void
test_receipts_are_expected(void **state)
{
	struct state_sent sent = { { 1 }, { 2 }, { 3 }, NOW }, got = sent;
	struct state *s = open_with(NOW, 10 * DAY, 0);
	bool found;

	assert_int_equal(state_find_sent(s, &got, &found), E2E_OK);
	assert_false(found);
	assert_int_equal(state_sent(s, &sent), E2E_OK);
	memset(&got, 0, sizeof got);
	got.id[0] = 1;
	assert_int_equal(state_find_sent(s, &got, &found), E2E_OK);
	assert_true(found);
	assert_memory_equal(&got, &sent, sizeof sent);
	sent.hash[0] = 7;
	assert_int_equal(state_sent(s, &sent), E2E_OK);
	assert_int_equal(state_find_sent(s, &got, &found), E2E_OK);
	assert_true(found);
	assert_int_equal(got.hash[0], 7);
	state_close(s);
	s = open_with(NOW + 10 * DAY + 1, 10 * DAY, 0);
	sent.id[0] = 2;
	sent.time = NOW + 10 * DAY;
	assert_int_equal(state_sent(s, &sent), E2E_OK);
	assert_int_equal(state_find_sent(s, &got, &found), E2E_OK);
	assert_false(found);
	sent.time = UINT64_MAX;
	assert_int_equal(state_sent(s, &sent), E2E_ERR_LIMIT);
	state_close(s);
}

/* ---- groups ---- */

static uint64_t
epoch(struct state *s, unsigned char who, unsigned char drawn,
    const char *name, uint64_t number)
{
	unsigned char maker[E2E_ID_LEN] = { who };
	unsigned char random[STATE_GROUP_LEN] = { drawn };
	uint64_t highest;

	assert_int_equal(state_epoch(s, maker, random, name, strlen(name),
	    number, &highest), E2E_OK);
	return highest;
}

static void
test_epochs(void **state)
{
	struct state *s = open_it();

	assert_true(epoch(s, 1, 1, "team", 0) == 0);
	assert_true(epoch(s, 1, 1, "team", 5) == 5);
	assert_true(epoch(s, 1, 1, "team", 4) == 5);
	assert_true(epoch(s, 1, 1, "team", UINT64_MAX - 1) == UINT64_MAX - 1);
	assert_true(epoch(s, 1, 1, "team", INT64_MAX) == UINT64_MAX - 1);
	assert_true(epoch(s, 1, 1, "team", UINT64_MAX) == UINT64_MAX);
	assert_true(epoch(s, 2, 1, "team", 1) == 1);
	assert_true(epoch(s, 1, 2, "team", 1) == 1);
	assert_true(epoch(s, 1, 1, "teams", 1) == 1);
	state_close(s);
	s = open_it();
	assert_true(epoch(s, 1, 1, "team", 7) == UINT64_MAX);
	state_close(s);
	s = open_with(NOW + 9000 * DAY, 0, 5);
	assert_true(epoch(s, 1, 9, "", 7) == 7);
	assert_true(epoch(s, 1, 1, "team", 7) == UINT64_MAX);
	state_close(s);
}

static void
test_no_more_groups_than_that(void **state)
{
	struct state *s = open_with(NOW, 0, 3);

	for (unsigned char i = 0; i < 10; i++) {
		(void)epoch(s, i, 1, "x", 5);
		assert_true(ask(s, "SELECT count(*) FROM epoch") <= 3);
	}
	assert_int_equal(ask(s, "SELECT epochs FROM self"), 3);
	state_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_made_private_and_found_again),
		TEST(test_a_folder_with_other_things),
		TEST(test_what_is_no_folder),
		TEST(test_a_start_that_was_cut_off),
		TEST(test_gone),
		TEST(test_emptied),
		TEST(test_garbage),
		TEST(test_emptied_with_mark),
		TEST(test_markers),
		TEST(test_headers),
		TEST(test_cut_short),
		TEST(test_tables_gone),
		TEST(test_what_is_no_file),
		TEST(test_a_link_to_the_folder),
		TEST(test_columns_of_the_wrong_length),
		TEST(test_deleted_while_open),
		TEST(test_busy),
		TEST(test_settings),
		TEST(test_done_is_refused_for_good),
		TEST(test_abandoned_is_as_if_never_seen),
		TEST(test_interrupted_is_admitted_again),
		TEST(test_abandoned_stays_interrupted),
		TEST(test_one_at_a_time),
		TEST(test_two_handles),
		TEST(test_one_of_many_processes),
		TEST(test_who_fails_lets_others_try),
		TEST(test_the_same_is_not_waited_for_for_ever),
		TEST(test_who_makes_it_is_not_waited_for_for_ever),
		TEST(test_order),
		TEST(test_behind),
		TEST(test_pending_holds_its_number),
		TEST(test_no_more_rows_than_that),
		TEST(test_horizon_of_equal_times),
		TEST(test_kept_for_so_long),
		TEST(test_a_clock_ahead),
		TEST(test_old_and_unknown),
		TEST(test_pending_ends_and_is_not_held_against_it),
		TEST(test_done_without_a_row),
		TEST(test_forgets_little_at_once),
		TEST(test_conversations_are_forgotten),
		TEST(test_numbers_rise),
		TEST(test_names_and_numbers_have_an_end),
		TEST(test_numbers_of_many_processes),
		TEST(test_receipts_are_expected),
		TEST(test_epochs),
		TEST(test_no_more_groups_than_that)
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
