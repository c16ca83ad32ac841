/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_steer_rss.h"

#include <errno.h>

#include <plx_wire_ip.h>

/* IPv6's bits stand as IPv4's do, so much higher. */
#define IPV6_SHIFT 6

static_assert(PLX_RSS_IPV6 == PLX_RSS_IPV4 << IPV6_SHIFT &&
		      PLX_RSS_IPV6_OTHER == PLX_RSS_IPV4_OTHER << IPV6_SHIFT,
	"IPV6_SHIFT");

/* The bit of a protocol with ports, of IPv4; 0: has none. */
static uint32_t bit_of_proto(uint8_t proto)
{
	switch (proto) {
	case PLX_IPPROTO_TCP:
		return PLX_RSS_IPV4_TCP;
	case PLX_IPPROTO_UDP:
		return PLX_RSS_IPV4_UDP;
	case PLX_IPPROTO_SCTP:
		return PLX_RSS_IPV4_SCTP;
	default:
		return 0;
	}
}

enum plx_rss_how plx_steer_rss_how(uint32_t types, const struct plx_tuple *t)
{
	bool v4 = plx_addr_is_v4(&t->src) && plx_addr_is_v4(&t->dst);
	uint32_t mine = v4 ? types : types >> IPV6_SHIFT;
	uint32_t port_bit = t->frag ? 0 : bit_of_proto(t->proto), addr_bits = PLX_RSS_IPV4;

	if (mine & port_bit)
		return PLX_RSS_PORTS;
	if (t->frag)
		addr_bits |= PLX_RSS_IPV4_FRAG;
	else if (port_bit == 0)
		addr_bits |= PLX_RSS_IPV4_OTHER;
	return mine & addr_bits ? PLX_RSS_ADDRS : PLX_RSS_NONE;
}

static uint32_t hash_by(const struct plx_rss *r, const struct plx_tuple *t, enum plx_rss_how how)
{
	if (how == PLX_RSS_NONE)
		return 0;
	return plx_steer_hash(&r->key, &t->src, &t->dst, t->sport, t->dport, how == PLX_RSS_PORTS);
}

uint32_t plx_steer_rss_tuple(const struct plx_rss *r, const struct plx_tuple *t)
{
	return hash_by(r, t, plx_steer_rss_how(r->types, t));
}

enum plx_rss_how plx_steer_rss_frame(
	const struct plx_rss *r, const void *frame, uint32_t len, struct plx_rss_out *out)
{
	out->inner = r->inner && plx_wire_tuple_inner(&out->tuple, frame, len);
	out->ip = out->inner || plx_wire_tuple(&out->tuple, frame, len);
	if (!out->ip)
		memset(&out->tuple, 0, sizeof(out->tuple));
	out->how = out->ip ? plx_steer_rss_how(r->types, &out->tuple) : PLX_RSS_NONE;
	out->hash = hash_by(r, &out->tuple, out->how);
	return out->how;
}

/* "tcp4": its bit, and that of its family. @return false: no such flow. */
static bool bits_of_flow(const char *flow, uint32_t *own, uint32_t *family)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} protos[] = {
		{"tcp", PLX_IPPROTO_TCP}, {"udp", PLX_IPPROTO_UDP}, {"sctp", PLX_IPPROTO_SCTP}};
	size_t n = strlen(flow);
	unsigned int shift;

	if (n < 2 || (flow[n - 1] != '4' && flow[n - 1] != '6'))
		return false;
	shift = flow[n - 1] == '6' ? IPV6_SHIFT : 0;
	for (size_t i = 0; i < PLX_DIM(protos); i++)
		if (strlen(protos[i].name) == n - 1 && memcmp(flow, protos[i].name, n - 1) == 0) {
			*own = bit_of_proto(protos[i].proto) << shift;
			*family = PLX_RSS_IPV4 << shift;
			return true;
		}
	return false;
}

/* Which of "sdfn" are there, as bits; 0: another letter, or one twice. */
static unsigned int letters(const char *fields)
{
	static const char all[] = "sdfn";
	unsigned int set = 0;

	for (; *fields; fields++) {
		const char *at = strchr(all, *fields);

		if (!at || set & 1u << (at - all))
			return 0;
		set |= 1u << (at - all);
	}
	return set;
}

int plx_steer_rss_fields_set(uint32_t *types, const char *flow, const char *fields)
{
	unsigned int set = letters(fields);
	uint32_t own, family;

	if (!bits_of_flow(flow, &own, &family) || (set != 3 && set != 15))
		return -EINVAL;
	*types = set == 15 ? *types | own : (*types & ~own) | family;
	return 0;
}

const char *plx_steer_rss_fields(uint32_t types, const char *flow)
{
	uint32_t own, family;

	if (!bits_of_flow(flow, &own, &family))
		return NULL;
	if (types & own)
		return "sdfn";
	return types & family ? "sd" : "";
}
