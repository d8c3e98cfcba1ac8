#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/scope.h"
#include "dump/dump_priv.h"

/* A name in a file name: '/' would lead elsewhere, so it becomes '!' as in the kernel (fs/coredump.c: cn_escape()). */
static int put_name(struct buf *b, const char *name, struct err *e)
{
	size_t begin = b->len;
	/* cn_vprintf(): "." and ".." as a whole name would lead elsewhere, too. */
	bool dots = !strcmp(name, ".") || !strcmp(name, "..");
	int r = *name ? buf_add(b, name, strlen(name), e) : buf_add(b, "!", 1, e);

	for (size_t i = begin; !r && i < b->len; i++)
		if (b->p[i] == '/' || (dots && i == begin))
			b->p[i] = '!';
	return r;
}

static int put_specifier(struct buf *b, char c, pid_t pid, const char *comm, struct err *e)
{
	char host[256] = "";

	switch (c) {
	case '%':
		return buf_add(b, "%", 1, e);
	case 'p':
		return buf_printf(b, e, "%d", pid);
	case 'e':
		return put_name(b, comm, e);
	case 'h':
		if (gethostname(host, sizeof(host) - 1))
			return err_set(e, -errno, "host name");
		return put_name(b, host, e);
	case 't':
		return buf_printf(b, e, "%lld", (long long)time(NULL));
	default:
		return err_set(e, ERR_USAGE, "output name: %%%c is not one of %%p %%e %%h %%t %%%%", c ? c : ' ');
	}
}

bool template_is_literal(const char *template)
{
	for (const char *s = template; *s; s++)
		if (*s == '%' && *++s != '%')
			return false;
	return true;
}

int dump_template(const char *template, pid_t pid, const char *comm, char **out, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = 0;

	for (const char *s = template; !r && *s; s++) {
		if (*s != '%')
			r = buf_add(&b, s, 1, e);
		else
			r = put_specifier(&b, *++s, pid, comm, e);
		if (!*s)
			break;
	}
	if (!r && !b.len)
		r = err_set(e, ERR_USAGE, "output name is empty");
	if (!r)
		r = buf_add(&b, "", 1, e);
	if (r)
		return r;
	*out = (char *)take_ptr(b.p);
	return 0;
}
