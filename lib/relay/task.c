/* Jobs on their way to the store, and those the host has no room for yet. */
#include "relay/peer.h"

#include <stdlib.h>
#include <string.h>

void
task_init(struct task *task, struct relay *relay, struct peer *peer,
    void (*done)(struct task *))
{
	memset(task, 0, sizeof(*task));
	task->relay = relay;
	task->peer = peer;
	task->done = done;
	chain_init(&task->of_peer);
	buffer_init(&task->job.bytes, FRAME_MAX);
	if (peer != NULL)
		chain_add(&peer->tasks, &task->of_peer);
}

void
task_leave(struct task *task)
{
	chain_remove(&task->of_peer);
	if (task->waits && task->peer != NULL)
		task->peer->waiting--;
	task->peer = NULL;
}

void
task_free(struct task *task)
{
	if (task == NULL)
		return;
	task_leave(task);
	buffer_free(&task->job.bytes);
	free(task);
}

void
task_prepare(struct task *task, enum store_job_kind kind)
{
	struct store_job *job = &task->job;
	struct buffer bytes = job->bytes;

	memset(job, 0, sizeof(*job));
	job->bytes = bytes;
	job->kind = kind;
	job->owner = task->relay;
}

void
task_submit(struct task *task)
{
	struct relay *r = task->relay;

	/* Behind those who wait already: a queue is fair. */
	if (r->waiting == NULL && r->host.submit(r->host.context,
	    &task->job)) {
		r->flying++;
		return;
	}
	task->waits = true;
	task->next = NULL;
	*r->waiting_end = task;
	r->waiting_end = &task->next;
	if (task->peer != NULL)
		task->peer->waiting++;
}

void
task_submit_waiting(struct relay *r)
{
	struct task *task;
	struct peer *peer;

	while ((task = r->waiting) != NULL) {
		if (!r->host.submit(r->host.context, &task->job))
			return;
		r->flying++;
		r->waiting = task->next;
		if (r->waiting == NULL)
			r->waiting_end = &r->waiting;
		task->waits = false;
		peer = task->peer;
		if (peer != NULL && --peer->waiting == 0)
			peer_resume(peer);
	}
}
