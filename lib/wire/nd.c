/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_wire_nd.h"

/* Options (RFC 4861 4.6, RFC 7527). A length is in units of 8 bytes. */
#define OPT_SLLA   1
#define OPT_TLLA   2
#define OPT_PREFIX 3
#define OPT_REDIR  4
#define OPT_MTU	   5
#define OPT_NONCE  14

#define NA_ROUTER    0x80
#define NA_SOLICITED 0x40
#define NA_OVERRIDE  0x20
#define RA_MANAGED   0x80
#define RA_OTHER     0x40
#define RA_PRF(b)    (((b) >> 3) & 3)
#define PI_ON_LINK   0x80
#define PI_AUTO	     0x40

#define IP6_MTU_MIN 1280 /* RFC 8200 5 */

/* Bytes before the options; 0 for a type that is not ND's. */
static uint32_t fixed_bytes(uint8_t type)
{
	switch (type) {
	case PLX_ICMP6_RS:
		return 8;
	case PLX_ICMP6_RA:
		return 16;
	case PLX_ICMP6_NS:
	case PLX_ICMP6_NA:
		return 24;
	case PLX_ICMP6_REDIRECT:
		return 40;
	default:
		return 0;
	}
}

static void clear_host_bits(struct plx_prefix *p)
{
	for (unsigned int i = p->len / 8; i < 16; i++)
		p->addr.b[i] &= i == p->len / 8 ? (uint8_t) ~(0xff >> p->len % 8) : 0;
}

static bool is_unusable(const struct plx_addr *a)
{
	return plx_addr_is_v4(a) || plx_addr_is_mcast(a) || plx_addr_is_linklocal(a);
}

/* A prefix that nobody may use is left out, the message stays good (RFC 4862 5.5.3). */
static void parse_prefix(struct plx_nd *nd, const uint8_t *opt)
{
	struct plx_nd_prefix *pi = &nd->prefix[nd->n_prefix];
	uint32_t valid_s = plx_get_be32(opt + 4), preferred_s = plx_get_be32(opt + 8);
	struct plx_prefix prefix = {.addr = plx_addr_from_v6(opt + 16), .len = opt[2]};

	if (nd->n_prefix == PLX_ND_PREFIXES || opt[2] > 128 || preferred_s > valid_s)
		return;
	if (is_unusable(&prefix.addr))
		return;
	clear_host_bits(&prefix);
	if (is_unusable(&prefix.addr)) /* feff::/9 is fe80::/9 */
		return;
	*pi = (struct plx_nd_prefix){
		.prefix = {.addr = prefix.addr, .len = prefix.len},
		.on_link = opt[3] & PI_ON_LINK,
		.autonomous = opt[3] & PI_AUTO,
		.valid_s = valid_s,
		.preferred_s = preferred_s,
	};
	nd->n_prefix++;
}

static bool is_lladdr_wanted(uint8_t msg, uint8_t opt)
{
	if (opt == OPT_SLLA)
		return msg == PLX_ICMP6_NS || msg == PLX_ICMP6_RS || msg == PLX_ICMP6_RA;
	return msg == PLX_ICMP6_NA || msg == PLX_ICMP6_REDIRECT;
}

static bool parse_lladdr(struct plx_nd *nd, const uint8_t *opt)
{
	if (!is_lladdr_wanted(nd->type, opt[0]))
		return true;
	if (opt[1] != 1) /* 6 bytes of Ethernet address, RFC 2464 6 */
		return false;
	if (opt[0] == OPT_SLLA) {
		nd->has_slla = true;
		memcpy(&nd->slla, opt + 2, 6);
	} else {
		nd->has_tlla = true;
		memcpy(&nd->tlla, opt + 2, 6);
	}
	return true;
}

