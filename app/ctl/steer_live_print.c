/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer_live.h"

#include "fmt.h"

static const char *const by_name[] = {
	"queue", "owner", "connection", "socket", "members", "rps", "override"};

/* --- in words ----------------------------------------------------------------------------------
 */

static void print_port(FILE *out, const struct live_port *p)
{
	const json_t *lcores = json_object_get(p->row, "lcores");
	size_t i, n = json_array_size(lcores);
	json_t *lcore;

	fprintf(out, "port      %s (%s): ", fmt_str(p->row, "ifname"), fmt_str(p->row, "driver"));
	if (p->known && p->e.how == PLX_RSS_NONE)
		fprintf(out, "not hashed, ");
	else if (p->known)
		fprintf(out, "hash 0x%08x by its key, bucket %u, ", p->e.hash, p->e.bucket);
	if (p->rule != LIVE_NONE) {
		fprintf(out, "by a rule of its own queue %d of %zu, polled by lcore %d\n", p->rule,
			n, p->lcore);
		return;
	}
	if (p->known) {
		fprintf(out, "queue %u of %zu, polled by lcore %d\n", p->e.queue, n, p->lcore);
		return;
	}
	fprintf(out, "%zu queue%s, polled by lcore%s", n, n == 1 ? "" : "s", n == 1 ? "" : "s");
	json_array_foreach(lcores, i, lcore)
	{
		fprintf(out, "%s %lld", i ? "," : "", json_integer_value(lcore));
	}
	if (n > 1)
		fprintf(out, "; which one is not known: %s", fmt_str(p->row, "software_steering"));
	fputc('\n', out);
}

static void print_to(FILE *out, const struct live *l)
{
	static const char *const text[] = {
		[LIVE_TO_US] = "an address of ours",
		[LIVE_TO_MANY] = "a group, or everybody on the link",
		[LIVE_TO_FORWARD] = "another host's: forwarded, if there is a route",
		[LIVE_TO_NOBODY] = "another host's: dropped, as forwarding is off",
	};

	fprintf(out, "to        %s\n", text[l->to]);
}

static void print_socket(FILE *out, const struct live *l)
{
	if (l->to != LIVE_TO_US || l->t.frag ||
		(l->t.proto != PLX_IPPROTO_TCP && l->t.proto != PLX_IPPROTO_UDP))
		return;
	if (!l->sock)
		fprintf(out, "socket    none: nobody is there\n");
	else if (l->sock_lcore != LIVE_NONE)
		fprintf(out, "socket    %s, on lcore %d\n", fmt_str(l->sock, "state"),
			l->sock_lcore);
	else if (l->t.proto == PLX_IPPROTO_TCP)
		fprintf(out, "socket    LISTEN, on each lcore\n");
	else
		fprintf(out, "socket    several, on several lcores\n");
}

static bool has_flow(const struct live *l)
{
	return l->to == LIVE_TO_US && !l->t.frag &&
	       (l->t.proto == PLX_IPPROTO_TCP || l->t.proto == PLX_IPPROTO_UDP);
}

static void print_flow(FILE *out, const struct live *l)
{
	if (has_flow(l) && l->flow != LIVE_NONE)
		fprintf(out, "override  lcore %d: this flow alone has moved there\n", l->flow);
}

/* Only connections have one. */
static void print_rfs(FILE *out, const struct live *l)
{
	if (has_flow(l) && l->sock && json_object_get(l->sock, "rfs_lcore"))
		fprintf(out, "rfs       last used near lcore %lld\n",
			fmt_num(l->sock, "rfs_lcore"));
}

static void print_rps(FILE *out, const struct live *l)
{
	bool any = false;

	if (l->to != LIVE_TO_FORWARD)
		return;
	for (unsigned int i = 0; i < l->n_ports; i++) {
		const struct live_port *p = &l->port[i];

		if (!p->spread)
			continue;
		any = true;
		fprintf(out, "rps       what comes by %s: ", fmt_str(p->row, "ifname"));
		if (p->rps == LIVE_NONE)
			fprintf(out, "not known, as its queues' maps differ\n");
		else
			fprintf(out, "lcore %d\n", p->rps);
	}
	if (!any)
		fprintf(out, "rps       none: no queue has a map (steer set rps)\n");
}

static void print_limits(FILE *out, const struct live *l)
{
	if (l->n_limits == 0)
		fprintf(out, "limit     none: %s\n",
			l->by == LIVE_BY_QUEUE ? "it is not handed over"
					       : "off (net.core.flow_limit_cpu_bitmap)");
	for (unsigned int i = 0; i < l->n_limits; i++) {
		const struct live_limit *m = &l->limit[i];

		fprintf(out,
			"limit     of lcore %d: %u of its last %u packets in slot %u of %u, "
			"%u of %u wait: %s\n",
			m->lcore, m->e.in_history, PLX_FLOW_LIMIT_HISTORY, m->e.limit_slot,
			m->buckets, m->waiting, m->max_backlog, m->e.drop ? "dropped" : "passes");
	}
}

