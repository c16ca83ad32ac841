/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer.h"

#include <errno.h>
#include <string.h>

#include <pcap/pcap.h>
#include <plx_wire_eth.h>

#define ETH_BYTES 14
#define HEAD_MAX  2048 /* of a packet: more headers are not looked for */

/* Link types that are read: what stands before IP. */
static const struct link {
	int type;
	uint32_t bytes;
	int proto_at; /* of the EtherType; -1: none, it is IP */
} links[] = {
	{DLT_EN10MB, 0, 0}, /* as it is */
	{DLT_RAW, 0, -1},
	{DLT_IPV4, 0, -1},
	{DLT_IPV6, 0, -1},
	{DLT_LINUX_SLL, 16, 14},
	{DLT_LINUX_SLL2, 20, 0},
};

struct sim {
	const struct steer_opts *o;
	const char *path;
	struct load load;
	uint32_t weight[PLX_RETA_SIZE_MAX];
	uint64_t now[PLX_RETA_SIZE_MAX], bytes[PLX_RETA_SIZE_MAX], after[PLX_RETA_SIZE_MAX];
	struct plx_owner_map moved; /* --moves */
	uint64_t moved_now[PLX_RETA_SIZE_MAX];
	uint16_t moves;
	const char *moved_why;
};

static struct sim sim; /* too large for a stack */

static const struct link *find_link(int type)
{
	for (size_t i = 0; i < PLX_DIM(links); i++)
		if (links[i].type == type)
			return &links[i];
	return NULL;
}

/* Make an Ethernet frame of what came without. @return its bytes. */
static uint32_t as_frame(
	const struct link *l, const uint8_t *p, uint32_t len, uint8_t frame[static HEAD_MAX])
{
	uint16_t type;
	uint32_t n;

	memset(frame, 0, ETH_BYTES);
	if (len <= l->bytes)
		return ETH_BYTES;
	if (l->proto_at >= 0)
		type = plx_get_be16(p + l->proto_at);
	else
		type = p[0] >> 4 == 6 ? PLX_ETHERTYPE_IP6 : PLX_ETHERTYPE_IP4;
	plx_put_be16(frame + ETH_BYTES - 2, type);
	n = PLX_MIN(len - l->bytes, (uint32_t)(HEAD_MAX - ETH_BYTES));
	memcpy(frame + ETH_BYTES, p + l->bytes, n);
	return ETH_BYTES + n;
}

/* @return an exit code. */
static int read_all(struct sim *s, pcap_t *p, const struct link *l)
{
	static uint8_t frame[HEAD_MAX];
	struct pcap_pkthdr *h;
	const u_char *b;
	int got, err;

	while ((got = pcap_next_ex(p, &h, &b)) == 1) {
		uint32_t len = h->caplen;
		const uint8_t *at = b;

		if (l->type != DLT_EN10MB) {
			len = as_frame(l, b, len, frame);
			at = frame;
		}
		err = load_add(&s->load, at, len, h->len);
		if (err) {
			ctl_complain(
				"steer simulate: %s, after %u flows", strerror(-err), s->load.n);
			return CTL_FAILED;
		}
	}
	if (got == PCAP_ERROR_BREAK)
		return CTL_OK;
	ctl_complain("%s: %s", s->path, pcap_geterr(p));
	return CTL_FAILED;
}

/* @return an exit code. */
static int read_file(struct sim *s)
{
	char why[PCAP_ERRBUF_SIZE];
	const struct link *l;
	pcap_t *p = pcap_open_offline(s->path, why);
	int code = CTL_FAILED;

	if (!p) {
		/* Some of libpcap's texts begin with the file's name, some do not. */
		bool named = strncmp(why, s->path, strlen(s->path)) == 0;

		ctl_complain("%s%s%s", named ? "" : s->path, named ? "" : ": ", why);
		return CTL_FAILED;
	}
	l = find_link(pcap_datalink(p));
	if (l)
		code = read_all(s, p, l);
	else
		ctl_complain("%s: link type %d; only Ethernet, raw IP and Linux cooked are read",
			s->path, pcap_datalink(p));
	pcap_close(p);
	return code;
}

