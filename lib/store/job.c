/* job.c: from a kind of job to the operation of the store. */
#include "store/job.h"

bool
store_job_changes(const struct store_job *job)
{
	return job->kind < JOB_BACKUP;
}

enum e2e_error
store_job_do(struct store *store, struct store_job *j)
{
	const struct store_ops *ops = store->ops;

	switch (j->kind) {
	case JOB_STAGE:
		return ops->stage(store, &j->stage.staged,
		    buffer_bytes(&j->bytes));
	case JOB_UNSTAGE:
		return ops->unstage(store, j->stage.staged);
	case JOB_DEPOSIT:
		return ops->deposit(store, &j->deposit);
	case JOB_ACKNOWLEDGE:
		return ops->acknowledge(store, j->box, j->acknowledge.seqs,
		    j->acknowledge.count, j->acknowledge.told);
	case JOB_UNACKNOWLEDGED:
		return ops->unacknowledged(store, j->box,
		    j->unacknowledged.seq, j->unacknowledged.limit,
		    &j->unacknowledged.moved);
	case JOB_ENROLL:
		return ops->enroll(store, &j->enroll.card,
		    &j->enroll.result);
	case JOB_REVOKE:
		return ops->revoke(store, j->box, buffer_bytes(&j->bytes),
		    &j->revoke.found);
	case JOB_RETIRE_ALL:
		return ops->retire_all(store);
	case JOB_EXPIRE:
		return ops->expire(store, j->expire.now, j->expire.limit,
		    &j->expire.gone);
	case JOB_BACKUP:
		break;
	case JOB_SUMMARY:
		return ops->summary(store, j->box, &j->summary);
	case JOB_LIST:
		return ops->list(store, j->box, j->list.after, j->list.now,
		    j->list.items, &j->list.count, &j->bytes);
	case JOB_FIND:
		return ops->find(store, j->box, j->find.seq, &j->find.item,
		    &j->find.found);
	case JOB_READ:
		return ops->read(store, j->read.body, j->read.offset,
		    j->read.size, &j->bytes);
	case JOB_LOOKUP:
		return ops->lookup(store, j->lookup.name[0] == '\0' ?
		    j->box : NULL, j->lookup.name, j->lookup.retired,
		    &j->lookup.card, &j->bytes, &j->lookup.found);
	case JOB_USAGE:
		return ops->usage(store, j->usage.exact, &j->usage.usage);
	}
	return E2E_ERR_USAGE;
}
