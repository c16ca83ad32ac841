/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

/*
 * `pollux-ctl steer set`, as far as it is the ports' affair: the indirection table and the key, as
 * ethtool -X, with its rounding and its rules.
 */

static int refuse(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	const struct plx_engine_rss *to, struct plx_port **p)
{
	const char *dev = plx_telem_args_str(args, "dev"), *why;

	*p = plx_port_find(dev);
	if (!*p)
		return plx_telem_reply_error(reply, -ENODEV, "no device '%s'", dev);
	if (!(*p)->open)
		return plx_telem_reply_error(reply, -ENETDOWN, "%s: it is not open", dev);
	why = plx_port_steer_why(*p);
	if (!why)
		return 0;
	return plx_telem_reply_error(
		reply, -EOPNOTSUPP, "%s: %s%s", (*p)->name, why, to->instead ? to->instead : "");
}

/* What the setter said of p. */
static int answer(struct plx_telem_reply *reply, const struct plx_port *p, int err)
{
	const char *why = plx_port_steer_why(p);

	if (err == -EIO && why)
		return plx_telem_reply_error(reply, err,
			"%s: %s: it is not relied on any more, flows are steered in software",
			p->name, why);
	if (err)
		plx_telem_reply_error(reply, err, "%s: the driver: %s", p->name, strerror(-err));
	return err;
}

/* ---- the table ---- */

/* "6 2", "6,2". @return how many, or -1: these are no numbers, or more than there can be queues. */
static int parse_weights(const char *text, uint32_t *w)
{
	int n = 0;

	for (;;) {
		char *end;
		unsigned long v;

		text += strspn(text, " ,");
		if (!*text)
			return n;
		v = strtoul(text, &end, 10);
		if (*text < '0' || *text > '9' || n == PLX_PORT_QUEUES_MAX)
			return -1;
		w[n++] = (uint32_t)PLX_MIN(v, (unsigned long)UINT32_MAX);
		text = end;
	}
}

/* @return NULL, or what is wrong with it. */
static const char *by_weights(
	struct plx_reta *reta, const struct plx_port *p, uint16_t first, const char *text)
{
	uint32_t w[PLX_PORT_QUEUES_MAX];
	int n = parse_weights(text, w);
	uint64_t sum = 0;

	if (n < 0)
		return "weights are numbers, one for each queue";
	for (int i = 0; i < n; i++)
		sum += w[i];
	if (sum == 0)
		return "at least one weight must be non-zero";
	if (sum > p->caps.reta_size)
		return "total weight exceeds the size of the indirection table";
	return plx_steer_reta_weights(reta, p->caps.reta_size, first, w, (uint16_t)n) ? "no such "
											"table"
										      : NULL;
}

/* The table that is asked for. @return NULL, or what is wrong with it. */
static const char *make(
	struct plx_reta *reta, const struct plx_port *p, const struct plx_telem_args *args)
{
	const char *weights = plx_telem_args_str(args, "weight");
	int64_t n = plx_telem_args_int(args, "equal", -1);
	int64_t first = plx_telem_args_int(args, "start", 0);

	if (weights && n != -1)
		return "equal or weight, not both";
	if (first < 0 || first >= p->n_rxq)
		return "it has no such queue to start with: they are counted from 0";
	if (weights)
		return by_weights(reta, p, (uint16_t)first, weights);
	if (n == -1)
		n = p->n_rxq - first;
	if (n < 1 || n > p->n_rxq - first)
		return "it has fewer receive queues, and at least 1 is needed";
	return plx_steer_reta_equal(reta, p->caps.reta_size, (uint16_t)first, (uint16_t)n)
		       ? "no such table"
		       : NULL;
}

int plx_engine_rss_request(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	const struct plx_engine_rss *to)
{
	struct plx_reta reta;
	struct plx_port *p;
	const char *wrong;
	int err = refuse(args, reply, to, &p);

	if (err)
		return err;
	wrong = make(&reta, p, args);
	if (!wrong && !plx_steer_reta_valid(&reta, p->n_rxq))
		wrong = "there are more weights than receive queues";
	if (wrong)
		return plx_telem_reply_error(reply, -EINVAL, "%s (%u queues, a table of %u): %s",
			p->name, p->n_rxq, p->caps.reta_size, wrong);
	return answer(reply, p, to->set(to->arg, p, NULL, 0, &reta));
}