/* One option of opt[1] * 8 bytes, all of which are there. */
static bool parse_option(struct plx_nd *nd, const uint8_t *opt)
{
	switch (opt[0]) {
	case OPT_SLLA:
	case OPT_TLLA:
		return parse_lladdr(nd, opt);
	case OPT_PREFIX:
		if (nd->type == PLX_ICMP6_RA && opt[1] == 4)
			parse_prefix(nd, opt);
		return true;
	case OPT_MTU:
		if (nd->type == PLX_ICMP6_RA && opt[1] == 1 && plx_get_be32(opt + 4) >= IP6_MTU_MIN)
			nd->mtu = plx_get_be32(opt + 4);
		return true;
	case OPT_NONCE:
		if (nd->type == PLX_ICMP6_NS && opt[1] == 1) {
			nd->has_nonce = true;
			memcpy(nd->nonce, opt + 2, PLX_ND_NONCE_BYTES);
		}
		return true;
	default:
		return true;
	}
}

static bool parse_options(struct plx_nd *nd, const uint8_t *b, uint32_t len)
{
	for (uint32_t at = 0, n; at < len; at += n) {
		if (len - at < 8)
			return false;
		n = b[at + 1] * 8u;
		if (n == 0 || n > len - at || !parse_option(nd, b + at))
			return false;
	}
	return true;
}

/* RFC 4191 2.2: a number of two bits in two's complement, of which -2 is reserved and means 0, as
 * does any where the lifetime is 0. */
static int8_t preference(const uint8_t *b)
{
	static const int8_t prf[] = {0, 1, 0, -1};

	return plx_get_be16(b + 6) == 0 ? 0 : prf[RA_PRF(b[5])];
}

static void parse_fixed(struct plx_nd *nd, const uint8_t *b)
{
	switch (nd->type) {
	case PLX_ICMP6_RA:
		nd->hop_limit = b[4];
		nd->managed = b[5] & RA_MANAGED;
		nd->other_config = b[5] & RA_OTHER;
		nd->preference = preference(b);
		nd->lifetime_s = plx_get_be16(b + 6);
		nd->reachable_ms = plx_get_be32(b + 8);
		nd->retrans_ms = plx_get_be32(b + 12);
		break;
	case PLX_ICMP6_NA:
		nd->router = b[4] & NA_ROUTER;
		nd->solicited = b[4] & NA_SOLICITED;
		nd->override = b[4] & NA_OVERRIDE;
		nd->target = plx_addr_from_v6(b + 8);
		break;
	case PLX_ICMP6_NS:
		nd->target = plx_addr_from_v6(b + 8);
		break;
	case PLX_ICMP6_REDIRECT:
		nd->target = plx_addr_from_v6(b + 8);
		nd->dst = plx_addr_from_v6(b + 24);
		break;
	default:
		break;
	}
}

/* What somebody on the link may own. A mapped address would pass for IPv4 in our tables. */
static bool is_host_addr(const struct plx_addr *a)
{
	return !plx_addr_is_mcast(a) && !plx_addr_is_v4(a) && !plx_addr_is_any6(a);
}

static bool is_solicited_node(const struct plx_addr *a)
{
	struct plx_addr g = plx_wire_nd_solicited_node(a);

	return plx_addr_eq(a, &g);
}

/* RFC 4861 7.1.1 and 7.1.2, 6.1.1 and 6.1.2, 8.1: what the options and addresses have to be. */
static bool is_valid(const struct plx_nd *nd, const struct plx_ip *ip)
{
	bool from_nobody = plx_addr_is_any6(&ip->src);

	switch (nd->type) {
	case PLX_ICMP6_RS:
		return !(from_nobody && nd->has_slla);
	case PLX_ICMP6_RA:
		return plx_addr_is_linklocal(&ip->src);
	case PLX_ICMP6_NS:
		return is_host_addr(&nd->target) &&
		       (!from_nobody || (!nd->has_slla && is_solicited_node(&ip->dst)));
	case PLX_ICMP6_NA:
		return is_host_addr(&nd->target) && !(nd->solicited && plx_addr_is_mcast(&ip->dst));
	default: /* redirect */
		return plx_addr_is_linklocal(&ip->src) && is_host_addr(&nd->dst) &&
		       is_host_addr(&nd->target) &&
		       (plx_addr_is_linklocal(&nd->target) || plx_addr_eq(&nd->target, &nd->dst));
	}
}

enum plx_drop plx_wire_nd_parse(
	struct plx_nd *nd, const struct plx_ip *ip, const void *p, uint32_t len)
{
	const uint8_t *b = p;
	uint32_t fixed;

