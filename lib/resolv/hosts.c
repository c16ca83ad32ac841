/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* hosts(5): an address, its name, other names. */

#define BLANKS " \t\r\n"

static char *read_all(FILE *f)
{
	size_t n = 0, room = 0, got;
	char *text = NULL;

	do {
		char *more = realloc(text, room += 65536);

		if (!more) {
			free(text);
			return NULL;
		}
		text = more;
		got = fread(text + n, 1, room - n - 1, f);
		n += got;
	} while (n == room - 1);
	text[n] = '\0';
	return text;
}

static int add(struct resolv_hosts *h, const struct plx_addr *a, char *name, const char *canon)
{
	if ((h->n & (h->n - 1)) == 0) { /* full: the room is a power of two */
		struct resolv_host *more = realloc(h->host, (h->n ? 2 * h->n : 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		h->host = more;
	}
	h->host[h->n++] = (struct resolv_host){
		.addr = *a, .first = name == canon, .name = name, .canon = canon};
	return 0;
}

static int line(struct resolv_hosts *h, char *text)
{
	char *at, *word, *canon = NULL;
	struct plx_addr a;
	int err = 0;

	text[strcspn(text, "#")] = '\0';
	word = strtok_r(text, BLANKS, &at);
	if (!word)
		return 0;
	word[strcspn(word, "%")] = '\0'; /* a scope, which is the host's and not ours */
	if (plx_addr_parse(&a, word) != 0)
		return 0;
	while (!err && (word = strtok_r(NULL, BLANKS, &at))) {
		canon = canon ? canon : word;
		err = add(h, &a, word, canon);
	}
	return err;
}

int resolv__hosts_read(struct resolv_hosts *h, FILE *f)
{
	char *at, *text;
	int err = 0;

	*h = (struct resolv_hosts){0};
	if (!f)
		return 0;
	h->text = read_all(f);
	if (!h->text)
		return -ENOMEM;
	for (text = strtok_r(h->text, "\n", &at); !err && text; text = strtok_r(NULL, "\n", &at))
		err = line(h, text);
	if (err)
		resolv__hosts_free(h);
	return err;
}

void resolv__hosts_free(struct resolv_hosts *h)
{
	free(h->host);
	free(h->text);
	*h = (struct resolv_hosts){0};
}

/* Names are the same in capitals, and with the dot of the root behind them. */
static bool same(const char *a, const char *b)
{
	size_t n = strlen(b);

	if (n > 1 && b[n - 1] == '.')
		n--;
	return strncasecmp(a, b, n) == 0 && a[n] == '\0';
}

const struct resolv_host *resolv__hosts_next(
	const struct resolv_hosts *h, const char *name, unsigned int *at)
{
	while (*at < h->n) {
		const struct resolv_host *e = &h->host[(*at)++];

		if (same(e->name, name))
			return e;
	}
	return NULL;
}

const char *resolv__hosts_name(const struct resolv_hosts *h, const struct plx_addr *a)
{
	for (unsigned int i = 0; i < h->n; i++)
		if (h->host[i].first && plx_addr_eq(&h->host[i].addr, a))
			return h->host[i].name;
	return NULL;
}
