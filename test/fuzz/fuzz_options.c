/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of the command line's options, one a line behind the option's name: never a crash, what is
 * refused says why and leaves the plan as it was, what is accepted reads the same once more.
 */
#include <errno.h>

#include "../../app/vdev.h"
#include "../../lib/port/spec.h"
#include "plan.h"

int up_config_read(const char *path, struct up_plan *plan, struct plx_error *e)
{
	return -ENOENT; /* no files here: fuzz_config */
}

/* NAME=DRIVER,ARGS comes together again. */
static void port(const char *text)
{
	struct plx_error e = {0};
	struct port_spec s;
	size_t n;
	int err = port__spec_parse(&s, text, &e);

	if (err) {
		refused(err, &e);
		return;
	}
	n = strlen(s.name);
	must(n && !strchr(s.name, '=') && !memcmp(s.name, text, n) && text[n] == '=');
	must(s.driver == text + n + 1 && !memchr(s.driver, ',', s.driver_len));
	must(s.driver[s.driver_len] == (s.args == s.driver + s.driver_len ? '\0' : ','));
	must(s.args + strlen(s.args) == text + strlen(text));
}

/* EAL's arguments, apart at each blank. */
static void vdev(char *text)
{
	char *argv[32], *word, value[16];
	const char *at;
	struct vdev v;
	int argc = 0, i = 0, found = 0;

	while (argc < 32 && (word = strsep(&text, " ")))
		argv[argc++] = word;
	while (vdev_next(argc, argv, &i, &v)) {
		must(++found <= argc && i <= argc);
		must(strlen(v.name) < sizeof(v.name) && !strchr(v.name, ','));
		for (at = v.args; vdev_arg(&at, "iface", value, sizeof(value));)
			must(!strchr(value, ',') && strlen(value) < sizeof(value));
		must(*at == '\0' && at >= v.args);
	}
}

/* What EAL said, lines apart by bars. */
static void log_line(char *text)
{
	char said[160] = "", name[16];

	for (char *p = text; *p; p++)
		if (*p == '|')
			*p = '\n';
	vdev_said(text, "net_tap0", said, sizeof(said));
	must(*said || strstr(text, "vdev_probe"));
	must(!strchr(said, '\n'));
	if (vdev_unknown(text, name, sizeof(name)))
		must(!strpbrk(name, "\"\n") && strlen(name) < sizeof(name));
}

static void value(const char *text)
{
	static const char *const choices[] = {"poll", "pause", "sleep", NULL};
	const struct opt u32 = {.type = OPT_U32, .min = 5, .max = UINT32_MAX - 1},
			 choice = {.type = OPT_CHOICE, .choices = choices}, mac = {.type = OPT_MAC};
	char again[PLX_MAC_STRLEN];
	struct plx_mac same;
	struct opt_mac m;
	uint32_t n;

	if (opt_assign(&u32, &n, text)) {
		must(n >= 5 && n < UINT32_MAX);
		text += strspn(text, "0");
		snprintf(again, sizeof(again), "%u", n);
		must(strcmp(again, text) == 0);
	} else if (opt_assign(&choice, &n, text)) {
		must(n < 3 && strcmp(choices[n], text) == 0);
	} else if (opt_assign(&mac, &m, text)) {
		must(m.set && !plx_mac_parse(&same, plx_mac_format(&m.mac, again)));
		must(!memcmp(&m.mac, &same, sizeof(same)));
	}
}

static void item(struct up_plan *p, char *text)
{
	const uint32_t n = p->n_if + p->n_route + p->n_sysctl + p->n_service;
	char *option = strsep(&text, " ");
	struct plx_error e = {0};
	int err;

	if (!text)
		return;
	if (strcmp(option, "if") == 0)
		err = up_parse_if(p, text, &e);
	else if (strcmp(option, "route") == 0)
		err = up_parse_route(p, text, &e);
	else if (strcmp(option, "sysctl") == 0)
		err = up_parse_sysctl(p, text, &e);
	else if (strcmp(option, "echo") == 0 || strcmp(option, "sink") == 0)
		err = up_parse_service(p, *option == 's', text, &e);
	else {
		if (strcmp(option, "port") == 0)
			port(text);
		else if (strcmp(option, "vdev") == 0)
			vdev(text);
		else if (strcmp(option, "log") == 0)
			log_line(text);
		else if (strcmp(option, "value") == 0)
			value(text);
		return;
	}
	if (err)
		refused(err, &e);
	must(p->n_if + p->n_route + p->n_sysctl + p->n_service == n + (err == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct up_plan plan = {.cmd = "up"};
	char text[8192], *at = text, *line;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	plan.n_if = plan.n_route = plan.n_sysctl = plan.n_service = 0;
	while ((line = strsep(&at, "\n")))
		item(&plan, line);
	plan_holds(&plan);
	return 0;
}
