/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp.h"

/* What programs ask for: socket options, and urgent data. */

#define WND_CLAMP_MIN 1152u /* half of Linux's SOCK_MIN_RCVBUF */
#define LINGER2_MAX   120   /* s, Linux's TCP_FIN_TIMEOUT_MAX */

void plx_tcp_set_nodelay(struct plx_tcp *c, bool on)
{
	c->nodelay = on;
	if (on)
		c->push_due = true;
}

void plx_tcp_set_cork(struct plx_tcp *c, bool on)
{
	c->cork = on;
}

void plx_tcp_set_maxseg(struct plx_tcp *c, uint16_t mss)
{
	c->snd.mss_clamp = mss;
	if (tcp__synchronized(c))
		tcp__sync_mss(c);
}

int plx_tcp_set_keepalive(
	struct plx_tcp *c, bool on, uint32_t idle_s, uint32_t intvl_s, uint32_t count, plx_ns now)
{
	plx_ns idle = tcp__keep_idle(c);

	if (idle_s || intvl_s || count || c->cold) {
		if (!tcp__cold(c))
			return -ENOBUFS;
		c->cold->keep_idle_s = idle_s;
		c->cold->keep_intvl_s = intvl_s;
		c->cold->keep_count = count;
	}
	if (on && c->keepalive && c->keep_ns != PLX_NEVER) { /* it has been idle for a while */
		if (c->probes == 0)
			c->keep_ns = PLX_MAX(c->keep_ns - idle + tcp__keep_idle(c), now);
		return 0;
	}
	c->keepalive = on;
	tcp__keep_arm(c, now);
	return 0;
}

int plx_tcp_set_user_timeout(struct plx_tcp *c, uint32_t ms)
{
	if (ms == 0 && !c->cold)
		return 0;
	if (!tcp__cold(c))
		return -ENOBUFS;
	c->cold->user_timeout_ms = ms;
	return 0;
}

int plx_tcp_set_sndbuf(struct plx_tcp *c, uint32_t bytes)
{
	if (bytes == 0 && !c->cold)
		return 0;
	if (!tcp__cold(c))
		return -ENOBUFS;
	c->cold->sndbuf = bytes;
	return 0;
}

int plx_tcp_set_syncnt(struct plx_tcp *c, uint8_t n)
{
	if (n == 0 && !c->cold)
		return 0;
	if (!tcp__cold(c))
		return -ENOBUFS;
	c->cold->syn_retries = n;
	return 0;
}

int plx_tcp_set_window_clamp(struct plx_tcp *c, uint32_t bytes)
{
	if (bytes == 0 && !c->cold)
		return 0;
	if (!tcp__cold(c))
		return -ENOBUFS;
	c->cold->wnd_clamp = bytes ? PLX_MAX(bytes, WND_CLAMP_MIN) : 0;
	return 0;
}

int plx_tcp_set_linger2(struct plx_tcp *c, int32_t seconds)
{
	if (seconds == 0 && !c->cold)
		return 0;
	if (!tcp__cold(c))
		return -ENOBUFS;
	c->cold->linger2_s = (int16_t)PLX_MAX(PLX_MIN(seconds, LINGER2_MAX), -1);
	return 0;
}

bool plx_tcp_urgent_at(const struct plx_tcp *c, uint32_t *off)
{
	if (plx_likely(!c->urg_rcvd))
		return false;
	*off = c->cold->rcv_up - 1 - c->rcv.read;
	return true;
}

void plx_tcp_urgent(struct plx_tcp *c)
{
	if (!tcp__cold(c))
		return;
	c->cold->snd_up = c->snd.end;
	c->urg_due = true;
}

int plx_tcp_set_cc(struct plx_tcp *c, const char *name, plx_ns now)
{
	const struct plx_tcp_cc *cc = plx_tcp_cc_find(name);

	if (!cc)
		return -ENOENT;
	if (cc == c->cc)
		return 0;
	c->cc = cc;
	memset(c->cc_priv, 0, sizeof(c->cc_priv));
	if (tcp__synchronized(c) && cc->init)
		cc->init(c, now);
	return 0;
}
