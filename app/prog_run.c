/* SPDX-License-Identifier: BSD-3-Clause */
#include "prog.h"

#include <errno.h>

/* Programs in a run of the stack: made, counted, reported. */

/** What a struct stack's arg points to. */
struct progs {
	const struct prog_ops *ops;
	void *arg;
	struct prog *prog[PLX_ENGINE_LCORES_MAX];
};

void *prog_arg(const struct stack *s)
{
	return ((const struct progs *)s->arg)->arg;
}

struct prog *prog_get(const struct stack *s, uint16_t i)
{
	return ((const struct progs *)s->arg)->prog[i];
}

static void each(const struct stack *s, unsigned int count, uint64_t *value)
{
	for (uint16_t i = 0; i < s->lcores; i++)
		value[i] = plx_count_read(prog_get(s, i)->count[count]);
}

uint64_t prog_sum(const struct stack *s, unsigned int count)
{
	uint64_t value[PLX_ENGINE_LCORES_MAX];

	each(s, count, value);
	return stack_sum(value, s->lcores);
}

static int begin(struct stack *s, struct plx_error *e)
{
	struct progs *progs = s->arg;
	const struct prog_ops *ops = progs->ops;
	int err = ops->prepare ? ops->prepare(s, e) : 0;

	for (uint16_t i = 0; !err && i < s->lcores; i++) {
		struct prog *p = prog_make(ops, progs->arg);

		if (!p)
			return plx_error_set(e, -ENOMEM, PLX_ERR_NO_MEMORY, "programs");
		plx_sock_program_add(s->sock, i, &p->program);
		progs->prog[i] = p;
	}
	return err;
}

static int why_not(const struct prog *p, struct plx_error *e)
{
	if (p->host)
		return plx_error_set(e, p->err, PLX_ERR_NAME, p->host, p->why);
	return plx_error_set(e, p->err, PLX_ERR_RUN, "a program's sockets", strerror(-p->err));
}

static void end(struct stack *s)
{
	const struct progs *progs = s->arg;

	for (uint16_t i = 0; i < s->lcores; i++) {
		const struct prog *p = prog_get(s, i);

		if (p && p->err && !s->run->err)
			s->run->err = why_not(p, &s->run->error);
	}
	if (progs->ops->end)
		progs->ops->end(s);
}

static void json(struct stack *s, json_t *o, bool final)
{
	const struct prog_ops *ops = ((const struct progs *)s->arg)->ops;
	uint64_t value[PLX_ENGINE_LCORES_MAX];

	for (unsigned int i = 0; ops->counts && ops->counts[i]; i++) {
		each(s, i, value);
		stack_json_counter(o, ops->counts[i], value, s->lcores);
	}
	if (ops->json)
		ops->json(s, o, final);
}

static void text(struct stack *s, FILE *out)
{
	const struct prog_ops *ops = ((const struct progs *)s->arg)->ops;

	for (unsigned int i = 0; ops->counts && ops->counts[i]; i++)
		fprintf(out, "%s%s %llu", i ? ", " : "", ops->counts[i],
			(unsigned long long)prog_sum(s, i));
	fputc('\n', out);
	if (ops->text)
		ops->text(s, out);
}

int prog_main(struct app *app, const struct prog_ops *ops, void *arg)
{
	static const struct stack_ops stack_ops = {
		.begin = begin, .end = end, .json = json, .text = text};
	static struct stack s; /* its plan is large */
	/* stays as long as the process, with what programs have open at the end */
	static struct progs progs;

	progs = (struct progs){.ops = ops, .arg = arg};
	s = (struct stack){.app = app, .ops = &stack_ops, .sockets = true, .arg = &progs};
	return stack_run(&s);
}
