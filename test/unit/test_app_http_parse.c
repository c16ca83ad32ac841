/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <string.h>

#include "../../app/http_parse.h"

static struct http_request r;

/* A request whose lines are apart by '|'. */
static int parse(const char *lines)
{
	static char text[2 * HTTP_HEAD_MAX + 64]; /* r points into it */
	size_t n = 0;

	for (; *lines; lines++) {
		if (*lines == '|') {
			text[n++] = '\r';
			text[n++] = '\n';
		} else {
			text[n++] = *lines;
		}
	}
	return http_parse(&r, text, n);
}

static const char *target(void)
{
	static char text[HTTP_HEAD_MAX + 1];

	snprintf(text, sizeof(text), "%.*s", (int)r.target_len, r.target);
	return text;
}

static const char *path(void)
{
	static char text[64];
	int n = http_path(&r, text, sizeof(text));

	if (n < 0)
		return n == -414 ? "414" : "400";
	eq(strlen(text), n);
	return text;
}

T(what_curl_and_wrk_say)
{
	eq(parse("GET /a/b?c=d HTTP/1.1|Host: 10.9.0.2|User-Agent: curl/7.88.1|Accept: */*||"), 79);
	eq(r.method, HTTP_GET);
	str_eq(target(), "/a/b?c=d");
	str_eq(path(), "/a/b");
	ok(!r.old && !r.close && !r.ranged && !r.coded);
	eq(r.body_bytes, 0);
	eq(r.head_bytes, 79);
	ok(parse("HEAD / HTTP/1.1|Host: h||") > 0);
	eq(r.method, HTTP_HEAD);
}

T(only_the_head_is_taken)
{
	eq(parse("GET / HTTP/1.1|Host: h||GET /2 HTTP/1.1|Host: h||"), 27);
	eq(parse("GET / HTTP/1.1|Host: h|Content-Length: 5||hello"), 46);
	eq(r.body_bytes, 5);
}

/* However it is cut: nothing until all is there. */
T(a_part_is_no_request)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=1-2\r\n\r\n";

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		eq(http_parse(&r, text, n), 0);
	eq(http_parse(&r, text, sizeof(text) - 1), sizeof(text) - 1);
}

T(versions)
{
	ok(parse("GET / HTTP/1.0||") > 0);
	ok(r.old && r.close);
	ok(parse("GET / HTTP/1.9|Host: h||") > 0);
	ok(!r.old);
	eq(parse("GET / HTTP/2.0|Host: h||"), -505);
	eq(parse("GET / HTTP/0.9|Host: h||"), -505);
	eq(parse("GET / HTTP/1.10|Host: h||"), -400);
	eq(parse("GET / HTTP/1|Host: h||"), -400);
	eq(parse("GET / http/1.1|Host: h||"), -400);
	eq(parse("GET / HTTP/1.x|Host: h||"), -400);
	eq(parse("GET /||"), -400);
	eq(parse("GET / ||"), -400);
}

T(who_stays_connected)
{
	ok(parse("GET / HTTP/1.1|Host: h|Connection: close||") > 0);
	ok(r.close);
	ok(parse("GET / HTTP/1.1|Host: h|connection: Keep-Alive, CLOSE||") > 0);
	ok(r.close);
	ok(parse("GET / HTTP/1.1|Host: h|Connection: closed, x-close||") > 0);
	ok(!r.close);
	ok(parse("GET / HTTP/1.0|Connection: keep-alive||") > 0);
	ok(!r.close);
	ok(parse("GET / HTTP/1.1|Host: h|Connection: \"close\"||") > 0); /* odd, but it ends */
}

T(request_lines_that_are_wrong)
{
	eq(parse("GET  / HTTP/1.1|Host: h||"), -400);
	eq(parse("GET /  HTTP/1.1|Host: h||"), -400);
	eq(parse(" GET / HTTP/1.1|Host: h||"), -400);
	eq(parse("GET / HTTP/1.1 |Host: h||"), -400);
	eq(parse("GET /\t HTTP/1.1|Host: h||"), -400);
	eq(parse("GET x HTTP/1.1|Host: h||"), -400);
	eq(parse("GET * HTTP/1.1|Host: h||"), -400);
	eq(parse("G@T / HTTP/1.1|Host: h||"), -400);
	eq(parse("GET\r / HTTP/1.1|Host: h||"), -400);
	eq(parse("\x16\x03\x01\x02|"), -400); /* TLS */
}

