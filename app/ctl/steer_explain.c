/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer.h"

#include <string.h>

/* An operand: an address, and a port if there is one. */
struct end {
	struct plx_addr addr;
	uint16_t port;
	bool has_port;
};

static bool parse_addr(struct plx_addr *a, const char *text, size_t n)
{
	char copy[PLX_ADDR_STRLEN];

	if (n == 0 || n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	return plx_addr_parse(a, copy) == 0;
}

static bool parse_port(struct end *e, const char *text)
{
	uint32_t v = 0;

	if (!*text || strlen(text) > 5)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (uint32_t)(*text - '0');
	}
	e->port = (uint16_t)v;
	e->has_port = true;
	return v <= 65535;
}

/* "10.0.0.1", "10.0.0.1:80", "fd00::1", "[fd00::1]:80". */
static bool parse_end(struct end *e, const char *text)
{
	const char *colon = strchr(text, ':'), *close = strchr(text, ']');

	*e = (struct end){0};
	if (*text == '[')
		return close && parse_addr(&e->addr, text + 1, (size_t)(close - text - 1)) &&
		       !plx_addr_is_v4(&e->addr) &&
		       (!close[1] || (close[1] == ':' && parse_port(e, close + 2)));
	if (colon && colon == strrchr(text, ':'))
		return parse_addr(&e->addr, text, (size_t)(colon - text)) &&
		       parse_port(e, colon + 1);
	return parse_addr(&e->addr, text, strlen(text));
}

/* @return why it is no flow, or NULL. */
static const char *parse_flow(struct plx_tuple *t, const struct steer_opts *o, char **argv)
{
	struct end src, dst;
	bool ports;

	*t = (struct plx_tuple){.frag = o->fragment};
	if (!steer_proto_parse(argv[0], &t->proto))
		return "PROTO is tcp, udp, sctp, icmp, icmp6 or a number up to 255";
	if (!parse_end(&src, argv[1]) || !parse_end(&dst, argv[2]))
		return "SRC and DST are 10.0.0.1:80 or [2001:db8::1]:80, or the address alone";
	if (plx_addr_is_v4(&src.addr) != plx_addr_is_v4(&dst.addr))
		return "SRC and DST are of two families";
	ports = steer_proto_has_ports(t->proto) && !t->frag;
	if (ports && (!src.has_port || !dst.has_port))
		return "SRC and DST need ports";
	if (!ports && (src.has_port || dst.has_port))
		return t->frag ? "a fragment has no ports" : "this protocol has no ports";
	t->src = src.addr;
	t->dst = dst.addr;
	t->sport = src.port;
	t->dport = dst.port;
	return NULL;
}

/* --- the tables --------------------------------------------------------------------------------
 */

/* Of a device that nobody has: each queue with the same map, all lcores online. */
static struct {
	struct plx_rfs_queue queue[PLX_RETA_SIZE_MAX];
	struct plx_lcore_set online;
	struct plx_rfs rfs;
	struct plx_steer_tables t;
} made;

static void make_tables(const struct steer_opts *o)
{
	struct plx_lcore_set map;

	made.t = (struct plx_steer_tables){.rss = &o->rss, .reta = &o->reta};
	plx_lcore_set_first(&made.online, PLX_STEER_LCORES_MAX);
	made.rfs = (struct plx_rfs){.queue = made.queue,
		.queues = o->queues,
		.lcores = PLX_STEER_LCORES_MAX,
		.online = &made.online};
	if (!o->rps || plx_lcore_set_parse(&map, o->rps) != 0)
		return;
	for (uint16_t q = 0; q < o->queues; q++)
		plx_steer_rps_set(&made.queue[q].rps, &map, &made.online);
	made.t.rfs = &made.rfs;
}

/* --- in words ----------------------------------------------------------------------------------
 */

static void hex(const uint8_t *b, size_t n, const char *between, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n && at + 4 < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%02x", i ? between : "", b[i]);
}

void steer_print_hash(
	FILE *out, const struct plx_steer_explain *e, const struct plx_rss *rss, const char *whose)
{
	char in[3 * PLX_STEER_INPUT_MAX + 1];

	if (e->how == PLX_RSS_NONE) {
		fprintf(out, "hash      none: such packets are not hashed (--rx-flow-hash)\n");
		return;
	}
	hex(e->input, e->input_bytes, " ", in, sizeof(in));
	fprintf(out, "hash      0x%08x, Toeplitz of %s%s by %s key\n", e->hash,
		e->how == PLX_RSS_PORTS ? "addresses and ports" : "the addresses alone",
		rss->key.symmetric ? ", sorted," : "", whose);
	fprintf(out, "          %s%s\n", in,
		e->sorted_addrs || e->sorted_ports ? "  (exchanged to be in order)" : "");
}

