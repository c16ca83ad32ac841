/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK (256u << 10) /* bytes that are read at a time, at least */

static int fail(const struct replay_file *f, struct plx_error *e, int err, const char *why)
{
	return plx_error_set(e, err, PLX_ERR_PCAP_FILE, f->path, why);
}

/* What the format's reader says of a byte. */
static int wrong(
	const struct replay_file *f, struct plx_error *e, const struct plx_pcapng_error *why)
{
	char text[160];

	snprintf(text, sizeof(text), "%s (at byte %llu)", why->text, (unsigned long long)why->off);
	return fail(f, e, -EINVAL, text);
}

/* Room for so many bytes behind f->at. */
static int make_room(struct replay_file *f, size_t want)
{
	size_t room = PLX_MAX(want, (size_t)CHUNK);
	uint8_t *buf;

	if (f->room - f->at >= want)
		return 0;
	if (f->have)
		memmove(f->buf, f->buf + f->at, f->have);
	f->at = 0;
	if (f->room >= want)
		return 0;
	buf = realloc(f->buf, room);
	if (!buf)
		return -ENOMEM;
	f->buf = buf;
	f->room = room;
	return 0;
}

/* Until want bytes are there, or the file's end. */
static int fill(struct replay_file *f, size_t want, struct plx_error *e)
{
	int err = make_room(f, want);

	while (!err && !f->eof && f->have < want) {
		size_t end = f->at + f->have;
		ssize_t n = read(f->fd, f->buf + end, f->room - end);

		if (n < 0 && errno != EINTR)
			err = -errno;
		f->eof = n == 0;
		f->have += n > 0 ? (size_t)n : 0;
	}
	return err ? fail(f, e, err, strerror(-err)) : 0;
}

/*
 * The next item into f->item and f->kind; its bytes stay until the next call. MORE: the file has
 * ended.
 */
static int next(struct replay_file *f, struct plx_error *e)
{
	f->at += f->item.used;
	f->have -= f->item.used;
	for (;;) {
		int err;

		f->kind = plx_pcapng_next(&f->reader, f->buf + f->at, f->have, &f->item);
		if (f->kind == PLX_PCAPNG_ERROR)
			return wrong(f, e, &f->item.error);
		if (f->kind != PLX_PCAPNG_MORE)
			return 0;
		err = f->eof ? 0 : fill(f, f->item.want, e);
		if (err)
			return err;
		if (f->eof && f->have < f->item.want) {
			f->item.used = 0;
			return 0;
		}
	}
}

int replay_file_open(struct replay_file *f, const char *path, struct plx_error *e)
{
	struct plx_pcapng_error why;
	int err;

	memset(f, 0, sizeof(*f));
	f->path = path;
	f->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0)
		return fail(f, e, -errno, strerror(errno));
	plx_pcapng_reader_init(&f->reader, f->clock, REPLAY_IFACES_MAX);
	err = fill(f, 1, e);
	if (!err)
		err = next(f, e);
	if (!err && f->kind == PLX_PCAPNG_MORE && plx_pcapng_end(&f->reader, f->have, &why) != 0)
		err = wrong(f, e, &why);
	f->head = !err;
	if (err)
		replay_file_close(f);
	return err;
}

void replay_file_close(struct replay_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->buf);
	f->buf = NULL;
	f->fd = -1;
	f->at = f->have = f->room = 0;
}

static bool is_ip(uint32_t link)
{
	enum { RAW_OLD = 12, RAW_BSD = 14, IPV4 = 228, IPV6 = 229 };

	return link == PLX_PCAPNG_LINK_RAW || link == IPV4 || link == IPV6 || link == RAW_OLD ||
	       link == RAW_BSD;
}

/* @return is it to be sent? If not, it has been counted. */
static bool wanted(const struct replay_file *f, const struct replay_want *w,
	const struct plx_pcapng_pkt *p, struct replay_counts *c)
{
	uint32_t link = f->link[p->iface];

	if (w->one_iface && p->iface != w->iface)
		c->ifaces++;
	else if (w->ip ? !is_ip(link) : link != PLX_PCAPNG_LINK_ETHERNET)
		c->links++;
	else if (w->filter && !w->filter(w->arg, p))
		c->filtered++;
	else
		return true;
	return false;
}

static int take(const struct replay_file *f, const struct replay_want *w, struct replay_store *s,
	struct replay_counts *c, struct plx_error *e)
{
	const struct plx_pcapng_pkt *p = &f->item.pkt;
	plx_ns at = p->has & PLX_PCAPNG_UNTIMED ? REPLAY_NO_TIME : p->ts_ns;
	uint32_t len = PLX_MIN(p->len, PLX_PCAPNG_SNAPLEN_MAX); /* hostile files name any */
	struct replay_pkt *out;

	c->read++;
	if (!wanted(f, w, p, c))
		return 0;
	out = replay_add(s, at, p->data, p->caplen, w->pad ? PLX_MAX(len, p->caplen) : p->caplen);
	if (!out)
		return errno == ENOSPC ? -ENOSPC : fail(f, e, -ENOMEM, strerror(ENOMEM));
	c->snapped += p->caplen < p->len;
	if (w->rewrite && replay_rewrite(w->rewrite, out->data, p->caplen, !w->ip))
		c->rewritten++;
	return 0;
}

int replay_load(struct replay_file *f, const struct replay_want *w, struct replay_store *s,
	struct replay_counts *c, struct plx_error *e)
{
	struct plx_pcapng_error why = {0};
	int err = 0;

	memset(c, 0, sizeof(*c));
	while (!err) {
		if (!f->head)
			err = next(f, e);
		f->head = false;
		if (err || f->kind == PLX_PCAPNG_MORE)
			break;
		if (f->kind == PLX_PCAPNG_IFACE)
			f->link[f->reader.n_ifaces - 1] = f->item.iface.link;
		else if (f->kind == PLX_PCAPNG_PKT)
			err = take(f, w, s, c, e);
	}
	if (!err && plx_pcapng_end(&f->reader, f->have, &why) != 0) {
		c->cut = why.text;
		c->cut_at = why.off;
	}
	return err;
}
