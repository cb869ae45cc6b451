/*
 * Writes the inputs that the fuzz targets start from: FOLDER/TARGET/NAME,
 * made by the library itself.
 */
#include "fuzz.h"

#include "message/identity.h"
#include "message/sender.h"
#include "message/wrapped_key.h"
#include "relay/frame.h"
#include "relay/receipt.h"
#include "wire/armor.h"
#include "wire/cose.h"
#include "wire/labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder;

static void
save(const char *target, const char *name, int first, struct bytes bytes)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, target);
	(void)mkdir(path, 0777);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	FUZZ_REQUIRE(f != NULL);
	if (first >= 0)
		FUZZ_REQUIRE(fputc(first, f) == first);
	FUZZ_REQUIRE(fwrite(bytes.data, 1, bytes.length, f) == bytes.length);
	FUZZ_REQUIRE(fclose(f) == 0);
}

static struct bytes
text_bytes(const char *text)
{
	return (struct bytes){ (const unsigned char *)text, strlen(text) };
}

static const struct e2e_card *
card_of(enum fuzz_person person)
{
	return e2e_identity_card(fuzz_identity(person));
}

/* ---- envelopes, and the headers and armor in them ---- */

/* One that the envelope target spends an Argon2 on. */
static bool
is_worth_it(const struct e2e_seal *request, const struct buffer *out)
{
	return request->to.passphrase == NULL ||
	    fuzz_sometimes(out->data, out->length, FUZZ_DEAR_ODDS);
}

static void
save_whole(const char *name, bool armor, struct bytes envelope)
{
	static unsigned how;

	save("envelope", name, -1, envelope);
	save("rewrap", name, (int)(how++ * 5 % 32), envelope);
	if (armor) {
		save("armor", name, 1, envelope);
		return;
	}
	save("transit", name, -1, envelope);
	envelope.data += ENVELOPE_START_LEN;
	envelope.length -= ENVELOPE_START_LEN;
	if (envelope.length > 2048)
		envelope.length = 2048;
	save("header", name, -1, envelope);
}

static void
save_envelope(const char *name, const struct e2e_seal *request,
    size_t length)
{
	struct buffer data, out;
	struct fuzz_memory memory = { 0 };
	struct e2e_input input;
	struct e2e_output output;

	buffer_init(&data, length + 1);
	buffer_init(&out, FUZZ_OUTPUT_MAX);
	fuzz_put_data(&data, length);
	memory.data = data.data;
	memory.size = length;
	do {
		buffer_clear(&out);
		input = fuzz_input(&memory, false);
		output = fuzz_output(&out, false);
		FUZZ_REQUIRE(e2e_seal(request, &input, &output, NULL,
		    NULL) == E2E_OK);
	} while (!is_worth_it(request, &out));
	save_whole(name, request->armor, buffer_bytes(&out));
	buffer_free(&data);
	buffer_free(&out);
}

static void
envelopes(void)
{
	const struct e2e_card *both[] = { card_of(FUZZ_CURVE),
		card_of(FUZZ_RSA) };
	const struct e2e_kdf_cost cheap = { 8192, 1, 1 };
	struct e2e_seal base = {
		.to.cards = both, .to.card_count = 1, .threads = 1
	}, s;
	char name[32];
	size_t i;

	for (i = 0; i < FUZZ_LENGTHS; i++) {
		(void)snprintf(name, sizeof(name), "anonymous-%zu",
		    fuzz_lengths[i]);
		save_envelope(name, &base, fuzz_lengths[i]);
	}
	s = base;
	s.to.cards = both + 1;
	save_envelope("rsa", &s, 100);
	s = base;
	s.armor = true;
	save_envelope("armored", &s, 500);
	s.armor = false;
	s.pad = true;
	save_envelope("padded", &s, 500);
	s.sender = fuzz_identity(FUZZ_SENDER);
	save_envelope("signed-padded", &s, 1);
	s.pad = false;
	save_envelope("signed", &s, 100);
	s.no_card = true;
	s.to.card_count = 2;
	save_envelope("segments", &s, 16400);
	s.to.hide = true;
	s.no_card = false;
	s.to_self = true;
	s.file_name = "letter";
	s.media_type = "text/plain";
	save_envelope("hidden", &s, 100);
	s = base;
	s.to.card_count = 0;
	s.to.passphrase = FUZZ_PASSPHRASE;
	s.to.passphrase_length = strlen(FUZZ_PASSPHRASE);
	s.to.passphrase_cost = cheap;
	save_envelope("passphrase", &s, 100);
}

