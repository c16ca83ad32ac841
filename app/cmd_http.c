/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <sys/stat.h>

#include "http_serve.h"

/* A server of files: options and reports; http_serve.c does it. */

struct options {
	const char *listen, *root;
	uint32_t size;
	struct http_conf conf;
};

#define FIELD(name) offsetof(struct options, name)
static const struct opt opts[] = {
	{"listen", "[ADDR:]PORT", OPT_STR, FIELD(listen), "80", "where to listen"},
	{"root", "DIR", OPT_STR, FIELD(root), NULL, "serve the files below it, read at the start"},
	{"size", "BYTES", OPT_U32, FIELD(size), "100",
		"without --root: any path has a body of so many bytes", 0, 1 << 30},
	{NULL},
};

static int check(struct app *app, void *arg, struct plx_error *e)
{
	struct options *o = arg;
	struct stat st;

	if (endpoint_listen(&o->conf.listen, "http", "listen", o->listen, e) != 0)
		return -EINVAL;
	if (o->root && stat(o->root, &st) != 0)
		return plx_error_set(
			e, -errno, PLX_ERR_OPTION_VALUE, "http", o->root, "root", strerror(errno));
	if (o->root && !S_ISDIR(st.st_mode))
		return plx_error_set(e, -ENOTDIR, PLX_ERR_OPTION_VALUE, "http", o->root, "root",
			"give a directory");
	return stack_check(app, NULL, e);
}

static int run(struct app *app, void *arg)
{
	struct options *o = arg;
	struct http_files *files = &o->conf.files;
	struct plx_error e;
	int code, err;

	err = o->root ? http_files_load(files, o->root) : http_files_any(files, o->size);
	if (err) {
		plx_error_set(&e, err, PLX_ERR_OPTION_VALUE, "http", o->root ? o->root : "",
			o->root ? "root" : "size", strerror(-err));
		code = app_fail(&e);
	} else {
		if (o->root)
			app_note(
				"%u files, %llu bytes", files->n, (unsigned long long)files->bytes);
		code = prog_main(app, &http_serve_ops, &o->conf);
	}
	http_files_free(files);
	return code;
}

const struct plx_cmd cmd_http = {
	.name = "http",
	.summary = "serve files by HTTP/1.1",
	.text = "Serves the files below a directory, or one body of any size, by HTTP/1.0 and 1.1: "
		"GET "
		"and\n"
		"HEAD, connections that stay, pipelined requests, ranges. Files are read at the "
		"start:\n"
		"what changes later is not seen. index.html is also its directory.\n"
		"\n"
		"Examples:\n"
		"  pollux --no-pci --no-huge -m 256 -l 0 -- http --port v=vtap,iface=plx0 \\\n"
		"    --if v,addr=10.9.0.2/24 --root /usr/share/doc\n"
		"  pollux ... -- http --if 0,addr=10.9.0.2/24 --listen 10.9.0.2:8080 --size 1000",
	.opts = opts,
	.conf_bytes = sizeof(struct options),
	.idle = PLX_IDLE_SLEEP,
	.runs = true,
	.stack = true,
	.check = check,
	.run = run,
};
