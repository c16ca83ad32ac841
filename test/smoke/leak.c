/* SPDX-License-Identifier: BSD-3-Clause */
/* Preloaded into pollux by errors_test.sh. */
#include <dlfcn.h>
#include <stdbool.h>

#include <rte_mbuf.h>

/* Takes one packet buffer that nobody will give back. */
struct rte_mempool *rte_pktmbuf_pool_create_by_ops(const char *name, unsigned int n,
	unsigned int cache_size, uint16_t priv_size, uint16_t room, int socket, const char *ops)
{
	static bool done;
	struct rte_mempool *pool = ((typeof(&rte_pktmbuf_pool_create_by_ops))dlsym(
		RTLD_NEXT, "rte_pktmbuf_pool_create_by_ops"))(
		name, n, cache_size, priv_size, room, socket, ops);

	if (!done && pool)
		done = rte_pktmbuf_alloc(pool) != NULL;
	return pool;
}