/* ---- the key ---- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "6d:5a:...", as ethtool -x prints it, or without colons. @return bytes, or -1. */
static int parse_key(const char *text, uint8_t *key)
{
	int n = 0;

	for (; *text; text += 2) {
		int high, low;

		if (*text == ':' && n)
			text++;
		high = digit(*text);
		low = high < 0 ? -1 : digit(text[1]);
		if (low < 0 || n == PLX_STEER_KEY_MAX)
			return -1;
		key[n++] = (uint8_t)(high << 4 | low);
	}
	return n;
}

/* As many bytes as the device has of the key that is called so; Microsoft's is followed by zeros.
 * @return false: there is no such key. */
static bool named(const char *name, uint8_t *key, uint16_t bytes, const struct plx_engine_rss *to)
{
	if (strcmp(name, "default") == 0 && to->key)
		memcpy(key, to->key, bytes);
	else if (strcmp(name, "microsoft") == 0)
		memcpy(key, plx_steer_key_microsoft,
			PLX_MIN((size_t)bytes, sizeof(plx_steer_key_microsoft)));
	else if (strcmp(name, "random") == 0)
		return getrandom(key, bytes, 0) == bytes;
	else
		return false;
	return true;
}

int plx_engine_key_request(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	const struct plx_engine_rss *to)
{
	const char *text = plx_telem_args_str(args, "key");
	uint8_t key[PLX_STEER_KEY_MAX] = {0};
	struct plx_port *p;
	int err = refuse(args, reply, to, &p), n;

	if (err)
		return err;
	n = p->caps.key_bytes;
	if (n > PLX_STEER_KEY_MAX)
		return plx_telem_reply_error(
			reply, -EOPNOTSUPP, "%s: its key has %d bytes", p->name, n);
	if (!named(text, key, (uint16_t)n, to)) {
		if (parse_key(text, key) != n)
			return plx_telem_reply_error(reply, -EINVAL,
				"%s: its key has %d bytes: give so many in hexadecimal digits, "
				"%smicrosoft or random",
				p->name, n, to->key ? "default, " : "");
	}
	return answer(reply, p, to->set(to->arg, p, key, (uint16_t)n, NULL));
}

/* ---- what is hashed ---- */

int plx_engine_types_request(const struct plx_telem_args *args, struct plx_telem_reply *reply,
	const struct plx_engine_rss *to)
{
	const char *flow = plx_telem_args_str(args, "flow");
	const char *fields = plx_telem_args_str(args, "fields");
	struct plx_port *p;
	uint32_t types;
	int err = refuse(args, reply, to, &p);

	if (err)
		return err;
	types = plx_port_rss_types(p);
	if (plx_steer_rss_fields_set(&types, flow, fields) != 0)
		return plx_telem_reply_error(reply, -EINVAL,
			"%s %s: sd or sdfn of tcp4, udp4, sctp4, tcp6, udp6 or sctp6", flow,
			fields);
	if (!p->ops->rss_types || types & ~p->caps.rss_types)
		return plx_telem_reply_error(
			reply, -EOPNOTSUPP, "%s: it cannot hash %s by %s", p->name, flow, fields);
	return answer(reply, p, to->set_types(to->arg, p, types));
}

/* ---- of an engine without a stack ---- */

static int set(void *arg, struct plx_port *p, const uint8_t *key, uint16_t bytes,
	const struct plx_reta *reta)
{
	return plx_port_rss_set(p, key, bytes, reta);
}

static int set_types(void *arg, struct plx_port *p, uint32_t types)
{
	return plx_port_rss_types_set(p, types);
}

static const struct plx_engine_rss alone = {.set = set, .set_types = set_types};

int engine__rss_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	return plx_engine_rss_request(args, reply, &alone);
}

int engine__key_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	return plx_engine_key_request(args, reply, &alone);
}

int engine__types_set(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	return plx_engine_types_request(args, reply, &alone);
}
