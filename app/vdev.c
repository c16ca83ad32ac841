/* SPDX-License-Identifier: BSD-3-Clause */
#include "app.h"

#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_ethdev.h>

/*
 * EAL starts without the virtual devices that fail, and drivers say why in lines of their own, if
 * at all. So the usual causes are looked for before EAL starts, and afterwards the devices asked
 * for are compared with those that came.
 */

/** A --vdev argument: "net_tap0,iface=plx0". */
struct vdev {
	char name[PLX_PORT_NAMELEN];
	const char *args; /**< after the name's comma; "" if there are none */
};

/* The next --vdev from EAL's arguments; *i starts at 0. */
static bool next(const struct app *app, int *i, struct vdev *v)
{
	while (*i < app->eal_argc) {
		const char *arg = app->eal_argv[(*i)++], *spec = NULL;
		size_t n;

		if (strncmp(arg, "--vdev=", 7) == 0)
			spec = arg + 7;
		else if (strcmp(arg, "--vdev") == 0 && *i < app->eal_argc)
			spec = app->eal_argv[(*i)++];
		if (!spec)
			continue;
		n = strcspn(spec, ",");
		snprintf(v->name, sizeof(v->name), "%.*s", (int)n, spec);
		v->args = spec[n] ? spec + n + 1 : "";
		return true;
	}
	return false;
}

static bool is(const struct vdev *v, const char *driver)
{
	return strncmp(v->name, driver, strlen(driver)) == 0;
}

/* The value of the key at or after *at. @return false when there is no more; *at moves on. */
static bool arg(const char **at, const char *key, char *value, size_t size)
{
	size_t n = strlen(key);

	while (**at) {
		const char *a = *at;
		size_t len = strcspn(a, ",");

		*at += len + (a[len] == ',');
		if (len > n && strncmp(a, key, n) == 0 && a[n] == '=') {
			snprintf(value, size, "%.*s", (int)(len - n - 1), a + n + 1);
			return true;
		}
	}
	return false;
}

static bool capable(int cap)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}};

	if (syscall(SYS_capget, &h, d) != 0)
		return true; /* cannot tell: let the driver find out */
	return d[cap / 32].effective & 1u << cap % 32;
}

static int need(const struct vdev *v, int cap, const char *name, struct plx_error *e)
{
	if (capable(cap))
		return 0;
	return plx_error_set(e, -EPERM, PLX_ERR_NO_PRIVILEGE, v->name, name, name);
}

/* A capture file to read must be there and whole in its first bytes. */
static int check_capture(const char *path, struct plx_error *e)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p;

	if (access(path, R_OK) != 0)
		return plx_error_set(e, -errno, PLX_ERR_PCAP_FILE, path, strerror(errno));
	p = pcap_open_offline(path, why);
	if (!p)
		return plx_error_set(e, -EINVAL, PLX_ERR_PCAP_FILE, path, why);
	pcap_close(p);
	return 0;
}

/* One to write: its directory must let us. */
static int check_output(const char *path, struct plx_error *e)
{
	char dir[512];
	const char *slash = strrchr(path, '/');

	if (access(path, F_OK) == 0)
		return access(path, W_OK) == 0
			       ? 0
			       : plx_error_set(e, -errno, PLX_ERR_PCAP_FILE, path, strerror(errno));
	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)PLX_MAX(slash - path, 1) : 1,
		slash ? path : ".");
	if (access(dir, W_OK) != 0)
		return plx_error_set(e, -errno, PLX_ERR_PCAP_FILE, path, strerror(errno));
	return 0;
}

static int check_iface(const struct vdev *v, const char *name, struct plx_error *e)
{
	char text[64 + IF_NAMESIZE];

	if (if_nametoindex(name))
		return 0;
	snprintf(text, sizeof(text), "there is no interface '%.15s'", name);
	return plx_error_set(e, -ENODEV, PLX_ERR_VDEV_FAILED, v->name, text,
		"'ip link' lists the interfaces of this network namespace");
}

static int check_pcap(const struct vdev *v, struct plx_error *e)
{
	char value[512];
	const char *at = v->args;
	int err = 0;

	while (!err && arg(&at, "rx_pcap", value, sizeof(value)))
		err = check_capture(value, e);
	for (at = v->args; !err && arg(&at, "tx_pcap", value, sizeof(value));)
		err = check_output(value, e);
	for (at = v->args; !err && arg(&at, "iface", value, sizeof(value));) {
		err = check_iface(v, value, e);
		if (!err)
			err = need(v, CAP_NET_RAW, "cap_net_raw", e);
	}
	return err;
}

