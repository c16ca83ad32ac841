/* SPDX-License-Identifier: BSD-3-Clause */
#include "rss.h"

#include <errno.h>
#include <stdio.h>

/*
 * RSS of a device: it is given a key or a table, and asked what it has then. Drivers were seen that
 * take one and keep another, so none is believed that was not asked.
 */

static bool has_rss(const struct plx_port *p)
{
	return plx_port_features(p) & PLX_PORT_F_RSS && p->ops->rss_set && p->ops->rss_get;
}

static void disbelieve(struct plx_port *p, const char *why)
{
	__atomic_store_n(&p->steer_why, why, __ATOMIC_RELEASE);
}

const char *plx_port_steer_why(const struct plx_port *p)
{
	const char *why = __atomic_load_n(&p->steer_why, __ATOMIC_ACQUIRE);

	if (why)
		return why;
	return has_rss(p) ? NULL : "the driver does not say how it spreads";
}

static int get(struct plx_port *p, struct plx_port_rss *r)
{
	*r = (struct plx_port_rss){.key_bytes = PLX_STEER_KEY_MAX, .types = plx_port_rss_types(p)};
	return p->ops->rss_get(p, r->key, &r->key_bytes, &r->reta);
}

int plx_port_rss_get(struct plx_port *p, struct plx_port_rss *r)
{
	int err;

	if (!p->open)
		return -ENETDOWN;
	if (plx_port_steer_why(p))
		return -EOPNOTSUPP;
	err = get(p, r);
	return err || r->reta.size ? err : -EOPNOTSUPP;
}

static bool same_reta(const struct plx_reta *a, const struct plx_reta *b)
{
	return a->size == b->size && memcmp(a->q, b->q, a->size * sizeof(a->q[0])) == 0;
}

/* Give it both or one of them. @return -EIO: it has another one now. */
static int give(struct plx_port *p, const uint8_t *key, uint16_t bytes, const struct plx_reta *reta)
{
	struct plx_port_rss now;
	int err = p->ops->rss_set(p, key, bytes, reta);

	if (!err)
		err = get(p, &now);
	if (err)
		return err;
	if (key && (now.key_bytes != bytes || memcmp(now.key, key, bytes) != 0))
		return -EIO;
	return reta && !same_reta(&now.reta, reta) ? -EIO : 0;
}

int plx_port_rss_set(
	struct plx_port *p, const uint8_t *key, uint16_t bytes, const struct plx_reta *reta)
{
	int err;

	if (!p->open)
		return -ENETDOWN;
	if (plx_port_steer_why(p))
		return -EOPNOTSUPP;
	if (key && (bytes != p->caps.key_bytes || bytes > PLX_STEER_KEY_MAX))
		return -EINVAL;
	if (reta && (reta->size != p->caps.reta_size || !plx_steer_reta_valid(reta, p->n_rxq)))
		return -EINVAL;
	err = give(p, key, bytes, reta);
	if (err == -EIO)
		disbelieve(p, key ? "it was given a key and has another"
				  : "it was given a table and has another");
	else if (err && key)
		p->key_refused = true;
	return err;
}

int plx_port_rss_types_set(struct plx_port *p, uint32_t types)
{
	int err;

	if (!p->open)
		return -ENETDOWN;
	if (plx_port_steer_why(p) || !p->ops->rss_types)
		return -EOPNOTSUPP;
	if (types & ~p->caps.rss_types)
		return -EINVAL;
	err = p->ops->rss_types(p, types);
	if (!err)
		__atomic_store_n(&p->rss_types, types, __ATOMIC_RELAXED);
	else if (err == -EIO)
		disbelieve(p, "it was told what to hash and does otherwise");
	return err;
}

/* A table that it does not have yet, and then the one that ethtool calls the default. @return what
 * is wrong with it, or NULL. */
static const char *try_table(struct plx_port *p)
{
	struct plx_port_rss was;
	struct plx_reta reta;
	int err = get(p, &was);

	if (err || !was.reta.size)
		return "it does not tell its key and its table";
	if (plx_steer_reta_equal(&reta, p->caps.reta_size, 0, p->n_rxq) != 0)
		return "its table is of a size that is not supported";
	for (uint16_t i = 0; i < reta.size; i++)
		reta.q[i] = (uint16_t)(p->n_rxq - 1 - reta.q[i]);
	err = give(p, NULL, 0, &reta);
	if (!err) {
		plx_steer_reta_equal(&reta, p->caps.reta_size, 0, p->n_rxq);
		err = give(p, NULL, 0, &reta);
	}
	if (err == -EIO)
		return "it was given a table and has another";
	return err ? "it refuses a table" : NULL;
}

void port__rss_opened(struct plx_port *p)
{
	const char *why;

	p->rss_types = p->caps.rss_types;
	if (p->n_rxq < 2 || !has_rss(p) || plx_port_steer_why(p))
		return;
	why = try_table(p);
	if (why)
		disbelieve(p, why);
}

/* ---- what it claims ---- */

static const char *quirk_text(const struct plx_port *p)
{
	const struct plx_quirk *q;
	unsigned int i = 0;

	while ((q = plx_quirk_next(p->caps.driver, &i)))
		if (q->flags & p->quirks & PLX_QUIRK_RSS_LIES)
			return q->text;
	return NULL;
}

bool plx_port_rss_lie(const struct plx_port *p, char *buf, size_t size)
{
	const char *why = __atomic_load_n(&p->steer_why, __ATOMIC_ACQUIRE);
	const char *quirk = quirk_text(p);

	if (!why && p->key_refused)
		why = "it refuses a key";
	if (!p->open || p->n_rxq < 2 || !why ||
		!(p->quirks & PLX_QUIRK_RSS_LIES || p->caps.features & PLX_PORT_F_RSS))
		return false;
	snprintf(buf, size, "%s%s", quirk ? "it " : "", quirk ? quirk : why);
	return true;
}
