/* SPDX-License-Identifier: BSD-3-Clause */
#include "http.h"

#include <stdio.h>
#include <time.h>

/* C's words whatever the locale says: strftime() would translate them. */
void http_date(int64_t now_s, char *out)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const time_t t = (time_t)now_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(out, HTTP_DATE_BYTES + 1, "Date: %.3s, %02u %.3s %04u %02u:%02u:%02u GMT\r\n",
		days + tm.tm_wday * 3, (unsigned int)tm.tm_mday % 100, months + tm.tm_mon * 3,
		(unsigned int)(tm.tm_year + 1900) % 10000, (unsigned int)tm.tm_hour % 100,
		(unsigned int)tm.tm_min % 100, (unsigned int)tm.tm_sec % 100);
}

/* The part that is asked for (RFC 9110, 14.1.2). @return false: there is no such part. */
static bool satisfy(const struct http_request *r, uint64_t bytes, struct http_answer *a)
{
	if (r->suffix) {
		a->bytes = PLX_MIN(r->last, bytes);
		a->first = bytes - a->bytes;
	} else if (r->first < bytes) {
		a->first = r->first;
		a->bytes = PLX_MIN(r->last, bytes - 1) - r->first + 1;
	}
	return a->bytes > 0;
}

struct http_answer http_answer(const struct http_request *r, const struct http_files *files)
{
	struct http_answer a = {.head = r->method == HTTP_HEAD, .old = r->old, .close = r->close};
	char path[1024];
	int n;

	if (r->coded) { /* where its body ends nobody here can tell */
		a.status = 501;
		a.close = true;
		return a;
	}
	if (r->method == HTTP_OTHER) {
		a.status = 405;
		a.close |= r->body_bytes > 0;
		return a;
	}
	n = http_path(r, path, sizeof(path));
	if (n < 0) {
		a.status = -n;
		return a;
	}
	a.file = files->any ? files->any : http_files_find(files, path, (size_t)n);
	if (!a.file) {
		a.status = 404;
	} else if (!r->ranged) {
		a.status = 200;
		a.bytes = a.file->bytes;
	} else {
		a.status = satisfy(r, a.file->bytes, &a) ? 206 : 416;
	}
	return a;
}

struct http_answer http_refusal(int status)
{
	return (struct http_answer){.status = status, .close = true};
}

static const char *reason(int status)
{
	switch (status) {
	case 206:
		return "Partial Content";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 414:
		return "URI Too Long";
	case 416:
		return "Range Not Satisfiable";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 505:
		return "HTTP Version Not Supported";
	}
	return "OK";
}

static size_t put(char *out, const char *text, size_t n)
{
	memcpy(out, text, n);
	return n;
}
#define PUT(out, text) put(out, text, sizeof(text) - 1)

/* Those behind what the status asks for. */
static size_t common(const struct http_answer *a, const char *date, char *out)
{
	size_t n = put(out, date, HTTP_DATE_BYTES);

	if (a->close)
		n += PUT(out + n, "Connection: close\r\n");
	else if (a->old)
		n += PUT(out + n, "Connection: keep-alive\r\n");
	return n + PUT(out + n, "\r\n");
}

static size_t partial(const struct http_answer *a, char *out)
{
	return (size_t)snprintf(out, HTTP_ANSWER_HEAD_MAX,
		"HTTP/1.1 206 Partial Content\r\nServer: pollux\r\nContent-Type: %s\r\n"
		"Content-Range: bytes %llu-%llu/%llu\r\nContent-Length: %llu\r\n",
		a->file->type, (unsigned long long)a->first,
		(unsigned long long)(a->first + a->bytes - 1), (unsigned long long)a->file->bytes,
		(unsigned long long)a->bytes);
}

/* An error, with a sentence for who reads it. */
static size_t error(const struct http_answer *a, const char *date, char *out)
{
	const char *text = reason(a->status);
	size_t n = (size_t)snprintf(out, HTTP_ANSWER_HEAD_MAX,
		"HTTP/1.1 %d %s\r\nServer: pollux\r\nContent-Type: text/plain\r\n"
		"Content-Length: %zu\r\n",
		a->status, text, strlen(text) + 5);

	if (a->status == 405)
		n += PUT(out + n, "Allow: GET, HEAD\r\n");
	else if (a->status == 416)
		n += (size_t)snprintf(out + n, 64, "Content-Range: bytes */%llu\r\n",
			(unsigned long long)a->file->bytes);
	n += common(a, date, out + n);
	if (!a->head)
		n += (size_t)snprintf(out + n, 64, "%d %s\n", a->status, text);
	return n;
}

size_t http_answer_head(
	const struct http_answer *a, const char date[static HTTP_DATE_BYTES], char *out)
{
	size_t n;

	if (a->status == 200)
		n = put(out, a->file->head, a->file->head_bytes);
	else if (a->status == 206)
		n = partial(a, out);
	else
		return error(a, date, out);
	return n + common(a, date, out + n);
}
