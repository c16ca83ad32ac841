/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wireshark's tools are the measure: they read what we write without a warning and see in it what
 * we meant, and we read what they write.
 */
#include "pcapng_t.h"

#include <inttypes.h>
#include <unistd.h>

#include <plx_base_reasons.h>

#define PKTS 60

/* Wireshark 4.0 loses a hash when it copies, and spoils a device's verdict. */
#define COPIED (0x7f & ~(PLX_PCAPNG_HASH | PLX_PCAPNG_VERDICT))

static char dir[] = "/tmp/plx_pcapng.XXXXXX";
static struct plx_pcapng_pkt pkts[PKTS];
static uint8_t data[PKTS][2048];
static char comments[PKTS][64];

/* Run a command in the directory. @return what it printed; to be freed. Its stderr stays empty. */
static char *run(const char *command)
{
	static char line[1024];
	char *out = calloc(1, 1 << 16);
	size_t n;
	FILE *p;

	/* tshark says so to root: no word about the file */
	snprintf(line, sizeof(line),
		"cd %s && { %s; } 2>err; rc=$?; grep -v '^Running as user' err; exit $rc", dir,
		command);
	p = popen(line, "r");
	assert_non_null(p);
	n = fread(out, 1, (1 << 16) - 1, p);
	ok(n < (1 << 16) - 1);
	if (pclose(p) != 0) {
		print_message("$ %s\n%s\n", command, out);
		fail();
	}
	return out;
}

static void save(const char *name, struct t_file *f)
{
	char path[64];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "wb");
	assert_non_null(out);
	eq(fwrite(f->p, 1, f->len, out), f->len);
	eq(fclose(out), 0);
	free(f->p);
}

static struct t_file load(const char *name)
{
	struct t_file f = {0};
	char path[64];
	FILE *in;
	int c;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	in = fopen(path, "rb");
	assert_non_null(in);
	while ((c = fgetc(in)) != EOF)
		*t_grow(&f, 1) = (uint8_t)c;
	fclose(in);
	return f;
}

static void make_pkts(void)
{
	plx_ns now = PLX_SEC(1796000000);
	struct plx_rng rng;

	plx_rng_init(&rng, 3);
	for (int i = 0; i < PKTS; i++) {
		struct plx_pcapng_pkt *p = &pkts[i];

		t_random_pkt(&rng, p, 2, data[i], comments[i]);
		p->ts_ns = now += (plx_ns)plx_rng_below(&rng, PLX_SEC(1));
		memcpy(data[i] + 12, "\x88\xb5", 2); /* a type for experiments */
		p->meta.reason %= PLX_DROP_MAX;
		if (p->comment.len > 4)
			memcpy(comments[i], "\xe2\x82\xac", 3);
	}
}

static void write_pcapng(const char *name, uint32_t has)
{
	const struct plx_pcapng_section section = {.hardware = plx_pcapng_text("a machine"),
		.os = plx_pcapng_text("an OS"),
		.app = plx_pcapng_text("pollux"),
		.comment = plx_pcapng_text("of a test")};
	const struct plx_pcapng_iface ifaces[2] = {
		{.link = PLX_PCAPNG_LINK_ETHERNET,
			.name = plx_pcapng_text("plx0"),
			.descr = plx_pcapng_text("the first"),
			.filter = plx_pcapng_text("udp port 53"),
			.has_mac = true,
			.mac = {2, 0, 0, 0, 0, 1},
			.speed_bps = 10000000000},
		{.link = PLX_PCAPNG_LINK_RAW, .snaplen = 2048, .name = plx_pcapng_text("tun0")},
	};
	struct plx_pcapng_stats stats = {.has = 0x7f,
		.ts_ns = PLX_SEC(1796000100),
		.start_ns = PLX_SEC(1796000000),
		.end_ns = PLX_SEC(1796000100),
		.ifrecv = 1000,
		.ifdrop = 1,
		.accept = 100,
		.osdrop = 40,
		.delivered = PKTS};
	struct t_file f = {0};

	t_put(&f, plx_pcapng_section_put, &section);
	t_put(&f, plx_pcapng_iface_put, &ifaces[0]);
	t_put(&f, plx_pcapng_iface_put, &ifaces[1]);
	for (int i = 0; i < PKTS; i++) {
		struct plx_pcapng_pkt pkt = pkts[i];

		pkt.has &= has;
		t_put(&f, plx_pcapng_pkt_put, &pkt);
		if (i % 20 == 0)
			t_put(&f, plx_pcapng_stats_put, &stats);
	}
	for (stats.iface = 0; stats.iface < 2; stats.iface++)
		t_put(&f, plx_pcapng_stats_put, &stats);
	save(name, &f);
}

static void write_classic(const char *name, enum plx_pcap_unit unit)
{
	struct t_file f = {0};

	t_put(&f, plx_pcap_head_put, unit, PLX_PCAPNG_LINK_ETHERNET, 0);
	for (int i = 0; i < PKTS; i++)
		t_put(&f, plx_pcap_pkt_put, unit, &pkts[i]);
	save(name, &f);
}

/* One column for tshark, and what belongs into it. */
static int column(char *to, bool have, const char *form, uint64_t v)
{
	int n = sprintf(to, "\t");

	return have ? n + sprintf(to + n, form, v) : n;
}

