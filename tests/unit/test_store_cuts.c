/*
 * Power cuts: whatever a disk does to what was not synced, what was committed
 * is there, and what was not is there as a whole or not at all. The control is a
 * disk that does not sync: there something must be lost.
 */
#include "../store/scene.c"
#include "../store/cutvfs.c"
#include "../store/ledger.c"

#include "store/sqlite_store.h"

enum { CUTS = 4000, CUTS_MIN = 500, LIVES = 8, WORK_MAX = 40 };

/* A bound for slow machines; not for what is measured. */
#define SECONDS_MAX 30

struct tally {
	unsigned cuts, in_opening, in_moving, in_commit, arrived, promises, lost;
	const char *how;
};

/* One opening of the store, up to the cut. */
static void
live(struct ledger *l, const char *folder, struct dice *dice,
    struct tally *t)
{
	struct store *s = NULL;
	enum e2e_error err;

	cutvfs_cut_at(1 + (unsigned)dice_roll(dice, dice_roll(dice, 2) == 0 ?
	    60 : 600));
	err = store_sqlite_open(&s, folder, STORE_WRITE, NULL);
	if (err == E2E_OK)
		cutvfs_folder_synced();
	else
		t->in_opening++;
	for (int i = 0; err == E2E_OK && i < WORK_MAX; i++) {
		uint64_t what = dice_roll(dice, 24);

		if (what == 0) {
			err = sqlite_checkpoint(sqlite_store_of(s)->db,
			    dice_roll(dice, 2) == 0);
			t->in_moving += err != E2E_OK;
		} else if (what == 1) {
			s->ops->close(s);
			s = NULL;
			t->in_moving += cutvfs_is_cut();
			err = store_sqlite_open(&s, folder, STORE_WRITE,
			    NULL);
			if (err == E2E_OK)
				cutvfs_folder_synced();
		} else {
			err = ledger_work(l, s, l->promises == 0 ? 0 :
			    1 + dice_roll(dice, UINT32_MAX));
		}
	}
	/* Only the power fails here. */
	assert_true(err == E2E_OK || cutvfs_is_cut());
	cutvfs_cut_now();
	t->cuts++;
	if (s != NULL)
		s->ops->close(s);
	cutvfs_restart(dice);
}

/* Opens what is left and compares. False: something is lost. */
static bool
survey(struct ledger *l, const char *folder, struct tally *t)
{
	struct store *s;
	enum e2e_error err = store_sqlite_open(&s, folder, STORE_WRITE,
	    &t->how);
	bool kept;

	if (err != E2E_OK) {
		if (t->how == NULL)
			t->how = e2e_error_text(err);
		if (l->open)
			assert_int_equal(l->after->ops->rollback(l->after),
			    E2E_OK);
		return false;
	}
	cutvfs_folder_synced();
	kept = ledger_settle(l, s, &t->how);
	s->ops->close(s);
	return kept;
}

/* One folder, cut again and again. */
static void
run(uint64_t seed, bool lying, struct tally *t)
{
	struct dice dice = { seed };
	struct folder folder;
	struct ledger l;

	folder_make(&folder);
	cutvfs_reset();
	cutvfs_lie(lying);
	ledger_open(&l);
	for (int i = 0; i < LIVES; i++) {
		live(&l, folder.store, &dice, t);
		if (!survey(&l, folder.store, t)) {
			t->lost++;
			if (!lying)
				print_error("seed %llu, life %d: %s\n",
				    (unsigned long long)seed, i, t->how);
			break;
		}
	}
	t->in_commit += (unsigned)l.unsure;
	t->arrived += (unsigned)l.arrived;
	t->promises += (unsigned)l.promises;
	ledger_close(&l);
	folder_remove(&folder);
}

static void
say(const char *disk, const struct tally *t)
{
	print_message("# %s: %u cuts (%u while opening, %u while moving "
	    "the log, %u in a commit of which %u arrived), %u transactions "
	    "promised, lost in %u runs\n",
	    disk, t->cuts, t->in_opening, t->in_moving,
	    t->in_commit, t->arrived,
	    t->promises, t->lost);
}

static void
test_nothing_is_lost(void **state)
{
	struct tally t = { .cuts = 0 };
	clock_t end = clock() + SECONDS_MAX * CLOCKS_PER_SEC;

	for (uint64_t seed = 1; t.cuts < CUTS && clock() < end; seed++)
		run(seed, false, &t);
	say("honest disk", &t);
	assert_int_equal(t.lost, 0);
	assert_true(t.cuts >= CUTS_MIN);
	/* The cuts came where it matters. */
	assert_true(t.in_opening > t.cuts / 200);
	assert_true(t.in_moving > t.cuts / 200);
	assert_true(t.in_commit > t.cuts / 20);
	assert_true(t.arrived > 0 && t.arrived < t.in_commit);
	assert_true(t.promises > t.cuts);
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
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_control_a_disk_that_lies)
	};

	return cmocka_run_group_tests_name("store cuts", tests, set_up, NULL);
}