T(other_methods_are_understood)
{
	ok(parse("POST /x HTTP/1.1|Host: h|Content-Length: 3||abc") > 0);
	eq(r.method, HTTP_OTHER);
	ok(parse("get / HTTP/1.1|Host: h||") > 0);
	eq(r.method, HTTP_OTHER);
	ok(parse("OPTIONS * HTTP/1.1|Host: h||") > 0);
	eq(r.method, HTTP_OTHER);
	ok(parse("GETS / HTTP/1.1|Host: h||") > 0);
	eq(r.method, HTTP_OTHER);
}

T(a_target_may_name_its_host)
{
	ok(parse("GET http://h:80/a?b HTTP/1.1|Host: h||") > 0);
	str_eq(target(), "/a?b");
	ok(parse("GET HTTP://h HTTP/1.1|Host: h||") > 0);
	str_eq(target(), "/");
	ok(parse("GET http://h?x/y HTTP/1.1|Host: h||") > 0);
	str_eq(target(), "/");
	eq(parse("GET http:// HTTP/1.1|Host: h||"), -400);
	eq(parse("GET ftp://h/ HTTP/1.1|Host: h||"), -400);
}

T(a_host_is_named_once)
{
	eq(parse("GET / HTTP/1.1||"), -400);
	eq(parse("GET / HTTP/1.1|Host: a|Host: a||"), -400);
	ok(parse("GET / HTTP/1.1|Host:||") > 0);
	ok(parse("GET / HTTP/1.1|hOsT:\th \t||") > 0);
}

T(fields_that_are_wrong)
{
	eq(parse("GET / HTTP/1.1|Host : h||"), -400);
	eq(parse("GET / HTTP/1.1| Host: h||"), -400);
	eq(parse("GET / HTTP/1.1|Host: h|X: a| b||"), -400); /* folded */
	eq(parse("GET / HTTP/1.1|Host: h|X||"), -400);
	eq(parse("GET / HTTP/1.1|Host: h|: x||"), -400);
	eq(parse("GET / HTTP/1.1|Host: h|X: a\rb||"), -400);
	eq(parse("GET / HTTP/1.1|Host: h|X: \x7f||"), -400);
	eq(http_parse(&r, "GET / HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n", 33), -400);
	ok(parse("GET / HTTP/1.1|Host: h|X: \xc3\xa4||") > 0);
}

T(a_body_has_one_length)
{
	eq(parse("GET / HTTP/1.1|Host: h|Content-Length: 5|Content-Length: 6||"), -400);
	ok(parse("GET / HTTP/1.1|Host: h|Content-Length: 5|Content-Length: 5||") > 0);
	eq(parse("GET / HTTP/1.1|Host: h|Content-Length: -5||"), -400);
	eq(parse("GET / HTTP/1.1|Host: h|Content-Length: +5||"), -400);
	eq(parse("GET / HTTP/1.1|Host: h|Content-Length: 5, 5||"), -400);
	eq(parse("GET / HTTP/1.1|Host: h|Content-Length:||"), -400);
	eq(parse("GET / HTTP/1.1|Host: h|Content-Length: 0x5||"), -400);
	ok(parse("GET / HTTP/1.1|Host: h|Content-Length: 18446744073709551615||") > 0);
	ok(r.body_bytes == UINT64_MAX);
	eq(parse("GET / HTTP/1.1|Host: h|Content-Length: 18446744073709551616||"), -400);
	ok(parse("GET / HTTP/1.1|Host: h|Transfer-Encoding: chunked||0||") > 0);
	ok(r.coded);
	eq(parse("GET / HTTP/1.1|Host: h|Content-Length: 5|Transfer-Encoding: chunked||"), -400);
	eq(parse("GET / HTTP/1.0|Transfer-Encoding: chunked||"), -400);
}

static void ranged(const char *value)
{
	char text[256];

	snprintf(text, sizeof(text), "GET / HTTP/1.1|Host: h|Range: %s||", value);
	ok(parse(text) > 0);
}

