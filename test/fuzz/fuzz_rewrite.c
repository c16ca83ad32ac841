/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame whose addresses are rewritten to the other half of their family's, and back: nothing is
 * read or written beyond it, it is the same again, and a checksum that was right is right.
 */
#include <stdlib.h>

#include <plx_wire.h>

#include "../../app/replay.h"
#include "fuzz.h"

static struct replay_rewrite rw;

static void set_up(void)
{
	static const char *const maps[] = {
		"0.0.0.0/1=128.0.0.0/1", "128.0.0.0/1=0.0.0.0/1", "::/1=8000::/1", "8000::/1=::/1"};

	while (rw.n_maps < PLX_DIM(maps)) {
		must(!replay_map_parse(&rw.map[rw.n_maps], maps[rw.n_maps]));
		rw.n_maps++;
	}
}

/** What the wire library says of it. */
struct l4 {
	struct plx_ip ip;
	uint32_t at; /* of IP */
	bool right;
};

static bool parse(struct l4 *l, const uint8_t *p, uint32_t len)
{
	enum plx_drop drop = PLX_DROP_ETH_PROTO;
	struct plx_eth eth;
	uint8_t code;

	if (plx_wire_eth_parse(&eth, p, len) != PLX_DROP_NONE)
		return false;
	l->at = eth.hdr_bytes;
	if (eth.type == PLX_ETHERTYPE_IP4)
		drop = plx_wire_ip4_parse(&l->ip, p + l->at, len - l->at, true);
	else if (eth.type == PLX_ETHERTYPE_IP6)
		drop = plx_wire_ip6_parse(&l->ip, p + l->at, len - l->at, &code);
	return drop == PLX_DROP_NONE;
}

static bool right(const struct l4 *l, const uint8_t *p)
{
	const uint8_t *l4 = p + l->at + l->ip.hdr_bytes;

	return plx_wire_l4_cksum_ok(&l->ip, l4, l->ip.l4_bytes);
}

static bool has_sum(const struct l4 *l, const uint8_t *p)
{
	const uint8_t *l4 = p + l->at + l->ip.hdr_bytes;

	if (l->ip.is_frag)
		return false;
	if (l->ip.proto == PLX_IPPROTO_UDP)
		return l->ip.l4_bytes >= 8 && (l4[6] || l4[7]);
	return (l->ip.proto == PLX_IPPROTO_TCP && l->ip.l4_bytes >= 20) ||
	       (l->ip.proto == PLX_IPPROTO_ICMP6 && l->ip.version == 6 && l->ip.l4_bytes >= 4);
}

/* Its addresses as they are now: not each may be a source, as the parser has it. */
static void addresses(struct l4 *l, const uint8_t *p)
{
	const uint8_t *ip = p + l->at;

	if (l->ip.version == 4) {
		l->ip.src = plx_addr_from_v4(ip + 12);
		l->ip.dst = plx_addr_from_v4(ip + 16);
		must(plx_cksum_ip4(ip, (ip[0] & 0xf) * 4u) == 0);
	} else {
		l->ip.src = plx_addr_from_v6(ip + 8);
		l->ip.dst = plx_addr_from_v6(ip + 24);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size + !size);
	uint32_t len = (uint32_t)size, odd = 0;
	struct l4 l = {0};
	bool known;

	set_up();
	memcpy(p, data, size);
	known = parse(&l, p, len);
	if (known)
		l.right = has_sum(&l, p) && right(&l, p);
	if (replay_rewrite(&rw, p, len, true)) {
		must(memcmp(p, data, 14) == 0);
		if (known)
			addresses(&l, p);
		if (l.right)
			must(has_sum(&l, p) && right(&l, p));
		must(replay_rewrite(&rw, p, len, true));
	}
	/* but for a checksum of ffff, which is the same as 0 */
	for (uint32_t i = 0; i < len; i++) {
		if (p[i] == data[i])
			continue;
		must((p[i] == 0 && data[i] == 0xff) || (p[i] == 0xff && data[i] == 0));
		odd++;
	}
	must(odd <= 4);
	if (size)
		replay_rewrite(&rw, p, len, false);
	free(p);
	return 0;
}
