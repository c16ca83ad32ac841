/* SPDX-License-Identifier: BSD-3-Clause */
#include "sock.h"

/* SO_PEEK_OFF (socket(7)): MSG_PEEK begins so many bytes on, and each peek moves that further; what
 * is read moves it back. */

PLX_NOINLINE void sock__peek_move(struct sock_lcore *sl, struct sock_file *f, int64_t by)
{
	int32_t was = sock__opts(f)->peek_off;
	int32_t off = (int32_t)PLX_MIN(PLX_MAX(was + by, INT64_C(0)), (int64_t)INT32_MAX);
	struct sock_cold *cold = off != was ? sock__cold(sl, f) : NULL;

	if (cold) /* else it stays where it was */
		cold->opt.peek_off = off;
}
