/* SPDX-License-Identifier: BSD-3-Clause */
#include "rdisc.h"

#include <plx_base_hash.h>

static struct plx_addr join(const struct plx_prefix *prefix, uint64_t iid)
{
	struct plx_addr a = prefix->addr;

	plx_put_be64(a.b + 8, iid);
	return a;
}

struct plx_addr plx_neigh_addr_eui64(const struct plx_prefix *prefix, const struct plx_mac *mac)
{
	const uint8_t *m = mac->b;
	const uint8_t iid[8] = {m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};

	return join(prefix, plx_get_be64(iid));
}

bool neigh__iid_is_reserved(uint64_t iid)
{
	return iid == 0 || (iid >= 0x02005efffe000000 && iid <= 0x02005efffeffffff) ||
	       (iid >= 0xfdffffffffffff80 && iid <= 0xfdffffffffffffff);
}

/*
 * RFC 7217 5: F(prefix, interface, network, counter, secret), with SipHash-2-4 for F, the MAC for
 * the interface, and no network identifier. Reserved ones are passed over by the last byte, so that
 * the caller's counter counts duplicates alone.
 */
struct plx_addr plx_neigh_addr_stable(const struct plx_prefix *prefix, const struct plx_mac *mac,
	const uint8_t secret[16], uint8_t dad_counter)
{
	uint8_t in[16] = {0};
	uint64_t key[2], iid;

	memcpy(key, secret, sizeof(key));
	memcpy(in, prefix->addr.b, 8);
	memcpy(in + 8, mac->b, 6);
	in[14] = dad_counter;
	do {
		iid = plx_siphash(key, in, sizeof(in));
		in[15]++;
	} while (neigh__iid_is_reserved(iid));
	return join(prefix, iid);
}
