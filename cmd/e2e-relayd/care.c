/* care.c: looking at a store, and copying it, beside the relay that runs. */
#include "relayd.h"

#include "cli/message.h"

#include <errno.h>
#include <string.h>

enum { REPORT_MAX = 65536 };

/* Of a store that can be read errno says nothing: SQLite looks for files that
 * need not be there. */
static enum e2e_error
tell(enum e2e_error error, const char *subject)
{

	if (error != E2E_ERR_CREATE && error != E2E_ERR_NO_INPUT)
		errno = 0;
	return message_system(error, subject);
}

static void
hint(enum e2e_error error)
{

	if (error == E2E_ERR_STORE_DAMAGED)
		message_hint("restore the last good copy made with --backup");
}

enum e2e_error
care_open(struct store **store, const char *folder, enum store_manner manner)
{
	const char *why = NULL;
	enum e2e_error error;

	errno = 0;
	error = store_sqlite_open(store, folder, manner, &why);
	if (error == E2E_OK)
		return E2E_OK;
	/* What is only looked at would not have been made. */
	if (error == E2E_ERR_CREATE && manner == STORE_INSPECT)
		error = E2E_ERR_NO_INPUT;
	if (error == E2E_ERR_PERMISSIONS) {
		(void)message_error(error, "%s: others may look into the "
		    "store's folder", folder);
		message_hint("chmod 700 %s", folder);
		return error;
	}
	if (why != NULL)
		(void)message_error(error, "%s: %s: %s", folder,
		    e2e_error_text(error), why);
	else
		(void)tell(error, folder);
	hint(error);
	return error;
}

enum e2e_error
care_check(const struct relayd *r)
{
	struct store *store;
	struct buffer report;
	enum e2e_error error;

	if ((error = care_open(&store, r->store, STORE_INSPECT)) != E2E_OK)
		return error;
	buffer_init(&report, REPORT_MAX);
	errno = 0;
	error = store->ops->check(store, &report);
	if (error == E2E_OK)
		message_note("%s: everything is in order", r->store);
	else if (error != E2E_ERR_STORE_DAMAGED || report.failed ||
	    report.length == 0)
		(void)tell(error, r->store);
	else
		(void)message_error(error, "%s: %s: %.*s", r->store,
		    e2e_error_text(error), (int)report.length,
		    (const char *)report.data);
	hint(error);
	buffer_free(&report);
	store->ops->close(store);
	return error;
}

enum e2e_error
care_backup(const struct relayd *r)
{
	struct store *store;
	enum e2e_error error;

	if ((error = care_open(&store, r->store, STORE_INSPECT)) != E2E_OK)
		return error;
	errno = 0;
	error = store->ops->backup(store, r->backup);
	if (error == E2E_ERR_EXISTS)
		(void)message_error(error, "%s: %s", r->backup,
		    e2e_error_text(error));
	else if (error == E2E_ERR_STORE_DAMAGED)
		(void)tell(error, r->store);
	else if (error != E2E_OK)
		(void)message_system(error, r->backup);
	hint(error);
	store->ops->close(store);
	return error;
}
