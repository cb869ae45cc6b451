/* A relay in a box. */
#include "relay_lab.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "crypto/hash.h"
#include "message/identity.h"
#include "relay/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the host ---- */

static bool
on_submit(void *context, struct store_job *job)
{
	struct relay_lab *lab = context;

	if (lab->job_count >= lab->job_max)
		return false;
	job->next = NULL;
	*lab->jobs_end = job;
	lab->jobs_end = &job->next;
	lab->job_count++;
	return true;
}

static void
on_wake(void *context, struct peer *peer)
{
	struct relay_lab *lab = context;

	(void)peer;
	lab->wakes++;
}

static void
on_report(void *context, const struct relay_report *report)
{
	struct relay_lab *lab = context;

	assert_true(report->event < 16);
	lab->reports[report->event]++;
	lab->last_code = report->code;
}

void
relay_lab_start(struct relay_lab *lab, const struct relay_policy *policy,
    bool has_tls)
{
	struct relay_host host = {
		.context = lab, .submit = on_submit, .wake = on_wake,
		.report = on_report
	};

	memset(lab, 0, sizeof(*lab));
	lab->jobs_end = &lab->jobs;
	lab->job_max = 1000;
	lab->wall = RELAY_LAB_WALL;
	lab->steady = RELAY_LAB_STEADY;
	relay_policy_default(&lab->policy);
	if (policy != NULL)
		lab->policy = *policy;
	assert_int_equal(store_model_open(&lab->store), E2E_OK);
	assert_int_equal(relay_new(&lab->relay, lab_fixed_identity(101, 102,
	    "relay", 1700000000), NULL, 0, &lab->policy, has_tls, &host),
	    E2E_OK);
	relay_lab_wait(lab, 0);
}

void
relay_lab_end(struct relay_lab *lab)
{
	relay_lab_run(lab);
	assert_int_equal(relay_counters(lab->relay)->peers, 0);
	assert_int_equal(relay_counters(lab->relay)->authenticated, 0);
	assert_true(relay_is_idle(lab->relay));
	assert_int_equal(lab->relay->memory, 0);
	assert_int_equal(lab->relay->starved_memory, 0);
	assert_int_equal(lab->relay->local.memory, 0);
	assert_int_equal(lab->relay->local.starved_memory, 0);
	assert_int_equal(lab->relay->local.deposits, 0);
	assert_true(chain_is_empty(&lab->relay->hungry));
	relay_free(lab->relay);
	lab->store->ops->close(lab->store);
}

void
relay_lab_wait(struct relay_lab *lab, uint64_t ms)
{
	lab->steady += ms;
	relay_set_time(lab->relay, lab->wall +
	    (lab->steady - RELAY_LAB_STEADY) / 1000, lab->steady);
}

/* ---- jobs ---- */

enum e2e_error
relay_lab_do(struct store *store, struct store_job *job)
{
	enum e2e_error error;

	if (!store_job_changes(job))
		return store_job_do(store, job);
	error = store->ops->begin(store);
	if (error != E2E_OK)
		return error;
	error = store_job_do(store, job);
	if (error == E2E_OK)
		return store->ops->commit(store);
	assert_int_equal(store->ops->rollback(store), E2E_OK);
	return error;
}

static struct store_job *
take_job(struct relay_lab *lab)
{
	struct store_job *job = lab->jobs;
	enum e2e_error error;

	if (job == NULL)
		return NULL;
	lab->jobs = job->next;
	if (lab->jobs == NULL)
		lab->jobs_end = &lab->jobs;
	lab->job_count--;
	job->next = NULL;
	job->batch = lab->batch;
	lab->done[job->kind]++;
	error = job->kind >= JOB_SUMMARY ? lab->read_error :
	    lab->change_error;
	job->error = error != E2E_OK ? error : relay_lab_do(lab->store, job);
	return job;
}

bool
relay_lab_job(struct relay_lab *lab)
{
	struct store_job *job;

	lab->batch++;
	job = take_job(lab);
	if (job == NULL)
		return false;
	relay_done(lab->relay, job);
	return true;
}

void
relay_lab_batch(struct relay_lab *lab)
{
	struct store_job *first = NULL, **end = &first;
	size_t count = lab->job_count;

	lab->batch++;
	for (; count > 0; count--) {
		*end = take_job(lab);
		end = &(*end)->next;
	}
	if (first != NULL)
		relay_done(lab->relay, first);
}

void
relay_lab_run(struct relay_lab *lab)
{
	while (lab->jobs != NULL)
		relay_lab_batch(lab);
}

/* ---- people and envelopes ---- */

