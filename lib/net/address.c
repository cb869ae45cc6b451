/*
 * address.c: from what is written on a command line to host and port.
 *
 * Only the form is looked at; what a name stands for is the resolver's
 * business. Names are held to the characters that host names have, so that an
 * address can be shown, logged and kept in a file as it is.
 */
#include "net/address.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

static bool
consists_of(const char *text, const char *more)
{

	for (; *text != '\0'; text++)
		if (strchr(letters, *text) == NULL &&
		    strchr(digits, *text) == NULL && strchr(more, *text) == NULL)
			return false;
	return true;
}

static bool
take_port(struct address *address, const char *text, bool listening)
{
	uint64_t port;

	if (strlen(text) > 5 || !number_parse(&port, text, 65535) ||
	    (port == 0 && !listening))
		return false;
	(void)snprintf(address->port, sizeof(address->port), "%u",
	    (unsigned)port);
	return true;
}

static bool
take_host(struct address *address, const char *text, size_t length)
{
	size_t i;

	if (length == 0 || length > ADDRESS_HOST_MAX)
		return false;
	for (i = 0; i < length; i++)
		address->host[i] = text[i] >= 'A' && text[i] <= 'Z' ?
		    (char)(text[i] - 'A' + 'a') : text[i];
	address->host[length] = '\0';
	return address->host[0] != '-' && consists_of(address->host, "-._");
}

/* In its shortest form: one relay is to have one name. */
static bool
take_v6(struct address *address, const char *text, size_t length)
{
	char number[INET6_ADDRSTRLEN + 1], zone[33] = "";
	const char *percent = memchr(text, '%', length);
	size_t size = percent == NULL ? length : (size_t)(percent - text);
	struct in6_addr parsed;

	if (size >= sizeof(number))
		return false;
	memcpy(number, text, size);
	number[size] = '\0';
	if (percent != NULL) {
		if (length - size < 2 || length - size > sizeof(zone))
			return false;
		memcpy(zone, percent, length - size);
		zone[length - size] = '\0';
		if (!consists_of(zone + 1, "-._"))
			return false;
	}
	if (inet_pton(AF_INET6, number, &parsed) != 1 ||
	    inet_ntop(AF_INET6, &parsed, number, sizeof(number)) == NULL)
		return false;
	(void)snprintf(address->host, sizeof(address->host), "%s%s", number,
	    zone);
	return true;
}

static bool
take_bracketed(struct address *address, const char *text, bool listening)
{
	const char *end = strchr(text, ']');

	if (end == NULL || !take_v6(address, text + 1,
	    (size_t)(end - text - 1)))
		return false;
	if (end[1] == '\0')
		return true;
	return end[1] == ':' && take_port(address, end + 2, listening);
}

static bool
take_unix(struct address *address, const char *path)
{
	size_t length = strlen(path);

	if (length == 0 || length > ADDRESS_PATH_MAX)
		return false;
	address->is_unix = true;
	address->port[0] = '\0';
	memcpy(address->host, path, length + 1);
	return true;
}

bool
address_parse(struct address *address, const char *text, bool listening)
{
	const char *colon;
	size_t length;

	memset(address, 0, sizeof(*address));
	memcpy(address->port, ADDRESS_PORT, sizeof(ADDRESS_PORT));
	/* A variable of a script that is not set is no wish. */
	if (text[0] == '\0')
		return false;
	if (strncmp(text, "unix:", 5) == 0)
		return take_unix(address, text + 5);
	if (strncmp(text, "tls://", 6) == 0) {
		address->tls = true;
		text += 6;
		if (text[0] == '\0')
			return false;
	}
	if (text[0] == '[')
		return take_bracketed(address, text, listening);
	colon = strchr(text, ':');
	if (colon != NULL && strchr(colon + 1, ':') != NULL)
		return take_v6(address, text, strlen(text));
	length = colon == NULL ? strlen(text) : (size_t)(colon - text);
	if (colon != NULL && !take_port(address, colon + 1, listening))
		return false;
	if (listening && (length == 0 || (length == 1 && text[0] == '*'))) {
		memcpy(address->host, "*", 2);
		return true;
	}
	return take_host(address, text, length);
}

void
address_format(char text[ADDRESS_TEXT_MAX + 1], const struct address *address)
{
	bool is_v6 = strchr(address->host, ':') != NULL;

	if (address->is_unix)
		(void)snprintf(text, ADDRESS_TEXT_MAX + 1, "unix:%s",
		    address->host);
	else
		(void)snprintf(text, ADDRESS_TEXT_MAX + 1, "%s%s%s:%s",
		    is_v6 ? "[" : "", address->host, is_v6 ? "]" : "",
		    address->port);
}
