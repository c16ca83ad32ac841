/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_conf.h"

/* What a recorder waits for: a list of words, some with a number and a time. */

#define WITHIN_NS  PLX_MS(100) /* of drops, unless said otherwise */
#define WITHIN_MIN PLX_MS(10)
#define WITHIN_MAX PLX_SEC(60)
#define TIME_MAX   PLX_SEC(3600)

static const char *const kinds[] = {
	[CAPTURE_ON_DROPS] = "drops",
	[CAPTURE_ON_SQUEEZE] = "squeeze",
	[CAPTURE_ON_RTO] = "rto",
	[CAPTURE_ON_LATENCY] = "latency",
	[CAPTURE_ON_RST] = "rst",
	[CAPTURE_ON_MATCH] = "match",
	[CAPTURE_ON_END] = "end",
};

bool capture_time_parse(const char *text, plx_ns max, plx_ns *ns)
{
	static const struct {
		const char *name;
		plx_ns ns;
	} units[] = {{"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}};
	const char *unit = text;
	plx_ns n = 0;

	for (; *unit >= '0' && *unit <= '9' && n <= max; unit++)
		n = n * 10 + (*unit - '0');
	if (unit == text || n > max)
		return false;
	if (n == 0 && !*unit) {
		*ns = 0;
		return true;
	}
	for (size_t i = 0; i < PLX_DIM(units); i++)
		if (strcmp(units[i].name, unit) == 0 && n <= max / units[i].ns) {
			*ns = n * units[i].ns;
			return true;
		}
	return false;
}

/* ":REASON" of drops, up to a '>'. */
static bool parse_reason(const char *name, size_t n, uint32_t *reason)
{
	for (uint32_t i = 1; i < PLX_DROP_MAX; i++)
		if (strlen(plx_drop_info[i].name) == n &&
			memcmp(plx_drop_info[i].name, name, n) == 0) {
			*reason = i;
			return true;
		}
	return false;
}

/* "[:REASON]>N[/TIME]" */
static bool parse_drops(const char *s, struct capture_trigger *t)
{
	const char *more = strchr(s, '>'), *slash = more ? strchr(more, '/') : NULL;
	char number[16];
	uint32_t over;
	size_t n;

	t->ns = WITHIN_NS;
	if (!more || (*s == ':' && !parse_reason(s + 1, (size_t)(more - s) - 1, &t->reason)) ||
		(*s != ':' && s != more))
		return false;
	n = slash ? (size_t)(slash - more) - 1 : strlen(more + 1);
	if (n >= sizeof(number))
		return false;
	memcpy(number, more + 1, n);
	number[n] = '\0';
	if (!opt_u32(number, 0, UINT32_MAX, &over))
		return false;
	t->over = over;
	return !slash || (capture_time_parse(slash + 1, WITHIN_MAX, &t->ns) && t->ns >= WITHIN_MIN);
}

/* What follows the word. */
static bool parse_rest(const char *s, struct capture_trigger *t)
{
	switch (t->kind) {
	case CAPTURE_ON_DROPS:
		return parse_drops(s, t);
	case CAPTURE_ON_LATENCY:
		return *s == '>' && capture_time_parse(s + 1, WITHIN_MAX, &t->ns) && t->ns;
	case CAPTURE_ON_MATCH:
		if (*s != ':' || !s[1 + strspn(s + 1, " ")])
			return false;
		memmove(t->text, s + 1, strlen(s)); /* it is called by its expression */
		return true;
	default:
		return !*s;
	}
}

static bool parse_one(struct capture_trigger *t)
{
	size_t n = strcspn(t->text, ":>");

	for (uint32_t i = 0; i < PLX_DIM(kinds); i++)
		if (strlen(kinds[i]) == n && memcmp(kinds[i], t->text, n) == 0) {
			t->kind = i;
			return parse_rest(t->text + n, t);
		}
	return false;
}

bool capture_triggers_parse(const char *text, struct capture_trigger *t, uint32_t *n)
{
	*n = 0;
	do {
		size_t len = strncmp(text, "match:", 6) == 0 ? strlen(text) : strcspn(text, ",");

		if (*n == CAPTURE_TRIGGERS || len >= sizeof(t->text))
			return false;
		*t = (struct capture_trigger){0};
		memcpy(t->text, text, len);
		if (!parse_one(t++))
			return false;
		++*n;
		text += len;
	} while (*text++ == ',');
	return true;
}

bool capture_after_parse(const char *text, plx_ns *ns, uint32_t *pkts)
{
	return opt_u32(text, 0, UINT32_MAX, pkts) || capture_time_parse(text, TIME_MAX, ns);
}