static void
groups(void)
{
	const struct e2e_group_key *group = fuzz_group();
	const struct e2e_card *card = card_of(FUZZ_CURVE);
	struct e2e_seal s = {
		.to.groups = &group, .to.group_count = 1, .threads = 1,
		.sender = fuzz_identity(FUZZ_SENDER), .ask_receipt = true
	};

	save_envelope("group", &s, 100);
	s.to.hide = true;
	s.no_card = true;
	save_envelope("group-hidden", &s, 16384);
	s.to.hide = false;
	s.to.cards = &card;
	s.to.card_count = 1;
	save_envelope("group-and-card", &s, 1);
}

/* ---- rewrapped ---- */

static void
save_rewrapped(const char *name, const struct e2e_seal *old,
    const struct e2e_rewrap *request)
{
	struct buffer data, envelope, out;
	struct e2e_rewrapped rewrapped;
	struct fuzz_memory memory = { 0 };
	struct e2e_reader *reader;
	struct e2e_output output;
	struct e2e_input input;
	bool end;

	buffer_init(&data, 100);
	buffer_init(&envelope, FUZZ_OUTPUT_MAX);
	buffer_init(&out, FUZZ_OUTPUT_MAX);
	fuzz_put_data(&data, 100);
	memory.data = data.data;
	memory.size = data.length;
	input = fuzz_input(&memory, false);
	output = fuzz_output(&envelope, false);
	FUZZ_REQUIRE(e2e_seal(old, &input, &output, NULL, NULL) == E2E_OK);
	memory.data = envelope.data;
	memory.size = envelope.length;
	input = fuzz_input(&memory, false);
	output = fuzz_output(&out, false);
	FUZZ_REQUIRE(e2e_reader_new(&reader, &input) == E2E_OK);
	FUZZ_REQUIRE(e2e_rewrap_next(reader, request, &output, &rewrapped,
	    &end, NULL) == E2E_OK);
	e2e_reader_free(reader);
	save_whole(name, request->armor, buffer_bytes(&out));
	buffer_free(&data);
	buffer_free(&envelope);
	buffer_free(&out);
}

static void
rewrapped(void)
{
	const struct e2e_identity *rsa = fuzz_identity(FUZZ_RSA);
	const struct e2e_card *first = card_of(FUZZ_RSA),
	    *then = card_of(FUZZ_CURVE);
	const struct e2e_group_key *group = fuzz_group();
	struct e2e_seal old = {
		.to.cards = &first, .to.card_count = 1, .threads = 1,
		.sender = fuzz_identity(FUZZ_SENDER), .sign_segments = true
	};
	struct e2e_rewrap q = {
		.keys.identities = &rsa, .keys.identity_count = 1,
		.to.cards = &then, .to.card_count = 1
	};

	save_rewrapped("rewrapped-bare", &old, &q);
	q.forwarder = fuzz_identity(FUZZ_SENDER);
	q.to.hide = true;
	save_rewrapped("rewrapped-hidden", &old, &q);
	old.sign_segments = false;
	q.to.hide = false;
	save_rewrapped("rewrapped-mode-1", &old, &q);
	old.sender = NULL;
	q.to.card_count = 0;
	q.to.groups = &group;
	q.to.group_count = 1;
	save_rewrapped("rewrapped-group", &old, &q);
	q.armor = true;
	save_rewrapped("rewrapped-armored", &old, &q);
}

