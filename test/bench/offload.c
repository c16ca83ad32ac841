/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lib/offload costs, with packets that are in the cache: cycles of the TSC, the best and the
 * median of many batches. GRO by the packet, in bursts of 32, all flushed after 16 bursts; GSO by
 * the part. It starts EAL by itself, without huge pages or devices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include <plx_offload.h>

#define BATCHES 300
#define BURST	32
#define BURSTS	16
#define MSS	1448
#define HDR	(14 + 20 + 32) /* TCP with timestamps */

static struct rte_mempool *pool;
static struct plx_gro gro;
static struct rte_mbuf *out[128];

static int by_size(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return d < 0 ? -1 : d > 0;
}

static void report(const char *what, double *v)
{
	qsort(v, BATCHES, sizeof(*v), by_size);
	printf("%-44s\t%.0f\t%.0f\n", what, v[0], v[BATCHES / 2]);
}

static uint8_t *append(struct rte_mbuf *m, uint32_t bytes)
{
	char *b = m ? rte_pktmbuf_append(m, (uint16_t)bytes) : NULL;

	if (!b)
		abort();
	return (uint8_t *)b;
}

/* Headers of a segment; the checksum is right where sum says so, else the pseudo-header's. */
static void headers(uint8_t *b, uint32_t flow, uint32_t n, uint32_t data_bytes, bool sum)
{
	struct plx_eth eth = {.type = PLX_ETHERTYPE_IP4};
	struct plx_tcp_hdr tcp = {.sport = 1000,
		.dport = (uint16_t)(2000 + flow),
		.seq = n * MSS,
		.flags = PLX_TCP_ACK,
		.hdr_bytes = 32};
	struct plx_tcp_opts opts = {.present = PLX_TCP_OPT_TS, .ts_val = 1};
	struct plx_ip ip = {.l4_bytes = (uint16_t)(32 + data_bytes),
		.id = n,
		.df = true,
		.proto = 6,
		.ttl = 64};
	uint16_t check;

	plx_addr_parse(&ip.src, "10.0.0.1");
	plx_addr_parse(&ip.dst, "10.0.0.2");
	plx_wire_eth_emit(b, &eth);
	plx_wire_ip4_emit(b + 14, &ip);
	plx_wire_tcp_emit(b + 34, &tcp);
	plx_wire_tcp_opts_emit(b + 54, &opts);
	check = plx_cksum_fold(plx_cksum_pseudo(&ip.src, &ip.dst, 6, sum ? 32 + data_bytes : 0));
	if (sum)
		check = plx_cksum_finish(
			plx_cksum_add(plx_cksum_pseudo(&ip.src, &ip.dst, 6, 32 + data_bytes),
				b + 34, 32 + data_bytes));
	memcpy(b + 34 + 16, &check, 2);
}

static void burst_make(struct rte_mbuf **m, uint32_t flows, uint32_t *n, uint64_t said)
{
	if (rte_pktmbuf_alloc_bulk(pool, m, BURST) != 0)
		abort();
	for (uint32_t i = 0; i < BURST; i++, ++*n) {
		uint8_t *b = append(m[i], HDR + MSS);

		memset(b + HDR, 1, MSS);
		headers(b, *n % flows, *n / flows, MSS, said == 0);
		m[i]->ol_flags |= said;
	}
}

/* Flushed and freed. @return cycles of the flush. */
static uint64_t flush(void)
{
	uint64_t t0 = rte_rdtsc(), t;
	uint32_t n = plx_gro_flush(&gro, PLX_NEVER, out);

	t = rte_rdtsc() - t0;
	rte_pktmbuf_free_bulk(out, n);
	return t;
}

static void bench_gro(const char *what, uint32_t flows, uint64_t said)
{
	struct rte_mbuf *m[BURST];
	double v[BATCHES];

	for (int batch = 0; batch < BATCHES; batch++) {
		uint64_t cycles = 0;
		uint32_t n = 0;

		plx_gro_init(&gro, &(struct plx_gro_conf){.timeout_ns = 0});
		for (int i = 0; i < BURSTS; i++) {
			uint64_t t0;
			uint32_t done;

			burst_make(m, flows, &n, said);
			t0 = rte_rdtsc();
			done = plx_gro_receive(&gro, m, BURST, batch, out);
			cycles += rte_rdtsc() - t0;
			rte_pktmbuf_free_bulk(out, done);
		}
		cycles += flush();
		v[batch] = (double)cycles / (BURST * BURSTS);
	}
	report(what, v);
}

