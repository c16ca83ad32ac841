/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables as a client of rte_telemetry sees them: EAL is real, and so is its socket.
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>
#include <plx_base.h>
#include <plx_pkt.h>
#include <plx_telem.h>
#include <rte_eal.h>

static int eal_start(void **state)
{
	char name[] = "test", huge[] = "--no-huge", pci[] = "--no-pci", mem[] = "-m", mib[] = "16";
	char files[] = "--no-shconf", l[] = "-l", cpu[] = "0", level[] = "--log-level=error";
	char prefix[] = "--file-prefix", unique[32];
	char *argv[] = {name, huge, pci, mem, mib, files, l, cpu, level, prefix, unique};

	snprintf(unique, sizeof(unique), "plx-test-%d", (int)getpid());
	return rte_eal_init((int)PLX_DIM(argv), argv) < 0;
}

static int eal_stop(void **state)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", rte_eal_get_runtime_dir());
	unlink(path);
	rmdir(rte_eal_get_runtime_dir());
	return rte_eal_cleanup();
}

/* --- a client ----------------------------------------------------------------------------------
 */

static char reply[32768];

static int dial(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/dpdk_telemetry.v2", rte_eal_get_runtime_dir());
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		return -1;
	return recv(fd, reply, sizeof(reply), 0) > 0 ? fd : -1; /* its greeting */
}

/** The page at a cursor; *next is the following one's, 0 at the end. @return NULL for null. */
static json_t *read_page(int fd, const char *name, uint64_t cursor, uint64_t *next)
{
	char cmd[64], request[96];
	json_t *all, *page;
	ssize_t n;

	snprintf(cmd, sizeof(cmd), "/plx/%s", name);
	snprintf(request, sizeof(request), "%s,%llu", cmd, (unsigned long long)cursor);
	if (send(fd, request, strlen(request), 0) < 0)
		return NULL;
	n = recv(fd, reply, sizeof(reply), 0);
	if (n <= 0)
		return NULL;
	ok(n < 16384);
	all = json_loadb(reply, (size_t)n, 0, NULL);
	ok(all != NULL);
	page = json_object_get(all, cmd);
	page = json_is_object(page) ? json_incref(page) : NULL;
	json_decref(all);
	*next = (uint64_t)json_integer_value(json_object_get(page, "next"));
	json_object_del(page, "next");
	return page;
}

static json_t *row_of(json_t *page, size_t i)
{
	char key[24];

	snprintf(key, sizeof(key), "%zu", i);
	return json_object_get(page, key);
}

static long long number(json_t *row, const char *name)
{
	json_t *v = json_object_get(row, name);

	ok(json_is_integer(v));
	return json_integer_value(v);
}

static const char *text(json_t *row, const char *name)
{
	const char *s = json_string_value(json_object_get(row, name));

	return s ? s : "(none)";
}

/** The row of a table that has the text in a field; NULL if there is none. */
static json_t *find_row(int fd, const char *table, const char *name, const char *value)
{
	uint64_t cursor = 0;

	do {
		json_t *page = read_page(fd, table, cursor, &cursor);

		ok(page != NULL);
		for (size_t i = 0; i < json_object_size(page); i++)
			if (strcmp(text(row_of(page, i), name), value) == 0) {
				json_t *row = json_incref(row_of(page, i));

				json_decref(page);
				return row;
			}
		json_decref(page);
	} while (cursor);
	return NULL;
}

/* --- tables ------------------------------------------------------------------------------------
 */

#define ROWS 1500

static pthread_t made_by;

static enum plx_telem_more all_kinds(struct plx_telem_row *r, uint64_t *cursor, void *arg)
{
	static const char *const words[] = {"one", "two \"and\" three", ""};
	static const uint64_t counts[] = {1, UINT64_MAX};

	if (*cursor >= ROWS)
		return PLX_TELEM_END;
	made_by = pthread_self();
	plx_telem_row_u64(r, "id", (*cursor)++);
	plx_telem_row_str(r, "text", "a \"b\" \\ c\t");
	plx_telem_row_i64(r, "minus", -5);
	plx_telem_row_i64(r, "big", INT64_MAX);
	plx_telem_row_i64(r, "low", INT64_MIN);
	plx_telem_row_u64s(r, "counts", counts, PLX_DIM(counts));
	plx_telem_row_strs(r, "words", words, PLX_DIM(words));
	return PLX_TELEM_MORE;
}

