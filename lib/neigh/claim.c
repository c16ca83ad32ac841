/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_neigh_claim.h"

#include <plx_base_rng.h>
#include <plx_wire_eth.h>

#include "neigh.h"

/*
 * One timer, next_ns, whose meaning follows from state and sent:
 *
 *   TENTATIVE, sent < goal        the next probe
 *   TENTATIVE, sent = goal        the time has passed: VALID
 *   VALID, sent < announces       the next announcement
 *   VALID otherwise, DUPLICATE    PLX_NEVER
 */

/* RFC 5227 1.1 */
#define PROBE_WAIT	    PLX_SEC(1)
#define PROBE_MIN	    PLX_SEC(1)
#define PROBE_MAX	    PLX_SEC(2)
#define ANNOUNCE_WAIT	    PLX_SEC(2)
#define ANNOUNCE_INTERVAL   PLX_SEC(2)
#define MAX_CONFLICTS	    10
#define RATE_LIMIT_INTERVAL PLX_SEC(60)
#define DEFEND_INTERVAL	    PLX_SEC(10)
/* RFC 4861 10 */
#define MAX_RTR_SOLICITATION_DELAY PLX_SEC(1)
#define MAX_MULTICAST_SOLICIT	   3
#define RETRANS_TIMER		   PLX_SEC(1)

static bool is_v4(const struct plx_claim *c)
{
	return plx_addr_is_v4(&c->addr);
}

/* After a probe: the next one, or the end of the wait that follows the last. */
static plx_ns probe_gap(const struct plx_claim *c)
{
	if (c->conf.retrans_ns != 0)
		return c->conf.retrans_ns;
	if (!is_v4(c))
		return RETRANS_TIMER;
	return c->sent < c->goal ? neigh__between(c->rng, PROBE_MIN, PROBE_MAX) : ANNOUNCE_WAIT;
}

/* A new nonce for each probe (RFC 7527 4.1); the older ones are kept for what comes back late. */
static void probe(struct plx_claim *c, plx_ns now)
{
	memmove(c->nonce[1], c->nonce[0], sizeof(c->nonce) - sizeof(c->nonce[0]));
	plx_rng_bytes(c->rng, c->nonce[0], sizeof(c->nonce[0]));
	c->sent++;
	c->due = true;
	c->next_ns = now + probe_gap(c);
}

static void announce(struct plx_claim *c, plx_ns now)
{
	c->sent++;
	c->due = true;
	c->next_ns = c->sent < c->conf.announces ? now + ANNOUNCE_INTERVAL : PLX_NEVER;
}

static void become_valid(struct plx_claim *c, plx_ns now)
{
	c->state = PLX_CLAIM_VALID;
	c->sent = 0;
	c->due = false;
	c->next_ns = PLX_NEVER;
	if (c->conf.announces > 0)
		announce(c, now);
}

static void become_duplicate(struct plx_claim *c)
{
	c->state = PLX_CLAIM_DUPLICATE;
	c->due = false;
	c->next_ns = PLX_NEVER;
}

void plx_neigh_claim_restart(struct plx_claim *c, plx_ns now)
{
	c->state = PLX_CLAIM_TENTATIVE;
	c->sent = 0;
	c->goal = c->conf.transmits;
	c->looped = c->due = c->defended = false;
	memset(c->nonce, 0, sizeof(c->nonce));
	if (c->goal == 0) {
		become_valid(c, now);
		return;
	}
	c->next_ns = now;
	if (c->conf.delay)
		c->next_ns += neigh__between(
			c->rng, 0, is_v4(c) ? PROBE_WAIT : MAX_RTR_SOLICITATION_DELAY);
	if (c->conflicts >= MAX_CONFLICTS)
		c->next_ns += RATE_LIMIT_INTERVAL; /* RFC 5227 2.1.1 */
	plx_neigh_claim_timer(c, now);
}

void plx_neigh_claim_init(struct plx_claim *c, const struct plx_claim_conf *conf, uint16_t iface,
	const struct plx_addr *addr, const struct plx_mac *mac, struct plx_rng *rng, plx_ns now)
{
	*c = (struct plx_claim){
		.addr = *addr, .mac = *mac, .iface = iface, .conf = *conf, .rng = rng};
	plx_neigh_claim_restart(c, now);
}

static void note_conflict(struct plx_claim *c, const struct plx_mac *rival)
{
	c->rival = *rival;
	if (c->conflicts < UINT16_MAX)
		c->conflicts++;
}

/* RFC 5227 2.4 */
static void defend(struct plx_claim *c, plx_ns now)
{
	bool lately = c->defended && now - c->defend_ns < DEFEND_INTERVAL;

	if (c->conf.policy == PLX_CLAIM_YIELD || (c->conf.policy == PLX_CLAIM_DEFEND && lately)) {
		become_duplicate(c);
		return;
	}
	if (lately)
		return;
	c->defended = true;
	c->defend_ns = now;
	c->due = true;
}

bool plx_neigh_claim_input_arp(struct plx_claim *c, const struct plx_arp *arp, plx_ns now)
{
	bool names_us = plx_addr_eq(&arp->spa, &c->addr);
	bool probes_us = arp->op == PLX_ARP_REQUEST && plx_addr_is_any(&arp->spa) &&
			 plx_addr_eq(&arp->tpa, &c->addr);

	if (plx_mac_eq(&arp->sha, &c->mac))
		return false;
	switch (c->state) {
	case PLX_CLAIM_TENTATIVE: /* somebody has it, or wants it at the same time: 2.1.1 */
		if (!names_us && !probes_us)
			return false;
		note_conflict(c, &arp->sha);
		become_duplicate(c);
		return true;
	case PLX_CLAIM_VALID:
		if (!names_us)
			return false;
		note_conflict(c, &arp->sha);
		defend(c, now);
		return true;
	default:
		return false;
	}
}

