/* SPDX-License-Identifier: BSD-3-Clause */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <plx_base.h>

#include "cmd.h"

/* --- the commands of the test ------------------------------------------------------------------
 */

static char said[256]; /* what the last handler saw */

static int greet(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	snprintf(said, sizeof(said), "%s %s %lld", (const char *)arg,
		plx_telem_args_str(args, "name"), (long long)plx_telem_args_int(args, "times", -1));
	return 0;
}

static int fail_with(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	int err = (int)plx_telem_args_int(args, "errno", 0);

	return err == EEXIST ? plx_telem_reply_error(reply, -err, "%s is there", "10.0.0.1") : -err;
}

static int count(const struct plx_telem_args *args, struct plx_telem_reply *reply, void *arg)
{
	plx_telem_reply_int(reply, "tap", 3);
	plx_telem_reply_int(reply, "bytes", INT64_MAX);
	plx_telem_reply_int(reply, "ok", 7); /* not its own word */
	return (int)plx_telem_args_int(args, "err", 0);
}

static const struct plx_telem_cmd rows[] = {
	{.name = "greet", .args = "name:s times:i?", .help = "say hello", .run = greet},
	{.name = "fail", .args = "errno:i", .help = "fail", .run = fail_with},
	{.name = "count", .args = "err:i?", .help = "numbers", .run = count},
};
static char hello[] = "hello", welcome[] = "welcome";
static struct plx_telem_cmds cmds = {.cmd = rows, .n = PLX_DIM(rows), .arg = hello};
static struct plx_telem_cmds again = {.cmd = rows, .n = 1, .arg = welcome};

/* --- a server, and clients in the same thread --------------------------------------------------
 */

static char dir[64], path[128];
static struct plx_telem_server *server;

static int start(void **state)
{
	struct plx_error e;

	snprintf(dir, sizeof(dir), "/tmp/plx-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/" PLX_TELEM_SOCKET, dir);
	plx_telem_cmds_add(&cmds);
	server = plx_telem_server_open(dir, &e);
	return server ? 0 : -1;
}

static int stop(void **state)
{
	plx_telem_server_close(server);
	plx_telem_cmds_del(&cmds);
	unlink(path);
	return rmdir(dir);
}

static int connected(int flags)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | flags, 0);

	memcpy(a.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int dial(void)
{
	int fd = connected(SOCK_NONBLOCK);

	plx_telem_server_serve(server);
	return fd;
}

static bool told(int fd, const void *text, size_t len)
{
	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/** Its reply, or NULL when there is none; "" when it has hung up. */
static const char *heard(int fd)
{
	static char buf[16384];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	if (n < 0)
		return errno == EAGAIN ? NULL : "";
	buf[n] = '\0';
	return buf;
}

static const char *ask(int fd, const char *request)
{
	ok(told(fd, request, strlen(request)));
	plx_telem_server_serve(server);
	return heard(fd);
}

/** The error's name and message, or "ok". */
static const char *verdict(const char *reply)
{
	static char text[512];
	json_t *j = reply ? json_loads(reply, 0, NULL) : NULL, *e = json_object_get(j, "error");

	snprintf(text, sizeof(text), "no reply: %s", reply ? reply : "");
	if (json_is_true(json_object_get(j, "ok")))
		snprintf(text, sizeof(text), "ok");
	else if (e)
		snprintf(text, sizeof(text), "%s: %s",
			json_string_value(json_object_get(e, "name")),
			json_string_value(json_object_get(e, "message")));
	json_decref(j);
	return text;
}

#define says(reply, text) str_eq(verdict(reply), text)

/* --- requests ----------------------------------------------------------------------------------
 */

T(a_command_runs_with_its_arguments)
{
	int fd = dial();

	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\"}}"), "ok");
	str_eq(said, "hello Ada -1");
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\",\"times\":3}}"), "ok");
	str_eq(said, "hello Ada 3");
	close(fd);
}