T(all_rows_arrive_by_pages_with_all_kinds_of_fields)
{
	struct plx_telem_table t = {.name = "kinds", .help = "for a test", .row = all_kinds};
	int fd = dial(), pages = 0;
	uint64_t cursor = 0;
	long long id = 0;

	eq(plx_telem_table_add(&t), 0);
	do {
		json_t *page = read_page(fd, "kinds", cursor, &cursor);

		ok(page != NULL);
		for (size_t i = 0; i < json_object_size(page); i++) {
			json_t *row = row_of(page, i);
			char *counts = json_dumps(json_object_get(row, "counts"), JSON_COMPACT);
			char *words = json_dumps(json_object_get(row, "words"), JSON_COMPACT);

			eq(number(row, "id"), id++);
			str_eq(text(row, "text"), "a \"b\" \\ c?");
			eq(number(row, "minus"), -5);
			eq(number(row, "big"), INT64_MAX);
			eq(number(row, "low"), INT32_MIN);
			str_eq(words, "[\"one\",\"two \\\"and\\\" three\",\"\"]");
			str_eq(counts, "[1,9223372036854775807]");
			free(counts);
			free(words);
		}
		json_decref(page);
		pages++;
	} while (cursor);
	eq(id, ROWS);
	ok(pages > 10);
	plx_telem_table_del(&t);
	close(fd);
}

/* --- owners ------------------------------------------------------------------------------------
 */

struct call {
	void (*fn)(void *arg);
	void *arg;
};

static void *owner(void *arg)
{
	struct call *c = arg;

	c->fn(c->arg);
	return NULL;
}

static int run_elsewhere(void *arg, uint64_t cursor, void (*fn)(void *), void *fn_arg)
{
	struct call c = {fn, fn_arg};
	pthread_t *thread = arg;

	if (cursor == 404)
		return -ESHUTDOWN;
	pthread_create(thread, NULL, owner, &c);
	pthread_join(*thread, NULL);
	return 0;
}

T(rows_are_made_by_the_owner)
{
	pthread_t thread;
	struct plx_telem_table t = {.name = "owned",
		.help = "x",
		.row = all_kinds,
		.run = run_elsewhere,
		.arg = &thread};
	uint64_t next;
	int fd = dial();
	json_t *page;

	eq(plx_telem_table_add(&t), 0);
	page = read_page(fd, "owned", 0, &next);
	ok(page != NULL);
	ok(pthread_equal(made_by, thread));
	json_decref(page);
	ok(read_page(fd, "owned", 404, &next) == NULL); /* an owner that is gone */
	plx_telem_table_del(&t);
	close(fd);
}

/* --- the registry ------------------------------------------------------------------------------
 */

T(a_name_is_taken_until_it_is_given_back)
{
	struct plx_telem_table a = {.name = "name", .help = "a", .row = all_kinds}, b = a;
	int fd = dial();
	uint64_t next;
	json_t *page;

	eq(plx_telem_table_add(&a), 0);
	eq(plx_telem_table_add(&b), -EEXIST);
	plx_telem_table_del(&b); /* was not added */
	plx_telem_table_del(&a);
	ok(read_page(fd, "name", 0, &next) == NULL);
	eq(plx_telem_table_add(&b), 0);
	page = read_page(fd, "name", 0, &next);
	ok(page != NULL);
	json_decref(page);
	plx_telem_table_del(&b);
	close(fd);
}

/* The second of three cannot be added: the first is not there either. */
T(several_are_added_or_none)
{
	struct plx_telem_table list[] = {{.name = "first", .help = "x", .row = all_kinds},
		{.name = "no-dash", .help = "x", .row = all_kinds},
		{.name = "third", .help = "x", .row = all_kinds}};
	int fd = dial();
	uint64_t next;
	json_t *page;

	ok(plx_telem_tables_add(list, 3, NULL) < 0);
	ok(read_page(fd, "first", 0, &next) == NULL);
	list[1].name = "second";
	eq(plx_telem_tables_add(list, 3, &next), 0);
	assert_ptr_equal(list[2].arg, &next);
	page = read_page(fd, "third", 0, &next);
	ok(page != NULL);
	json_decref(page);
	plx_telem_tables_del(list, 3);
	ok(read_page(fd, "second", 0, &next) == NULL);
	close(fd);
}

T(a_name_that_rte_telemetry_refuses_is_refused)
{
	struct plx_telem_table odd = {.name = "no-dash", .help = "x", .row = all_kinds};
	struct plx_telem_table longest = {
		.name = "a23456789b23456789c23456789d23456789e", .help = "x", .row = all_kinds};
	struct plx_telem_table longer = {
		.name = "a23456789b23456789c23456789d23456789e2345", .help = "x", .row = all_kinds};

	eq(plx_telem_table_add(&odd), -EINVAL);
	eq(plx_telem_table_add(&longer), -EINVAL);
	eq(plx_telem_table_add(&longest), 0);
	plx_telem_table_del(&longest);
}

T(a_cursor_that_is_no_number_is_refused)
{
	static const char *const bad[] = {"x", "-1", "1x", " 1", "99999999999999999999"};
	struct plx_telem_table t = {.name = "cursors", .help = "x", .row = all_kinds};
	int fd = dial();

	eq(plx_telem_table_add(&t), 0);
	for (size_t i = 0; i < PLX_DIM(bad); i++) {
		char request[64];
		ssize_t n;

		snprintf(request, sizeof(request), "/plx/cursors,%s", bad[i]);
		ok(send(fd, request, strlen(request), 0) > 0);
		n = recv(fd, reply, sizeof(reply) - 1, 0);
		ok(n > 0);
		reply[n] = '\0';
		str_eq(reply, "{\"/plx/cursors\":null}");
	}
	plx_telem_table_del(&t);
	close(fd);
}

