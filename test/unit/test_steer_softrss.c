/* SPDX-License-Identifier: BSD-3-Clause */
/* Our hash against DPDK's, and our types against its rss_hf. */
#include "t.h"

#include <rte_ethdev.h>
#include <rte_thash.h>

#include <plx_base_rng.h>
#include <plx_steer.h>

static_assert(PLX_RSS_IPV4 == RTE_ETH_RSS_IPV4 && PLX_RSS_IPV4_FRAG == RTE_ETH_RSS_FRAG_IPV4 &&
		      PLX_RSS_IPV4_TCP == RTE_ETH_RSS_NONFRAG_IPV4_TCP &&
		      PLX_RSS_IPV4_UDP == RTE_ETH_RSS_NONFRAG_IPV4_UDP &&
		      PLX_RSS_IPV4_SCTP == RTE_ETH_RSS_NONFRAG_IPV4_SCTP &&
		      PLX_RSS_IPV4_OTHER == RTE_ETH_RSS_NONFRAG_IPV4_OTHER,
	"rss_hf can be taken as it is");
static_assert(PLX_RSS_IPV6 == RTE_ETH_RSS_IPV6 && PLX_RSS_IPV6_FRAG == RTE_ETH_RSS_FRAG_IPV6 &&
		      PLX_RSS_IPV6_TCP == RTE_ETH_RSS_NONFRAG_IPV6_TCP &&
		      PLX_RSS_IPV6_UDP == RTE_ETH_RSS_NONFRAG_IPV6_UDP &&
		      PLX_RSS_IPV6_SCTP == RTE_ETH_RSS_NONFRAG_IPV6_SCTP &&
		      PLX_RSS_IPV6_OTHER == RTE_ETH_RSS_NONFRAG_IPV6_OTHER,
	"rss_hf can be taken as it is");

struct flow {
	struct plx_addr src, dst;
	uint16_t sport, dport;
};

static struct flow random_flow(struct plx_rng *rng, bool v4)
{
	struct flow f = {.sport = (uint16_t)plx_rng_u32(rng), .dport = (uint16_t)plx_rng_u32(rng)};
	uint8_t b[32];

	plx_rng_bytes(rng, b, sizeof(b));
	f.src = v4 ? plx_addr_from_v4(b) : plx_addr_from_v6(b);
	f.dst = v4 ? plx_addr_from_v4(b + 16) : plx_addr_from_v6(b + 16);
	return f;
}

/* DPDK wants 32-bit words in host order, and the second port before the first in memory. */
static uint32_t softrss(const struct flow *f, bool v4, bool ports, const uint8_t *key)
{
	uint32_t w[9], n = 0;

	for (unsigned int i = v4 ? 3 : 0; i < 4; i++)
		w[n++] = __builtin_bswap32(f->src.w[i]);
	for (unsigned int i = v4 ? 3 : 0; i < 4; i++)
		w[n++] = __builtin_bswap32(f->dst.w[i]);
	if (ports)
		w[n++] = (uint32_t)f->sport << 16 | f->dport;
	return rte_softrss_be(w, n, key);
}

T(random_flows_hash_as_by_rte_softrss_be)
{
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(3));
	for (int round = 0; round < 100; round++) {
		uint8_t key[PLX_STEER_KEY_MIN], swapped[PLX_STEER_KEY_MIN];
		struct plx_toeplitz t;

		plx_rng_bytes(&rng, key, sizeof(key));
		rte_convert_rss_key((const uint32_t *)(const void *)key,
			(uint32_t *)(void *)swapped, sizeof(key));
		eq(plx_steer_toeplitz_init(&t, key, sizeof(key)), 0);
		for (unsigned int i = 0; i < 32; i++) {
			bool v4 = i & 1, ports = i & 2;
			struct flow f = random_flow(&rng, v4);

			if (plx_steer_toeplitz_use(&t, i % PLX_TOEPLITZ_WAYS) != 0)
				continue;
			eq(plx_steer_hash(&t, &f.src, &f.dst, f.sport, f.dport, ports),
				softrss(&f, v4, ports, swapped));
		}
	}
}

RUN(T_(random_flows_hash_as_by_rte_softrss_be))
