/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmsg.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/time.h>
#include <time.h>

int64_t sock__real_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- to the program ---- */

struct sock_cmsg sock__cmsg_begin(struct msghdr *msg)
{
	return (struct sock_cmsg){
		msg, msg->msg_control, msg->msg_control ? msg->msg_controllen : 0};
}

void sock__cmsg_put(struct sock_cmsg *c, int level, int type, const void *data, size_t bytes)
{
	struct cmsghdr h = {.cmsg_len = CMSG_LEN(bytes), .cmsg_level = level, .cmsg_type = type};
	size_t step = PLX_MIN((size_t)CMSG_SPACE(bytes), c->room);

	if (c->room < h.cmsg_len)
		c->msg->msg_flags |= MSG_CTRUNC;
	if (c->room < sizeof(h))
		return;
	h.cmsg_len = PLX_MIN(h.cmsg_len, c->room);
	memset(c->at, 0, step); /* padding, too */
	memcpy(c->at, &h, sizeof(h));
	memcpy(c->at + sizeof(h), data, h.cmsg_len - sizeof(h));
	c->at += step;
	c->room -= step;
}

void sock__cmsg_put_int(struct sock_cmsg *c, int level, int type, int v)
{
	sock__cmsg_put(c, level, type, &v, sizeof(v));
}

void sock__cmsg_put_stamp(struct sock_cmsg *c, const struct sock_opts *o, int64_t real_ns)
{
	struct timespec ts = {.tv_sec = real_ns / 1000000000, .tv_nsec = real_ns % 1000000000};
	struct timeval tv = {.tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000};

	if (o->timestampns)
		sock__cmsg_put(c, SOL_SOCKET,
			o->stamp_new ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS_OLD, &ts, sizeof(ts));
	else if (o->timestamp)
		sock__cmsg_put(c, SOL_SOCKET, o->stamp_new ? SO_TIMESTAMP_NEW : SO_TIMESTAMP_OLD,
			&tv, sizeof(tv));
}

void sock__cmsg_end(struct sock_cmsg *c)
{
	c->msg->msg_controllen = c->at ? (size_t)(c->at - (uint8_t *)c->msg->msg_control) : 0;
}

/* ---- from the program ---- */

/* An int between min and max. */
static int take_int(const struct cmsghdr *h, int min, int max, int *v)
{
	if (h->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EINVAL;
	memcpy(v, CMSG_DATA(h), sizeof(int));
	return *v < min || *v > max ? -EINVAL : 0;
}

static int take_pktinfo4(const struct cmsghdr *h, struct sock_cmsg_tx *tx)
{
	struct in_pktinfo info;

	if (h->cmsg_len != CMSG_LEN(sizeof(info)))
		return -EINVAL;
	memcpy(&info, CMSG_DATA(h), sizeof(info));
	if (info.ipi_ifindex)
		tx->iface = sock__iface_no((uint32_t)info.ipi_ifindex);
	if (info.ipi_spec_dst.s_addr)
		tx->src = plx_addr_from_v4(&info.ipi_spec_dst);
	return 0;
}

static int take_pktinfo6(const struct cmsghdr *h, bool v4, struct sock_cmsg_tx *tx)
{
	struct in6_pktinfo info;
	struct plx_addr src;

	if (h->cmsg_len < CMSG_LEN(sizeof(info)))
		return -EINVAL;
	memcpy(&info, CMSG_DATA(h), sizeof(info));
	src = plx_addr_from_v6(&info.ipi6_addr);
	if (!plx_addr_is_any6(&src) && plx_addr_is_v4(&src) != v4)
		return -EINVAL;
	if (info.ipi6_ifindex)
		tx->iface = sock__iface_no(info.ipi6_ifindex);
	if (!plx_addr_is_any(&src))
		tx->src = src;
	return 0;
}

static int take_tos(const struct cmsghdr *h, struct sock_cmsg_tx *tx)
{
	int v, err = 0;

	if (h->cmsg_len == CMSG_LEN(1))
		v = *CMSG_DATA(h);
	else
		err = take_int(h, 0, UINT8_MAX, &v);
	if (!err)
		tx->tos = (int16_t)v;
	return err;
}

static int take_ip4(const struct cmsghdr *h, struct sock_cmsg_tx *tx)
{
	int v, err;

	switch (h->cmsg_type) {
	case IP_PKTINFO:
		return take_pktinfo4(h, tx);
	case IP_TOS:
		return take_tos(h, tx);
	case IP_TTL:
		err = take_int(h, 1, UINT8_MAX, &v);
		if (!err)
			tx->ttl = (int16_t)v;
		return err;
	default:
		return -EINVAL;
	}
}

static int take_ip6(const struct cmsghdr *h, bool v4, struct sock_cmsg_tx *tx)
{
	int v = -1, err = 0;

	if (h->cmsg_type == IPV6_PKTINFO)
		return take_pktinfo6(h, v4, tx);
	if (v4) /* ip_cmsg_send() looks at nothing else */
		return 0;
	switch (h->cmsg_type) {
	case IPV6_HOPLIMIT:
		err = take_int(h, -1, UINT8_MAX, &v);
		tx->ttl = (int16_t)v;
		return err;
	case IPV6_TCLASS:
		err = take_int(h, -1, UINT8_MAX, &v);
		tx->tos = (int16_t)v;
		return err;
	case IPV6_DONTFRAG:
		err = take_int(h, 0, 1, &v);
		tx->dontfrag = (int8_t)v;
		return err;
	default:
		return -EINVAL;
	}
}

static int take_udp(const struct cmsghdr *h, struct sock_cmsg_tx *tx)
{
	uint16_t gso;

	if (h->cmsg_type != UDP_SEGMENT || h->cmsg_len != CMSG_LEN(sizeof(gso)))
		return -EINVAL;
	memcpy(&gso, CMSG_DATA(h), sizeof(gso));
	tx->gso = gso;
	return 0;
}

static int take(
	const struct sock_file *f, const struct cmsghdr *h, bool v4, struct sock_cmsg_tx *tx)
{
	int mark;

	switch (h->cmsg_level) {
	case SOL_SOCKET:
		return h->cmsg_type == SO_MARK ? take_int(h, INT32_MIN, INT32_MAX, &mark) : -EINVAL;
	case IPPROTO_IP:
		return v4 ? take_ip4(h, tx) : 0;
	case IPPROTO_IPV6:
		return sock__is(f, SOCKF_V6) ? take_ip6(h, v4, tx) : 0;
	case IPPROTO_UDP:
		return take_udp(h, tx);
	default:
		return 0;
	}
}

int sock__cmsg_get(
	const struct sock_file *f, const struct msghdr *msg, bool v4, struct sock_cmsg_tx *tx)
{
	const uint8_t *end = (const uint8_t *)msg->msg_control + msg->msg_controllen;
	struct cmsghdr *h;

	*tx = (struct sock_cmsg_tx){.ttl = -1, .tos = -1, .dontfrag = -1, .gso = -1};
	if (!msg->msg_control)
		return 0;
	for (h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR((struct msghdr *)(uintptr_t)msg, h)) {
		int err;

		if (h->cmsg_len < sizeof(*h) || h->cmsg_len > (size_t)(end - (uint8_t *)h))
			return -EINVAL;
		err = take(f, h, v4, tx);
		if (err)
			return err;
	}
	return 0;
}