static uint32_t finished;

static void *reader(void *arg)
{
	int fd = *(int *)arg;
	char buf[32768];

	while (!__atomic_load_n(&finished, __ATOMIC_RELAXED))
		if (send(fd, "/plx/churn", 10, 0) < 0 || recv(fd, buf, sizeof(buf), 0) <= 0)
			break;
	return NULL;
}

/* A table's memory is its owner's again once _del() returns: ASan sees who looks afterwards. */
T(a_table_may_go_while_it_is_read)
{
	int fd[3] = {dial(), dial(), dial()};
	pthread_t thread[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, reader, &fd[i]);
	for (int i = 0; i < 300; i++) {
		struct plx_telem_table *t = malloc(sizeof(*t));

		*t = (struct plx_telem_table){.name = "churn", .help = "x", .row = all_kinds};
		eq(plx_telem_table_add(t), 0);
		usleep(300);
		plx_telem_table_del(t);
		free(t);
	}
	__atomic_store_n(&finished, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		close(fd[i]);
	}
}

/* --- what all programs have --------------------------------------------------------------------
 */

T(drops_and_counters_are_summed_over_lcores)
{
	struct plx_tunables tun;
	json_t *row;
	int fd = dial();

	plx_tunables_init(&tun);
	eq(plx_telem_common_add(&tun), 0);
	plx_acct[0].drop[PLX_DROP_UDP_NO_PORT] = 3;
	plx_acct[RTE_MAX_LCORE - 1].drop[PLX_DROP_UDP_NO_PORT] = 4;
	plx_acct[1].stat[PLX_STAT_UDP6_OUTDATAGRAMS] = UINT32_MAX + UINT64_C(1);
	row = find_row(fd, "drops", "reason", "UDP_NO_PORT");
	eq(number(row, "count"), 7);
	str_eq(text(row, "layer"), "udp");
	str_eq(text(row, "text"), "no socket on this port");
	json_decref(row);
	ok(!find_row(fd, "drops", "reason", "NONE"));
	row = find_row(fd, "snmp", "name", "OutDatagrams");
	str_eq(text(row, "group"), "Udp");
	eq(number(row, "value"), 0);
	json_decref(row);
	row = find_row(fd, "snmp", "group", "Udp6");
	str_eq(text(row, "name"), "InDatagrams");
	json_decref(row);
	plx_acct_reset();
	plx_telem_common_del();
	close(fd);
}

T(every_list_is_there_whole)
{
	static const struct {
		const char *table;
		size_t rows;
	} lists[] = {{"drops", PLX_DROP_MAX - 1}, {"snmp", PLX_STAT_MAX}, {"sysctl", PLX_TUN_MAX}};
	struct plx_tunables tun;
	int fd = dial();

	plx_tunables_init(&tun);
	eq(plx_telem_common_add(&tun), 0);
	eq(plx_telem_common_add(&tun), -EEXIST);
	for (size_t i = 0; i < PLX_DIM(lists); i++) {
		uint64_t cursor = 0;
		size_t rows = 0;

		do {
			json_t *page = read_page(fd, lists[i].table, cursor, &cursor);

			rows += json_object_size(page);
			json_decref(page);
		} while (cursor);
		eq(rows, lists[i].rows);
	}
	plx_telem_common_del();
	close(fd);
}

T(a_tunable_shows_its_live_value)
{
	struct plx_tunables tun;
	json_t *row;
	int fd = dial();

	plx_tunables_init(&tun);
	eq(plx_telem_common_add(&tun), 0);
	eq(plx_tunable_set(&tun, PLX_TUN_IP_FORWARD, 1), 0);
	row = find_row(fd, "sysctl", "name", "net.ipv4.ip_forward");
	eq(number(row, "value"), 1);
	eq(number(row, "default"), 0);
	eq(number(row, "max"), 1);
	json_decref(row);
	plx_telem_common_del();
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_(all_rows_arrive_by_pages_with_all_kinds_of_fields),
		T_(rows_are_made_by_the_owner),
		T_(a_name_is_taken_until_it_is_given_back),
		T_(several_are_added_or_none),
		T_(a_name_that_rte_telemetry_refuses_is_refused),
		T_(a_cursor_that_is_no_number_is_refused),
		T_(a_table_may_go_while_it_is_read),
		T_(drops_and_counters_are_summed_over_lcores),
		T_(every_list_is_there_whole),
		T_(a_tunable_shows_its_live_value),
	};

	return cmocka_run_group_tests(tests, eal_start, eal_stop);
}
