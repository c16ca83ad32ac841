/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/**
 * @file
 * What an HTTP server says: files by their paths, answers as numbers and as bytes.
 *
 * Nothing here knows of sockets. http_parse.h has the other half, cmd_http.c brings both together.
 */
#include "http_parse.h"

/* http_files.c */

struct http_file {
	const char *path; /**< "/a/b.html"; of a directory's index.html also "/a/" */
	const char *body;
	uint64_t bytes;
	const char *type;
	uint32_t hash;
	uint16_t head_bytes;
	char head[232]; /**< of a 200 for all of it, without Date and what comes behind */
};

/** All that is served: files as they were when they were read. */
struct http_files {
	struct http_file **slot; /**< by hash, linear probing; a power of two of them */
	uint32_t n_slots, n;
	uint64_t bytes;
	struct http_file *any; /**< served whatever the path is; NULL = none */
};

/** Read all files below a directory. @return 0 or -errno; what is there already stays. */
int http_files_load(struct http_files *f, const char *root);
/** Serve so many bytes whatever the path is. @return 0 or -ENOMEM. */
int http_files_any(struct http_files *f, uint32_t bytes);
/** Add one; body stays where it is and becomes f's. @return 0, -EEXIST or -ENOMEM. */
int http_files_add(struct http_files *f, const char *path, const char *body, uint64_t bytes);
const struct http_file *http_files_find(const struct http_files *f, const char *path, size_t n);
void http_files_free(struct http_files *f);

/* http_answer.c */

/** What is to be said to a request. */
struct http_answer {
	int status;
	const struct http_file *file; /**< of 200, 206, 416 */
	uint64_t first, bytes;	      /**< of its body */
	bool head;		      /**< HEAD: the body is not sent */
	bool old, close;
};

#define HTTP_ANSWER_HEAD_MAX 512 /**< bytes of an answer's head, and of the body of an error */
#define HTTP_DATE_BYTES	     37	 /**< "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */

/** What the request gets. */
struct http_answer http_answer(const struct http_request *r, const struct http_files *files);
/** What it gets that http_parse() refused with a status. */
struct http_answer http_refusal(int status);
/**
 * The head of an answer, and the body if it is an error's; otherwise the body is a->bytes from
 * a->file->body + a->first. @param out HTTP_ANSWER_HEAD_MAX. @return how many.
 */
size_t http_answer_head(
	const struct http_answer *a, const char date[static HTTP_DATE_BYTES], char *out);
/** The field of the time: seconds of the epoch. @param out HTTP_DATE_BYTES + 1. */
void http_date(int64_t now_s, char *out);