/* Blocks: the claims alone. */
static void
blocks(void)
{
	struct metadata m = fuzz_claims(MODE_ANONYMOUS);
	const struct buffer *card = &card_of(FUZZ_SENDER)->encoded;
	unsigned char to[HASH_LEN];
	struct buffer b;
	int i;

	FUZZ_REQUIRE(derive_to(to, m.message_id,
	    e2e_card_id(card_of(FUZZ_CURVE))) == E2E_OK);
	for (i = 0; i < 8; i++) {
		buffer_init(&b, HEADER_REWRAP_MAX);
		dcbor_put_map(&b, (size_t)2 + (i >= 4) + (i % 4 >= 2));
		dcbor_put_int(&b, CLAIM_IAT);
		dcbor_put_uint(&b, 1700000000);
		if (i >= 4) {
			dcbor_put_int(&b, CLAIM_CARD);
			dcbor_put_bytes(&b, card->data, card->length);
		}
		if (i % 4 >= 2) {
			dcbor_put_int(&b, CLAIM_TO);
			dcbor_put_array(&b, 1);
			dcbor_put_bytes(&b, to, HASH_LEN);
		}
		dcbor_put_int(&b, CLAIM_ORIGINAL_HASH);
		dcbor_put_bytes(&b, fuzz_first_hash, HASH_LEN);
		FUZZ_REQUIRE(!b.failed);
		/* Signed where there is a card, or every second one. */
		save("block", (char[]){ 'a' + (char)i, '\0' },
		    (i >= 4 || i % 2) + 2 * (i % 4 >= 2), buffer_bytes(&b));
		buffer_free(&b);
	}
}

/* ---- what lies inside ---- */

static void
save_claims(const char *target, const char *name, int first,
    const struct metadata *m, int padding)
{
	struct buffer b;

	buffer_init_secret(&b, HEADER_METADATA_MAX);
	metadata_put(&b, m, padding);
	FUZZ_REQUIRE(!b.failed);
	save(target, name, first, buffer_bytes(&b));
	/* Claims are also what the CBOR target likes to chew. */
	save("dcbor", name, -1, buffer_bytes(&b));
	buffer_free(&b);
}

static void
metadata(void)
{
	struct metadata m = fuzz_claims(MODE_ANONYMOUS);
	unsigned char to[HASH_LEN];
	struct buffer b;

	save_claims("metadata", "bare", 0, &m, -1);
	m.padded = true;
	m.has_expiry = true;
	m.expires = 1;
	m.media_type = text_bytes("text/plain");
	m.file_name = text_bytes("letter");
	m.reply_to = m.conversation = m.message_id;
	m.sequence = 300;
	save_claims("metadata", "bare-full", 1, &m, 20);

	m = fuzz_claims(MODE_HEADER);
	save_claims("signed", "mode-1", 0, &m, -1);
	m.card.data = NULL;
	FUZZ_REQUIRE(derive_to(to, m.message_id,
	    e2e_card_id(card_of(FUZZ_CURVE))) == E2E_OK);
	m.to = (struct bytes){ to, HASH_LEN };
	save_claims("signed", "mode-1-to", 5, &m, 3);
	m = fuzz_claims(MODE_SEGMENTS);
	m.receipt_wanted = true;
	save_claims("signed", "mode-2", 10, &m, -1);

	buffer_init_secret(&b, HEADER_METADATA_MAX);
	FUZZ_REQUIRE(sender_put_metadata(&b, &m,
	    fuzz_identity(FUZZ_SENDER)->signing,
	    &fuzz_core(FUZZ_TO_CURVE)->core) == E2E_OK);
	save("metadata", "sign1", 0, buffer_bytes(&b));
	buffer_free(&b);
}

/* ---- keys, cards and statements ---- */

static void
save_protected(const struct cose_sign1 *sign1)
{
	struct buffer b;

	buffer_init(&b, E2E_CARD_MAX);
	(void)buffer_append_byte(&b,
	    (unsigned char)sign1->protected_header.length);
	(void)buffer_append(&b, sign1->protected_header.data,
	    sign1->protected_header.length);
	(void)buffer_append(&b, sign1->payload.data, sign1->payload.length);
	FUZZ_REQUIRE(!b.failed);
	save("signed", "protected", 4, buffer_bytes(&b));
	buffer_free(&b);
}