static bool is_own_nonce(const struct plx_claim *c, const struct plx_nd *nd)
{
	unsigned int n = PLX_MIN(c->sent, PLX_CLAIM_NONCES);

	if (!c->conf.nonce || !nd->has_nonce)
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (memcmp(nd->nonce, c->nonce[i], sizeof(c->nonce[i])) == 0)
			return true;
	return false;
}

/* RFC 4862 5.4.3: from :: it is a probe like ours; from an address it only asks for the target. */
static bool input_ns(struct plx_claim *c, const struct plx_nd *nd, const struct plx_addr *src)
{
	static const struct plx_mac unknown;

	if (c->state != PLX_CLAIM_TENTATIVE || !plx_addr_is_any6(src))
		return false;
	if (is_own_nonce(c, nd)) {
		c->looped = true;
		if (c->loops < UINT16_MAX)
			c->loops++;
		return false;
	}
	note_conflict(c, &unknown);
	become_duplicate(c);
	return true;
}

/* RFC 4862 5.4.4. Once the address is valid an advertisement of it is an oddity to be counted:
 * defending is not asked for, and giving up would hand the address to whoever sends one. */
static bool input_na(struct plx_claim *c, const struct plx_nd *nd)
{
	if (c->state == PLX_CLAIM_DUPLICATE)
		return false;
	if (c->state == PLX_CLAIM_VALID && nd->has_tlla && plx_mac_eq(&nd->tlla, &c->mac))
		return false;
	note_conflict(c, &nd->tlla);
	if (c->state == PLX_CLAIM_TENTATIVE)
		become_duplicate(c);
	return true;
}

bool plx_neigh_claim_input_nd(
	struct plx_claim *c, const struct plx_nd *nd, const struct plx_addr *src, plx_ns now)
{
	if (!plx_addr_eq(&nd->target, &c->addr))
		return false;
	switch (nd->type) {
	case PLX_ICMP6_NS:
		return input_ns(c, nd, src);
	case PLX_ICMP6_NA:
		return input_na(c, nd);
	default:
		return false;
	}
}

static void fill_v4(const struct plx_claim *c, struct plx_neigh_tx *tx)
{
	static const uint8_t none[4];

	memset(tx->dst_mac.b, 0xff, sizeof(tx->dst_mac.b));
	tx->dst = c->addr;
	if (c->state == PLX_CLAIM_TENTATIVE) {
		tx->kind = PLX_NEIGH_TX_ARP_PROBE;
		tx->src = plx_addr_from_v4(none);
	} else {
		tx->kind = PLX_NEIGH_TX_ARP_ANNOUNCE;
		tx->src = c->addr;
	}
}

static void fill_v6(const struct plx_claim *c, struct plx_neigh_tx *tx)
{
	static const struct plx_addr all_nodes = {.b = {0xff, 0x02, [15] = 1}};

	if (c->state == PLX_CLAIM_TENTATIVE) {
		tx->kind = PLX_NEIGH_TX_NS_DAD;
		tx->dst = plx_wire_nd_solicited_node(&c->addr);
		tx->has_nonce = c->conf.nonce;
		memcpy(tx->nonce, c->nonce[0], sizeof(tx->nonce));
	} else {
		tx->kind = PLX_NEIGH_TX_NA_ANNOUNCE;
		tx->dst = all_nodes;
		tx->src = c->addr;
	}
	tx->dst_mac = plx_wire_group_mac(&tx->dst);
}

bool plx_neigh_claim_output(struct plx_claim *c, plx_ns now, struct plx_neigh_tx *tx)
{
	if (!c->due)
		return false;
	c->due = false;
	*tx = (struct plx_neigh_tx){.iface = c->iface, .target = c->addr};
	if (is_v4(c))
		fill_v4(c, tx);
	else
		fill_v6(c, tx);
	return true;
}

/*
 * The wait after the last probe is over. If our probes came back in the first round, another round
 * follows (RFC 7527 4.1) as the link may have swallowed an answer while it looped. The RFC goes on
 * for as long as it loops; a link that always reflects groups would never get an address, so one
 * more round is all.
 */
static bool probed(struct plx_claim *c, plx_ns now)
{
	if (c->looped && c->goal == c->conf.transmits) {
		c->goal += MAX_MULTICAST_SOLICIT;
		c->looped = false;
		probe(c, now);
		return false;
	}
	become_valid(c, now);
	return true;
}

bool plx_neigh_claim_timer(struct plx_claim *c, plx_ns now)
{
	if (now < c->next_ns)
		return false;
	if (c->state == PLX_CLAIM_VALID) {
		announce(c, now);
		return false;
	}
	if (c->sent == c->goal)
		return probed(c, now);
	probe(c, now);
	return false;
}

plx_ns plx_neigh_claim_deadline(const struct plx_claim *c)
{
	return c->next_ns;
}

const char *plx_neigh_claim_state_name(uint8_t state)
{
	static const char *const names[] = {
		[PLX_CLAIM_TENTATIVE] = "tentative",
		[PLX_CLAIM_VALID] = "valid",
		[PLX_CLAIM_DUPLICATE] = "duplicate",
	};

	return state < PLX_DIM(names) ? names[state] : "?";
}