static const char *why(const struct live *l)
{
	switch (l->by) {
	case LIVE_BY_QUEUE:
		return "by the queue: who polls it keeps the packet: ";
	case LIVE_BY_OWNER:
		return "by the owner map: ";
	case LIVE_BY_CONNECTION:
		return "by the connection, which is not where its flow is: ";
	case LIVE_BY_SOCKET:
		return "by the socket: ";
	case LIVE_BY_RPS:
		return "by RPS: ";
	case LIVE_BY_FLOW:
		return "by its override of the owner map: ";
	default:
		return "by who listens: a copy for each lcore with a member";
	}
}

static void print_decided(FILE *out, const struct live *l)
{
	fprintf(out, "decided   %s", why(l));
	if (l->lcore != LIVE_NONE)
		fprintf(out, "lcore %d", l->lcore);
	else if (l->by == LIVE_BY_QUEUE)
		fprintf(out, "not known");
	else if (l->by == LIVE_BY_RPS)
		fprintf(out, "another one by each port");
	else if (l->by != LIVE_BY_MEMBERS)
		fprintf(out, "one of several, by hash");
	fputc('\n', out);
}

void live_print(FILE *out, const struct live *l)
{
	char text[STEER_TUPLE_STRLEN];

	fprintf(out, "flow      %s\n", steer_tuple_text(&l->t, text));
	steer_print_hash(out, &l->e, &l->rss, "the process's");
	for (unsigned int i = 0; i < l->n_ports; i++)
		print_port(out, &l->port[i]);
	print_to(out, l);
	fprintf(out, "owner     lcore %d: bucket %u of %u\n", l->owner, l->e.owner_bucket,
		l->buckets);
	print_flow(out, l);
	print_socket(out, l);
	print_rfs(out, l);
	print_rps(out, l);
	print_limits(out, l);
	print_decided(out, l);
}

/* --- as JSON -----------------------------------------------------------------------------------
 */

static json_t *lcore_json(int lcore)
{
	return lcore == LIVE_NONE ? json_null() : json_integer(lcore);
}

static json_t *ports_json(const struct live *l)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < l->n_ports; i++) {
		const struct live_port *p = &l->port[i];
		json_t *o = json_pack("{s:s, s:s, s:O, s:s, s:o}", "ifname",
			fmt_str(p->row, "ifname"), "driver", fmt_str(p->row, "driver"), "lcores",
			json_object_get(p->row, "lcores"), "software_steering",
			fmt_str(p->row, "software_steering"), "polled_by", lcore_json(p->lcore));
		char hash[16];

		if (p->known) {
			snprintf(hash, sizeof(hash), "0x%08x", p->e.hash);
			json_object_set_new(o, "hash", json_string(hash));
			json_object_set_new(o, "bucket", json_integer(p->e.bucket));
			json_object_set_new(o, "queue", json_integer(p->e.queue));
		}
		if (p->spread)
			json_object_set_new(o, "rps", lcore_json(p->rps));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *limits_json(const struct live *l)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < l->n_limits; i++) {
		const struct live_limit *m = &l->limit[i];

		json_array_append_new(
			list, json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:b}", "lcore", m->lcore,
				      "slot", m->e.limit_slot, "buckets", m->buckets, "in_history",
				      m->e.in_history, "waiting", m->waiting, "max_backlog",
				      m->max_backlog, "drop", m->e.drop));
	}
	return list;
}

void live_print_json(FILE *out, const struct live *l)
{
	static const char *const to[] = {"local", "many", "forwarded", "dropped"};
	static const char *const fields[] = {"", "sd", "sdfn"};
	json_t *j = steer_tuple_json(&l->t), *socket, *more;
	char hash[16];

	snprintf(hash, sizeof(hash), "0x%08x", l->e.hash);
	socket = l->sock ? json_pack("{s:s, s:o}", "state", fmt_str(l->sock, "state"), "lcore",
				   lcore_json(l->sock_lcore))
			 : json_null();
	more = json_pack("{s:s, s:s, s:o, s:s, s:{s:i, s:i, s:i}, s:o, s:o, s:s, s:o}", "fields",
		fields[l->e.how], "hash", hash, "ports", ports_json(l), "to", to[l->to], "owner",
		"bucket", l->e.owner_bucket, "buckets", l->buckets, "lcore", l->owner, "socket",
		socket, "limit", limits_json(l), "decided_by", by_name[l->by], "lcore",
		lcore_json(l->lcore));
	if (has_flow(l) && l->flow != LIVE_NONE)
		json_object_set_new(more, "override", lcore_json(l->flow));
	if (has_flow(l) && l->sock && json_object_get(l->sock, "rfs_lcore"))
		json_object_set_new(more, "rfs", json_integer(fmt_num(l->sock, "rfs_lcore")));
	json_object_update(j, more);
	json_dumpf(j, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(more);
	json_decref(j);
}
