/*
 * late.c: makes a state that breaks its promise: a function returns before
 * its transaction is committed, which happens when the next one begins. Linked
 * around the database (--wrap). tests/suites/state-crash must find out.
 */
#include "base/sqlite.h"

enum e2e_error __real_sqlite_begin(struct sqlite *);
enum e2e_error __real_sqlite_commit(struct sqlite *);
void __real_sqlite_close(struct sqlite *);
enum e2e_error __wrap_sqlite_begin(struct sqlite *);
enum e2e_error __wrap_sqlite_commit(struct sqlite *);
void __wrap_sqlite_close(struct sqlite *);

static bool owes;

static enum e2e_error
pay(struct sqlite *db)
{
	if (!owes)
		return E2E_OK;
	owes = false;
	return __real_sqlite_commit(db);
}

enum e2e_error
__wrap_sqlite_begin(struct sqlite *db)
{
	enum e2e_error err = pay(db);

	return err == E2E_OK ? __real_sqlite_begin(db) : err;
}

enum e2e_error
__wrap_sqlite_commit(struct sqlite *db)
{
	owes = true;
	return E2E_OK;
}

void
__wrap_sqlite_close(struct sqlite *db)
{
	if (db != NULL)
		(void)pay(db);	/* as late as can be */
	__real_sqlite_close(db);
}
