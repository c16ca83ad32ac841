/* SPDX-License-Identifier: BSD-3-Clause */
#include "fmt.h"

#define PAGE_BYTES 4096

static long long sum(const json_t *rows, const char *key)
{
	long long n = 0;
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		n += fmt_num(row, key);
	}
	return n;
}

static long long pages(long long bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* The lines of the file. */
static void print_all(FILE *out, const json_t *rows)
{
	fprintf(out, "sockets: used %lld\n", sum(rows, "sockets"));
	fprintf(out, "TCP: inuse %lld orphan %lld tw %lld alloc %lld mem %lld\n",
		sum(rows, "tcp_inuse"), sum(rows, "tcp_orphan"), sum(rows, "tcp_tw"),
		sum(rows, "tcp_alloc"), pages(sum(rows, "tcp_rmem") + sum(rows, "tcp_wmem")));
	fprintf(out, "UDP: inuse %lld mem %lld\n", sum(rows, "udp_inuse"),
		pages(sum(rows, "udp_mem")));
	fprintf(out, "UDPLITE: inuse 0\n");
	fprintf(out, "RAW: inuse %lld\n", sum(rows, "raw_inuse"));
	fprintf(out, "FRAG: inuse %lld memory %lld\n", sum(rows, "frag_inuse"),
		sum(rows, "frag_memory"));
}

static void print_lcore(FILE *out, const json_t *row)
{
	fprintf(out, "lcore %lld: received %lld of %lld sent %lld", fmt_num(row, "lcore"),
		fmt_num(row, "tcp_rmem") + fmt_num(row, "udp_mem"), fmt_num(row, "rcv_most"),
		fmt_num(row, "tcp_wmem"));
	fprintf(out, " mbufs %lld free of %lld reserve %lld free of %lld%s\n",
		fmt_num(row, "mbufs_free"), fmt_num(row, "mbufs"), fmt_num(row, "reserve_free"),
		fmt_num(row, "reserve"),
		fmt_num(row, "pressure") ? " pressure"
		: fmt_num(row, "refuse") ? " refuses"
					 : "");
}

void fmt_sockstat(const struct fmt *f, const json_t *rows)
{
	size_t i;
	json_t *row;

	print_all(f->out, rows);
	json_array_foreach(rows, i, row)
	{
		if (!f->opts->raw)
			print_lcore(f->out, row);
	}
}