	if (ip->ttl != PLX_ND_HOP_LIMIT)
		return PLX_DROP_ND_HOPLIMIT;
	if (ip->version != 6 || len < PLX_ICMP_BYTES || b[1] != 0)
		return PLX_DROP_ND_MALFORMED;
	fixed = fixed_bytes(b[0]);
	if (fixed == 0 || len < fixed)
		return PLX_DROP_ND_MALFORMED;
	memset(nd, 0, sizeof(*nd));
	nd->type = b[0];
	parse_fixed(nd, b);
	if (!parse_options(nd, b + fixed, len - fixed) || !is_valid(nd, ip))
		return PLX_DROP_ND_MALFORMED;
	return PLX_DROP_NONE;
}

static uint32_t emit_six(uint8_t *b, uint8_t type, const void *six)
{
	b[0] = type;
	b[1] = 1;
	memcpy(b + 2, six, 6);
	return 8;
}

static uint32_t emit_mtu(uint8_t *b, uint32_t mtu)
{
	plx_put_be32(b, OPT_MTU << 24 | 1 << 16);
	plx_put_be32(b + 4, mtu);
	return 8;
}

static uint32_t emit_prefix(uint8_t *b, const struct plx_nd_prefix *pi)
{
	b[0] = OPT_PREFIX;
	b[1] = 4;
	b[2] = pi->prefix.len;
	b[3] = (pi->on_link ? PI_ON_LINK : 0) | (pi->autonomous ? PI_AUTO : 0);
	plx_put_be32(b + 4, pi->valid_s);
	plx_put_be32(b + 8, pi->preferred_s);
	plx_put_be32(b + 12, 0);
	memcpy(b + 16, pi->prefix.addr.b, 16);
	return 32;
}

static void emit_fixed(uint8_t *b, const struct plx_nd *nd)
{
	switch (nd->type) {
	case PLX_ICMP6_RA:
		b[4] = nd->hop_limit;
		b[5] = (uint8_t)((nd->managed ? RA_MANAGED : 0) |
				 (nd->other_config ? RA_OTHER : 0) | (nd->preference & 3) << 3);
		plx_put_be16(b + 6, nd->lifetime_s);
		plx_put_be32(b + 8, nd->reachable_ms);
		plx_put_be32(b + 12, nd->retrans_ms);
		break;
	case PLX_ICMP6_NA:
		b[4] = (nd->router ? NA_ROUTER : 0) | (nd->solicited ? NA_SOLICITED : 0) |
		       (nd->override ? NA_OVERRIDE : 0);
		memcpy(b + 8, nd->target.b, 16);
		break;
	case PLX_ICMP6_NS:
		memcpy(b + 8, nd->target.b, 16);
		break;
	case PLX_ICMP6_REDIRECT:
		memcpy(b + 8, nd->target.b, 16);
		memcpy(b + 24, nd->dst.b, 16);
		break;
	default:
		break;
	}
}

void plx_wire_nd_redirected_emit(void *p, uint32_t bytes)
{
	uint8_t *b = p;

	memset(b, 0, PLX_ND_REDIRECTED_BYTES);
	b[0] = OPT_REDIR;
	b[1] = (uint8_t)((PLX_ND_REDIRECTED_BYTES + bytes) / 8);
}

uint32_t plx_wire_nd_emit(void *p, const struct plx_nd *nd)
{
	uint8_t *b = p;
	uint32_t at = fixed_bytes(nd->type);

	memset(b, 0, at);
	if (at == 0)
		return 0;
	b[0] = nd->type;
	emit_fixed(b, nd);
	if (nd->has_slla)
		at += emit_six(b + at, OPT_SLLA, &nd->slla);
	if (nd->has_tlla)
		at += emit_six(b + at, OPT_TLLA, &nd->tlla);
	if (nd->has_nonce)
		at += emit_six(b + at, OPT_NONCE, nd->nonce);
	if (nd->mtu)
		at += emit_mtu(b + at, nd->mtu);
	for (unsigned int i = 0; i < nd->n_prefix; i++)
		at += emit_prefix(b + at, &nd->prefix[i]);
	return at;
}
