/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_port.h"

#include <stdio.h>

#include <rte_version.h>

#define ALL 0, 0

/*
 * What drivers do that the API does not promise, each with the DPDK releases (YYMM) it concerns.
 * Found by running them without a NIC under 22.11; the releases that mend them are from DPDK's
 * history.
 */
static const struct plx_quirk quirks[] = {
	{"net_tap", 0, 2411, PLX_QUIRK_MAX_QUEUES, 4, "aborts with more than 4 queues"},
	{"net_tap", ALL, PLX_QUIRK_REFUSES_LONG, 0, "a frame over the MTU is refused for ever"},
	{"net_tap", ALL, PLX_QUIRK_INTR_SILENT, 0,
		"rx interrupts work though enabling them says -ENOTSUP"},
	{"net_tap", ALL, PLX_QUIRK_RSS_LIES, 0, "advertises RSS types and rejects every RSS call"},
	{"net_tap", ALL, PLX_QUIRK_PREALLOC, 0, "takes an mbuf for each rx descriptor at start"},
	{"net_tap", ALL, PLX_QUIRK_FOLLOWS_TX, 0,
		"a flow arrives on the queue it was last sent on"},
	{"net_tap", ALL, PLX_QUIRK_SAME_QUEUES, 0, "wants as many rx queues as tx queues"},
	{"net_tap", ALL, PLX_QUIRK_COPIES, 0, "transmit copies and frees at once"},
	{"net_tap", ALL, PLX_QUIRK_REFUSAL_ERRS, 0,
		"counts each frame that it refuses as an error"},
	{"net_tap", ALL, PLX_QUIRK_SAME_MAC, 0,
		"gives the kernel's interface its own MAC: ours differs in a bit"},
	{"net_tap", ALL, PLX_QUIRK_TSO_LIES, 0,
		"its TSO is software, of IPv4 alone, and refuses parts as long as the MTU"},
	{"net_pcap", ALL, PLX_QUIRK_REFUSES_LONG, 0,
		"a live interface refuses a frame over the MTU for ever"},
	{"net_pcap", ALL, PLX_QUIRK_TX_LOSSY, 0, "what it takes may still fail to be written"},
	{"net_pcap", ALL, PLX_QUIRK_COPIES, 0, "transmit copies and frees at once"},
	{"net_pcap", ALL, PLX_QUIRK_END_OF_FILE, 0, "a capture file ends"},
	{"net_af_packet", ALL, PLX_QUIRK_TX_LOSSY, 0,
		"transmit returns what it consumed, not what it sent"},
	{"net_af_packet", 0, 2411, PLX_QUIRK_LINK_LIES, 0, "link state is a constant"},
	{"net_af_packet", 0, 2603, PLX_QUIRK_MTU_ROOM, 0,
		"writes past the mbuf when the MTU exceeds its room"},
	{"net_af_packet", ALL, PLX_QUIRK_SAME_QUEUES, 0, "queues come in pairs (qpairs=N)"},
	{"net_af_packet", ALL, PLX_QUIRK_DEFRAGS, 0,
		"the kernel puts IPv4 fragments together, and what exceeds framesz= comes cut"},
	{"net_af_packet", ALL, PLX_QUIRK_COPIES, 0, "transmit copies and frees at once"},
	{"net_af_packet", ALL, PLX_QUIRK_TX_WAITS, 0,
		"transmit sleeps while half of the socket's send buffer is under way"},
	{"net_af_xdp", ALL, PLX_QUIRK_KEEPS, 4160,
		"what its rings hold when it is closed never comes back"},
	{"net_af_xdp", ALL, PLX_QUIRK_PREALLOC, 0, "takes an mbuf for each rx descriptor at start"},
	{"net_null", ALL, PLX_QUIRK_RSS_LIES, 0, "accepts a key and a table and ignores them"},
	{"net_null", ALL, PLX_QUIRK_COPIES, 0, "transmit frees at once"},
	{"net_memif", ALL, PLX_QUIRK_LINK_LATE, 0, "link comes up when the peer has answered"},
	{"net_memif", ALL, PLX_QUIRK_PEER_QUEUES, 0,
		"a queue that its peer has not got shares the first one's ring"},
	{"net_memif", ALL, 0, 0, "may crash who is polling it as the peer goes"},
	{"net_ring", 0, 2407, PLX_QUIRK_NO_PORT_FIELD, 0, "does not set m->port"},
	{"net_ring", ALL, PLX_QUIRK_HOLDS, 0,
		"what it was sent waits to be received, and is lost when it is closed"},
	{"vtap", ALL, PLX_QUIRK_FOLLOWS_TX, 0, "a flow arrives on the queue it was last sent on"},
	{"vtap", ALL, PLX_QUIRK_SAME_QUEUES, 0, "a queue receives and sends"},
	{"vtap", ALL, PLX_QUIRK_PREALLOC, 0, "keeps the mbufs that its next reads go to"},
	{"vtap", ALL, PLX_QUIRK_COPIES, 0, "transmit copies and frees at once"},
	{"vtap", ALL, PLX_QUIRK_PARTIAL, 0,
		"what the kernel's own sockets send has no checksum yet"},
	{"net_virtio_user", ALL, PLX_QUIRK_RSS_LIES, 0, "refuses to be configured with RSS"},
	{"net_virtio_user", ALL, PLX_QUIRK_PARTIAL, 0,
		"what its host's own sockets send has no checksum yet"},
	{"net_virtio", ALL, PLX_QUIRK_PARTIAL, 0,
		"what its host's own sockets send has no checksum yet"},
	{"net_vhost", ALL, PLX_QUIRK_PARTIAL, 0, "what its guest sends has no checksum yet"},
};

/* YYMM of the DPDK that runs: it is a shared library, so not the one that compiled this. */
static uint32_t running(void)
{
	unsigned int year = 0, month = 0;

	sscanf(rte_version(), "DPDK %u.%u", &year, &month);
	return year * 100 + month;
}

/* net_tap and net_tun are one driver, as are vtap and vtun. */
static bool concerns(const struct plx_quirk *q, const char *driver)
{
	if (strcmp(driver, "net_tun") == 0)
		driver = "net_tap";
	else if (strcmp(driver, "vtun") == 0)
		driver = "vtap";
	return strcmp(q->driver, driver) == 0;
}

const struct plx_quirk *plx_quirk_next(const char *driver, unsigned int *i)
{
	uint32_t v = running();

	while (*i < PLX_DIM(quirks)) {
		const struct plx_quirk *q = &quirks[(*i)++];

		if (concerns(q, driver) && v >= q->from && (q->below == 0 || v < q->below))
			return q;
	}
	return NULL;
}

uint32_t plx_quirk_flags(const char *driver)
{
	const struct plx_quirk *q;
	uint32_t flags = 0;
	unsigned int i = 0;

	while ((q = plx_quirk_next(driver, &i)))
		flags |= q->flags;
	return flags;
}

uint32_t plx_quirk_max_queues(const char *driver)
{
	const struct plx_quirk *q;
	unsigned int i = 0;

	while ((q = plx_quirk_next(driver, &i)))
		if (q->flags & PLX_QUIRK_MAX_QUEUES)
			return q->arg;
	return UINT32_MAX;
}

uint32_t plx_port_kept_mbufs(const struct plx_port *p)
{
	const struct plx_quirk *q;
	unsigned int i = 0;
	uint32_t n = 0;

	while ((q = plx_quirk_next(p->caps.driver, &i)))
		if (q->flags & PLX_QUIRK_KEEPS)
			n += q->arg * p->n_rxq;
	return n;
}