T(ranges)
{
	ranged("bytes=0-499");
	ok(r.ranged && !r.suffix && r.first == 0 && r.last == 499);
	ranged("Bytes=500-");
	ok(r.ranged && !r.suffix && r.first == 500 && r.last == UINT64_MAX);
	ranged("bytes=-7");
	ok(r.ranged && r.suffix && r.last == 7);
	ranged("bytes=7-7");
	ok(r.ranged && r.first == 7 && r.last == 7);
}

T(ranges_that_are_passed_over)
{
	static const char *const odd[] = {"bytes=8-7", "bytes=0-1,3-4", "bytes=", "bytes=-",
		"bytes=a-b", "bytes=1", "lines=1-2", "bytes=1-2-3", "bytes= 1-2", "bytes",
		"bytes=18446744073709551616-"};

	for (size_t i = 0; i < PLX_DIM(odd); i++) {
		ranged(odd[i]);
		ok(!r.ranged);
	}
	ok(parse("GET / HTTP/1.1|Host: h|Range: bytes=0-1|If-Range: \"x\"||") > 0);
	ok(!r.ranged);
	ok(parse("GET / HTTP/1.1|Host: h|Range: bytes=0-1|Range: bytes=2-3||") > 0);
	ok(!r.ranged);
	ok(parse("HEAD / HTTP/1.1|Host: h|Range: bytes=0-1||") > 0);
	ok(!r.ranged);
}

T(lines_may_end_in_lf)
{
	static const char text[] = "\n\r\nGET / HTTP/1.1\nHost: h\n\n";

	eq(http_parse(&r, text, sizeof(text) - 1), sizeof(text) - 1);
	eq(http_parse(&r, "\r\n\r\n", 4), 0);
}

T(what_is_too_long_is_refused)
{
	static char text[HTTP_HEAD_MAX + 100];

	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	eq(http_parse(&r, text, HTTP_HEAD_MAX - 1), 0);
	eq(http_parse(&r, text, HTTP_HEAD_MAX), -414);
	memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
	eq(http_parse(&r, text, HTTP_HEAD_MAX - 1), 0);
	eq(http_parse(&r, text, HTTP_HEAD_MAX), -431);
	eq(http_parse(&r, text, sizeof(text)), -431);
	/* one that is just as long as may be, more behind it */
	memcpy(text + HTTP_HEAD_MAX - 13, "\r\nHost: h\r\n\r\n", 13);
	eq(http_parse(&r, text, sizeof(text)), HTTP_HEAD_MAX);
	memset(text, '\n', sizeof(text));
	eq(http_parse(&r, text, sizeof(text)), -414);
}

T(paths)
{
	char text[128];

	ok(parse("GET /a%20b%2fc%C3%a4?x%zz HTTP/1.1|Host: h||") > 0);
	str_eq(path(), "/a b/c\xc3\xa4");
	ok(parse("GET /%2e%2E/ HTTP/1.1|Host: h||") > 0);
	str_eq(path(), "/../");
	ok(parse("GET /%00 HTTP/1.1|Host: h||") > 0);
	str_eq(path(), "400");
	ok(parse("GET /%4 HTTP/1.1|Host: h||") > 0);
	str_eq(path(), "400");
	ok(parse("GET /%g1 HTTP/1.1|Host: h||") > 0);
	str_eq(path(), "400");
	ok(parse("GET /% HTTP/1.1|Host: h||") > 0);
	str_eq(path(), "400");
	snprintf(text, sizeof(text), "GET /%062d HTTP/1.1|Host: h||", 0);
	ok(parse(text) > 0);
	eq(strlen(path()), 63);
	snprintf(text, sizeof(text), "GET /%063d HTTP/1.1|Host: h||", 0);
	ok(parse(text) > 0);
	str_eq(path(), "414");
}

RUN(T_(what_curl_and_wrk_say), T_(only_the_head_is_taken), T_(a_part_is_no_request), T_(versions),
	T_(who_stays_connected), T_(request_lines_that_are_wrong), T_(other_methods_are_understood),
	T_(a_target_may_name_its_host), T_(a_host_is_named_once), T_(fields_that_are_wrong),
	T_(a_body_has_one_length), T_(ranges), T_(ranges_that_are_passed_over),
	T_(lines_may_end_in_lf), T_(what_is_too_long_is_refused), T_(paths))
