#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "unwind/code/capstone.h"
#include "unwind/unwind.h"

const char unwind_code_library[] = CAPSTONE_SONAME;

#define FN(name) { "cs_" #name, offsetof(struct capstone, name) }
static const struct {
	const char *name;
	size_t at;
} functions[] = {
	FN(open), FN(option), FN(close), FN(malloc), FN(free), FN(disasm_iter), FN(regs_access), FN(insn_group),
	FN(reg_name), FN(group_name),
};

static bool no_more;

void unwind_load_no_code(void)
{
	no_more = true;
}

static int load(struct capstone *c, struct err *e)
{
	void *fn;

	if (no_more)
		return err_set(e, -ENOENT, "%s: no library is loaded any more", CAPSTONE_SONAME);
	c->library = dlopen(CAPSTONE_SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!c->library)
		return err_set(e, -ENOENT, "%s", dlerror());
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		fn = dlsym(c->library, functions[i].name);
		if (!fn)
			return err_set(e, -ENOENT, "%s has no %s", CAPSTONE_SONAME, functions[i].name);
		memcpy((char *)c + functions[i].at, &fn, sizeof(fn));
	}
	return 0;
}

static int start(struct capstone *c, cs_arch arch, cs_mode mode, struct err *e)
{
	if (c->open(arch, mode, &c->handle))
		return err_set(e, -ENOENT, "%s does not know this machine", CAPSTONE_SONAME);
	c->option(c->handle, CS_OPT_DETAIL, CS_OPT_ON);
	c->insn = c->malloc(c->handle);
	return c->insn ? 0 : err_set(e, -ENOMEM, "%s: out of memory", CAPSTONE_SONAME);
}

int capstone_open(struct capstone **out, cs_arch arch, cs_mode mode, struct err *e)
{
	struct capstone *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "out of memory");
	r = load(c, e);
	if (!r)
		r = start(c, arch, mode, e);
	if (r)
		capstone_close(c);
	else
		*out = c;
	return r;
}

void capstone_close(struct capstone *c)
{
	if (!c)
		return;
	if (c->insn)
		c->free(c->insn, 1);
	if (c->handle)
		c->close(&c->handle);
	if (c->library)
		dlclose(c->library);
	free(c);
}
