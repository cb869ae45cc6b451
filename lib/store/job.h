/*
 * job.h: one operation of store.h with its arguments and results, so that it
 * can wait in a queue, be done by another thread, and come back.
 */
#ifndef STORE_JOB_H
#define STORE_JOB_H

#include "store/store.h"

enum store_job_kind {
	/* changes */
	JOB_STAGE, JOB_UNSTAGE, JOB_DEPOSIT, JOB_ACKNOWLEDGE,
	JOB_UNACKNOWLEDGED, JOB_ENROLL, JOB_REVOKE, JOB_RETIRE_ALL, JOB_EXPIRE,
	JOB_BACKUP,		/* alone, outside a transaction */
	/* reading */
	JOB_SUMMARY, JOB_LIST, JOB_FIND, JOB_READ, JOB_LOOKUP, JOB_USAGE
};

/*
 * One operation of store.h with its arguments and results. Made and freed by
 * the submitter; while submitted it belongs to the worker. Buffers and arrays
 * that it points to live as long.
 */
struct store_job {
	enum store_job_kind kind;
	void *owner;			/* the submitter's */
	enum e2e_error error;		/* out */
	uint64_t batch;			/* out: number of the commit */
	struct store_job *next;		/* the worker's while submitted */
	uint64_t before;		/* the worker's while submitted */

	unsigned char box[E2E_ID_LEN];
	struct buffer bytes;		/* the job's own: body, piece, answer */
	union {
		struct { uint64_t staged; } stage;	/* piece: bytes */
		struct store_deposit deposit;
		struct { uint64_t *seqs; size_t count; uint64_t told; }
		    acknowledge;
		struct { uint64_t seq; unsigned limit; bool moved; }
		    unacknowledged;
		struct { struct store_card card;
		    enum store_registration result; } enroll;
		struct { bool found; } revoke;		/* of box: bytes */
		struct { uint64_t now; size_t limit;
		    struct store_expired gone; } expire;
		struct { const char *path; } backup;
		struct store_summary summary;
		struct { uint64_t after, now; struct store_item *items;
		    size_t count; } list;
		struct { uint64_t seq; struct store_item item; bool found; }
		    find;
		struct { uint64_t body, offset; size_t size; } read;
		struct { char name[STORE_NAME_MAX + 1]; /* "": by box */
		    bool retired, found; struct store_card card; } lookup;
		struct { bool exact; struct store_usage usage; } usage;
	};
};

/* Does it change the store? (JOB_BACKUP does not, and is neither.) */
bool store_job_changes(const struct store_job *job);

/*
 * Does it; changes within a transaction that the caller has begun. May be done
 * once more, as when a transaction was rolled back, if stage.staged is set
 * to what it was. E2E_ERR_USAGE for JOB_BACKUP, else what the operation says.
 */
enum e2e_error store_job_do(struct store *store, struct store_job *job);

#endif
