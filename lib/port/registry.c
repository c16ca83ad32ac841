/* SPDX-License-Identifier: BSD-3-Clause */
#include "plx_port.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "spec.h"

static_assert(PORT_SPEC_NAMELEN == PLX_PORT_NAMELEN, "a port's name is as long");

static struct plx_port *ports[PLX_PORT_MAX];
static uint16_t n_ports;
static struct plx_port_driver *drivers;

void plx_port_driver_register(struct plx_port_driver *d)
{
	d->next = drivers;
	drivers = d;
}

const struct plx_port_driver *plx_port_driver_next(const struct plx_port_driver *d)
{
	return d ? d->next : drivers;
}

int plx_port_create(const char *text, struct plx_error *e)
{
	const struct plx_port_driver *d = NULL;
	struct port_spec s;
	int err = port__spec_parse(&s, text, e);

	if (err)
		return err;
	if (plx_port_find(s.name))
		return plx_error_set(e, -EEXIST, PLX_ERR_PORT_SPEC, text, "this name is taken");
	while ((d = plx_port_driver_next(d)))
		if (strlen(d->name) == s.driver_len && memcmp(d->name, s.driver, s.driver_len) == 0)
			return d->create(s.name, s.args, e);
	return plx_error_set(e, -ENODEV, PLX_ERR_PORT_SPEC, text, "no such driver");
}

struct plx_port *plx_port_add(const char *name, const struct plx_port_ops *ops, void *priv,
	const struct plx_port_caps *caps, const struct plx_mac *mac, uint16_t mtu)
{
	struct plx_port *p;

	if (n_ports == PLX_PORT_MAX || strlen(name) >= PLX_PORT_NAMELEN || plx_port_find(name))
		return NULL;
	p = rte_zmalloc(NULL, sizeof(*p), RTE_CACHE_LINE_SIZE);
	if (!p)
		return NULL;
	*p = (struct plx_port){
		.ops = ops,
		.priv = priv,
		.id = n_ports,
		.mtu = mtu,
		.mac = *mac,
		.caps = *caps,
		.features = caps->features,
		.wanted = caps->features,
		.rss_types = caps->rss_types,
		.quirks = plx_quirk_flags(caps->driver) & ~caps->no_quirks,
	};
	memcpy(p->name, name, strlen(name));
	if (!(caps->features & PLX_PORT_F_RSS))
		p->steer_why = p->quirks & PLX_QUIRK_RSS_LIES ? "the driver ignores RSS settings"
							      : "the driver has no RSS";
	ports[n_ports++] = p;
	return p;
}

void plx_port_replace(struct plx_port *lower, struct plx_port *upper)
{
	n_ports--;
	upper->id = lower->id;
	ports[lower->id] = upper;
}

void plx_port_destroy(struct plx_port *p)
{
	plx_port_close(p);
	p->ops->fini(p);
	rte_free(p);
}

uint16_t plx_port_count(void)
{
	return n_ports;
}

struct plx_port *plx_port_get(uint16_t id)
{
	return id < n_ports ? ports[id] : NULL;
}

struct plx_port *plx_port_find(const char *name)
{
	char *end;
	unsigned long id;

	for (uint16_t i = 0; i < n_ports; i++)
		if (strcmp(ports[i]->name, name) == 0)
			return ports[i];
	if (*name < '0' || *name > '9')
		return NULL;
	id = strtoul(name, &end, 10);
	return *end == '\0' && id < n_ports ? ports[id] : NULL;
}

struct plx_port *plx_port_find_queue(const char *text, int *queue)
{
	struct plx_port *p = plx_port_find(text);
	const char *colon = strrchr(text, ':');
	char name[PLX_PORT_NAMELEN], *end;
	unsigned long n;

	*queue = -1;
	if (p || !colon || colon - text >= PLX_PORT_NAMELEN || colon[1] < '0' || colon[1] > '9')
		return p;
	n = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || n > UINT16_MAX)
		return NULL;
	memcpy(name, text, (size_t)(colon - text));
	name[colon - text] = '\0';
	*queue = (int)n;
	return plx_port_find(name);
}

void plx_port_fini_all(void)
{
	while (n_ports)
		plx_port_destroy(ports[--n_ports]);
}
