/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <stdlib.h>

void table_open(struct table *t, const char *title)
{
	t->text = NULL;
	t->len = 0;
	t->f = open_memstream(&t->text, &t->len);
	if (!t->f)
		abort();
	fprintf(t->f, "%s\n", title);
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 16);

	if (f && text) {
		size_t n = fread(text, 1, (1 << 16) - 1, f);

		text[n] = 0;
	}
	if (f)
		fclose(f);
	return text;
}

static void diff(const char *want, const char *got)
{
	while (*want || *got) {
		size_t w = strcspn(want, "\n"), g = strcspn(got, "\n");

		if (w != g || strncmp(want, got, w))
			printf("golden %.*s\n   got %.*s\n", (int)w, want, (int)g, got);
		want += w + !!want[w];
		got += g + !!got[g];
	}
}

bool table_close(struct table *t, const char *name)
{
	const char *dir = getenv("PLX_SIM_GOLDEN"), *how = getenv("PLX_GOLDEN");
	char path[512], *want;
	bool same;

	fclose(t->f);
	snprintf(path, sizeof(path), "%s/%s.txt", dir ? dir : "test/sim/golden", name);
	if (how && !strcmp(how, "write")) {
		FILE *f = fopen(path, "w");

		if (f) {
			fputs(t->text, f);
			fclose(f);
		}
	}
	want = slurp(path);
	same = want && !strcmp(want, t->text);
	if (!same)
		diff(want ? want : "", t->text);
	free(want);
	free(t->text);
	return same;
}

void bulk_run(const struct bulk *b, struct bulk_result *r)
{
	struct sim *s = malloc(sizeof(*s));
	struct sim_end *e = calloc(2, sizeof(*e));
	struct sim_link there, back;

	if (!s || !e)
		abort();
	memset(r, 0, sizeof(*r));
	sim_init(s, b->seed ? b->seed : 1);
	sim_link_init(s, &there, b->there);
	sim_link_init(s, &back, b->back);
	s->tun.v[PLX_TUN_TCP_CUBIC] = !b->reno;
	s->tun.v[PLX_TUN_TCP_SACK] = !b->no_sack;
	s->tun.v[PLX_TUN_TCP_TIMESTAMPS] = !b->no_ts && !b->no_undo;
	if (b->no_undo)
		s->tun.v[PLX_TUN_TCP_FRTO] = s->tun.v[PLX_TUN_TCP_DSACK] = 0;
	e[0].to_send = b->bytes ? b->bytes : UINT64_C(1) << 40;
	sim_connect(s, &e[0], &there, &e[1], &back, 0);
	sim_run(s, b->time);
	r->seconds = (double)s->now / 1e9;
	r->mbps = (double)e[1].received * 8 / (b->bytes ? r->seconds : (double)b->time / 1e9) / 1e6;
	r->retrans = s->stat[PLX_STAT_TCP_RETRANSSEGS];
	r->rtos = s->stat[PLX_STAT_TCPEXT_TCPTIMEOUTS];
	r->probes = s->stat[PLX_STAT_TCPEXT_TCPLOSSPROBES];
	r->undos = s->stat[PLX_STAT_TCPEXT_TCPFULLUNDO] + s->stat[PLX_STAT_TCPEXT_TCPPARTIALUNDO] +
		   s->stat[PLX_STAT_TCPEXT_TCPDSACKUNDO] + s->stat[PLX_STAT_TCPEXT_TCPLOSSUNDO];
	r->needless = e[1].twice;
	r->srtt_ms = (double)(e[0].c.rtt.srtt8_us >> 3) / 1000;
	sim_fini(s);
	r->broken = s->broken;
	if (s->broken)
		printf("sim: seed %llu, %s | %s: %s\n", (unsigned long long)b->seed, b->there,
			b->back, s->broken);
	free(e);
	free(s);
}