static void
save_person(enum fuzz_person person, const char *name, const char *text)
{
	struct bytes encoded = buffer_bytes(&card_of(person)->encoded);
	const struct e2e_identity *identity = fuzz_identity(person);
	char *line = e2e_card_line(card_of(person));
	struct cose_sign1 sign1;
	struct buffer b;
	size_t i;

	FUZZ_REQUIRE(line != NULL);
	save("card", name, 1, encoded);
	save("card", person == FUZZ_RSA ? "line-rsa" : "line", 0,
	    text_bytes(line));
	free(line);
	FUZZ_REQUIRE(cose_sign1_parse(&sign1, encoded, TYP_CARD) == E2E_OK);
	if (person != FUZZ_CURVE)
		save("signed", name, person == FUZZ_RSA ? 2 : 1,
		    sign1.payload);
	if (person == FUZZ_SENDER)
		save_protected(&sign1);
	save("dcbor", name, -1, sign1.payload);
	save("keyfile", name, -1, text_bytes(text));
	save("armor", name, 7, text_bytes(text));

	buffer_init_secret(&b, E2E_KEY_FILE_MAX);
	dcbor_put_array(&b, 1 + identity->encryption_count);
	cose_put_key(&b, &identity->signing->parts, true);
	for (i = 0; i < identity->encryption_count; i++)
		cose_put_key(&b, &identity->encryption[i]->parts, true);
	FUZZ_REQUIRE(!b.failed);
	save("keyset", name, (int)person, buffer_bytes(&b));
	save("dcbor", person == FUZZ_RSA ? "keys-rsa" : "keys", -1,
	    buffer_bytes(&b));
	buffer_free(&b);
}

static void
locked_key(void)
{
	const struct e2e_kdf_cost cheap = { 8192, 1, 1 };
	size_t length;
	char *text;

	for (;;) {
		FUZZ_REQUIRE(e2e_identity_text(fuzz_identity(FUZZ_CURVE),
		    FUZZ_PASSPHRASE, strlen(FUZZ_PASSPHRASE), cheap, &text,
		    &length) == E2E_OK);
		if (fuzz_sometimes((unsigned char *)text, length,
		    FUZZ_DEAR_ODDS))
			break;
		e2e_secret_free(text);
	}
	save("keyfile", "locked", -1, (struct bytes){
	    (const unsigned char *)text, length });
	e2e_secret_free(text);
}

static void
revocations(void)
{
	struct cose_sign1 sign1;
	struct buffer b;
	char *text;

	FUZZ_REQUIRE(e2e_revocation_make(&text, fuzz_identity(FUZZ_RSA),
	    E2E_REVOKE_COMPROMISED) == E2E_OK);
	save("revocation", "rsa", -1, text_bytes(text));
	free(text);
	FUZZ_REQUIRE(e2e_revocation_make(&text, fuzz_identity(FUZZ_SENDER),
	    E2E_REVOKE_UNSPECIFIED) == E2E_OK);
	save("revocation", "curve", -1, text_bytes(text));
	buffer_init(&b, 4096);
	FUZZ_REQUIRE(armor_decode(&b, ARMOR_REVOCATION, true, text,
	    strlen(text)) == E2E_OK);
	FUZZ_REQUIRE(cose_sign1_parse(&sign1, buffer_bytes(&b),
	    TYP_REVOCATION) == E2E_OK);
	save("signed", "revocation", 3, sign1.payload);
	buffer_free(&b);
	free(text);
}