/* In segments of 2 KB. */
static struct rte_mbuf *super(uint32_t seg_bytes, uint32_t parts)
{
	uint32_t left = seg_bytes * parts;
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	headers(append(m, HDR), 0, 0, left, false);
	while (left) {
		uint16_t n = (uint16_t)PLX_MIN(left, 2048u);
		struct rte_mbuf *more = rte_pktmbuf_alloc(pool);

		memset(append(more, n), 1, n);
		if (rte_pktmbuf_chain(m, more) != 0)
			abort();
		left -= n;
	}
	m->l2_len = 14;
	m->l3_len = 20;
	m->l4_len = 32;
	m->tso_segsz = (uint16_t)seg_bytes;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	plx_pkt_set_wire(m, parts);
	return m;
}

static void bench_gso(
	const char *what, uint32_t seg_bytes, struct plx_gso_conf conf, bool with_free)
{
	uint32_t parts = 65160 / seg_bytes;
	double v[BATCHES];

	conf.pool = pool;
	for (int batch = 0; batch < BATCHES; batch++) {
		uint64_t cycles = 0;

		for (int i = 0; i < 8; i++) {
			struct rte_mbuf *m = super(seg_bytes, parts);
			uint64_t t0 = rte_rdtsc(), t;
			int n = plx_gso_segment(m, &conf, out, PLX_DIM(out));

			t = rte_rdtsc();
			if (n != (int)parts)
				abort();
			rte_pktmbuf_free_bulk(out, parts);
			cycles += (with_free ? rte_rdtsc() : t) - t0;
		}
		v[batch] = (double)cycles / (8 * parts);
	}
	report(what, v);
}

static int start(void)
{
	char name[] = "bench_offload", huge[] = "--no-huge", pci[] = "--no-pci", mem[] = "-m";
	char mib[] = "64", files[] = "--no-shconf", tel[] = "--no-telemetry", lc[] = "--lcores";
	char cpu[] = "0", prefix[] = "--file-prefix", unique[32], level[] = "--log-level=error";
	char *argv[] = {name, huge, pci, mem, mib, files, tel, lc, cpu, prefix, unique, level};

	snprintf(unique, sizeof(unique), "plx-bench-%d", (int)getpid());
	if (rte_eal_init((int)PLX_DIM(argv), argv) < 0 || plx_pkt_init() != 0)
		return -1;
	pool = plx_pkt_pool_create(
		&(struct plx_pkt_pool_conf){.name = "bench", .pkts = 4095, .socket = SOCKET_ID_ANY},
		NULL);
	return pool ? 0 : -1;
}

int main(void)
{
	const uint64_t good = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	const struct plx_gso_conf device = {.ip_cksum = true, .l4_cksum = true};
	struct plx_gso_conf linear = device;

	if (start() != 0)
		return 1;
	linear.linear = true;
	printf("%-44s\tbest\tmedian\n", "cycles");
	bench_gro("GRO, 1 flow, a packet", 1, good);
	bench_gro("GRO, 32 flows, a packet", 32, good);
	bench_gro("GRO, 1 flow, checksum in software", 1, 0);
	bench_gso("GSO of 64 KB at 1448, a part", MSS, device, false);
	bench_gso(
		"GSO of 64 KB at 1448, checksum in software", MSS, (struct plx_gso_conf){0}, false);
	bench_gso("GSO of 64 KB at 1448, copied", MSS, linear, false);
	bench_gso("GSO at 1024, copied, and freed", 1024, device, true);
	bench_gso("GSO at 1025, attached, and freed", 1025, device, true);
	bench_gso("GSO at 1448, copied, and freed", MSS, linear, true);
	bench_gso("GSO at 1448, attached, and freed", MSS, device, true);
	rte_mempool_free(pool);
	return rte_eal_cleanup() ? 1 : 0;
}
