/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer_selftest.h"

#include "fmt.h"
#include "steer_live.h"

static const char *const names[] = {
	[SELF_SOFTWARE] = "software",
	[SELF_ONE] = "one queue",
	[SELF_NOTHING] = "nothing",
	[SELF_AGREES] = "agrees",
	[SELF_MUTE] = "no hash",
	[SELF_HASH] = "hash",
	[SELF_QUEUE] = "queue",
};

void self_init(struct self_port *s, const json_t *row, const json_t *indir)
{
	*s = (struct self_port){.row = row};
	s->claims = !*fmt_str(row, "software_steering") && live_rss(&s->rss, &s->reta, indir, row);
}

static void note_flow(struct self_port *s, uint32_t hash)
{
	for (uint32_t i = 0; i < s->flows; i++)
		if (s->seen[i] == hash)
			return;
	if (s->flows < SELF_FLOWS)
		s->seen[s->flows++] = hash;
}

/* What else a hash may be that is not right. */
static void guess(struct self_port *s, const struct plx_tuple *t, uint32_t hash)
{
	struct plx_toeplitz sorted = s->rss.key;

	sorted.symmetric = true;
	s->addrs += plx_steer_hash(&s->rss.key, &t->src, &t->dst, 0, 0, false) == hash;
	s->sorted += plx_steer_hash_tuple(&sorted, t) == hash;
}

void self_packet(
	struct self_port *s, const struct plx_tuple *t, const uint32_t *hash, uint32_t queue)
{
	uint32_t ours;

	if (plx_steer_rss_how(s->rss.types, t) == PLX_RSS_NONE)
		return;
	ours = plx_steer_rss_tuple(&s->rss, t);
	s->packets++;
	note_flow(s, ours);
	s->right_queue += plx_steer_reta_queue(&s->reta, hash ? *hash : ours) == queue;
	if (!hash)
		return;
	s->hashed++;
	if (*hash == ours)
		s->right++;
	else
		guess(s, t, *hash);
}

enum self_verdict self_judge(const struct self_port *s)
{
	if (!s->claims)
		return SELF_SOFTWARE;
	if (fmt_num(s->row, "rings") < 2)
		return SELF_ONE;
	if (!s->packets)
		return SELF_NOTHING;
	if (!s->hashed)
		return SELF_MUTE;
	if (s->right < s->hashed)
		return SELF_HASH;
	return s->right_queue < s->packets ? SELF_QUEUE : SELF_AGREES;
}

static void print_hash(FILE *out, const struct self_port *s, bool off)
{
	fprintf(out, "%u of %u hashes are Toeplitz by its key", s->right, s->hashed);
	if (s->addrs == s->hashed - s->right)
		fprintf(out, ", the others of the addresses alone");
	else if (s->sorted == s->hashed - s->right)
		fprintf(out, ", the others of the sorted tuple");
	fprintf(out, ": it does not hash as it says; %sflows are steered in software\n",
		off ? "receive-hashing is off now, " : "");
}

void self_print(FILE *out, const struct self_port *s, bool off)
{
	const char *why = fmt_str(s->row, "software_steering");

	fprintf(out, "%s: ", fmt_str(s->row, "ifname"));
	switch (self_judge(s)) {
	case SELF_SOFTWARE:
		fprintf(out, "%s: flows are steered in software\n",
			*why ? why : "it tells a key or a table that cannot be");
		break;
	case SELF_ONE:
		fprintf(out, "has one receive queue: there is nothing to be spread\n");
		break;
	case SELF_NOTHING:
		fprintf(out, "no packet came that it would hash: send it some, of several flows\n");
		break;
	case SELF_AGREES:
		fprintf(out,
			"agrees: %u of %u hashes are Toeplitz by its key, %u of %u packets came by "
			"the queue of its table (%u%s flows)\n",
			s->right, s->hashed, s->right_queue, s->packets, s->flows,
			s->flows == SELF_FLOWS ? " or more" : "");
		break;
	case SELF_MUTE:
		fprintf(out,
			"none of %u packets came with a hash: it gives none; %u came by the queue "
			"of "
			"its table; flows are steered in software\n",
			s->packets, s->right_queue);
		break;
	case SELF_HASH:
		print_hash(out, s, off);
		break;
	case SELF_QUEUE:
		fprintf(out,
			"%u of %u hashes are Toeplitz by its key, but %u of %u packets came by "
			"another queue than that of its table; lcores hand them over in software\n",
			s->right, s->hashed, s->packets - s->right_queue, s->packets);
		break;
	}
}

json_t *self_json(const struct self_port *s, bool off)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "ifname",
		fmt_str(s->row, "ifname"), "verdict", names[self_judge(s)], "software_steering",
		fmt_str(s->row, "software_steering"), "packets", s->packets, "hashed", s->hashed,
		"right", s->right, "right_queue", s->right_queue, "flows", s->flows, "switched_off",
		off);
}
