/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* resolv.conf(5), and what stands in place of it. Limits and defaults are glibc's. */

#define BLANKS " \t\r\n"

#define DNS_PORT     53
#define NDOTS_MAX    15
#define TIMEOUT_MAX  30
#define ATTEMPTS_MAX 5

static bool port_of(const char *text, unsigned int *port)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*port = (unsigned int)n;
	return isdigit((unsigned char)*text) && !*end && n >= 1 && n <= 65535;
}

/* "A", "A:PORT", "A6", "[A6]", "[A6]:PORT", as "A:PORT" or "[A6]:PORT". @return false: it is none.
 */
static bool server_parse(const char *text, char *out, size_t size)
{
	char copy[PLX_ADDR_STRLEN + 8], *host = copy, *port = NULL;
	unsigned int n = DNS_PORT;
	struct plx_addr a;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	if (*host == '[') {
		char *end = strchr(++host, ']');

		if (!end || (end[1] && end[1] != ':'))
			return false;
		port = end[1] ? end + 2 : NULL;
		*end = '\0';
	} else if (strchr(host, ':') && strchr(host, ':') == strrchr(host, ':')) {
		port = strchr(host, ':');
		*port++ = '\0';
	}
	if ((port && !port_of(port, &n)) || plx_addr_parse(&a, host) != 0 || plx_addr_is_any(&a))
		return false;
	if (out)
		snprintf(out, size, plx_addr_is_v4(&a) ? "%s:%u" : "[%s]:%u",
			plx_addr_format(&a, copy), n);
	return true;
}

bool plx_resolv_server_ok(const char *text)
{
	return server_parse(text, NULL, 0);
}

static bool add_server(struct resolv_conf *c, const char *text)
{
	if (c->n_server == PLX_RESOLV_SERVERS ||
		!server_parse(text, c->server[c->n_server], sizeof(c->server[0])))
		return false;
	c->n_server++;
	return true;
}

static bool add_search(struct resolv_conf *c, const char *text)
{
	if (c->n_search == PLX_RESOLV_SEARCH || strlen(text) >= sizeof(c->search[0]))
		return false;
	strcpy(c->search[c->n_search++], text);
	return true;
}

/* "ndots:2" of this name. */
static bool number(const char *word, const char *name, unsigned int max, unsigned int *v)
{
	size_t n = strlen(name);

	if (strncmp(word, name, n) != 0 || word[n] != ':' || !isdigit((unsigned char)word[n + 1]))
		return false;
	*v = (unsigned int)PLX_MIN(strtoul(word + n + 1, NULL, 10), (unsigned long)max);
	return true;
}

static void option(struct resolv_conf *c, const char *word)
{
	if (number(word, "ndots", NDOTS_MAX, &c->ndots) ||
		number(word, "timeout", TIMEOUT_MAX, &c->timeout_s) ||
		number(word, "attempts", ATTEMPTS_MAX, &c->attempts))
		return;
	c->rotate |= strcmp(word, "rotate") == 0;
	c->use_vc |= strcmp(word, "use-vc") == 0;
	c->edns0 |= strcmp(word, "edns0") == 0;
}

static void line(struct resolv_conf *c, char *text)
{
	char *at, *key = strtok_r(text, BLANKS, &at), *word;

	if (!key || *key == '#' || *key == ';')
		return;
	if (strcmp(key, "search") == 0 || strcmp(key, "domain") == 0)
		c->n_search = 0; /* the last one counts */
	while ((word = strtok_r(NULL, BLANKS, &at))) {
		if (strcmp(key, "nameserver") == 0)
			add_server(c, word);
		else if (strcmp(key, "search") == 0 || strcmp(key, "domain") == 0)
			add_search(c, word);
		else if (strcmp(key, "options") == 0)
			option(c, word);
	}
}

void resolv__conf_read(struct resolv_conf *c, FILE *f)
{
	char *text = NULL;
	size_t size = 0;

	*c = (struct resolv_conf){.ndots = 1, .timeout_s = 5, .attempts = 2};
	while (f && getline(&text, &size, f) >= 0)
		line(c, text);
	free(text);
	c->timeout_s = PLX_MAX(c->timeout_s, 1u);
	c->attempts = PLX_MAX(c->attempts, 1u);
}

int resolv__conf_override(struct resolv_conf *c, const struct plx_resolv_conf *given)
{
	if (given->server[0])
		c->n_server = 0;
	for (unsigned int i = 0; i < PLX_RESOLV_SERVERS && given->server[i]; i++)
		if (!add_server(c, given->server[i]))
			return -EINVAL;
	if (given->search[0])
		c->n_search = 0;
	for (unsigned int i = 0; i < PLX_RESOLV_SEARCH && given->search[i]; i++)
		if (!add_search(c, given->search[i]))
			return -EINVAL;
	return 0;
}