static void
wrapped_keys(void)
{
	struct bytes text = text_bytes(fuzz_key_group);
	struct metadata m = fuzz_claims(MODE_ANONYMOUS);
	struct wrapped_key w = {
		.issued = 1700000000, .id = m.message_id,
		.key = fuzz_payload_key, .epoch = 1, .random = m.message_id
	};
	struct buffer b, ids;
	int i;

	save("wrapped", "armored", 0, text);
	save("armor", "wrapped", 5, text);
	buffer_init(&b, E2E_WRAPPED_KEY_MAX);
	FUZZ_REQUIRE(armor_decode(&b, ARMOR_WRAPPED_KEY, false, text.data,
	    text.length) == E2E_OK);
	save("wrapped", "binary", 0, buffer_bytes(&b));
	save("header", "wrapped", -1, (struct bytes){ b.data + 5,
	    b.length - 5 });
	buffer_free(&b);
	buffer_init(&ids, 2 * E2E_ID_LEN);
	(void)buffer_append(&ids, e2e_card_id(card_of(FUZZ_CURVE)),
	    E2E_ID_LEN);
	(void)buffer_append(&ids, e2e_card_id(card_of(FUZZ_RSA)), E2E_ID_LEN);
	for (i = 0; i < 6; i++) {
		w.members = (struct bytes){ ids.data,
			(size_t)(2 - i % 3) * E2E_ID_LEN };
		w.name = i % 2 ? text_bytes("fuzzers") :
		    (struct bytes){ NULL, 0 };
		w.card = i >= 3 ?
		    buffer_bytes(&card_of(FUZZ_SENDER)->encoded) :
		    (struct bytes){ NULL, 0 };
		buffer_init_secret(&b, HEADER_METADATA_MAX);
		wrapped_key_put(&b, &w);
		FUZZ_REQUIRE(!b.failed);
		save("wrapped", (char[]){ 'a' + (char)i, '\0' }, 3 + i,
		    buffer_bytes(&b));
		if (i == 1)
			save("dcbor", "group", -1, buffer_bytes(&b));
		buffer_free(&b);
	}
	buffer_free(&ids);
}

static void
deliveries(void)
{
	static const enum fuzz_person people[] = { FUZZ_CURVE, FUZZ_RSA };
	struct e2e_opened opened = {
		.receipt_wanted = true, .is_hashed = true,
		.sender_state = E2E_SENDER_VERIFIED
	};
	unsigned char data[E2E_DELIVERY_MAX];
	struct cose_sign1 sign1;
	struct bytes encoded;
	int i;

	memset(opened.message_id, 1, sizeof(opened.message_id));
	memset(opened.context_hash, 2, sizeof(opened.context_hash));
	memset(opened.data_hash, 3, sizeof(opened.data_hash));
	for (i = 0; i < 2; i++) {
		encoded.data = data;
		FUZZ_REQUIRE(e2e_delivery_make(data, &encoded.length,
		    fuzz_identity(people[i]), &opened) == E2E_OK);
		save("delivery", i == 0 ? "curve" : "rsa", 0, encoded);
	}
	FUZZ_REQUIRE(cose_sign1_parse(&sign1, encoded, TYP_DELIVERY) ==
	    E2E_OK);
	save("delivery", "claims", 1, sign1.payload);
}

/* One script for each way and each breaking, over a few pieces. */
static void
payloads(void)
{
	static const unsigned char pieces[][6] = {
		{ 0, 0, 0, 0, 0, 0 }, { 5, 2, 0x80, 3, 2, 0 },
		{ 4, 2, 5, 2, 1, 9 }, { 5, 1, 5, 2, 5, 3 }
	};
	unsigned char script[8];
	char name[32];
	unsigned way, p;

	for (way = 0; way < 14 * 8; way++) {
		for (p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
			script[0] = (unsigned char)way;
			script[1] = (unsigned char)(way * 37 + p);
			memcpy(script + 2, pieces[p], 6);
			(void)snprintf(name, sizeof(name), "way-%u-%u", way,
			    p);
			save("payload", name, -1, (struct bytes){ script,
			    sizeof(script) });
		}
	}
}

static void
round_trips(void)
{
	unsigned char script[15] = "\0\0\0\0\0letter.txt";
	char name[32];
	unsigned i;

	for (i = 0; i < 128; i++) {
		script[0] = (unsigned char)(i * 5 + 1);
		script[1] = (unsigned char)(i * 7);
		script[2] = (unsigned char)i;
		script[3] = (unsigned char)i;
		script[4] = (unsigned char)(i / 8);
		(void)snprintf(name, sizeof(name), "request-%u", i);
		save("roundtrip", name, -1, (struct bytes){ script,
		    sizeof(script) });
	}
}

/* ---- between a relay and its clients ---- */

static void
save_frame(const char *name, const struct frame *f)
{
	struct buffer b;

	buffer_init(&b, FRAME_MAX);
	frame_put(&b, f);
	FUZZ_REQUIRE(!b.failed);
	save("frame", name, 1, buffer_bytes(&b));
	buffer_free(&b);
}

