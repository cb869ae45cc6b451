/*
 * progress.c: how far and how fast.
 */
#include "cli/progress.h"

#include "base/clock.h"
#include "cli/message.h"
#include "cli/text.h"

#include <stdio.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

static void
report(void *context, uint64_t bytes)
{
	struct progress *p = context;
	uint64_t now = clock_monotonic(), elapsed = now - p->begun;
	char done[16], all[16], rate[16], line[100];

	if (elapsed < 2 * SECOND || now - p->shown < SECOND / 4)
		return;
	p->shown = now;
	text_size(done, bytes);
	text_size(rate, (uint64_t)((double)bytes * 1e9 / (double)elapsed));
	if (p->total > 0) {
		text_size(all, p->total);
		(void)snprintf(line, sizeof(line), "%s of %s, %u%%, %s/s", done,
		    all, (unsigned)(100.0 * (double)bytes / (double)p->total),
		    rate);
	} else {
		(void)snprintf(line, sizeof(line), "%s, %s/s", done, rate);
	}
	message_transient(line);
}

struct e2e_progress
progress_start(struct progress *p, uint64_t total)
{
	struct e2e_progress callback = { NULL, NULL };

	p->total = total;
	p->begun = clock_monotonic();
	p->shown = p->begun;
	if (!message_is_quiet() && isatty(STDERR_FILENO)) {
		callback.report = report;
		callback.context = p;
	}
	return callback;
}

void
progress_stop(void)
{
	message_transient(NULL);
}
