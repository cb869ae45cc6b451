/*
 * Every call that the state makes of the disk fails once, one after the other:
 * the error is told, no promise is broken, and the state opened again goes on.
 * The control is a caller that takes every answer for a good one.
 */
#include "../store/scene.c"
#include "../store/cutvfs.c"
#include "../state/promises.c"

enum { WORK = 16, CALLS_MAX = 20000, MESSAGES = 6 };

static const struct state_policy policy = { .now = PROMISES_NOW };

static struct promises promises;

struct way {
	const char *name;
	int code;
	enum e2e_error full;	/* what a write that fails is told as */
};

static const struct way ways[] = {
	{ "input/output error", SQLITE_IOERR_WRITE, E2E_ERR_STORE },
	{ "full disk", SQLITE_FULL, E2E_ERR_FULL }
};

struct tally {
	unsigned faults, in_opening, in_work, full, unnoticed, lost;
	const char *how;
};

static void
work(struct promises *p, const char *folder, const struct way *way,
    struct tally *t)
{
	struct dice dice = { 17 };
	struct state *s;
	enum e2e_error err, told = E2E_OK;

	err = state_open(&s, folder, &policy, NULL);
	if (err != E2E_OK) {
		assert_null(s);
		told = err;
		t->in_opening++;
	}
	/* What fails is told, and the rest is tried all the same. */
	for (int i = 0; i < WORK && s != NULL; i++) {
		err = promises_work(p, s, 1, &dice);
		if (err != E2E_OK && told == E2E_OK)
			told = err;
		promises_died(p, 1);
	}
	t->in_work += s != NULL && told != E2E_OK;
	t->unnoticed += told == E2E_OK;
	t->full += told == E2E_ERR_FULL;
	assert_true(told == E2E_OK || told == E2E_ERR_STORE ||
	    told == E2E_ERR_CREATE || told == way->full);
	state_close(s);
}

static bool
survey(struct promises *p, const char *folder, struct tally *t)
{
	const char *why = NULL;
	struct state *s;
	enum e2e_error err = state_open(&s, folder, &policy, &why);

	if (err == E2E_OK)
		err = promises_settle(p, s);
	t->how = p->broken > 0 ? p->how : why != NULL ? why :
	    e2e_error_text(err);
	state_close(s);
	return err == E2E_OK && p->broken == 0;
}

/* The n-th call fails. False: there is no n-th call. */
static bool
try_call(const struct way *way, unsigned n, bool careless, struct tally *t)
{
	struct promises *p = &promises;
	struct folder folder;
	bool hit;

	memset(p, 0, sizeof *p);
	p->count = MESSAGES;
	p->careless = careless;
	folder_make(&folder);
	cutvfs_reset();
	cutvfs_fail_at(n, way->code);
	work(p, folder.store, way, t);
	hit = cutvfs_has_failed();
	cutvfs_fail_at(0, 0);
	p->careless = false;
	t->faults += hit;
	if (!survey(p, folder.store, t)) {
		t->lost++;
		if (!careless)
			print_error("%s at call %u: %s\n", way->name, n,
			    t->how);
	}
	folder_remove(&folder);
	return hit;
}

static void
try_way(const struct way *way, bool careless, unsigned step, struct tally *t)
{
	unsigned n = 1;

	while (n < CALLS_MAX && try_call(way, n, careless, t))
		n += step;
	assert_true(n < CALLS_MAX);
	print_message("# %s%s: %u calls failed (%u in opening, %u in work, "
	    "%u told as a full disk, %u without harm), promises broken in "
	    "%u runs\n", way->name, careless ? ", careless" : "", t->faults,
	    t->in_opening, t->in_work, t->full, t->unnoticed, t->lost);
}

static void
test_fault(void **state)
{
	const struct way *way = *state;
	struct tally t = { .faults = 0 };

	try_way(way, false, 1, &t);
	assert_int_equal(t.lost, 0);
	assert_true(t.faults > 200);
	assert_true(t.in_opening > 10 && t.in_work > 100);
	/* Hardly a call is made whose failure does not matter. */
	assert_true(t.unnoticed < t.faults / 4);
	assert_true(way->full != E2E_ERR_FULL || t.full > 10);
}

static void
test_control_careless(void **state)
{
	struct tally t = { .faults = 0 };

	try_way(*state, true, 3, &t);
	assert_true(t.lost > 5);
}

static int
set_up(void **state)
{
	cutvfs_install();
	return 0;
}

#define WAY(name, test, i) \
	{ name, test, NULL, NULL, (void *)(uintptr_t)&ways[i] }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WAY("every call of the disk: input/output error", test_fault,
		    0),
		WAY("every call of the disk: full", test_fault, 1),
		WAY("control: every answer is taken for a good one",
		    test_control_careless, 0)
	};

	return cmocka_run_group_tests_name("state faults", tests, set_up,
	    NULL);
}
