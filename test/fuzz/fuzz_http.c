/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests, one behind the other: what is taken is within the text, no part of it is taken already,
 * what follows does not matter, and what is told of it is true.
 */
#include "../../app/http_parse.h"
#include "fuzz.h"

static bool same(const struct http_request *a, const struct http_request *b)
{
	return a->target_len == b->target_len && a->head_bytes == b->head_bytes &&
	       a->body_bytes == b->body_bytes && a->first == b->first && a->last == b->last &&
	       a->ranged == b->ranged && a->suffix == b->suffix && a->method == b->method &&
	       a->old == b->old && a->close == b->close && a->coded == b->coded;
}

static void path(const struct http_request *r)
{
	char out[64];
	int n = http_path(r, out, sizeof(out));

	must(n == -400 || n == -414 || (n >= 0 && (size_t)n == strlen(out)));
	must(n < 0 || r->method == HTTP_OTHER || out[0] == '/');
}

static int request(const char *text, size_t n)
{
	struct http_request r, again;
	int len = http_parse(&r, text, n), part;

	if (len <= 0) {
		must(len == 0 || len == -400 || len == -414 || len == -431 || len == -505);
		must(len != 0 || n < HTTP_HEAD_MAX);
		return len;
	}
	must((size_t)len <= n && len <= HTTP_HEAD_MAX && r.head_bytes == (uint32_t)len);
	must(text[len - 1] == '\n');
	must(r.target_len > 0 || r.method == HTTP_OTHER);
	must(!r.ranged || (r.method == HTTP_GET && (r.suffix || r.first <= r.last)));
	must(!r.coded || (!r.body_bytes && !r.old));
	must(http_parse(&again, text, (size_t)len) == len && same(&r, &again));
	for (part = 0; part < len; part += 1 + len / 64)
		must(http_parse(&again, text, (size_t)part) == 0);
	must(http_parse(&again, text, (size_t)len - 1) == 0);
	path(&r);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	int n;

	while (size && (n = request(text, size)) > 0) {
		text += n;
		size -= (size_t)n;
	}
	return 0;
}