T(an_error_has_number_name_and_message)
{
	int fd = dial();

	str_eq(ask(fd, "{\"cmd\":\"fail\",\"args\":{\"errno\":17}}"),
		"{\"error\":{\"errno\":17,\"name\":\"EEXIST\","
		"\"message\":\"fail: 10.0.0.1 is there\"}}");
	says(ask(fd, "{\"cmd\":\"fail\",\"args\":{\"errno\":2}}"),
		"ENOENT: fail: No such file or directory");
	says(ask(fd, "{\"cmd\":\"fail\",\"args\":{\"errno\":0}}"), "ok");
	close(fd);
}

T(an_answer_may_have_numbers)
{
	int fd = dial();

	str_eq(ask(fd, "{\"cmd\":\"count\"}"),
		"{\"ok\":true,\"tap\":3,\"bytes\":9223372036854775807}");
	str_eq(ask(fd, "{\"cmd\":\"count\",\"args\":{\"err\":-2}}"),
		"{\"error\":{\"errno\":2,\"name\":\"ENOENT\","
		"\"message\":\"count: No such file or directory\"}}");
	close(fd);
}

T(what_is_no_request_gets_an_error_and_the_client_stays)
{
	int fd = dial();

	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"na"),
		"EINVAL: premature end of input near '\"na'");
	says(ask(fd, "GET / HTTP/1.1\r\n\r\n"), "EINVAL: '[' or '{' expected near 'GET'");
	says(ask(fd, "[]"), "EINVAL: Expected object, got array");
	says(ask(fd, "{}"), "EINVAL: Object item not found: cmd");
	says(ask(fd, "{\"cmd\":7}"), "EINVAL: Expected string, got integer");
	says(ask(fd, "{\"cmd\":\"help\",\"x\":1}"), "EINVAL: 1 object item(s) left unpacked: x");
	says(ask(fd, "{\"cmd\":\"help\",\"cmd\":\"help\"}"),
		"EINVAL: duplicate object key near '\"cmd\"'");
	says(ask(fd, "{\"cmd\":\"dance\"}"), "ENOSYS: no command 'dance'; 'help' lists them");
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":[]}"), "EINVAL: args must be an object");
	says(ask(fd, "{\"cmd\":\"greet\"}"), "EINVAL: greet: argument 'name' is missing");
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":7}}"),
		"EINVAL: greet: argument 'name' must be a string");
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"x\",\"times\":1.5}}"),
		"EINVAL: greet: argument 'times' must be an integer");
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"x\",\"Times\":1}}"),
		"EINVAL: greet: unknown argument 'Times'");
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\"}}"), "ok");
	close(fd);
}

T(help_lists_the_commands)
{
	int fd = dial();

	str_eq(ask(fd, "{\"cmd\":\"help\"}"),
		"{\"ok\":true,\"commands\":["
		"{\"cmd\":\"greet\",\"args\":\"name:s times:i?\",\"help\":\"say hello\"},"
		"{\"cmd\":\"fail\",\"args\":\"errno:i\",\"help\":\"fail\"},"
		"{\"cmd\":\"count\",\"args\":\"err:i?\",\"help\":\"numbers\"}]}");
	close(fd);
}

T(the_command_added_last_runs)
{
	int fd = dial();

	plx_telem_cmds_add(&again);
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\"}}"), "ok");
	str_eq(said, "welcome Ada -1");
	plx_telem_cmds_del(&again);
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\"}}"), "ok");
	str_eq(said, "hello Ada -1");
	close(fd);
}

T(any_bytes_get_exactly_one_reply)
{
	static const char good[] = "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\",\"times\":3}}";
	struct plx_rng rng;

	plx_rng_init(&rng, t_seed(3));
	for (int i = 0; i < 20000; i++) {
		char request[sizeof(good)];
		char *reply;

		memcpy(request, good, sizeof(good));
		for (uint64_t n = plx_rng_below(&rng, 4); n; n--)
			request[plx_rng_below(&rng, sizeof(good) - 1)] = (char)plx_rng_u32(&rng);
		reply = telem__answer(request, plx_rng_below(&rng, sizeof(good)));
		ok(strncmp(verdict(reply), "no reply", 8) != 0);
		free(reply);
	}
}