static int pcapng_columns(char *to, const struct plx_pcapng_pkt *p)
{
	bool verdict = p->has & PLX_PCAPNG_VERDICT;
	int n = sprintf(to, "\t%s", p->iface ? "tun0" : "plx0");

	n += column(to + n, p->has & PLX_PCAPNG_FLAGS, "0x%08" PRIx64, p->flags);
	n += column(to + n, p->has & PLX_PCAPNG_QUEUE, "%" PRIu64, p->queue);
	n += column(to + n, p->has & PLX_PCAPNG_DROPS, "%" PRIu64, p->drops);
	n += column(to + n, p->has & PLX_PCAPNG_ID, "%" PRIu64, p->id);
	n += column(to + n, verdict && p->verdict_kind == PLX_PCAPNG_VERDICT_TC, "%" PRId64,
		p->verdict);
	n += column(to + n, verdict && p->verdict_kind == PLX_PCAPNG_VERDICT_XDP, "%" PRId64,
		p->verdict);
	return n + sprintf(to + n, "\t%.*s", (int)p->comment.len, p->comment.p ? p->comment.p : "");
}

static void expect_in_tshark(const char *name, bool pcapng, plx_ns unit_ns)
{
	static const char basic[] = "-e frame.time_epoch -e frame.len -e frame.cap_len",
			  more[] = "-e frame.interface_name -e frame.packet_flags "
				   "-e frame.interface_queue -e frame.drop_count "
				   "-e frame.packet_id -e frame.verdict.ebpf_tc "
				   "-e frame.verdict.ebpf_xdp -e frame.comment";
	char command[512], want[1024];
	char *got, *line, *next;

	snprintf(command, sizeof(command), "tshark -r %s -T fields %s %s", name, basic,
		pcapng ? more : "");
	got = run(command);
	line = got;
	for (int i = 0; i < PKTS; i++, line = next) {
		const struct plx_pcapng_pkt *p = &pkts[i];
		plx_ns t = p->ts_ns - p->ts_ns % unit_ns;
		int n = sprintf(want, "%" PRId64 ".%09" PRId64 "\t%u\t%u", t / PLX_SEC(1),
			t % PLX_SEC(1), p->len, p->caplen);

		if (pcapng)
			pcapng_columns(want + n, p);
		next = strchr(line, '\n');
		assert_non_null(next);
		*next++ = '\0';
		str_eq(line, want);
	}
	eq(*line, '\0');
	free(got);
}

T(tshark_reads_what_we_write)
{
	expect_in_tshark("a.pcapng", true, 1);
	expect_in_tshark("us.pcap", false, 1000);
	expect_in_tshark("ns.pcap", false, 1);
}

T(capinfos_finds_the_section_and_the_interfaces)
{
	static const char *const want[] = {"Capture hardware:    a machine",
		"Capture oper-sys:    an OS", "Capture application: pollux",
		"Capture comment:     of a test", "Name = plx0", "Description = the first",
		"Speed = 10000000000", "Filter string = udp port 53", "Name = tun0",
		"Time resolution = 0x09", "Number of stat entries = 4",
		"Strict time order:   True"};
	char *got = run("capinfos a.pcapng");

	for (size_t i = 0; i < PLX_DIM(want); i++) {
		if (!strstr(got, want[i]))
			print_message("no '%s' in\n%s", want[i], got);
		assert_non_null(strstr(got, want[i]));
	}
	free(got);
	free(run("capinfos us.pcap ns.pcap"));
}

/* Their copy of our file. */
static void expect_copied(const char *name, bool pcapng, plx_ns unit_ns)
{
	struct t_file f = load(name);
	enum plx_pcapng_kind kind;
	struct t_pump u;
	int n = 0;

	t_pump_init(&u, f.p, f.len);
	while ((kind = t_next(&u, 100)) != PLX_PCAPNG_MORE) {
		struct plx_pcapng_pkt want = pkts[n % PKTS];

		ne(kind, PLX_PCAPNG_ERROR);
		if (kind != PLX_PCAPNG_PKT)
			continue;
		ok(++n <= PKTS);
		want.ts_ns -= want.ts_ns % unit_ns;
		want.has &= COPIED;
		if (!pcapng) {
			want.has = want.iface = 0;
			want.comment = plx_pcapng_text(NULL);
		}
		t_same_pkt(&want, &u.item.pkt);
	}
	assert_null(u.end.text);
	eq(n, PKTS);
	t_pump_fini(&u);
	free(f.p);
}

T(we_read_what_editcap_writes)
{
	free(run("editcap -F pcapng b.pcapng copy.pcapng"));
	expect_copied("copy.pcapng", true, 1);
	free(run("editcap -F pcap us.pcap copy_us.pcap"));
	expect_copied("copy_us.pcap", false, 1000);
	free(run("editcap -F nsecpcap us.pcap copy_ns.pcap"));
	expect_copied("copy_ns.pcap", false, 1000);
}

/* What a failure left is worth a look. */
static void clean(void)
{
	static const char *const names[] = {"a.pcapng", "b.pcapng", "us.pcap", "ns.pcap",
		"copy.pcapng", "copy_us.pcap", "copy_ns.pcap", "err"};
	char path[64];

	for (size_t i = 0; i < PLX_DIM(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_(tshark_reads_what_we_write),
		T_(capinfos_finds_the_section_and_the_interfaces),
		T_(we_read_what_editcap_writes),
	};
	int failed;

	if (system("command -v tshark capinfos editcap >/dev/null") != 0) {
		printf("skip: no tshark, capinfos or editcap here\n");
		return 77;
	}
	if (!mkdtemp(dir))
		return 1;
	make_pkts();
	write_pcapng("a.pcapng", 0x7f);
	write_pcapng("b.pcapng", COPIED);
	write_classic("us.pcap", PLX_PCAP_US);
	write_classic("ns.pcap", PLX_PCAP_NS);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (!failed)
		clean();
	return failed;
}
