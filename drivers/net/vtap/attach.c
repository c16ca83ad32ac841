/* SPDX-License-Identifier: BSD-3-Clause */
#include "vtap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_arp.h>
#include <linux/if_tun.h>

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* What could not be done, why, and what to do about it. */
static int failed(const struct plx_port *p, const char *step, int err, const char *remedy,
	struct plx_error *e)
{
	if (err == -EPERM || err == -EACCES)
		return plx_error_set(
			e, err, PLX_ERR_NO_PRIVILEGE, p->name, "cap_net_admin", "cap_net_admin");
	return plx_error_set(e, err, PLX_ERR_PORT_OPEN, p->name, step, strerror(-err), remedy);
}

/* ---- descriptors, in the namespace ---- */

/** For a thread that goes to another namespace, as it would not come back. */
struct opener {
	struct vtap *v;
	uint16_t n;
	const char *step;
	int err;
};

static int open_here(struct vtap *v, uint16_t n, const char **step)
{
	*step = "a socket";
	v->ctl = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (v->ctl < 0)
		return -errno;
	*step = "/dev/net/tun";
	for (v->n = 0; v->n < n; v->n++) {
		v->fd[v->n] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (v->fd[v->n] < 0)
			return -errno;
	}
	return 0;
}

static void *open_there(void *arg)
{
	struct opener *o = arg;
	char path[128];
	int ns;

	o->step = "its network namespace";
	snprintf(path, sizeof(path), "/run/netns/%s", o->v->spec.netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
		o->err = -errno;
	else
		o->err = open_here(o->v, o->n, &o->step);
	if (ns >= 0)
		close(ns);
	return NULL;
}

static int open_all(struct plx_port *p, uint16_t n, struct plx_error *e)
{
	struct vtap *v = p->priv;
	struct opener o = {.v = v, .n = n};
	const char *remedy = "raise the limit of open files (ulimit -n)";
	pthread_t thread;
	int err;

	if (v->spec.netns[0]) {
		err = pthread_create(&thread, NULL, open_there, &o);
		if (err)
			return failed(p, "a thread", -err, "raise the limit of processes", e);
		pthread_join(thread, NULL);
	} else {
		o.err = open_here(v, n, &o.step);
	}
	if (o.err == -ENOENT || o.err == -ENODEV || o.err == -ENXIO)
		remedy = strcmp(o.step, "/dev/net/tun") == 0
				 ? "load the kernel's module: modprobe tun"
				 : "'ip netns list' shows those there are";
	return o.err ? failed(p, o.step, o.err, remedy, e) : 0;
}

/* ---- the interface ---- */

static int call(const struct vtap *v, unsigned long what, struct ifreq *r)
{
	memcpy(r->ifr_name, v->iface, sizeof(r->ifr_name));
	return ioctl(v->ctl, what, r) == 0 ? 0 : -errno;
}

static int set_iff(struct vtap *v, int fd, int flags)
{
	struct ifreq r = {.ifr_flags = (short)flags};

	memcpy(r.ifr_name, v->iface, sizeof(r.ifr_name));
	if (ioctl(fd, TUNSETIFF, &r) != 0)
		return -errno;
	memcpy(v->iface, r.ifr_name, sizeof(v->iface)); /* "tap%d" has become one */
	return 0;
}

static int join(struct vtap *v, uint16_t i)
{
	int flags = (v->eth ? IFF_TAP : IFF_TUN) | IFF_NO_PI | IFF_VNET_HDR;
	int err = set_iff(v, v->fd[i], flags | IFF_MULTI_QUEUE);

	/* one that was made without multi_queue has one */
	if (err == -EINVAL && v->n == 1)
		err = set_iff(v, v->fd[i], flags);
	return err;
}

/*
 * Each queue's socket may have any number of bytes under way: a bound would have the kernel refuse
 * one write and take the next, smaller one, where several are submitted at once; what the kernel
 * hands on to a device waits in that one's queue, which has a bound.
 */
static int set_queue(int fd)
{
	int bytes = sizeof(struct virtio_net_hdr), yes = 1, unbounded = INT_MAX;

	if (ioctl(fd, TUNSETVNETHDRSZ, &bytes) != 0 || ioctl(fd, TUNSETVNETLE, &yes) != 0 ||
		ioctl(fd, TUNSETSNDBUF, &unbounded) != 0)
		return -errno;
	return 0;
}

/* A kernel that does not know UDP's super-datagrams refuses all that it is told with them. */
static void find_uso(struct plx_port *p)
{
	struct vtap *v = p->priv;

	v->knows_uso = ioctl(v->fd[0], TUNSETOFFLOAD,
			       TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_USO4 | TUN_F_USO6) == 0;
	if (v->knows_uso)
		return;
	p->features &= ~(uint32_t)PLX_PORT_F_USO;
	p->caps.features &= ~(uint32_t)PLX_PORT_F_USO;
}

/* What the kernel may leave to us, from the next packet on. What we may leave to it is fixed. */
int vtap__set_features(struct plx_port *p, uint32_t features)
{
	const struct vtap *v = p->priv;
	unsigned int f = 0;

	if (features & PLX_PORT_F_RX_CSUM)
		f |= TUN_F_CSUM;
	if (features & PLX_PORT_F_LRO)
		f |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	if (features & PLX_PORT_F_LRO && v->knows_uso && v->spec.uso)
		f |= TUN_F_USO4 | TUN_F_USO6;
	return ioctl(v->fd[0], TUNSETOFFLOAD, f) == 0 ? 0 : -errno;
}

static int set_mac(struct plx_port *p)
{
	struct vtap *v = p->priv;
	struct ifreq r = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};

	memcpy(r.ifr_hwaddr.sa_data, p->mac.b, sizeof(p->mac.b));
	r.ifr_hwaddr.sa_data[1] ^= (char)0x80;
	return call(v, SIOCSIFHWADDR, &r);
}