/* --- hostile clients ---------------------------------------------------------------------------
 */

T(a_huge_request_is_refused_and_the_client_stays)
{
	static char huge[PLX_TELEM_REQUEST_BYTES + 1];
	int fd = dial();

	memset(huge, '[', sizeof(huge));
	ok(told(fd, huge, sizeof(huge)));
	plx_telem_server_serve(server);
	says(heard(fd), "EMSGSIZE: request too long");
	ok(told(fd, huge, PLX_TELEM_REQUEST_BYTES)); /* as deep as it gets */
	plx_telem_server_serve(server);
	says(heard(fd), "EINVAL: maximum parsing depth reached near '['");
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\"}}"), "ok");
	close(fd);
}

T(a_client_that_leaves_before_its_reply_is_forgotten)
{
	for (int i = 0; i < 3 * PLX_TELEM_CLIENTS; i++) {
		int fd = dial();

		ok(told(fd, "{\"cmd\":\"help\"}", 14));
		close(fd);
		plx_telem_server_serve(server); /* SIGPIPE would end the test */
	}
	int fd = dial();

	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\"}}"), "ok");
	close(fd);
}

T(a_client_that_never_reads_is_closed_and_others_are_served)
{
	int deaf = dial(), fd = dial();
	unsigned int sent = 0;

	while (told(deaf, "{\"cmd\":\"help\"}", 14)) {
		plx_telem_server_serve(server);
		ok(++sent < 100000);
		says(ask(fd, "{\"cmd\":\"fail\",\"args\":{\"errno\":1}}"),
			"EPERM: fail: Operation not permitted");
	}
	close(deaf);
	close(fd);
}

T(one_call_answers_a_bounded_number)
{
	int fd[PLX_TELEM_CLIENTS];
	unsigned int done;

	for (size_t i = 0; i < PLX_DIM(fd); i++)
		fd[i] = dial();
	for (size_t i = 0; i < PLX_DIM(fd); i++)
		for (int n = 0; n < 5; n++)
			ok(told(fd[i], "{}", 2));
	done = plx_telem_server_serve(server);
	ok(done > 0 && done <= 64);
	for (int calls = 0; done < 5 * PLX_DIM(fd); calls++) {
		done += plx_telem_server_serve(server);
		ok(calls < 100);
	}
	for (size_t i = 0; i < PLX_DIM(fd); i++)
		close(fd[i]);
}

T(the_client_silent_longest_makes_room)
{
	int fd[PLX_TELEM_CLIENTS], late;

	for (size_t i = 0; i < PLX_DIM(fd); i++)
		fd[i] = dial();
	says(ask(fd[0], "{\"cmd\":\"fail\",\"args\":{\"errno\":0}}"), "ok"); /* so it is fd[1] */
	late = dial();
	says(ask(late, "{\"cmd\":\"fail\",\"args\":{\"errno\":0}}"), "ok");
	str_eq(heard(fd[1]), "");
	for (size_t i = 0; i < PLX_DIM(fd); i++) {
		if (i != 1)
			says(ask(fd[i], "{\"cmd\":\"fail\",\"args\":{\"errno\":0}}"), "ok");
		close(fd[i]);
	}
	close(late);
}

/** Connects and is told that it may not. */
static bool refused(void)
{
	int fd = connected(0);

	return fd >= 0 && strcmp(verdict(heard(fd)), "EPERM: only root and the owner may") == 0 &&
	       strcmp(heard(fd), "") == 0;
}