/* --- what came of it ---------------------------------------------------------------------------
 */

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void weights_text(const struct sim *s, const char *between, char *text, size_t size)
{
	size_t at = 0;

	for (uint16_t q = 0; q < s->o->queues && at + 8 < size; q++)
		at += (size_t)snprintf(
			text + at, size - at, "%s%u", q ? between : "", s->weight[q]);
}

static void print_queues(const struct sim *s)
{
	const struct load_count *all = &s->load.all;

	printf("%5s %12s %6s %15s %6s %9s\n", "queue", "packets", "%", "bytes", "%", "flows");
	for (uint16_t q = 0; q < s->o->queues; q++) {
		const struct load_count *c = &s->load.queue[q];

		printf("%5u %12llu %5.1f%% %15llu %5.1f%% %9llu\n", q,
			(unsigned long long)c->packets, percent(c->packets, all->packets),
			(unsigned long long)c->bytes, percent(c->bytes, all->bytes),
			(unsigned long long)c->flows);
	}
	printf("the largest is %.2f times the mean by packets, %.2f by bytes\n",
		load_imbalance(s->now, s->o->queues), load_imbalance(s->bytes, s->o->queues));
}

static void print_flows(const struct sim *s)
{
	uint32_t n = PLX_MIN(s->o->top, s->load.n);
	char text[STEER_TUPLE_STRLEN];

	if (n)
		printf("\n%12s %6s %5s  largest flows\n", "packets", "%", "queue");
	for (uint32_t i = 0; i < n; i++) {
		const struct load_flow *f = &s->load.flow[i];

		printf("%12llu %5.1f%% %5u  %s\n", (unsigned long long)f->packets,
			percent(f->packets, s->load.all.packets), f->queue,
			steer_tuple_text(&f->tuple, text));
	}
}

static void find_moves(struct sim *s)
{
	s->moved_why = steer_moves(&s->load, s->o->queues, &s->moved);
	memset(s->moved_now, 0, sizeof(s->moved_now));
	s->moves = 0;
	for (uint16_t i = 0; i < s->moved.size; i++) {
		s->moved_now[s->moved.lcore[i]] += s->load.bucket[i].packets;
		s->moves += s->moved.lcore[i] != s->o->reta.q[i];
	}
}

static void print_moves(const struct sim *s)
{
	printf("by single buckets: %u of %u moved: then %.2f times the mean; %s\n", s->moves,
		s->moved.size, load_imbalance(s->moved_now, s->o->queues), s->moved_why);
	if (s->moves)
		printf("%6s %5s %5s %12s %6s\n", "bucket", "from", "to", "packets", "%");
	for (uint16_t i = 0; i < s->moved.size; i++)
		if (s->moved.lcore[i] != s->o->reta.q[i])
			printf("%6u %5u %5u %12llu %5.1f%%\n", i, s->o->reta.q[i],
				s->moved.lcore[i], (unsigned long long)s->load.bucket[i].packets,
				percent(s->load.bucket[i].packets, s->load.all.packets));
}

static void print_text(const struct sim *s)
{
	static char text[8 * PLX_RETA_SIZE_MAX];

	printf("%s: %llu packets, %llu bytes, %llu flows, %llu packets not of IP\n\n", s->path,
		(unsigned long long)s->load.all.packets, (unsigned long long)s->load.all.bytes,
		(unsigned long long)s->load.all.flows, (unsigned long long)s->load.not_ip);
	print_queues(s);
	print_flows(s);
	if (!s->load.all.packets)
		return;
	weights_text(s, ",", text, sizeof(text));
	printf("\nsuggested: --weights %s: then %.2f times the mean\n", text,
		load_imbalance(s->after, s->o->queues));
	if (s->o->moves)
		print_moves(s);
}

static json_t *queues_json(const struct sim *s)
{
	json_t *a = json_array();

	for (uint16_t q = 0; q < s->o->queues; q++) {
		const struct load_count *c = &s->load.queue[q];

		json_array_append_new(
			a, json_pack("{s:i, s:I, s:I, s:I}", "queue", q, "packets",
				   (json_int_t)c->packets, "bytes", (json_int_t)c->bytes, "flows",
				   (json_int_t)c->flows));
	}
	return a;
}