static int set_up(const struct vtap *v)
{
	struct ifreq r = {0};
	int err = call(v, SIOCGIFFLAGS, &r);

	if (err)
		return err;
	r.ifr_flags |= IFF_UP;
	return call(v, SIOCSIFFLAGS, &r);
}

static int join_all(struct plx_port *p, struct plx_error *e)
{
	struct vtap *v = p->priv;
	int err = 0;

	for (uint16_t i = 0; !err && i < v->n; i++)
		err = join(v, i);
	if (err == -EBUSY)
		return failed(p, "attaching to its interface", err,
			"who has it must let it go, or give another iface=", e);
	if (err)
		return failed(p, "attaching to its interface", err,
			"it must be a TAP (vtun: a TUN), with multi_queue for several queues, or "
			"not be there",
			e);
	return 0;
}

static int set_all(struct plx_port *p, bool fresh, struct plx_error *e)
{
	struct vtap *v = p->priv;
	struct ifreq r = {.ifr_mtu = p->mtu};
	int err = 0;

	for (uint16_t i = 0; !err && i < v->n; i++)
		err = set_queue(v->fd[i]);
	find_uso(p);
	if (!err)
		err = vtap__set_features(p, p->features);
	if (err)
		return failed(p, "setting its offloads", err, "Linux 3.8 or newer can", e);
	if (v->eth && fresh)
		err = set_mac(p);
	if (err)
		return failed(p, "setting the kernel's MAC", err, "give another mac=", e);
	err = call(v, SIOCSIFMTU, &r);
	if (err)
		return failed(p, "setting the MTU", err, "give a smaller mtu=", e);
	err = set_up(v);
	if (err)
		return failed(
			p, "setting its interface up", err, "see the kernel's log (dmesg)", e);
	if (v->spec.persist >= 0 && ioctl(v->fd[0], TUNSETPERSIST, v->spec.persist) != 0)
		return failed(p, "making its interface stay", -errno, "give persist=0", e);
	return 0;
}

int vtap__attach(struct plx_port *p, uint16_t n, struct plx_error *e)
{
	struct vtap *v = p->priv;
	struct ifreq r = {0};
	bool fresh;
	int err;

	memcpy(v->iface, v->spec.iface, sizeof(v->iface));
	err = open_all(p, n, e);
	if (!err) {
		fresh = call(v, SIOCGIFINDEX, &r) != 0;
		err = join_all(p, e);
	}
	if (!err)
		err = set_all(p, fresh, e);
	if (err)
		vtap__detach(v);
	return err;
}

void vtap__detach(struct vtap *v)
{
	while (v->n)
		close(v->fd[--v->n]);
	if (v->ctl >= 0)
		close(v->ctl);
	v->ctl = -1;
}
