/* SPDX-License-Identifier: BSD-3-Clause */
#include "http.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Files are read once, at the start: an lcore never waits for a disk, a file that is cut meanwhile
 * does no harm, and no path of a request is ever given to the kernel.
 */

#define DEPTH_MAX 32

static const char *type_of(const char *path)
{
	static const char *const types[][2] = {
		{".html", "text/html"},
		{".htm", "text/html"},
		{".css", "text/css"},
		{".js", "text/javascript"},
		{".json", "application/json"},
		{".txt", "text/plain"},
		{".md", "text/plain"},
		{".xml", "application/xml"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".jpg", "image/jpeg"},
		{".gif", "image/gif"},
		{".ico", "image/x-icon"},
		{".pdf", "application/pdf"},
		{".wasm", "application/wasm"},
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < PLX_DIM(types); i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return "application/octet-stream";
}

static uint32_t hash_of(const char *path, size_t n)
{
	uint32_t h = 2166136261; /* FNV-1a: what is looked for is not ours, what is found is */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)path[i]) * 16777619;
	return h;
}

static void insert(struct http_files *f, struct http_file *file)
{
	uint32_t at = file->hash;

	while (f->slot[at & (f->n_slots - 1)])
		at++;
	f->slot[at & (f->n_slots - 1)] = file;
}

/* At most half full. */
static int grow(struct http_files *f)
{
	struct http_files old = *f;

	if (2 * (f->n + 1) <= f->n_slots)
		return 0;
	f->n_slots = PLX_MAX(2 * old.n_slots, 64u);
	f->slot = calloc(f->n_slots, sizeof(*f->slot));
	if (!f->slot) {
		*f = old;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < old.n_slots; i++)
		if (old.slot[i])
			insert(f, old.slot[i]);
	free(old.slot);
	return 0;
}

static struct http_file *file_new(const char *path, const char *body, uint64_t bytes)
{
	struct http_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->path = strdup(path);
	file->body = body;
	file->bytes = bytes;
	file->type = type_of(path);
	file->hash = hash_of(path, strlen(path));
	file->head_bytes = (uint16_t)snprintf(file->head, sizeof(file->head),
		"HTTP/1.1 200 OK\r\nServer: pollux\r\nAccept-Ranges: bytes\r\n"
		"Content-Type: %s\r\nContent-Length: %llu\r\n",
		file->type, (unsigned long long)bytes);
	if (file->path)
		return file;
	free(file);
	return NULL;
}

const struct http_file *http_files_find(const struct http_files *f, const char *path, size_t n)
{
	uint32_t hash = hash_of(path, n);
	const struct http_file *file;

	if (f->n_slots == 0)
		return NULL;
	for (uint32_t at = hash; (file = f->slot[at & (f->n_slots - 1)]); at++)
		if (file->hash == hash && strncmp(file->path, path, n) == 0 && !file->path[n])
			return file;
	return NULL;
}

int http_files_add(struct http_files *f, const char *path, const char *body, uint64_t bytes)
{
	struct http_file *file;
	int err = grow(f);

	if (err)
		return err;
	if (http_files_find(f, path, strlen(path)))
		return -EEXIST;
	file = file_new(path, body, bytes);
	if (!file)
		return -ENOMEM;
	insert(f, file);
	f->n++;
	f->bytes += bytes;
	return 0;
}

int http_files_any(struct http_files *f, uint32_t bytes)
{
	char *body = malloc(bytes + 1);

	if (!body)
		return -ENOMEM;
	for (uint32_t i = 0; i < bytes; i++)
		body[i] = i % 64 == 63 ? '\n' : (char)('0' + i % 10);
	f->any = file_new("any.txt", body, bytes);
	if (f->any)
		return 0;
	free(body);
	return -ENOMEM;
}

/* ---- from a directory ---- */

/* All of it, into memory of our own. */
static int read_all(int fd, char *body, size_t bytes)
{
	for (size_t at = 0; at < bytes;) {
		ssize_t n = read(fd, body + at, bytes - at);

		if (n <= 0)
			return n < 0 ? -errno : -EIO; /* it was cut while we read */
		at += (size_t)n;
	}
	return 0;
}

static int load_file(struct http_files *f, int fd, size_t bytes, char *path)
{
	static const char index[] = "/index.html";
	size_t n = strlen(path);
	char *body = malloc(bytes + 1);
	int err = body ? read_all(fd, body, bytes) : -ENOMEM;

	if (!err)
		err = http_files_add(f, path, body, bytes);
	if (err) {
		free(body);
		return err;
	}
	if (n < sizeof(index) - 1 || strcmp(path + n - sizeof(index) + 1, index) != 0)
		return 0;
	path[n - sizeof(index) + 2] = '\0'; /* the directory's own path: the same bytes */
	f->bytes -= bytes;
	return http_files_add(f, path, body, bytes);
}

static int load_dir(struct http_files *f, int dirfd, char *path, size_t size, int depth);

/* @param path of the directory, to which the entry's name is added while it is looked at */
static int load_entry(
	struct http_files *f, int dirfd, const char *name, char *path, size_t size, int depth)
{
	size_t n = strlen(path);
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err = 0;
	struct stat st;

	if (fd < 0) /* a link, or gone: not served */
		return errno == ELOOP || errno == ENOENT ? 0 : -errno;
	snprintf(path + n, size - n, "/%s", name);
	if (n + strlen(name) + 2 > size || depth == DEPTH_MAX)
		err = -ENAMETOOLONG;
	else if (fstat(fd, &st) != 0)
		err = -errno;
	else if (S_ISREG(st.st_mode))
		err = load_file(f, fd, (size_t)st.st_size, path);
	else if (S_ISDIR(st.st_mode))
		err = load_dir(f, dup(fd), path, size, depth + 1);
	close(fd);
	path[n] = '\0';
	return err;
}

/* Takes dirfd. */
static int load_dir(struct http_files *f, int dirfd, char *path, size_t size, int depth)
{
	DIR *dir = fdopendir(dirfd);
	const struct dirent *entry;
	int err = 0;

	if (!dir) {
		err = -errno;
		if (dirfd >= 0)
			close(dirfd);
		return err;
	}
	while (!err && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = load_entry(f, dirfd, entry->d_name, path, size, depth);
	closedir(dir);
	return err;
}

int http_files_load(struct http_files *f, const char *root)
{
	char path[1024] = "";
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : load_dir(f, fd, path, sizeof(path), 0);
}

static void file_free(struct http_file *file)
{
	free((void *)(uintptr_t)file->path);
	free(file);
}

void http_files_free(struct http_files *f)
{
	for (uint32_t i = 0; i < f->n_slots; i++) {
		struct http_file *file = f->slot[i];

		if (!file)
			continue;
		if (file->path[strlen(file->path) - 1] != '/') /* those are another's */
			free((void *)(uintptr_t)file->body);
		file_free(file);
	}
	free(f->slot);
	if (f->any) {
		free((void *)(uintptr_t)f->any->body);
		file_free(f->any);
	}
	*f = (struct http_files){0};
}