static json_t *flows_json(const struct sim *s)
{
	uint32_t n = PLX_MIN(s->o->top, s->load.n);
	json_t *a = json_array();

	for (uint32_t i = 0; i < n; i++) {
		const struct load_flow *f = &s->load.flow[i];
		json_t *j = steer_tuple_json(&f->tuple), *more;
		char hash[16];

		snprintf(hash, sizeof(hash), "0x%08x", f->hash);
		more = json_pack("{s:s, s:i, s:I, s:I}", "hash", hash, "queue", f->queue, "packets",
			(json_int_t)f->packets, "bytes", (json_int_t)f->bytes);
		json_object_update(j, more);
		json_decref(more);
		json_array_append_new(a, j);
	}
	return a;
}

static json_t *moves_json(const struct sim *s)
{
	json_t *a = json_array();

	for (uint16_t i = 0; i < s->moved.size; i++)
		if (s->moved.lcore[i] != s->o->reta.q[i])
			json_array_append_new(
				a, json_pack("{s:i, s:i, s:i, s:I}", "bucket", i, "from",
					   s->o->reta.q[i], "to", s->moved.lcore[i], "packets",
					   (json_int_t)s->load.bucket[i].packets));
	return json_pack("{s:o, s:f, s:s}", "buckets", a, "imbalance",
		load_imbalance(s->moved_now, s->o->queues), "because", s->moved_why);
}

/* @return an exit code. */
static int print_json(const struct sim *s)
{
	const struct load *l = &s->load;
	json_t *weights = json_array(), *j;

	for (uint16_t q = 0; q < s->o->queues; q++)
		json_array_append_new(weights, json_integer(s->weight[q]));
	j = json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:{s:f, s:f}, s:o, s:{s:o, s:f}}", "file",
		s->path, "packets", (json_int_t)l->all.packets, "bytes", (json_int_t)l->all.bytes,
		"flows", (json_int_t)l->all.flows, "not_ip", (json_int_t)l->not_ip, "queues",
		queues_json(s), "imbalance", "packets", load_imbalance(s->now, s->o->queues),
		"bytes", load_imbalance(s->bytes, s->o->queues), "largest", flows_json(s),
		"suggested", "weights", weights, "imbalance",
		load_imbalance(s->after, s->o->queues));
	if (!j) {
		ctl_complain("%s: a name that is not UTF-8 cannot be said in JSON", s->path);
		return CTL_FAILED;
	}
	if (s->o->moves)
		json_object_set_new(j, "moves", moves_json(s));
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
	return CTL_OK;
}

/* @return an exit code. */
static int draw(const struct sim *s)
{
	FILE *f = fopen(s->o->svg, "w");
	bool ok = f && steer_svg(f, s->path, &s->load, s->o->queues);

	if (f && fclose(f) != 0)
		ok = false;
	if (!ok)
		ctl_complain("--svg %s: %s", s->o->svg, strerror(errno));
	return ok ? CTL_OK : CTL_FAILED;
}

int steer_simulate(const struct steer_opts *o, int argc, char **argv)
{
	struct sim *s = &sim;
	int code;

	if (argc != 1) {
		ctl_complain("steer simulate: one FILE; see 'pollux-ctl steer --help'");
		return CTL_USAGE;
	}
	if (o->rps || o->fragment) {
		ctl_complain("steer simulate: --rps and --fragment are of explain");
		return CTL_USAGE;
	}
	*s = (struct sim){.o = o, .path = argv[0], .load = {.rss = &o->rss, .reta = &o->reta}};
	code = read_file(s);
	if (code == CTL_OK) {
		load_sort(&s->load);
		load_queue_packets(&s->load, o->queues, s->now);
		for (uint16_t q = 0; q < o->queues; q++)
			s->bytes[q] = s->load.queue[q].bytes;
		load_weights(&s->load, o->queues, s->weight, s->after);
		if (o->moves)
			find_moves(s);
		if (o->json)
			code = print_json(s);
		else
			print_text(s);
		if (o->svg && code == CTL_OK)
			code = draw(s);
	}
	load_free(&s->load);
	return code;
}