static void
frames_of_a_session(const unsigned char *id, struct bytes card,
    struct bytes signature)
{
	struct frame f = { .type = FRAME_HELLO };

	f.hello.versions[0] = 1;
	f.hello.version_count = 1;
	f.hello.mailbox = f.hello.cnonce = id;
	f.hello.credit_items = 256;
	f.hello.credit_bytes = 8 << 20;
	save_frame("hello", &f);
	f = (struct frame){ .type = FRAME_AUTH };
	f.auth.signature = signature;
	f.auth.card = card;
	save_frame("auth", &f);
	f = (struct frame){ .type = FRAME_READY };
	f.ready.bytes = 1 << 20;
	save_frame("ready", &f);
	f = (struct frame){ .type = FRAME_MSG };
	f.msg.id = id;
	f.msg.until = 1700000000;
	save_frame("msg", &f);
	f = (struct frame){ .type = FRAME_ACK };
	f.ack.ranges[0] = (struct frame_range){ 1, 5 };
	f.ack.ranges[1] = (struct frame_range){ 7, 7 };
	f.ack.count = 2;
	f.ack.signature = signature;
	save_frame("ack", &f);
	f.type = FRAME_ACKED;
	save_frame("acked", &f);
	f = (struct frame){ .type = FRAME_GET };
	save_frame("get", &f);
	f = (struct frame){ .type = FRAME_DATA };
	f.data.id = id;
	save_frame("data", &f);
	f = (struct frame){ .type = FRAME_PING };
	save_frame("ping", &f);
	f = (struct frame){ .type = FRAME_EMPTY };
	save_frame("empty", &f);
	f = (struct frame){ .type = FRAME_CREDIT };
	f.credit.items = 300;
	save_frame("credit", &f);
	f = (struct frame){ .type = FRAME_GOAWAY };
	f.goaway.reason = text_bytes("drain");
	f.goaway.retry = 30;
	save_frame("goaway", &f);
	f = (struct frame){ .type = FRAME_ERROR };
	f.error.code = f.error.text = text_bytes("busy");
	save_frame("error", &f);
}

static void
frames_of_deposits_and_cards(const unsigned char *id, struct bytes card,
    struct bytes signature)
{
	struct frame f = { .type = FRAME_PUT };
	size_t i;

	save_frame("put", &f);
	f.put.mailboxes = (struct bytes){ id, E2E_ID_LEN };
	f.put.count = 1;
	save_frame("put-to", &f);
	f = (struct frame){ .type = FRAME_RECEIPT };
	f.receipt.line = text_bytes("ERR busy later");
	save_frame("receipt", &f);
	f.receipt.is_signed = true;
	f.receipt.leaf = f.receipt.signature = signature;
	f.receipt.tree_size = 4;
	for (i = 0; i < 2; i++)
		f.receipt.path[i] = id;
	f.receipt.path_length = 2;
	save_frame("receipt-signed", &f);
	f = (struct frame){ .type = FRAME_REGISTER };
	f.enroll.card = card;
	f.enroll.token = text_bytes("token");
	save_frame("register", &f);
	f = (struct frame){ .type = FRAME_LOOKUP };
	f.lookup.name = text_bytes("alice");
	save_frame("lookup", &f);
	f = (struct frame){ .type = FRAME_REVOKE };
	f.revoke.statement = signature;
	save_frame("revoke", &f);
	f = (struct frame){ .type = FRAME_RECORD };
	f.record.signature = signature;
	save_frame("record-none", &f);
	f.record.card = card;
	f.record.revocations[0] = signature;
	f.record.revocation_count = 1;
	save_frame("record", &f);
}

