/*
 * Prints the table of exit statuses, a line each: number, tab, text.
 */
#include "base/error.h"

#include <stdio.h>

int
main(void)
{
	const struct error_status *row;
	size_t i;

	for (i = 0; (row = error_status_at(i)) != NULL; i++)
		if (printf("%d\t%s\n", row->status, row->text) < 0)
			return 1;
	return fflush(stdout) == 0 ? 0 : 1;
}