void
relay_lab_enroll(struct relay_lab *lab, const struct e2e_card *card)
{
	struct store_job job;

	memset(&job, 0, sizeof(job));
	job.kind = JOB_ENROLL;
	memcpy(job.enroll.card.id, e2e_card_id(card), E2E_ID_LEN);
	(void)snprintf(job.enroll.card.name, sizeof(job.enroll.card.name),
	    "%s", e2e_card_name(card));
	job.enroll.card.serial = e2e_card_serial(card);
	job.enroll.card.card = buffer_bytes(&card->encoded);
	job.enroll.card.registered = lab->wall;
	assert_int_equal(relay_lab_do(lab->store, &job), E2E_OK);
	assert_int_equal(job.enroll.result, STORE_REGISTERED);
}

struct e2e_identity *
relay_lab_person(struct relay_lab *lab, unsigned char seed, const char *name)
{
	struct e2e_identity *identity = lab_fixed_identity(seed,
	    (unsigned char)(seed + 100), name, 1700000000);

	relay_lab_enroll(lab, identity->card);
	return identity;
}

struct buffer
relay_lab_envelope(size_t length, const struct e2e_identity *const *to,
    size_t count)
{
	const struct e2e_card *cards[8];
	struct e2e_seal request = {
		.to.cards = cards, .to.card_count = count, .threads = 1
	};
	unsigned char *data = lab_data(length);
	struct buffer envelope;
	size_t i;

	assert_true(count <= 8);
	for (i = 0; i < count; i++)
		cards[i] = to[i]->card;
	envelope = lab_seal(&request, data, length, LAB_STREAM);
	free(data);
	return envelope;
}

const char *
relay_lab_ok(const struct relay_lab *lab, const struct buffer *envelope,
    unsigned stored, unsigned dup, unsigned unknown)
{
	static char line[256];
	unsigned char hash[HASH_LEN];
	char id[64] = "", until[CLOCK_TEXT_MAX];

	assert_int_equal(hash_sha256(hash, envelope->data, envelope->length),
	    E2E_OK);
	base64_encode(BASE64URL, id, hash, sizeof(hash));
	clock_format(until, lab->wall + lab->policy.ttl);
	(void)snprintf(line, sizeof(line),
	    "OK %s stored=%u dup=%u unknown=%u until=%s\n", id, stored, dup,
	    unknown, until);
	return line;
}

/* ---- connections ---- */

void
relay_lab_connect_from(struct relay_lab *lab, struct relay_lab_peer *p,
    const struct peer_origin *origin)
{
	memset(p, 0, sizeof(*p));
	p->lab = lab;
	buffer_init(&p->received, LAB_MAX);
	p->peer = peer_new(lab->relay, origin, p);
	assert_non_null(p->peer);
	assert_ptr_equal(peer_data(p->peer), p);
}

void
relay_lab_connect(struct relay_lab *lab, struct relay_lab_peer *p)
{
	const struct peer_origin origin = { .local = true };

	relay_lab_connect_from(lab, p, &origin);
}

void
relay_lab_hang_up(struct relay_lab_peer *p)
{
	peer_free(p->peer);
	buffer_free(&p->received);
	memset(p, 0, sizeof(*p));
}

void
relay_lab_send(struct relay_lab_peer *p, const void *data, size_t size,
    size_t step)
{
	const unsigned char *at = data;
	size_t n;

	for (; size > 0; size -= n, at += n) {
		n = step > 0 && step < size ? step : size;
		peer_input(p->peer, at, n);
	}
}

void
relay_lab_receive(struct relay_lab_peer *p)
{
	struct bytes out;

	while ((out = peer_output(p->peer)).length > 0) {
		assert_true(buffer_append(&p->received, out.data,
		    out.length));
		peer_sent(p->peer, out.length);
	}
}

void
relay_lab_says(struct relay_lab_peer *p, const char *text)
{
	relay_lab_receive(p);
	(void)buffer_append_byte(&p->received, '\0');
	assert_string_equal(p->received.data, text);
	buffer_clear(&p->received);
}

void
relay_lab_says_like(struct relay_lab_peer *p, const char *beginning)
{
	relay_lab_receive(p);
	(void)buffer_append_byte(&p->received, '\0');
	if (strncmp((char *)p->received.data, beginning,
	    strlen(beginning)) != 0)
		assert_string_equal(p->received.data, beginning);
	buffer_clear(&p->received);
}

void
relay_lab_silent(struct relay_lab_peer *p)
{
	relay_lab_says(p, "");
}

void
relay_lab_deadline(struct relay_lab_peer *p)
{
	uint64_t at = peer_deadline(p->peer);

	assert_int_not_equal(at, 0);
	if (at > p->lab->steady)
		relay_lab_wait(p->lab, at - p->lab->steady);
	peer_tick(p->peer);
}
