/*
 * The store on a disk as it is: other people's files, other versions, other
 * processes, no room, copies of it while it works, who may look.
 */
#include "../store/scene.c"

#include "base/buffer.h"
#include "base/file.h"
#include "store/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOW 1000
#define END 2000

static struct store *
open_as(const struct folder *f, enum store_manner manner)
{
	struct store *s;
	const char *why;
	enum e2e_error err = store_sqlite_open(&s, f->store, manner, &why);

	if (err != E2E_OK)
		print_error("open: %s (%s)\n", e2e_error_text(err),
		    why != NULL ? why : "no reason");
	assert_int_equal(err, E2E_OK);
	return s;
}

static void
close_store(struct store *s)
{
	s->ops->close(s);
}

static void
expect_refusal(const struct folder *f, enum store_manner manner,
    enum e2e_error expected)
{
	struct store *s;

	assert_int_equal(store_sqlite_open(&s, f->store, manner, NULL),
	    expected);
	assert_null(s);
}

static const char *
inside(const struct folder *f, const char *name)
{
	static char paths[4][160];
	static int turn;

	turn = (turn + 1) % 4;
	(void)snprintf(paths[turn], sizeof paths[turn], "%s/%s", f->store,
	    name);
	return paths[turn];
}

/* Changes a closed store behind its back. */
static void
change(const struct folder *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(inside(f, "relay.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A store with a few messages; closed. */
static void
furnish(const struct folder *f)
{
	struct store *s = open_as(f, STORE_WRITE);

	scene_enroll(s, "abc");
	for (uint64_t i = 0; i < 20; i++) {
		struct message m = message_make(i, i == 7 ? 600000 : 1000);

		(void)scene_send(s, &m, i % 2 == 0 ? "a" : "ab", NOW, END);
		message_free(&m);
	}
	close_store(s);
}

static uint64_t
items_in(struct store *s)
{
	struct store_usage usage;

	assert_int_equal(s->ops->usage(s, true, &usage), E2E_OK);
	return usage.items;
}

/* ---- the file ---- */

static void
read_whole(const char *path, struct buffer *b)
{
	buffer_init(b, 64 << 20);
	assert_int_equal(file_read(path, b), E2E_OK);
}

/* Whoever opens it is refused, and it stays as it was, alone. */
static void
expect_untouched(const struct folder *f, enum e2e_error expected)
{
	struct buffer before, after;

	read_whole(inside(f, "relay.db"), &before);
	expect_refusal(f, STORE_WRITE, expected);
	expect_refusal(f, STORE_READ, expected);
	expect_refusal(f, STORE_INSPECT, expected);
	read_whole(inside(f, "relay.db"), &after);
	assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
	assert_int_not_equal(access(inside(f, "relay.db-wal"), F_OK), 0);
	assert_int_not_equal(access(inside(f, "relay.db-shm"), F_OK), 0);
	buffer_free(&before);
	buffer_free(&after);
}

static void
test_a_newer_version(void **state)
{
	struct folder f;

	folder_make(&f);
	furnish(&f);
	change(&f, "PRAGMA user_version=2");
	expect_untouched(&f, E2E_ERR_STORE_VERSION);
	change(&f, "PRAGMA user_version=1");
	close_store(open_as(&f, STORE_WRITE));
	folder_remove(&f);
}

static void
test_a_foreign_database(void **state)
{
	struct folder f;

	folder_make(&f);
	assert_int_equal(mkdir(f.store, 0700), 0);
	change(&f, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
	expect_untouched(&f, E2E_ERR_STORE_DAMAGED);
	folder_remove(&f);
}

static void
test_a_foreign_file(void **state)
{
	static const char text[] = "Dear diary, today I was a file.\n";
	struct folder f;

	folder_make(&f);
	assert_int_equal(mkdir(f.store, 0700), 0);
	assert_int_equal(file_write(inside(&f, "relay.db"), text,
	    sizeof text - 1, 0600, FILE_NEW), E2E_OK);
	expect_untouched(&f, E2E_ERR_STORE_DAMAGED);
	folder_remove(&f);
}

static void
make_empty(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

/* It was a store once; a new one would forget that. */
static void
test_an_emptied_file(void **state)
{
	struct folder f;

	folder_make(&f);
	furnish(&f);
	make_empty(inside(&f, "relay.db"));
	expect_untouched(&f, E2E_ERR_STORE_DAMAGED);
	folder_remove(&f);
}

/* What was begun by a first start that was killed is gone on with. */
static void
test_a_first_start_cut_off(void **state)
{
	struct folder f;
	struct store *s;

	folder_make(&f);
	assert_int_equal(mkdir(f.store, 0700), 0);
	make_empty(inside(&f, "relay.db-begun"));
	expect_refusal(&f, STORE_READ, E2E_ERR_CREATE);
	make_empty(inside(&f, "relay.db"));
	expect_refusal(&f, STORE_READ, E2E_ERR_CREATE);
	s = open_as(&f, STORE_WRITE);
	assert_int_not_equal(access(inside(&f, "relay.db-begun"), F_OK), 0);
	scene_enroll(s, "a");
	close_store(s);
	/* Left behind by one that was killed a moment later. */
	make_empty(inside(&f, "relay.db-begun"));
	close_store(open_as(&f, STORE_WRITE));
	assert_int_not_equal(access(inside(&f, "relay.db-begun"), F_OK), 0);
	folder_remove(&f);
}

static enum e2e_error
commit_nothing(struct store *s)
{
	assert_int_equal(s->ops->begin(s), E2E_OK);
	return s->ops->commit(s);
}

/* Nothing is taken into files that nobody will find again. */
static void
test_files_that_are_gone(void **state)
{
	static const char *const names[] = { "relay.db", "relay.db-wal" };

	for (size_t i = 0; i < 4; i++) {
		struct folder f;
		struct store *s;

		folder_make(&f);
		s = open_as(&f, STORE_WRITE);
		assert_int_equal(commit_nothing(s), E2E_OK);
		scene_enroll(s, "a");
		assert_int_equal(commit_nothing(s), E2E_OK);
		assert_null(s->why);
		if (i == 2)		/* moved */
			assert_int_equal(rename(inside(&f, "relay.db"),
			    inside(&f, "relay.old")), 0);
		else if (i == 3) {	/* another one in its place */
			assert_int_equal(rename(inside(&f, "relay.db"),
			    inside(&f, "relay.old")), 0);
			make_empty(inside(&f, "relay.db"));
		} else
			assert_int_equal(unlink(inside(&f, names[i])), 0);
		assert_int_equal(commit_nothing(s), E2E_ERR_STORE);
		assert_non_null(s->why);
		assert_int_equal(s->ops->begin(s), E2E_ERR_STORE);
		close_store(s);
		folder_remove(&f);
	}
}

/* Neither waited for nor followed. */
static void
test_what_is_no_file(void **state)
{
	static const char *const names[] = {
		"relay.db", "relay.db-journal", "relay.db-wal", "relay.db-shm"
	};
	struct folder f;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		folder_make(&f);
		furnish(&f);
		assert_true(unlink(inside(&f, names[i])) == 0 ||
		    errno == ENOENT);
		assert_int_equal(mkfifo(inside(&f, names[i]), 0600), 0);
		expect_refusal(&f, STORE_WRITE, E2E_ERR_STORE_DAMAGED);
		expect_refusal(&f, STORE_READ, E2E_ERR_STORE_DAMAGED);
		folder_remove(&f);
	}
	folder_make(&f);
	furnish(&f);
	assert_int_equal(unlink(inside(&f, "relay.db")), 0);
	assert_int_equal(symlink("../elsewhere", inside(&f, "relay.db")), 0);
	expect_refusal(&f, STORE_WRITE, E2E_ERR_STORE_DAMAGED);
	expect_refusal(&f, STORE_INSPECT, E2E_ERR_STORE_DAMAGED);
	assert_int_not_equal(access(folder_name(&f, "elsewhere"), F_OK), 0);
	folder_remove(&f);
}

static void
test_no_store_to_read(void **state)
{
	struct folder f;

	folder_make(&f);
	expect_refusal(&f, STORE_READ, E2E_ERR_CREATE);
	expect_refusal(&f, STORE_INSPECT, E2E_ERR_CREATE);
	assert_int_not_equal(access(f.store, F_OK), 0);
	assert_int_equal(mkdir(f.store, 0700), 0);
	expect_refusal(&f, STORE_READ, E2E_ERR_CREATE);
	expect_refusal(&f, STORE_INSPECT, E2E_ERR_CREATE);
	close_store(open_as(&f, STORE_WRITE));
	close_store(open_as(&f, STORE_INSPECT));
	folder_remove(&f);
}

static enum e2e_error
check(const struct folder *f, struct buffer *report)
{
	struct store *s;
	enum e2e_error err;

	buffer_init(report, 4096);
	err = store_sqlite_open(&s, f->store, STORE_INSPECT, NULL);
	if (err != E2E_OK) {
		/* Too damaged to be opened. */
		assert_true(buffer_append_byte(report, '?'));
		return err;
	}
	err = s->ops->check(s, report);
	close_store(s);
	return err;
}

/* Each is something that must not be, and that check finds. */
static const char *const damages[] = {
	"UPDATE state SET items = items + 1",
	"UPDATE state SET bytes = bytes - 1",
	"UPDATE state SET bodies = 3",
	"UPDATE state SET seen = 0",
	"UPDATE state SET mailboxes = 9",
	"UPDATE state SET next_body = 2",
	"DELETE FROM state",
	"UPDATE box SET items = 1 WHERE box = 1",
	"UPDATE box SET bytes = bytes + 1 WHERE box = 2",
	"UPDATE box SET next_seq = 5 WHERE box = 1",
	"DELETE FROM box WHERE box = 3",
	"DELETE FROM card WHERE box = 3",
	"UPDATE slot SET body = 999 WHERE box = 1 AND seq = 1",
	"UPDATE slot SET until = 5 WHERE box = 1 AND seq = 1",
	"DELETE FROM shared",
	"UPDATE shared SET count = 3",
	"INSERT INTO shared VALUES (999, 2)",
	"INSERT INTO piece VALUES (999 << 20, x'00')",
	"DELETE FROM piece WHERE piece & 1",
	"UPDATE piece SET bytes = zeroblob(length(bytes))",
	"UPDATE body SET whole = zeroblob(1000) WHERE body = 2",
	"UPDATE body SET whole = x'00' WHERE body = 2",
	"UPDATE body SET id = zeroblob(32) WHERE body = 2",
	"DELETE FROM seen WHERE box = 2",
	"UPDATE seen SET seq = 77 WHERE box = 2"
};

static void
test_check_finds_damage(void **state)
{
	struct buffer report;
	struct folder f;

	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		enum e2e_error err;

		folder_make(&f);
		furnish(&f);
		assert_int_equal(check(&f, &report), E2E_OK);
		assert_int_equal(report.length, 0);
		change(&f, damages[i]);
		err = check(&f, &report);
		if (err != E2E_ERR_STORE_DAMAGED || report.length == 0)
			print_error("not found: %s\n", damages[i]);
		assert_int_equal(err, E2E_ERR_STORE_DAMAGED);
		assert_true(report.length > 0);
		buffer_free(&report);
		folder_remove(&f);
	}
}

/* Bits that turned in the file: of every page, some. */
static void
test_check_finds_rotten_pages(void **state)
{
	unsigned char rubbish[64];
	struct dice dice = { 3 };
	struct buffer report;
	struct folder f;
	struct stat st;
	unsigned found = 0, tried = 0;

	for (int i = 0; i < 40; i++) {
		enum e2e_error err;
		off_t at;
		int fd;

		folder_make(&f);
		furnish(&f);
		fd = open(inside(&f, "relay.db"), O_RDWR);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		for (size_t j = 0; j < sizeof rubbish; j++)
			rubbish[j] = (unsigned char)dice_roll(&dice, 256);
		/* The end of a page, where its rows are. */
		at = (off_t)dice_roll(&dice, (uint64_t)st.st_size / 4096) *
		    4096 + 4096 - (off_t)sizeof rubbish;
		assert_int_equal(pwrite(fd, rubbish, sizeof rubbish, at),
		    sizeof rubbish);
		assert_int_equal(close(fd), 0);
		err = check(&f, &report);
		tried++;
		found += err != E2E_OK;
		buffer_free(&report);
		folder_remove(&f);
	}
	print_message("# check found %u of %u rotten pages\n", found, tried);
	/* What nobody reads may rot: cards are not compared, they are
	 * signed. */
	assert_true(found > tried * 8 / 10);
}

/* ---- others ---- */

static void
test_one_writer(void **state)
{
	struct store *s, *reader, *inspector;
	struct folder f;
	int status;
	pid_t child;

	folder_make(&f);
	s = open_as(&f, STORE_WRITE);
	scene_enroll(s, "a");
	expect_refusal(&f, STORE_WRITE, E2E_ERR_STORE_IN_USE);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store *other;
		enum e2e_error err = store_sqlite_open(&other, f.store,
		    STORE_WRITE, NULL);
		bool seen = store_sqlite_open(&other, f.store, STORE_INSPECT,
		    NULL) == E2E_OK;

		_exit(err == E2E_ERR_STORE_IN_USE && seen ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	reader = open_as(&f, STORE_READ);
	inspector = open_as(&f, STORE_INSPECT);
	{
		struct message m = message_make(1, 100);
		struct store_expired gone;

		(void)scene_send(s, &m, "a", NOW, END);
		assert_int_equal(items_in(reader), 1);
		assert_int_equal(items_in(inspector), 1);
		assert_int_equal(reader->ops->begin(reader), E2E_ERR_USAGE);
		assert_int_equal(inspector->ops->begin(inspector),
		    E2E_ERR_USAGE);
		assert_int_equal(reader->ops->expire(reader, END, 1, &gone),
		    E2E_ERR_USAGE);
		assert_int_equal(scene_deposit(reader, &m, "a", NOW, END,
		    false).error, E2E_ERR_USAGE);
		message_free(&m);
	}
	/* Its own guard behind that one. */
	assert_int_not_equal(sqlite_run(sqlite_store_of(reader)->db,
	    "DELETE FROM slot"), E2E_OK);
	assert_int_equal(items_in(s), 1);
	close_store(inspector);
	close_store(reader);
	/* Still locked, whatever else was closed. */
	expect_refusal(&f, STORE_WRITE, E2E_ERR_STORE_IN_USE);
	close_store(s);
	close_store(open_as(&f, STORE_WRITE));
	folder_remove(&f);
}

static void
test_flushing_is_on(void **state)
{
	struct store *s;
	struct folder f;
	uint64_t n;

	folder_make(&f);
	s = open_as(&f, STORE_WRITE);
	assert_int_equal(sqlite_ask(sqlite_store_of(s)->db,
	    "PRAGMA synchronous", &n), E2E_OK);
	assert_int_equal(n, 2);
	assert_int_equal(access(inside(&f, "relay.db-wal"), F_OK), 0);
	close_store(s);
	folder_remove(&f);
}

/* Readers leave the log alone when they go. */
static void
test_readers_do_not_move_the_log(void **state)
{
	struct store *s, *reader;
	struct folder f;
	struct stat before, after;
	struct message m = message_make(1, 5000);

	folder_make(&f);
	s = open_as(&f, STORE_WRITE);
	scene_enroll(s, "a");
	(void)scene_send(s, &m, "a", NOW, END);
	/* The writer dies: its lock and its files are let go of. */
	(void)sqlite3_sleep(0);
	assert_int_equal(stat(inside(&f, "relay.db-wal"), &before), 0);
	assert_true(before.st_size > 0);
	reader = open_as(&f, STORE_READ);
	assert_int_equal(items_in(reader), 1);
	close_store(reader);
	assert_int_equal(stat(inside(&f, "relay.db-wal"), &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	close_store(s);
	assert_int_not_equal(access(inside(&f, "relay.db-wal"), F_OK), 0);
	message_free(&m);
	folder_remove(&f);
}

/* ---- kill -9 ---- */

/* Deposits without end, and says each number when it is committed. */
static void
deposit_for_ever(const struct folder *f, int out)
{
	struct store *s = open_as(f, STORE_WRITE);

	for (uint64_t i = 1;; i++) {
		struct message m = message_make(i, 500);

		(void)scene_send(s, &m, "a", NOW, END);
		message_free(&m);
		if (write(out, &i, sizeof i) != sizeof i)
			_exit(1);
	}
}

static void
test_killed_at_any_time(void **state)
{
	struct folder f;
	uint64_t last = 0, n;
	struct store *s;
	int status, ends[2];
	pid_t child;

	for (int round = 0; round < 10; round++) {
		folder_make(&f);
		s = open_as(&f, STORE_WRITE);
		scene_enroll(s, "a");
		close_store(s);
		assert_int_equal(pipe(ends), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			deposit_for_ever(&f, ends[1]);
		assert_int_equal(close(ends[1]), 0);
		for (int i = 0; i < 20 + 7 * round; i++)
			assert_int_equal(read(ends[0], &last, sizeof last),
			    sizeof last);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (read(ends[0], &n, sizeof n) == sizeof n)
			last = n;
		assert_int_equal(close(ends[0]), 0);
		/* An inspector finds it, too, beside nobody. */
		s = open_as(&f, STORE_INSPECT);
		n = items_in(s);
		close_store(s);
		assert_true(n == last || n == last + 1);
		s = open_as(&f, STORE_WRITE);
		assert_int_equal(items_in(s), n);
		scene_check(s);
		close_store(s);
		folder_remove(&f);
	}
}

static void
test_what_did_not_arrive_is_swept(void **state)
{
	struct folder f;
	struct store *s;
	struct store_expired gone;
	struct message m = message_make(1, STORE_PIECE_LEN);
	uint64_t staged = 0, pieces, before;
	struct store_deposit d = { .now = NOW, .until = END };

	folder_make(&f);
	s = open_as(&f, STORE_WRITE);
	scene_enroll(s, "a");
	scene_begin(s);
	for (int i = 0; i < 5; i++)
		assert_int_equal(s->ops->stage(s, &staged,
		    (struct bytes){ m.bytes, m.size }), E2E_OK);
	scene_commit(s);
	before = staged;
	close_store(s);

	s = open_as(&f, STORE_WRITE);
	scene_check(s);
	scene_begin(s);
	d.staged = staged;
	d.size = 5 * STORE_PIECE_LEN;
	assert_int_equal(s->ops->deposit(s, &d), E2E_ERR_USAGE);
	assert_int_equal(s->ops->rollback(s), E2E_OK);
	scene_begin(s);
	staged = 0;
	assert_int_equal(s->ops->stage(s, &staged,
	    (struct bytes){ m.bytes, m.size }), E2E_OK);
	assert_true(staged > before);
	scene_commit(s);
	for (uint64_t left = 4; left > 0; left -= 2) {
		scene_begin(s);
		assert_int_equal(s->ops->expire(s, NOW, left == 4 ? 3 : 2,
		    &gone), E2E_OK);
		scene_commit(s);
		assert_int_equal(gone.staged, left == 2);
		scene_check(s);
	}
	/* What arrives now is not garbage. */
	assert_int_equal(sqlite_ask(sqlite_store_of(s)->db,
	    "SELECT count(*) FROM piece", &pieces), E2E_OK);
	assert_int_equal(pieces, 1);
	close_store(s);
	message_free(&m);
	folder_remove(&f);
}

/* ---- no room ---- */

static void
test_full_disk(void **state)
{
	struct message m = message_make(99, 900000);
	struct folder f;
	struct store *s;
	struct sqlite *db;
	uint64_t items;

	folder_make(&f);
	furnish(&f);
	s = open_as(&f, STORE_WRITE);
	db = sqlite_store_of(s)->db;
	items = items_in(s);
	assert_int_equal(sqlite_ask(db, "PRAGMA max_page_count=300", &items),
	    E2E_OK);
	items = items_in(s);
	scene_begin(s);
	assert_int_equal(scene_deposit(s, &m, "a", NOW, END, false).error,
	    E2E_ERR_FULL);
	assert_int_equal(s->ops->commit(s), E2E_ERR_FULL);
	assert_int_equal(s->ops->rollback(s), E2E_OK);
	assert_int_equal(items_in(s), items);
	/* What needs no room goes on. */
	{
		unsigned char id[E2E_ID_LEN];
		uint64_t seq = 1;

		box_id(id, 'a');
		scene_begin(s);
		assert_int_equal(s->ops->acknowledge(s, id, &seq, 1, 0),
		    E2E_OK);
		scene_commit(s);
		assert_int_equal(items_in(s), items - 1);
	}
	assert_int_equal(sqlite_ask(db, "PRAGMA max_page_count=100000",
	    &items), E2E_OK);
	assert_int_equal(scene_send(s, &m, "a", NOW, END).outcomes[0],
	    STORE_STORED);
	scene_check(s);
	close_store(s);
	message_free(&m);
	folder_remove(&f);
}

/* No file may grow beyond a limit: what was promised before stays. */
static int
fill_up(const struct folder *f, uint64_t *promised)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	struct store *s;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 2;
	s = open_as(f, STORE_WRITE);
	for (uint64_t i = 1000; i < 5000; i++) {
		struct message m = message_make(i, 1000);
		enum e2e_error err;

		if (s->ops->begin(s) != E2E_OK)
			return 3;
		err = scene_deposit(s, &m, "a", NOW, END, false).error;
		message_free(&m);
		if (err == E2E_OK)
			err = s->ops->commit(s);
		if (err != E2E_OK) {
			/* Nothing more is promised. */
			if (s->ops->begin(s) == E2E_OK)
				return 4;
			close_store(s);
			return 0;
		}
		*promised += 1;
	}
	return 5;
}

static void
test_file_size_limit(void **state)
{
	struct folder f;
	struct store *s;
	uint64_t promised = 0, before, after;
	int status, ends[2];
	pid_t child;

	folder_make(&f);
	s = open_as(&f, STORE_WRITE);
	scene_enroll(s, "a");
	before = items_in(s);
	close_store(s);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int end = fill_up(&f, &promised);

		_exit(write(ends[1], &promised, sizeof promised) ==
		    sizeof promised ? end : 9);
	}
	assert_int_equal(read(ends[0], &promised, sizeof promised),
	    sizeof promised);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(promised > 10);
	s = open_as(&f, STORE_WRITE);
	after = items_in(s);
	assert_true(after == before + promised ||
	    after == before + promised + 1);
	scene_check(s);
	close_store(s);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
	folder_remove(&f);
}

/* ---- copies ---- */

static void
expect_equal(struct store *a, struct store *b)
{
	static struct store_item items[2][STORE_ITEMS_MAX];
	struct store *stores[2] = { a, b };
	struct store_usage usage[2];
	struct buffer bytes[2];
	unsigned char id[E2E_ID_LEN];
	size_t count[2];

	for (int i = 0; i < 2; i++)
		assert_int_equal(stores[i]->ops->usage(stores[i], true,
		    &usage[i]), E2E_OK);
	assert_int_equal(usage[0].items, usage[1].items);
	assert_int_equal(usage[0].bodies, usage[1].bodies);
	assert_int_equal(usage[0].bytes, usage[1].bytes);
	assert_int_equal(usage[0].seen, usage[1].seen);
	assert_int_equal(usage[0].mailboxes, usage[1].mailboxes);
	for (const char *c = "abc"; *c != '\0'; c++) {
		box_id(id, *c);
		for (int i = 0; i < 2; i++) {
			buffer_init(&bytes[i], 16 << 20);
			count[i] = STORE_ITEMS_MAX;
			assert_int_equal(stores[i]->ops->list(stores[i], id,
			    0, NOW, items[i], &count[i], &bytes[i]), E2E_OK);
		}
		assert_int_equal(count[0], count[1]);
		for (size_t i = 0; i < count[0]; i++) {
			assert_int_equal(items[0][i].seq, items[1][i].seq);
			assert_memory_equal(items[0][i].id, items[1][i].id,
			    STORE_ID_LEN);
		}
		assert_true(bytes_equal(buffer_bytes(&bytes[0]),
		    buffer_bytes(&bytes[1])));
		buffer_free(&bytes[0]);
		buffer_free(&bytes[1]);
	}
}

/* Puts a copy where a store is looked for. */
static void
restore(const char *copy, struct folder *f)
{
	folder_make(f);
	assert_int_equal(mkdir(f->store, 0700), 0);
	assert_int_equal(rename(copy, inside(f, "relay.db")), 0);
}

static void
test_backup_of_a_live_store(void **state)
{
	struct folder f, other;
	struct store *s, *inspector, *restored;
	struct message m = message_make(5000, 1000);
	char copy[256];
	struct stat st;

	folder_make(&f);
	furnish(&f);
	s = open_as(&f, STORE_WRITE);
	/* Something that is in the log only. */
	(void)scene_send(s, &m, "c", NOW, END);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(copy, sizeof copy, "%s",
		    folder_name(&f, i == 0 ? "copy" : "copy2"));
		inspector = open_as(&f, STORE_INSPECT);
		assert_int_equal(i == 0 ? s->ops->backup(s, copy) :
		    inspector->ops->backup(inspector, copy), E2E_OK);
		close_store(inspector);
		assert_int_equal(stat(copy, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(s->ops->backup(s, copy), E2E_ERR_EXISTS);
		assert_int_equal(s->ops->backup(s, "/nonexistent/folder/x"),
		    E2E_ERR_CREATE);
		restore(copy, &other);
		restored = open_as(&other, STORE_WRITE);
		expect_equal(s, restored);
		scene_check(restored);
		assert_int_equal(scene_send(restored, &m, "ac", NOW, END)
		    .outcomes[0], STORE_STORED);
		close_store(restored);
		folder_remove(&other);
	}
	scene_check(s);
	close_store(s);
	message_free(&m);
	folder_remove(&f);
}

/* ---- who may look ---- */

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void
test_permissions(void **state)
{
	struct folder f;
	struct store *s;
	mode_t before = umask(0);

	folder_make(&f);
	s = open_as(&f, STORE_WRITE);
	scene_enroll(s, "a");
	assert_int_equal(mode_of(f.store), 0700);
	assert_int_equal(mode_of(inside(&f, "relay.db")), 0600);
	assert_int_equal(mode_of(inside(&f, "relay.db-wal")), 0600);
	assert_int_equal(mode_of(inside(&f, "relay.db-shm")), 0600);
	assert_int_equal(mode_of(inside(&f, "relay.lock")), 0600);
	close_store(s);
	(void)umask(before);
	assert_int_equal(chmod(f.store, 0750), 0);
	expect_refusal(&f, STORE_WRITE, E2E_ERR_PERMISSIONS);
	expect_refusal(&f, STORE_READ, E2E_ERR_PERMISSIONS);
	assert_int_equal(chmod(f.store, 0700), 0);
	close_store(open_as(&f, STORE_WRITE));
	folder_remove(&f);
}

static void
test_where_no_folder_can_be(void **state)
{
	struct folder f;

	folder_make(&f);
	assert_int_equal(file_write(f.store, "x", 1, 0600, FILE_NEW),
	    E2E_OK);
	expect_refusal(&f, STORE_WRITE, E2E_ERR_CONFIG);
	expect_refusal(&f, STORE_READ, E2E_ERR_CONFIG);
	(void)snprintf(f.store, sizeof f.store, "%s/no/such", f.base);
	expect_refusal(&f, STORE_WRITE, E2E_ERR_CREATE);
	folder_remove(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_newer_version),
		cmocka_unit_test(test_a_foreign_database),
		cmocka_unit_test(test_a_foreign_file),
		cmocka_unit_test(test_an_emptied_file),
		cmocka_unit_test(test_a_first_start_cut_off),
		cmocka_unit_test(test_files_that_are_gone),
		cmocka_unit_test(test_what_is_no_file),
		cmocka_unit_test(test_no_store_to_read),
		cmocka_unit_test(test_check_finds_damage),
		cmocka_unit_test(test_check_finds_rotten_pages),
		cmocka_unit_test(test_one_writer),
		cmocka_unit_test(test_flushing_is_on),
		cmocka_unit_test(test_readers_do_not_move_the_log),
		cmocka_unit_test(test_killed_at_any_time),
		cmocka_unit_test(test_what_did_not_arrive_is_swept),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_file_size_limit),
		cmocka_unit_test(test_backup_of_a_live_store),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_where_no_folder_can_be)
	};

	return cmocka_run_group_tests_name("store sqlite", tests, NULL, NULL);
}
