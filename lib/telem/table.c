/* SPDX-License-Identifier: BSD-3-Clause */
#include "page.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_telemetry.h>
#include <rte_version.h>

/* 23.03 renamed what 22.11 calls u64. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define tel_dict_u64  rte_tel_data_add_dict_uint
#define tel_array_u64 rte_tel_data_add_array_uint
#define TEL_U64	      RTE_TEL_UINT_VAL
#else
#define tel_dict_u64  rte_tel_data_add_dict_u64
#define tel_array_u64 rte_tel_data_add_array_u64
#define TEL_U64	      RTE_TEL_U64_VAL
#endif

#define KNOWN_MAX 64
#define NAME_MAX_ 40

/*
 * rte_telemetry runs each client on a thread of its own. Readers hold the lock while they use a
 * table, _del() takes it for writing. A command can't be withdrawn from rte_telemetry, so we
 * remember which it knows.
 */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct plx_telem_table *tables;
static char known[KNOWN_MAX][NAME_MAX_ + 1];
static unsigned int n_known;

static struct plx_telem_table *find(const char *name)
{
	for (struct plx_telem_table *t = tables; t; t = t->next)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

struct fill {
	struct plx_telem_row *page;
	const struct plx_telem_table *table;
	uint64_t cursor;
};

static void fill(void *arg)
{
	struct fill *f = arg;

	telem__page_fill(f->page, f->table, f->cursor);
}

int telem__page_read(const char *name, uint64_t cursor, struct plx_telem_row *page)
{
	struct fill f = {.page = page, .cursor = cursor};
	int err = -ENOENT;

	pthread_rwlock_rdlock(&lock);
	f.table = find(name);
	if (f.table && f.table->run) {
		err = f.table->run(f.table->arg, cursor, fill, &f);
	} else if (f.table) {
		fill(&f);
		err = 0;
	}
	pthread_rwlock_unlock(&lock);
	return err;
}

static struct rte_tel_data *array_of(const struct plx_telem_row *page, const struct telem_field *f)
{
	const char *text = page->text + f->at;
	struct rte_tel_data *list = rte_tel_data_alloc();

	if (!list)
		return NULL;
	rte_tel_data_start_array(list, f->type == TELEM_U64S ? TEL_U64 : RTE_TEL_STRING_VAL);
	for (uint32_t i = 0; i < f->n; i++)
		if (f->type == TELEM_U64S) {
			tel_array_u64(list, page->number[f->at + i]);
		} else {
			rte_tel_data_add_array_string(list, text);
			text += strlen(text) + 1;
		}
	return list;
}

static void add_field(
	struct rte_tel_data *d, const struct plx_telem_row *page, const struct telem_field *f)
{
	struct rte_tel_data *list;

	switch (f->type) {
	case TELEM_STR:
		rte_tel_data_add_dict_string(d, f->name, page->text + f->at);
		break;
	case TELEM_U64:
		tel_dict_u64(d, f->name, f->u);
		break;
	case TELEM_I64:
		if (f->i >= 0)
			tel_dict_u64(d, f->name, (uint64_t)f->i);
		else
			rte_tel_data_add_dict_int(
				d, f->name, f->i < INT32_MIN ? INT32_MIN : (int)f->i);
		break;
	case TELEM_U64S:
	case TELEM_STRS:
		list = array_of(page, f);
		if (list && rte_tel_data_add_dict_container(d, f->name, list, 0) != 0)
			rte_tel_data_free(list);
		break;
	}
}

static int render(struct rte_tel_data *d, const struct plx_telem_row *page)
{
	rte_tel_data_start_dict(d);
	for (uint32_t i = 0; i < page->rows; i++) {
		struct rte_tel_data *row = rte_tel_data_alloc();
		char key[12];

		if (!row)
			return -ENOMEM;
		rte_tel_data_start_dict(row);
		for (uint32_t j = page->first[i]; j < page->first[i + 1]; j++)
			add_field(row, page, &page->field[j]);
		snprintf(key, sizeof(key), "%u", i);
		if (rte_tel_data_add_dict_container(d, key, row, 0) != 0) {
			rte_tel_data_free(row);
			return -EIO;
		}
	}
	if (page->next)
		tel_dict_u64(d, "next", page->next);
	return 0;
}

static int parse_cursor(const char *params, uint64_t *cursor)
{
	char *end;

	*cursor = 0;
	if (!params || !*params)
		return 0;
	if (*params < '0' || *params > '9')
		return -EINVAL;
	errno = 0;
	*cursor = strtoull(params, &end, 10);
	return *end || errno ? -EINVAL : 0;
}

/* The handler of all tables, on a thread of rte_telemetry. */
static int serve(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct plx_telem_row *page;
	uint64_t cursor;
	int err = parse_cursor(params, &cursor);

	if (err)
		return err;
	page = malloc(sizeof(*page));
	if (!page)
		return -ENOMEM;
	err = telem__page_read(cmd + strlen(TELEM_PREFIX), cursor, page);
	if (!err)
		err = render(d, page);
	free(page);
	return err;
}

/* Make rte_telemetry send us the requests for a name. With the lock held. */
static int announce(const struct plx_telem_table *t)
{
	char cmd[sizeof(TELEM_PREFIX) + NAME_MAX_];
	int err;

	for (unsigned int i = 0; i < n_known; i++)
		if (strcmp(known[i], t->name) == 0)
			return 0;
	if (strlen(t->name) > NAME_MAX_)
		return -EINVAL;
	if (n_known == KNOWN_MAX)
		return -ENOSPC;
	snprintf(cmd, sizeof(cmd), TELEM_PREFIX "%s", t->name);
	err = rte_telemetry_register_cmd(cmd, serve, t->help);
	if (err)
		return err;
	snprintf(known[n_known++], sizeof(known[0]), "%s", t->name);
	return 0;
}

int plx_telem_table_add(struct plx_telem_table *t)
{
	int err;

	pthread_rwlock_wrlock(&lock);
	err = find(t->name) ? -EEXIST : announce(t);
	if (!err) {
		t->next = tables;
		tables = t;
	}
	pthread_rwlock_unlock(&lock);
	return err;
}

void plx_telem_table_del(struct plx_telem_table *t)
{
	pthread_rwlock_wrlock(&lock);
	for (struct plx_telem_table **p = &tables; *p; p = &(*p)->next)
		if (*p == t) {
			*p = t->next;
			break;
		}
	pthread_rwlock_unlock(&lock);
}

int plx_telem_tables_add(struct plx_telem_table *t, unsigned int n, void *arg)
{
	for (unsigned int i = 0; i < n; i++) {
		int err;

		t[i].arg = arg;
		err = plx_telem_table_add(&t[i]);
		if (err) {
			plx_telem_tables_del(t, i);
			return err;
		}
	}
	return 0;
}

void plx_telem_tables_del(struct plx_telem_table *t, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		plx_telem_table_del(&t[i]);
}
