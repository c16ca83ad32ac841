/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"

#include <errno.h>
#include <stdlib.h>

struct fwd fwd;

/* X(name, what it does, receive function, start, end) */
#define MODES(X)                                                                                   \
	X("io", "pass on untouched", fwd_io, NULL, NULL)                                           \
	X("mac", "set both MAC addresses to those of the link it leaves by", fwd_mac, NULL, NULL)  \
	X("macswap", "swap source and destination MAC", fwd_macswap, NULL, NULL)                   \
	X("5tswap", "swap MAC and IP addresses and ports", fwd_5tswap, NULL, NULL)                 \
	X("rxonly", "take packets in: they count as delivered", fwd_rxonly, NULL, NULL)            \
	X("txonly", "generate UDP datagrams, receive nothing", NULL, fwd_gen_start, fwd_gen_end)   \
	X("csum", "make the checksums of IPv4, TCP and UDP anew", fwd_csum, NULL, NULL)

static const struct fwd_mode modes[] = {
#define X(name, text, rx, start, end) {name, rx, start, end},
	MODES(X)
#undef X
};

static const char *const mode_names[] = {
#define X(name, text, rx, start, end) name,
	MODES(X) NULL
#undef X
};

enum topology { PAIRED, CHAIN, LOOP };
static const char *const topology_names[] = {"paired", "chain", "loop", NULL};

struct fwd_conf {
	uint32_t mode, topology, size, flows, tx_first;
	bool no_offload;
	struct opt_list eth_peers; /**< PORT,MAC */
};

#define FIELD(name) offsetof(struct fwd_conf, name)
static const struct opt opts[] = {
	{"mode", "MODE", OPT_CHOICE, FIELD(mode), "io", "what to do with a packet, see below",
		.choices = mode_names},
	{"topology", "HOW", OPT_CHOICE, FIELD(topology), "paired",
		"paired: 0 <-> 1, 2 <-> 3, an odd one to itself; chain: 0 -> 1 -> 2 -> 0; "
		"loop: each to itself",
		.choices = topology_names},
	{"size", "BYTES", OPT_U32, FIELD(size), "64", "of a generated frame, without its FCS",
		FWD_SIZE_MIN, 9018},
	{"flows", "N", OPT_U32, FIELD(flows), "1",
		"of generated frames, told apart by their source ports", 1, FWD_FLOWS_MAX},
	{"tx-first", "BURSTS", OPT_U32, FIELD(tx_first), "0",
		"bursts of generated frames that every transmit queue begins with", 0, 1024},
	{"eth-peer", "PORT,MAC", OPT_LIST, FIELD(eth_peers), NULL,
		"mac, txonly: who is at a port's other end (default: 02:00:00:00:00:PORT)"},
	{"no-offload", NULL, OPT_FLAG, FIELD(no_offload), NULL,
		"csum: in software even where the device could"},
	{NULL},
};

static const char help[] =
	"Forwards packets between ports, as testpmd's engines of the same names do.\n"
	"\n"
	"Unlike testpmd it keeps what a device refuses, in order, and drops only beyond a "
	"limit\n"
	"(net.pollux.txqueuelen). Each second it prints a line of rates, at the end the "
	"totals; a\n"
	"packet or a packet buffer that is missing then makes it fail with exit code 3.\n"
	"\n"
	"Examples:\n"
	"  pollux --no-huge --no-pci -m 256 -l 0 --vdev=net_null0 --vdev=net_null1 -- fwd --for "
	"5\n"
	"  pollux --no-huge --no-pci -m 256 -l 0 \\\n"
	"      --vdev=net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap \\\n"
	"      -- fwd --mode 5tswap --idle-exit 200\n"
	"  pollux --no-huge --no-pci -m 256 --vdev=net_tap0,iface=plx0 -- fwd --mode "
	"txonly \\\n"
	"      --size 1000 --flows 64 --for 10 --json";

static void help_modes(FILE *out)
{
	fprintf(out, "\nModes:\n");
#define X(name, text, rx, start, end) opt_help_row(name, text, out);
	MODES(X)
#undef X
}

/* Where the packets of the i-th of n ports go. */
static uint16_t peer_of(enum topology t, uint16_t i, uint16_t n)
{
	switch (t) {
	case LOOP:
		return i;
	case CHAIN:
		return (uint16_t)((i + 1) % n);
	case PAIRED:
		break;
	}
	return (i ^ 1) < n ? i ^ 1 : i;
}

static void connect_ports(enum topology t)
{
	uint16_t n = plx_port_count();

	for (uint16_t i = 0; i < n; i++) {
		fwd.peer[i] = peer_of(t, i, n);
		fwd.src[i] = plx_port_get(i)->mac;
		fwd.dst[i] = (struct plx_mac){.b = {2, 0, 0, 0, 0, (uint8_t)i}};
	}
}

