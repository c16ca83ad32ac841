/* SPDX-License-Identifier: BSD-3-Clause */
#include "steer.h"

/* A bar for each queue, as high as its share of the packets; a line at the mean. */

#define TOP    40.0
#define HEIGHT 240.0
#define LEFT   50.0
#define RIGHT  20.0
#define BELOW  40.0

static void text(FILE *f, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '&':
			fputs("&amp;", f);
			break;
		default:
			/* XML has no way to write control characters. */
			fputc((unsigned char)*s < ' ' ? '?' : *s, f);
		}
}

static void bar(FILE *f, double x, double width, double share, double most, uint16_t q)
{
	double h = most > 0 ? HEIGHT * share / most : 0;

	fprintf(f,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#4878a8\">"
		"<title>queue %u: %.1f %%</title></rect>\n",
		x + width * 0.1, TOP + HEIGHT - h, width * 0.8, h, q, 100 * share);
	if (width < 12)
		return;
	fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%u</text>\n", x + width / 2,
		TOP + HEIGHT + 14, q);
	if (width >= 36)
		fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.1f%%</text>\n",
			x + width / 2, TOP + HEIGHT - h - 4, 100 * share);
}

bool steer_svg(FILE *f, const char *title, const struct load *l, uint16_t queues)
{
	double width = queues <= 16 ? 44 : queues <= 64 ? 14 : 3, most = 0, mean = 1.0 / queues;
	double all = l->all.packets ? (double)l->all.packets : 1;
	double right = LEFT + width * queues, y;

	for (uint16_t q = 0; q < queues; q++)
		most = PLX_MAX(most, (double)l->queue[q].packets / all);
	most = PLX_MAX(most, mean);
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		"font-family=\"sans-serif\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		"<text x=\"%.0f\" y=\"18\" font-size=\"13\">",
		right + RIGHT, TOP + HEIGHT + BELOW, LEFT);
	text(f, title);
	fprintf(f, ": packets by queue</text>\n");
	for (uint16_t q = 0; q < queues; q++)
		bar(f, LEFT + width * q, width, (double)l->queue[q].packets / all, most, q);
	y = TOP + HEIGHT - HEIGHT * mean / most;
	fprintf(f,
		"<line x1=\"%.0f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#b04030\" "
		"stroke-dasharray=\"4 3\"/>\n"
		"<text x=\"4\" y=\"%.1f\" fill=\"#b04030\">mean</text>\n"
		"<line x1=\"%.0f\" y1=\"%.0f\" x2=\"%.1f\" y2=\"%.0f\" stroke=\"black\"/>\n"
		"</svg>\n",
		LEFT, y, right, y, y + 4, LEFT, TOP + HEIGHT, right, TOP + HEIGHT);
	return !ferror(f);
}
