/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which receive queue does a flow go to? Pure arithmetic: no DPDK, no device.
 *
 *   cc toeplitz.c -o toeplitz $(pkg-config --cflags --libs libplx_steer)
 *   ./toeplitz -q 4 66.9.149.187 2794 161.142.100.80 1766
 *
 * Ports may be left out (then only the addresses are hashed, as for fragments). Options:
 *   -q N    receive queues (4)            -r N    entries of the indirection table (128)
 *   -k HEX  the device's key, 40 bytes or more, as `ethtool -x` prints it (Microsoft's)
 *   -s      symmetric: both directions of a flow hash alike
 * Without a flow it checks itself against Microsoft's table of verification and prints that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <plx_steer.h>

/** A row of "Verifying the RSS Hash Calculation". */
struct known {
	const char *src, *dst;
	uint16_t sport, dport;
	uint32_t with_ports, without;
};

static const struct known table[] = {
	{"66.9.149.187", "161.142.100.80", 2794, 1766, 0x51ccc178, 0x323e8fc2},
	{"199.92.111.2", "65.69.140.83", 14230, 4739, 0xc626b0ea, 0xd718262a},
	{"24.19.198.95", "12.22.207.184", 12898, 38024, 0x5c2b394a, 0xd2d0a5de},
	{"38.27.205.30", "209.142.163.6", 48228, 2217, 0xafc7327f, 0x82989176},
	{"153.39.163.191", "202.188.127.2", 44251, 1303, 0x10e828a2, 0x5d1809c5},
	{"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x40207d3d, 0x2cc18cd5},
	{"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0xdde51bbf, 0x0f0c461c},
	{"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024,
		0x02d1feef, 0x4b61e985},
};

static struct {
	struct plx_toeplitz hash;
	struct plx_reta reta;
	unsigned int queues, entries;
	bool symmetric;
} o = {.queues = 4, .entries = 128};

static int usage(void)
{
	fprintf(stderr, "usage: toeplitz [-q N] [-r N] [-k HEX] [-s] [SRC [SPORT] DST [DPORT]]\n");
	return 2;
}

/* "6d:5a:56:..." or without colons. @return bytes, or 0 when it is none. */
static size_t parse_key(const char *text, uint8_t key[PLX_STEER_KEY_MAX])
{
	size_t n = 0;
	unsigned int byte;

	while (*text && n < PLX_STEER_KEY_MAX) {
		if (sscanf(text, "%2x", &byte) != 1 || !text[1])
			return 0;
		key[n++] = (uint8_t)byte;
		text += text[2] == ':' ? 3 : 2;
	}
	return *text ? 0 : n;
}

static bool parse_port(const char *text, uint16_t *port)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*port = (uint16_t)n;
	return *text && !*end && n <= UINT16_MAX;
}

static int predict(const struct plx_addr *src, const struct plx_addr *dst, const uint16_t *ports)
{
	uint32_t hash = plx_steer_hash(
		&o.hash, src, dst, ports ? ports[0] : 0, ports ? ports[1] : 0, ports != NULL);

	printf("hash %08x  entry %u of %u  queue %u of %u\n", hash, hash & (o.entries - 1),
		o.entries, plx_steer_reta_queue(&o.reta, hash), o.queues);
	return 0;
}

static int verify(void)
{
	int wrong = 0;

	printf("%-36s %-24s %5s %5s  %-8s  %-8s\n", "source", "destination", "sport", "dport",
		"ports", "no ports");
	for (size_t i = 0; i < PLX_DIM(table); i++) {
		const struct known *k = &table[i];
		struct plx_addr src, dst;
		uint32_t with, without;

		plx_addr_parse(&src, k->src);
		plx_addr_parse(&dst, k->dst);
		with = plx_steer_hash(&o.hash, &src, &dst, k->sport, k->dport, true);
		without = plx_steer_hash(&o.hash, &src, &dst, 0, 0, false);
		wrong += with != k->with_ports || without != k->without;
		printf("%-36s %-24s %5u %5u  %08x  %08x%s\n", k->src, k->dst, k->sport, k->dport,
			with, without,
			with == k->with_ports && without == k->without ? "" : "  WRONG");
	}
	printf("%s\n", wrong ? "another key, or a bug" : "as Microsoft's table has it");
	return wrong != 0;
}

int main(int argc, char **argv)
{
	uint8_t key[PLX_STEER_KEY_MAX];
	size_t key_len = sizeof(plx_steer_key_microsoft);
	struct plx_addr src, dst;
	uint16_t ports[2];
	int c, n;

	memcpy(key, plx_steer_key_microsoft, key_len);
	while ((c = getopt(argc, argv, "q:r:k:s")) != -1) {
		if (c == 'q')
			o.queues = (unsigned int)atoi(optarg);
		else if (c == 'r')
			o.entries = (unsigned int)atoi(optarg);
		else if (c == 'k')
			key_len = parse_key(optarg, key);
		else if (c == 's')
			o.symmetric = true;
		else
			return usage();
	}
	if (plx_steer_toeplitz_init(&o.hash, key, key_len) != 0) {
		fprintf(stderr, "a key has %u to %u bytes\n", PLX_STEER_KEY_MIN, PLX_STEER_KEY_MAX);
		return 2;
	}
	if (plx_steer_reta_equal(&o.reta, (uint16_t)o.entries, 0, (uint16_t)o.queues) != 0) {
		fprintf(stderr, "a table has %u to %u entries, a power of two, and a queue each\n",
			PLX_RETA_SIZE_MIN, PLX_RETA_SIZE_MAX);
		return 2;
	}
	o.hash.symmetric = o.symmetric;

	argv += optind;
	n = argc - optind;
	if (n == 0)
		return verify();
	if (n != 2 && n != 4)
		return usage();
	if (plx_addr_parse(&src, argv[0]) != 0 || plx_addr_parse(&dst, argv[n / 2]) != 0 ||
		plx_addr_is_v4(&src) != plx_addr_is_v4(&dst))
		return usage();
	if (n == 2)
		return predict(&src, &dst, NULL);
	if (!parse_port(argv[1], &ports[0]) || !parse_port(argv[3], &ports[1]))
		return usage();
	return predict(&src, &dst, ports);
}
