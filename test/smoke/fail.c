/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preloaded into pollux by errors_test.sh: the one function that PLX_FAIL names fails with -EIO.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <rte_ethdev.h>

static bool chosen(const char *name)
{
	const char *s = getenv("PLX_FAIL");

	return s && strcmp(s, name) == 0;
}

/* The function's real self. */
#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

int rte_eth_dev_configure(
	uint16_t port_id, uint16_t nb_rx, uint16_t nb_tx, const struct rte_eth_conf *conf)
{
	if (chosen("configure"))
		return -EIO;
	return REAL(rte_eth_dev_configure)(port_id, nb_rx, nb_tx, conf);
}

int rte_eth_tx_queue_setup(uint16_t port_id, uint16_t queue, uint16_t descs, unsigned int socket,
	const struct rte_eth_txconf *conf)
{
	if (chosen("tx_queue"))
		return -EIO;
	return REAL(rte_eth_tx_queue_setup)(port_id, queue, descs, socket, conf);
}

int rte_eth_rx_queue_setup(uint16_t port_id, uint16_t queue, uint16_t descs, unsigned int socket,
	const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	if (chosen("rx_queue"))
		return -EIO;
	return REAL(rte_eth_rx_queue_setup)(port_id, queue, descs, socket, conf, pool);
}

int rte_eth_dev_start(uint16_t port_id)
{
	/* the second port: the first one is open by then and has to be closed */
	if (chosen("start") && port_id == 1)
		return -EIO;
	return REAL(rte_eth_dev_start)(port_id);
}

int epoll_create1(int flags)
{
	if (chosen("epoll")) {
		errno = EMFILE;
		return -1;
	}
	return REAL(epoll_create1)(flags);
}
