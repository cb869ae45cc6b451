/*
 * Power cuts: whatever a disk does to what was not synced, no promise of the
 * state is broken. The control is a disk that does not sync: there, some must
 * be.
 */
#include "../store/scene.c"
#include "../store/cutvfs.c"
#include "../state/promises.c"

enum { CUTS = 4000, CUTS_MIN = 500, LIVES = 8, WORK_MAX = 40, MESSAGES = 48 };

/* A bound for slow machines; not for what is measured. */
#define SECONDS_MAX 30

static const struct state_policy policy = { .now = PROMISES_NOW };

struct tally {
	unsigned cuts, in_opening, kept, numbers, interrupted, done, lost;
	char how[200];
};

static struct promises promises;

/* One opening of the state, up to the cut. */
static void
live(struct promises *p, const char *folder, struct dice *dice,
    struct tally *t)
{
	struct state *s;
	enum e2e_error err;

	cutvfs_cut_at(1 + (unsigned)dice_roll(dice, dice_roll(dice, 2) == 0 ?
	    40 : 400));
	err = state_open(&s, folder, &policy, NULL);
	t->in_opening += err != E2E_OK;
	for (int i = 0; err == E2E_OK && i < WORK_MAX; i++)
		err = promises_work(p, s, 1, dice);
	/* Only the power fails here. */
	assert_true(err == E2E_OK || cutvfs_is_cut());
	cutvfs_cut_now();
	t->cuts++;
	state_close(s);
	promises_died(p, 1);
	cutvfs_restart(dice);
}

/* Opens what is left and works. False: a promise is broken. */
static bool
survey(struct promises *p, const char *folder, bool last, struct tally *t)
{
	const char *why = NULL;
	struct dice dice = { p->seed + t->cuts };
	struct state *s;
	enum e2e_error err = state_open(&s, folder, &policy, &why);

	for (int i = 0; i < 5 && err == E2E_OK && !last; i++)
		err = promises_work(p, s, 2, &dice);
	if (err == E2E_OK && last)
		err = promises_settle(p, s);
	(void)snprintf(t->how, sizeof t->how, "%s", p->broken > 0 ? p->how :
	    why != NULL ? why : e2e_error_text(err));
	state_close(s);
	return err == E2E_OK && p->broken == 0;
}

/* One folder, cut again and again. */
static void
run(uint64_t seed, bool lying, struct tally *t)
{
	struct promises *p = &promises;
	struct dice dice = { seed };
	struct folder folder;

	memset(p, 0, sizeof *p);
	p->seed = seed;
	p->count = MESSAGES;
	folder_make(&folder);
	cutvfs_reset();
	cutvfs_lie(lying);
	for (int i = 0; i < LIVES; i++) {
		live(p, folder.store, &dice, t);
		if (!survey(p, folder.store, i + 1 == LIVES, t)) {
			t->lost++;
			if (!lying)
				print_error("seed %llu, life %d: %s\n",
				    (unsigned long long)seed, i, t->how);
			break;
		}
	}
	t->kept += p->kept;
	t->numbers += p->numbers;
	t->interrupted += p->interrupted;
	t->done += p->done;
	folder_remove(&folder);
}

static void
say(const char *disk, const struct tally *t)
{
	print_message("# %s: %u cuts (%u while opening), %u calls, %u numbers "
	    "given out, %u messages done, %u admitted a second time, "
	    "promises broken in %u runs\n", disk, t->cuts, t->in_opening,
	    t->kept, t->numbers, t->done, t->interrupted, t->lost);
}

static void
test_no_promise_is_broken(void **state)
{
	struct tally t = { .cuts = 0 };
	clock_t end_of_time = clock() + SECONDS_MAX * CLOCKS_PER_SEC;

	for (uint64_t seed = 1; t.cuts < CUTS && clock() < end_of_time;
	    seed++)
		run(seed, false, &t);
	say("honest disk", &t);
	assert_int_equal(t.lost, 0);
	assert_true(t.cuts >= CUTS_MIN);
	/* The cuts came where it matters. */
	assert_true(t.in_opening > t.cuts / 200);
	assert_true(t.interrupted > t.cuts / 50);
	assert_true(t.numbers > t.cuts && t.done > t.cuts);
}

static void
test_control_a_disk_that_lies(void **state)
{
	struct tally t = { .cuts = 0 };

	for (uint64_t seed = 1; seed <= 20; seed++)
		run(seed, true, &t);
	say("lying disk", &t);
	assert_true(t.lost > 10);
}

static int
set_up(void **state)
{
	cutvfs_install();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_promise_is_broken),
		cmocka_unit_test(test_control_a_disk_that_lies)
	};

	return cmocka_run_group_tests_name("state cuts", tests, set_up, NULL);
}