T(another_user_is_refused)
{
	pid_t child;
	int status;

	if (geteuid() != 0) {
		print_message("not root: cannot become somebody else\n");
		skip();
	}
	chmod(dir, 0755); /* let it get as far as the check */
	chmod(path, 0666);
	child = fork();
	if (child == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(1);
		_exit(refused() ? 0 : 2);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		plx_telem_server_serve(server);
	eq(status, 0);
}

/* --- the file ----------------------------------------------------------------------------------
 */

T(the_file_is_for_the_owner_alone_and_goes_with_the_server)
{
	struct stat st;

	eq(stat(path, &st), 0);
	eq(st.st_mode, S_IFSOCK | 0600);
	plx_telem_server_close(server);
	server = NULL;
	ne(stat(path, &st), 0);
}

T(a_live_socket_is_left_alone)
{
	struct plx_telem_server *second = plx_telem_server_open(dir, NULL), *third;
	char other[256];
	int fd;

	third = plx_telem_server_open(dir, NULL);
	ok(second != NULL && third != NULL);
	for (int i = 1; i <= 2; i++) {
		snprintf(other, sizeof(other), "%s:%d", path, i);
		eq(access(other, F_OK), 0);
	}
	plx_telem_server_close(second);
	plx_telem_server_close(third);
	ne(access(other, F_OK), 0);
	fd = dial();
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\"}}"), "ok");
	close(fd);
}

T(a_dead_process_socket_is_replaced)
{
	pid_t child;
	int status, fd;

	plx_telem_server_close(server);
	child = fork();
	if (child == 0)
		_exit(plx_telem_server_open(dir, NULL) ? 0 : 1); /* and does not clean up */
	eq(waitpid(child, &status, 0), child);
	eq(status, 0);
	eq(access(path, F_OK), 0);
	eq(connected(0), -ECONNREFUSED);
	server = plx_telem_server_open(dir, NULL);
	ok(server != NULL);
	fd = dial();
	says(ask(fd, "{\"cmd\":\"greet\",\"args\":{\"name\":\"Ada\"}}"), "ok");
	close(fd);
}

T(what_is_no_socket_is_left_alone)
{
	struct plx_error e = {0};

	plx_telem_server_close(server);
	server = NULL;
	close(open(path, O_CREAT | O_WRONLY, 0600));
	ok(plx_telem_server_open(dir, &e) == NULL);
	eq(e.id, PLX_ERR_CONTROL_SOCKET);
	eq(access(path, F_OK), 0);
}

T(another_ones_file_is_not_removed)
{
	struct plx_telem_server *other;

	unlink(path);
	other = plx_telem_server_open(dir, NULL);
	ok(other != NULL);
	plx_telem_server_close(server);
	server = other;
	eq(access(path, F_OK), 0);
}

T(a_directory_that_cannot_be_used_says_why)
{
	struct plx_error e = {0};
	char deep[512];

	ok(plx_telem_server_open("/nowhere", &e) == NULL);
	str_eq(e.text, "control socket /nowhere/pollux.sock: No such file or directory");
	memset(deep, 'd', sizeof(deep) - 1);
	deep[0] = '/';
	deep[sizeof(deep) - 1] = '\0';
	ok(plx_telem_server_open(deep, &e) == NULL);
	eq(e.id, PLX_ERR_CONTROL_SOCKET);
}

#define S_(name) cmocka_unit_test_setup_teardown(name, start, stop)

RUN(S_(a_command_runs_with_its_arguments), S_(an_error_has_number_name_and_message),
	S_(an_answer_may_have_numbers), S_(what_is_no_request_gets_an_error_and_the_client_stays),
	S_(help_lists_the_commands), S_(the_command_added_last_runs),
	S_(any_bytes_get_exactly_one_reply), S_(a_huge_request_is_refused_and_the_client_stays),
	S_(a_client_that_leaves_before_its_reply_is_forgotten),
	S_(a_client_that_never_reads_is_closed_and_others_are_served),
	S_(one_call_answers_a_bounded_number), S_(the_client_silent_longest_makes_room),
	S_(another_user_is_refused), S_(the_file_is_for_the_owner_alone_and_goes_with_the_server),
	S_(a_live_socket_is_left_alone), S_(a_dead_process_socket_is_replaced),
	S_(what_is_no_socket_is_left_alone), S_(another_ones_file_is_not_removed),
	S_(a_directory_that_cannot_be_used_says_why))