static void print_rps(const struct plx_steer_explain *e, const struct steer_opts *o)
{
	const struct plx_rps_map *m = &made.queue[e->queue].rps;

	if (!e->steered)
		printf("rps       off: queue %u has no map (--rps)\n", e->queue);
	else if (e->choice.rule == PLX_STEER_RPS)
		printf("rps       lcore %u, entry %u of %u of the map %s: hash * %u / 2^32\n",
			e->choice.lcore, plx_steer_reciprocal_scale(e->hash, m->len), m->len,
			o->rps, m->len);
	else
		printf("rps       asked, but %s\n", plx_steer_rule_text(e->choice.rule));
}

static void print_decided(const struct plx_steer_explain *e)
{
	if (e->by == PLX_STEER_BY_RPS)
		printf("decided   by RPS: lcore %u of those in the map\n", e->lcore);
	else
		printf("decided   by the queue: lcore %u polls it and keeps the packet%s%s\n",
			e->lcore, e->steered ? ", as " : "",
			e->steered ? plx_steer_rule_text(e->choice.rule) : "");
}

static void print_text(
	const struct plx_steer_explain *e, const struct steer_opts *o, const struct plx_tuple *t)
{
	bool microsofts = memcmp(o->rss.key.key, plx_steer_key_microsoft, PLX_STEER_KEY_MIN) == 0;
	char text[STEER_TUPLE_STRLEN];

	printf("flow      %s\n", steer_tuple_text(t, text));
	steer_print_hash(stdout, e, &o->rss, microsofts ? "Microsoft's" : "the given");
	if (e->how == PLX_RSS_NONE)
		printf("bucket    0 of %u, as without a hash\n", o->reta.size);
	else
		printf("bucket    %u of %u: the hash's low %d bits\n", e->bucket, o->reta.size,
			__builtin_ctz(o->reta.size));
	printf("queue     %u of %u: the table's entry %u%s\n", e->queue, o->queues, e->bucket,
		o->n_weights ? ", by weights" : "");
	print_rps(e, o);
	printf("rfs       not asked: offline there are no sockets\n");
	printf("limit     not asked: offline there is no backlog\n");
	print_decided(e);
}

/* --- as JSON -----------------------------------------------------------------------------------
 */

static json_t *rps_json(const struct plx_steer_explain *e)
{
	const struct plx_rps_map *m = &made.queue[e->queue].rps;
	json_t *map;

	if (!e->steered)
		return json_null();
	map = json_array();
	for (uint16_t i = 0; i < m->len; i++)
		json_array_append_new(map, json_integer(m->lcore[i]));
	return json_pack("{s:o, s:o, s:o}", "map", map, "entry",
		e->choice.rule == PLX_STEER_RPS
			? json_integer(plx_steer_reciprocal_scale(e->hash, m->len))
			: json_null(),
		"rule", json_string(plx_steer_rule_text(e->choice.rule)));
}

static void print_json(
	const struct plx_steer_explain *e, const struct steer_opts *o, const struct plx_tuple *t)
{
	static const char *const by[] = {"queue", "rps", "rfs", "owner", "pin"};
	static const char *const fields[] = {"", "sd", "sdfn"};
	char in[2 * PLX_STEER_INPUT_MAX + 8], key[2 * PLX_STEER_KEY_MAX + 8], hash[16];
	json_t *j = steer_tuple_json(t), *more;

	hex(e->input, e->input_bytes, "", in, sizeof(in));
	hex(o->rss.key.key, o->rss.key.key_len, "", key, sizeof(key));
	snprintf(hash, sizeof(hash), "0x%08x", e->hash);
	more = json_pack("{s:s, s:b, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:o, s:n, s:n, "
			 "s:s, s:i}",
		"key", key, "symmetric", o->rss.key.symmetric, "fields", fields[e->how], "input",
		in, "hash", hash, "bucket", e->bucket, "buckets", o->reta.size, "queue", e->queue,
		"queues", o->queues, "polled_by", e->received, "rps", rps_json(e), "rfs", "limit",
		"decided_by", by[e->by], "lcore", e->lcore);
	json_object_update(j, more);
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(more);
	json_decref(j);
}

int steer_explain(const struct steer_opts *o, int argc, char **argv)
{
	struct plx_steer_explain e;
	struct plx_tuple t;
	const char *why;

	if (argc != 3) {
		ctl_complain("steer explain: PROTO SRC DST; see 'pollux-ctl steer --help'");
		return CTL_USAGE;
	}
	if (o->svg || o->rss.inner || o->moves) {
		ctl_complain("steer explain: --svg, --inner and --moves are of simulate");
		return CTL_USAGE;
	}
	if (!o->offline && o->made_up) {
		ctl_complain("steer explain: --%s is of --offline", o->made_up);
		return CTL_USAGE;
	}
	why = parse_flow(&t, o, argv);
	if (why) {
		ctl_complain("steer explain %s %s %s: %s", argv[0], argv[1], argv[2], why);
		return CTL_USAGE;
	}
	if (!o->offline)
		return steer_explain_live(o, &t);
	make_tables(o);
	plx_steer_explain(&e, &made.t, &t);
	if (o->json)
		print_json(&e, o, &t);
	else
		print_text(&e, o, &t);
	return CTL_OK;
}
