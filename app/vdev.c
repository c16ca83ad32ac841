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

#include "vdev.h"

static_assert(VDEV_NAMELEN == PLX_PORT_NAMELEN, "a device's name is its port's");

/*
 * EAL starts without the virtual devices that fail, and drivers say why in lines of their own, if
 * at all. So the usual causes are looked for before EAL starts, and afterwards the devices asked
 * for are compared with those that came.
 */

static bool is(const struct vdev *v, const char *driver)
{
	return strncmp(v->name, driver, strlen(driver)) == 0;
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

	while (!err && vdev_arg(&at, "rx_pcap", value, sizeof(value)))
		err = check_capture(value, e);
	for (at = v->args; !err && vdev_arg(&at, "tx_pcap", value, sizeof(value));)
		err = check_output(value, e);
	for (at = v->args; !err && vdev_arg(&at, "iface", value, sizeof(value));) {
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

	if (vdev_arg(&at, "iface", name, sizeof(name)) && strlen(name) >= IF_NAMESIZE)
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

	if (!vdev_arg(&at, "iface", value, sizeof(value)))
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

	for (int i = 0; vdev_next(app->eal_argc, app->eal_argv, &i, &other);)
		n += strcmp(other.name, v->name) == 0;
	return n > 1;
}

int vdev_check(const struct app *app, struct plx_error *e)
{
	struct vdev v;
	int err = 0;

	for (int i = 0; !err && vdev_next(app->eal_argc, app->eal_argv, &i, &v);) {
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

int vdev_compare(const struct app *app, const char *log, struct plx_error *e)
{
	static const char *const not_ports[] = {"baseband_", "compress_", "crypto_", "dma_",
		"event_", "gpu_", "mempool_", "ml_", "raw", "regex_"};
	struct vdev v;

	for (int i = 0; vdev_next(app->eal_argc, app->eal_argv, &i, &v);) {
		bool other = false;
		uint16_t id;
		char text[160];

		for (size_t k = 0; k < PLX_DIM(not_ports); k++)
			other |= is(&v, not_ports[k]);
		if (other || rte_eth_dev_get_port_by_name(v.name, &id) == 0)
			continue;
		vdev_said(log, v.name, text, sizeof(text));
		return plx_error_set(e, -ENODEV, PLX_ERR_VDEV_FAILED, v.name, text,
			"check its arguments; EAL's --log-level=pmd:8 says more");
	}
	return 0;
}
