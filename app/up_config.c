/* SPDX-License-Identifier: BSD-3-Clause */
#include "up.h"

#include <errno.h>

#include <ini.h>

/*
 * The file of --config: the command line's items as an INI file. A section [if PORT] or [if
 * PORT.VLAN] has the keys of --if; [up] has route, udp-echo, udp-sink and sysctl, each as often as
 * needed.
 */

struct reader {
	struct up_plan *plan;
	struct plx_error *e;
	const char *path;
	char section[80], item[1024]; /* the --if item that the lines of a section add up to */
	int err;
};

static int flush_if(struct reader *r)
{
	int err = 0;

	if (r->item[0])
		err = up_parse_if(r->plan, r->item, r->e);
	r->item[0] = '\0';
	return err;
}

static int begin_if(struct reader *r, const char *section)
{
	const char *name = section + 3;
	char port[PLX_PORT_NAMELEN];
	const char *dot = strrchr(name, '.');

	if (dot && (size_t)(dot - name) < sizeof(port)) {
		snprintf(
			r->item, sizeof(r->item), "%.*s,vlan=%s", (int)(dot - name), name, dot + 1);
		return 0;
	}
	snprintf(r->item, sizeof(r->item), "%s", name);
	return 0;
}

/* One more key. The item is parsed as far as it goes, so that an error is told with its own line.
 */
static int if_line(struct reader *r, const char *key, const char *value)
{
	size_t n = strlen(r->item);
	int err;

	snprintf(r->item + n, sizeof(r->item) - n, ",%s=%s", key, value);
	err = up_parse_if(r->plan, r->item, r->e);
	if (!err)
		r->plan->n_if--; /* only tried: flush_if() keeps it */
	return err;
}

static int up_key(struct reader *r, const char *key, const char *value)
{
	if (strcmp(key, "route") == 0)
		return up_parse_route(r->plan, value, r->e);
	if (strcmp(key, "sysctl") == 0)
		return up_parse_sysctl(r->plan, value, r->e);
	if (strcmp(key, "udp-echo") == 0)
		return up_parse_service(r->plan->echo, &r->plan->n_echo, "udp-echo", value, r->e);
	if (strcmp(key, "udp-sink") == 0)
		return up_parse_service(r->plan->sink, &r->plan->n_sink, "udp-sink", value, r->e);
	return plx_error_set(r->e, -EINVAL, PLX_ERR_CONFIG_FILE, r->path,
		"unknown key in [up]; there are route, udp-echo, udp-sink and sysctl");
}

/* inih's callback. @return 1 = go on; 0 makes it remember this line. */
static int line(void *arg, const char *section, const char *key, const char *value)
{
	struct reader *r = arg;
	size_t n;

	if (r->err)
		return 0;
	if (strcmp(section, r->section) != 0) {
		r->err = flush_if(r);
		snprintf(r->section, sizeof(r->section), "%s", section);
		if (!r->err && strncmp(section, "if ", 3) == 0)
			r->err = begin_if(r, section);
	}
	if (r->err)
		return 0;
	if (strncmp(section, "if ", 3) == 0) {
		n = strlen(r->item);
		if (n + strlen(key) + strlen(value) + 3 > sizeof(r->item))
			r->err = plx_error_set(r->e, -E2BIG, PLX_ERR_CONFIG_FILE, r->path,
				"a section is too long");
		else
			r->err = if_line(r, key, value);
	} else if (strcmp(section, "up") == 0) {
		r->err = up_key(r, key, value);
	} else {
		r->err = plx_error_set(r->e, -EINVAL, PLX_ERR_CONFIG_FILE, r->path,
			"unknown section; there are [up] and [if PORT] or [if PORT.VLAN]");
	}
	return r->err == 0;
}

int up_config_read(const char *path, struct up_plan *plan, struct plx_error *e)
{
	struct reader r = {.plan = plan, .e = e, .path = path};
	FILE *f = fopen(path, "r");
	char why[400];
	int at;

	if (!f)
		return plx_error_set(e, -errno, PLX_ERR_CONFIG_FILE, path, strerror(errno));
	at = ini_parse_file(f, line, &r);
	fclose(f);
	if (!r.err)
		r.err = flush_if(&r);
	if (r.err) { /* the item's own error, and where it stands */
		snprintf(why, sizeof(why), "line %d: %s", at, e->text);
		return plx_error_set(e, r.err, PLX_ERR_CONFIG_FILE, path, why);
	}
	if (at) {
		snprintf(why, sizeof(why), "line %d: neither [section] nor key = value", at);
		return plx_error_set(e, -EINVAL, PLX_ERR_CONFIG_FILE, path, why);
	}
	return 0;
}

/* ---- pollux -- config check FILE ---- */

static int check(struct app *app, void *conf, struct plx_error *e)
{
	if (app->n_operands != 2 || strcmp(app->operand[0], "check") != 0)
		return plx_error_set(
			e, -EINVAL, PLX_ERR_OPTION_MISSING, "config", "check FILE", "config");
	return 0;
}

static int run(struct app *app, void *conf)
{
	const struct up_conf c = {.file = app->operand[1]};
	static struct up_plan plan;
	struct plx_error e;

	if (up_plan(&c, &plan, &e) != 0)
		return app_fail(&e);
	fprintf(app->out, "%s: %u interfaces, %u routes, %u UDP services, %u tunables\n", c.file,
		plan.n_if, plan.n_route, plan.n_echo + plan.n_sink, plan.n_sysctl);
	return APP_OK;
}

const struct plx_cmd cmd_config = {
	.name = "config",
	.operands = "check FILE",
	.summary = "check a file for 'up --config'",
	.text = "Reads the file as 'up --config FILE' would and says what is wrong, or what is in "
		"it.\n"
		"\n"
		"The file has the keys of up's options:\n"
		"  [if 0]\n"
		"  addr = 10.9.0.2/24\n"
		"  addr = fd00:9::2/64\n"
		"  gw = 10.9.0.1\n"
		"  [if 0.5]              ; VLAN 5 on the same port\n"
		"  addr = 10.5.0.2/24\n"
		"  [up]\n"
		"  route = 10.7.0.0/16,via=10.9.0.9\n"
		"  udp-echo = 7\n"
		"  sysctl = net.ipv4.ip_forward=1\n"
		"\n"
		"Example:\n"
		"  pollux -- config check host.ini\n",
	.no_eal = true,
	.check = check,
	.run = run,
};