/* "PORT,MAC" */
static bool split_peer(const char *text, char *port, size_t size, struct plx_mac *mac)
{
	const char *comma = strchr(text, ',');

	if (!comma || comma == text || (size_t)(comma - text) >= size)
		return false;
	snprintf(port, size, "%.*s", (int)(comma - text), text);
	return plx_mac_parse(mac, comma + 1) == 0;
}

static int check(struct app *app, void *arg, struct plx_error *e)
{
	const struct fwd_conf *conf = arg;
	char port[PLX_PORT_NAMELEN];
	struct plx_mac mac;

	for (unsigned int i = 0; i < conf->eth_peers.n; i++)
		if (!split_peer(conf->eth_peers.v[i], port, sizeof(port), &mac))
			return plx_error_set(e, -EINVAL, PLX_ERR_OPTION_VALUE, "fwd",
				conf->eth_peers.v[i], "eth-peer", "form: 0,02:00:00:00:00:01");
	return 0;
}

static int set_peers(const struct fwd_conf *conf, struct plx_error *e)
{
	for (unsigned int i = 0; i < conf->eth_peers.n; i++) {
		char name[PLX_PORT_NAMELEN];
		const struct plx_port *p;
		struct plx_mac mac;

		split_peer(conf->eth_peers.v[i], name, sizeof(name), &mac);
		p = plx_port_find(name);
		if (!p)
			return plx_error_set(e, -ENODEV, PLX_ERR_PORT_UNKNOWN, name);
		fwd.dst[p->id] = mac;
	}
	return 0;
}

/* A generated frame must fit a buffer and go through every port. */
static int check_size(const struct fwd_conf *conf, struct plx_error *e)
{
	char value[16], hint[128];

	for (uint16_t i = 0; i < plx_port_count(); i++) {
		const struct plx_port *p = plx_port_get(i);
		uint32_t most = PLX_MIN(p->mtu + 14u, 2048u);

		if (conf->size <= most)
			continue;
		snprintf(value, sizeof(value), "%u", conf->size);
		snprintf(hint, sizeof(hint), "port %s takes frames of up to %u bytes", p->name,
			most);
		return plx_error_set(
			e, -EMSGSIZE, PLX_ERR_OPTION_VALUE, "fwd", value, "size", hint);
	}
	return 0;
}

static int begin(struct app_run *run, struct plx_error *e)
{
	const struct fwd_conf *conf = run->arg;
	int err;

	connect_ports((enum topology)conf->topology);
	err = set_peers(conf, e);
	if (!err && (!modes[conf->mode].rx || conf->tx_first))
		err = check_size(conf, e);
	fwd.size = conf->size;
	fwd.flows = conf->flows;
	fwd.tx_first = conf->tx_first;
	fwd.burst = (uint16_t)(run->app->run.burst ? run->app->run.burst : PLX_PORT_BURST);
	return err;
}

static int start(struct plx_softnet *sn)
{
	const struct app_run *run = plx_engine_arg(sn->eng);
	const struct fwd_mode *mode = &modes[((const struct fwd_conf *)run->arg)->mode];
	int err = fwd.tx_first ? fwd_gen_prime(sn) : 0;

	return err || !mode->start ? err : mode->start(sn);
}

static void end(struct app_run *run)
{
	const struct fwd_mode *mode = &modes[((const struct fwd_conf *)run->arg)->mode];

	for (uint16_t i = 0; mode->end && i < plx_engine_lcores(run->eng); i++)
		mode->end(plx_engine_softnet(run->eng, i));
}

static int run(struct app *app, void *arg)
{
	const struct fwd_conf *conf = arg;
	const struct fwd_mode *mode = &modes[conf->mode];
	const struct app_run_ops ops = {
		.engine = {.rx = mode->rx, .start = start},
		.begin = begin,
		.end = end,
	};
	struct app_run r = {
		.app = app,
		.ops = &ops,
		.mode = mode->name,
		.arg = arg,
		.conf = {.promisc = true, .no_rx = !mode->rx},
	};

	if (conf->no_offload)
		r.conf.features_off = PLX_PORT_F_TX_CSUM_IP4 | PLX_PORT_F_TX_CSUM_L4;
	return app_run(&r);
}

const struct plx_cmd cmd_fwd = {
	.name = "fwd",
	.summary = "forward between ports, generate or swallow: as testpmd's engines do",
	.text = help,
	.opts = opts,
	.conf_bytes = sizeof(struct fwd_conf),
	.runs = true,
	.more_help = help_modes,
	.check = check,
	.run = run,
};
