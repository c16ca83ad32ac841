/* SPDX-License-Identifier: BSD-3-Clause */
/* Which lcore is the nearest to a CPU, by files as the kernel has them. */
#define T_EAL_LCORES "(0-1)@0"
#include "engine_t.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/engine/engine.h"

static char root[] = "/tmp/plx_near_XXXXXX";

static void make(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, dir);
	ok(mkdir(path, 0700) == 0 || errno == EEXIST);
}

/* An empty text: no file. */
static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	unlink(path);
	if (!*text)
		return;
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void look(const char *siblings, const char *l2)
{
	put("cpu0/topology/thread_siblings_list", siblings);
	put("cpu0/cache/index2/shared_cpu_list", l2);
	engine__near_init(et.eng, root);
}

T(what_the_kernel_says)
{
	struct plx_error e;

	assert_non_null(mkdtemp(root));
	make("cpu0");
	make("cpu0/topology");
	make("cpu0/cache");
	make("cpu0/cache/index2");
	et_new(1, 2);
	eq(et_open(&e), 0);
	look("0,4\n", "0-1,4-5\n");
	eq(plx_engine_near(et.eng, 0), 0); /* of two the first */
	eq(plx_engine_near(et.eng, 4), 0);
	eq(plx_engine_near(et.eng, 1), 0);
	eq(plx_engine_near(et.eng, 5), 0);
	eq(plx_engine_near(et.eng, 2), -1);
	eq(plx_engine_near(et.eng, -1), -1);
	eq(plx_engine_near(et.eng, 1024), -1);
	look("", "");
	eq(plx_engine_near(et.eng, 0), 0);
	eq(plx_engine_near(et.eng, 4), -1);
	look("0-99999\n", "");
	eq(plx_engine_near(et.eng, 1023), 0);
	look("", "3,x,5\n");
	eq(plx_engine_near(et.eng, 3), 0);
	eq(plx_engine_near(et.eng, 5), -1);
	look("", "");
}

static int clean(void **state)
{
	static const char *const dirs[] = {
		"/cpu0/topology", "/cpu0/cache/index2", "/cpu0/cache", "/cpu0", ""};
	char path[128];

	for (size_t i = 0; i < PLX_DIM(dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		rmdir(path);
	}
	return et_after(state);
}

RUN_EAL(cmocka_unit_test_teardown(what_the_kernel_says, clean))