static int check_tap(const struct vdev *v, struct plx_error *e)
{
	char name[64];
	const char *at = v->args;

	if (arg(&at, "iface", name, sizeof(name)) && strlen(name) >= IF_NAMESIZE)
		return plx_error_set(e, -ENAMETOOLONG, PLX_ERR_VDEV_FAILED, v->name,
			"the name of its interface is too long",
			"Linux takes 15 characters after iface=");
	if (access("/dev/net/tun", F_OK) != 0)
		return plx_error_set(e, -ENODEV, PLX_ERR_VDEV_FAILED, v->name,
			"there is no /dev/net/tun", "load the kernel's module: modprobe tun");
	return need(v, CAP_NET_ADMIN, "cap_net_admin", e);
}

static int check_packet(const struct vdev *v, struct plx_error *e)
{
	char value[IF_NAMESIZE + 1];
	const char *at = v->args;
	int err;

	if (!arg(&at, "iface", value, sizeof(value)))
		return plx_error_set(e, -EINVAL, PLX_ERR_VDEV_FAILED, v->name,
			"it does not say which interface", "add iface=NAME to its arguments");
	err = check_iface(v, value, e);
	return err ? err : need(v, CAP_NET_RAW, "cap_net_raw", e);
}

/* EAL would take the last one of a name, and say nothing. */
static bool is_repeated(const struct app *app, const struct vdev *v)
{
	struct vdev other;
	int n = 0;

	for (int i = 0; next(app, &i, &other);)
		n += strcmp(other.name, v->name) == 0;
	return n > 1;
}

int vdev_check(const struct app *app, struct plx_error *e)
{
	struct vdev v;
	int err = 0;

	for (int i = 0; !err && next(app, &i, &v);) {
		if (is_repeated(app, &v))
			err = plx_error_set(e, -EEXIST, PLX_ERR_VDEV_FAILED, v.name,
				"it is given twice", "number them: net_tap0, net_tap1");
		else if (is(&v, "net_tap") || is(&v, "net_tun"))
			err = check_tap(&v, e);
		else if (is(&v, "net_pcap"))
			err = check_pcap(&v, e);
		else if (is(&v, "net_af_packet") || is(&v, "net_af_xdp"))
			err = check_packet(&v, e);
	}
	return err;
}

/* What the log says about a device: the line before EAL's own that gives it up. */
static void said(const char *log, const char *name, char *text, size_t size)
{
	const char *line = log, *before = NULL;

	snprintf(text, size, "its driver does not say why");
	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t n = strcspn(line, "\n");
		const char *at = memmem(line, n, name, strlen(name));

		if (at && strncmp(line, "vdev_probe", 10) == 0) {
			if (before)
				snprintf(text, size, "%.*s", (int)strcspn(before, "\n"), before);
			return;
		}
		if (strncmp(line, "EAL:", 4) != 0)
			before = line;
	}
}

int vdev_compare(const struct app *app, const char *log, struct plx_error *e)
{
	static const char *const not_ports[] = {"baseband_", "compress_", "crypto_", "dma_",
		"event_", "gpu_", "mempool_", "ml_", "raw", "regex_"};
	struct vdev v;

	for (int i = 0; next(app, &i, &v);) {
		bool other = false;
		uint16_t id;
		char text[160];

		for (size_t k = 0; k < PLX_DIM(not_ports); k++)
			other |= is(&v, not_ports[k]);
		if (other || rte_eth_dev_get_port_by_name(v.name, &id) == 0)
			continue;
		said(log, v.name, text, sizeof(text));
		return plx_error_set(e, -ENODEV, PLX_ERR_VDEV_FAILED, v.name, text,
			"check its arguments; EAL's --log-level=pmd:8 says more");
	}
	return 0;
}

const char *vdev_unknown(const char *log, char *name, size_t size)
{
	static const char said_so[] = "failed to parse device \"";
	const char *at = strstr(log, said_so);

	if (!at)
		return NULL;
	at += sizeof(said_so) - 1;
	snprintf(name, size, "%.*s", (int)strcspn(at, "\"\n"), at);
	return name;
}
