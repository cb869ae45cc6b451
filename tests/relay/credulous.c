/*
 * credulous.c: makes an e2e-fetch that takes every end of a command, and
 * every verdict, for a good one, for tests/bats/batch.bats, which has to
 * notice.
 */
#include "cli/child.h"

enum e2e_error __real_child_shell(struct child_task *,
    const struct child_watch *, int *);
enum e2e_error __wrap_child_shell(struct child_task *,
    const struct child_watch *, int *);

enum e2e_error
__wrap_child_shell(struct child_task *task, const struct child_watch *watch,
    int *status)
{
	enum e2e_error error = __real_child_shell(task, watch, status);

	task->answer_length = 0;
	*status = 0;
	return error;
}
