/* Diagnostics: where and why, and nothing of what. */
#include "message/diag.h"

#include <errno.h>
#include <string.h>

void
diag_set(struct e2e_diag *diag, enum e2e_error error, uint64_t position,
    const char *unit)
{
	int saved = errno;

	if (diag == NULL)
		return;
	memset(diag, 0, sizeof(*diag));
	diag->code = error;
	if (error == E2E_OK)
		return;
	/* At the very beginning is no place worth telling. */
	diag->position = position;
	diag->unit = position > 0 ? unit : NULL;
	if (e2e_exit_status(error) >= 66)
		diag->sys_errno = saved;
}
