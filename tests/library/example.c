/*
 * example.c: seals a string to a public key and opens it again, in memory.
 *
 *	cc example.c $(pkg-config --cflags --libs e2e)
 */
#include <e2e/e2e.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes to read from, or room to write to. */
struct memory {
	unsigned char data[4096];
	size_t length;
	size_t at;
};

static enum e2e_error
take(void *context, void *data, size_t size, size_t *got)
{
	struct memory *m = context;

	*got = size < m->length - m->at ? size : m->length - m->at;
	memcpy(data, m->data + m->at, *got);
	m->at += *got;
	return E2E_OK;
}

static enum e2e_error
put(void *context, const void *data, size_t size)
{
	struct memory *m = context;

	if (size > sizeof(m->data) - m->length)
		return E2E_ERR_WRITE;
	memcpy(m->data + m->length, data, size);
	m->length += size;
	return E2E_OK;
}

/* Whoever has the card can do this. */
static enum e2e_error
seal(struct memory *envelope, const struct e2e_card *to, const char *text)
{
	struct memory message = { .length = strlen(text) };
	struct e2e_input input = { .context = &message, .read = take };
	struct e2e_output output = { .context = envelope, .write = put };
	struct e2e_seal request = { .to.cards = &to, .to.card_count = 1 };

	memcpy(message.data, text, message.length);
	return e2e_seal(&request, &input, &output, NULL, NULL);
}

/* Only the owner of the identity can do this. */
static enum e2e_error
unseal(struct memory *message, const struct e2e_identity *identity,
    struct memory *envelope)
{
	struct e2e_input input = { .context = envelope, .read = take };
	struct e2e_output output = { .context = message, .write = put };
	struct e2e_open request = {
		.keys.identities = &identity, .keys.identity_count = 1
	};
	struct e2e_reader *reader;
	struct e2e_opened opened;
	enum e2e_error error;
	bool end;

	if ((error = e2e_reader_new(&reader, &input)) != E2E_OK)
		return error;
	error = e2e_open_next(reader, &request, &opened, &end, NULL);
	/* The place to look at opened.sender_state: here, nobody signed. */
	if (error == E2E_OK)
		error = e2e_open_payload(reader, &request, &output, &opened,
		    NULL);
	e2e_reader_free(reader);
	return error;
}

int
main(void)
{
	struct memory envelope = { .length = 0 }, message = { .length = 0 };
	struct e2e_identity *bob = NULL;
	enum e2e_error error;

	error = e2e_identity_generate(&bob, "x25519", "bob", 0);
	if (error == E2E_OK)
		error = seal(&envelope, e2e_identity_card(bob), "hello, bob\n");
	if (error == E2E_OK)
		error = unseal(&message, bob, &envelope);
	e2e_identity_free(bob);
	if (error != E2E_OK) {
		fprintf(stderr, "example: %s\n", e2e_error_text(error));
		return e2e_exit_status(error);
	}
	fwrite(message.data, 1, message.length, stdout);
	return EXIT_SUCCESS;
}
