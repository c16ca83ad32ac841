/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>
#include <string.h>

#include "../../app/http.h"

static const char date[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

static struct http_files files;

static int setup(void **state)
{
	eq(http_files_add(&files, "/a.txt", strdup("0123456789"), 10), 0);
	eq(http_files_add(&files, "/empty", strdup(""), 0), 0);
	return 0;
}

static int teardown(void **state)
{
	http_files_free(&files);
	return 0;
}

/* What a request is told: the status, and the bytes of its body if it is a file's. */
static const char *told(const char *line, const char *fields)
{
	static char text[512], said[256];
	struct http_request r;
	struct http_answer a;
	int n;

	snprintf(text, sizeof(text), "%s\r\nHost: h\r\n%s\r\n", line, fields);
	n = http_parse(&r, text, strlen(text));
	a = n < 0 ? http_refusal(-n) : http_answer(&r, &files);
	n = snprintf(said, sizeof(said), "%d", a.status);
	if (a.bytes)
		n += snprintf(said + n, sizeof(said) - (size_t)n, " %.*s", (int)a.bytes,
			a.file->body + a.first);
	snprintf(said + n, sizeof(said) - (size_t)n, "%s%s", a.head ? " head" : "",
		a.close ? " close" : "");
	return said;
}

T(files_by_their_paths)
{
	str_eq(told("GET /a.txt HTTP/1.1", ""), "200 0123456789");
	str_eq(told("GET /%61.txt?x HTTP/1.1", ""), "200 0123456789");
	str_eq(told("HEAD /a.txt HTTP/1.1", ""), "200 0123456789 head");
	str_eq(told("GET /empty HTTP/1.1", ""), "200");
	str_eq(told("GET /a.tx HTTP/1.1", ""), "404");
	str_eq(told("GET /a.txt/ HTTP/1.1", ""), "404");
	str_eq(told("GET /../a.txt HTTP/1.1", ""), "404");
	str_eq(told("GET /% HTTP/1.1", ""), "400");
}

T(parts)
{
	str_eq(told("GET /a.txt HTTP/1.1", "Range: bytes=0-0\r\n"), "206 0");
	str_eq(told("GET /a.txt HTTP/1.1", "Range: bytes=3-5\r\n"), "206 345");
	str_eq(told("GET /a.txt HTTP/1.1", "Range: bytes=7-\r\n"), "206 789");
	str_eq(told("GET /a.txt HTTP/1.1", "Range: bytes=7-99\r\n"), "206 789");
	str_eq(told("GET /a.txt HTTP/1.1", "Range: bytes=-2\r\n"), "206 89");
	str_eq(told("GET /a.txt HTTP/1.1", "Range: bytes=-99\r\n"), "206 0123456789");
	str_eq(told("GET /a.txt HTTP/1.1", "Range: bytes=10-\r\n"), "416");
	str_eq(told("GET /a.txt HTTP/1.1", "Range: bytes=-0\r\n"), "416");
	str_eq(told("GET /empty HTTP/1.1", "Range: bytes=0-\r\n"), "416");
}

T(what_we_do_not_do)
{
	str_eq(told("PUT /a.txt HTTP/1.1", ""), "405");
	str_eq(told("PUT /a.txt HTTP/1.1", "Content-Length: 1\r\n"), "405 close");
	str_eq(told("PUT /a.txt HTTP/1.1", "Transfer-Encoding: chunked\r\n"), "501 close");
	str_eq(told("GET /a.txt HTTP/3.0", ""), "505 close");
	str_eq(told("GET  /a.txt HTTP/1.1", ""), "400 close");
	str_eq(told("GET /a.txt HTTP/1.0", ""), "200 0123456789 close");
	str_eq(told("GET /a.txt HTTP/1.0", "Connection: keep-alive\r\n"), "200 0123456789");
}

static const char *head(const struct http_answer *a)
{
	static char out[HTTP_ANSWER_HEAD_MAX + 1];

	out[http_answer_head(a, date, out)] = '\0';
	return out;
}

T(heads)
{
	const struct http_file *f = http_files_find(&files, "/a.txt", 6);
	struct http_answer a = {.status = 200, .file = f, .bytes = 10};

	str_eq(head(&a), "HTTP/1.1 200 OK\r\nServer: pollux\r\nAccept-Ranges: bytes\r\n"
			 "Content-Type: text/plain\r\nContent-Length: 10\r\n"
			 "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
	a = (struct http_answer){.status = 206, .file = f, .first = 3, .bytes = 2, .old = true};
	str_eq(head(&a), "HTTP/1.1 206 Partial Content\r\nServer: pollux\r\n"
			 "Content-Type: text/plain\r\nContent-Range: bytes 3-4/10\r\n"
			 "Content-Length: 2\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
			 "Connection: keep-alive\r\n\r\n");
	a = (struct http_answer){.status = 416, .file = f, .head = true};
	str_eq(head(&a), "HTTP/1.1 416 Range Not Satisfiable\r\nServer: pollux\r\n"
			 "Content-Type: text/plain\r\nContent-Length: 26\r\n"
			 "Content-Range: bytes */10\r\n"
			 "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
	a = http_refusal(400);
	str_eq(head(&a), "HTTP/1.1 400 Bad Request\r\nServer: pollux\r\n"
			 "Content-Type: text/plain\r\nContent-Length: 16\r\n"
			 "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\n"
			 "400 Bad Request\n");
}

/* The length that an error tells is that of its sentence, whatever the status is. */
T(errors_have_their_length)
{
	static const int status[] = {400, 404, 405, 414, 416, 431, 501, 505};

	for (size_t i = 0; i < PLX_DIM(status); i++) {
		struct http_answer a = {
			.status = status[i], .file = http_files_find(&files, "/a.txt", 6)};
		const char *text = head(&a);

		eq(atoi(strstr(text, "Content-Length: ") + 16),
			strlen(strstr(text, "\r\n\r\n") + 4));
	}
}

T(the_date)
{
	char out[HTTP_DATE_BYTES + 1];

	http_date(784111777, out);
	str_eq(out, date);
	http_date(0, out);
	str_eq(out, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
}

T(many_files_are_found)
{
	struct http_files many = {0};
	char path[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/%d", i);
		eq(http_files_add(&many, path, strdup(path), strlen(path)), 0);
		eq(http_files_add(&many, path, path, 0), -EEXIST);
	}
	eq(many.n, 1000);
	for (int i = 0; i < 1000; i++) {
		int n = snprintf(path, sizeof(path), "/%d", i);

		str_eq(http_files_find(&many, path, (size_t)n)->body, path);
	}
	ok(!http_files_find(&many, "/1000", 5));
	ok(!http_files_find(&many, "/", 1));
	http_files_free(&many);
	ok(!http_files_find(&many, "/1", 2));
}

T(any_path_has_one_body)
{
	struct http_files any = {0};
	struct http_request r;
	static const char text[] = "GET /x/y HTTP/1.1\r\nHost: h\r\n\r\n";
	struct http_answer a;

	eq(http_files_any(&any, 1000), 0);
	eq(http_parse(&r, text, sizeof(text) - 1), sizeof(text) - 1);
	a = http_answer(&r, &any);
	eq(a.status, 200);
	eq(a.bytes, 1000);
	http_files_free(&any);
}

int main(void)
{
	const struct CMUnitTest tests[] = {T_(files_by_their_paths), T_(parts),
		T_(what_we_do_not_do), T_(heads), T_(errors_have_their_length), T_(the_date),
		T_(many_files_are_found), T_(any_path_has_one_body)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