static void
frames(void)
{
	struct bytes card = buffer_bytes(&card_of(FUZZ_CURVE)->encoded);
	struct frame_core core = { .version = 1, .card = card,
	    .succession_count = 1 };
	const unsigned char *id = e2e_card_id(card_of(FUZZ_CURVE));
	struct bytes signature = { id, 20 };
	struct frame f = { .type = FRAME_CHAL };
	struct buffer b;

	core.successions[0] = (struct frame_succession){ card, signature };
	core.snonce = id;
	buffer_init(&b, FRAME_MAX);
	frame_put_core(&b, &core);
	FUZZ_REQUIRE(!b.failed);
	save("frame", "core", 0, buffer_bytes(&b));
	f.chal.core = buffer_bytes(&b);
	f.chal.signature = signature;
	save_frame("chal", &f);
	buffer_free(&b);
	frames_of_a_session(id, card, signature);
	frames_of_deposits_and_cards(id, card, signature);
}

static void
receipts(void)
{
	struct receipt r = { .code = RECEIPT_OK, .stored = 2,
	    .until = 1797724800 };
	struct buffer b;
	char name[32];
	int i;

	for (i = RECEIPT_OK; i <= RECEIPT_DRAIN; i++) {
		r.code = (enum receipt_code)i;
		r.retry = (uint64_t)i / 2;
		(void)snprintf(r.text, sizeof(r.text), "try again");
		buffer_init(&b, 1024);
		receipt_put(&b, &r);
		(void)snprintf(name, sizeof(name), "line-%d", i);
		save("receipt", name, -1, (struct bytes){ b.data,
		    b.length - 1 });
		buffer_free(&b);
	}
}

/* Steps of target_core.c: what three callers do. */
static void
cores(void)
{
	enum { SAY = 10, HEAR = 13, WORK = 16, TIME = 19, END, AGAIN };
#define STEP(what, who, detail) (unsigned char)((what) * 3 + (who)), (detail)
	static const unsigned char bare[] = {
		STEP(0, 0, 0), STEP(WORK, 0, 9), STEP(HEAR, 0, 255),
		STEP(0, 1, 1), STEP(0, 0, 0), STEP(WORK, 0, 9),
		STEP(HEAR, 0, 255), STEP(HEAR, 1, 255), STEP(TIME, 0, 50),
		STEP(TIME, 0, 50), STEP(AGAIN, 0, 3)
	}, session[] = {
		STEP(0, 1, 0), STEP(WORK, 0, 9), STEP(1, 0, 255),
		STEP(HEAR, 0, 255), STEP(2, 0, 0), STEP(WORK, 0, 9),
		STEP(HEAR, 0, 255), STEP(WORK, 0, 9), STEP(WORK, 0, 9),
		STEP(HEAR, 0, 255), STEP(WORK, 0, 9), STEP(HEAR, 0, 255),
		STEP(3, 0, 0), STEP(WORK, 0, 9), STEP(HEAR, 0, 255),
		STEP(4, 0, 1), STEP(WORK, 0, 9), STEP(WORK, 0, 9),
		STEP(HEAR, 0, 255), STEP(7, 0, 3), STEP(7, 0, 254),
		STEP(WORK, 0, 9), STEP(HEAR, 0, 255), STEP(5, 0, 0),
		STEP(6, 0, 0), STEP(8, 0, 0), STEP(WORK, 0, 9),
		STEP(WORK, 0, 9), STEP(HEAR, 0, 255)
	}, raw[] = {
		STEP(SAY, 0, 5), 'h', 'e', 'l', 'l', 'o', STEP(HEAR, 0, 255),
		STEP(SAY, 1, 3), 0xda, 0x65, 0x32, STEP(TIME, 0, 255)
	};

	save("core", "bare", -1, (struct bytes){ bare, sizeof(bare) });
	save("core", "session", -1, (struct bytes){ session,
	    sizeof(session) });
	save("core", "raw", -1, (struct bytes){ raw, sizeof(raw) });
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seeds FOLDER\n");
		return 64;
	}
	folder = argv[1];
	envelopes();
	groups();
	rewrapped();
	blocks();
	metadata();
	save_person(FUZZ_SENDER, "sender", fuzz_key_sender);
	save_person(FUZZ_CURVE, "curve", fuzz_key_curve);
	save_person(FUZZ_RSA, "rsa", fuzz_key_rsa);
	locked_key();
	revocations();
	wrapped_keys();
	deliveries();
	payloads();
	round_trips();
	frames();
	receipts();
	cores();
	return 0;
}
