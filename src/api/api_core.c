#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/scope.h"
#include "base/util.h"

SAME(TAGCORE_KIND_PROCESS, CORE_PROCESS);
SAME(TAGCORE_KIND_KDUMP, CORE_KDUMP);
SAME(TAGCORE_KIND_QEMU, CORE_QEMU);
SAME(TAGCORE_KIND_VMCORE, CORE_VMCORE);
SAME(TAGCORE_KIND_KCORE, CORE_KCORE);
SAME(TAGCORE_KIND_FREEBSD, CORE_FREEBSD);
SAME(TAGCORE_KIND_OPENBSD, CORE_OPENBSD);
SAME(TAGCORE_KIND_NETBSD, CORE_NETBSD);
SAME(TAGCORE_KIND_SOLARIS, CORE_SOLARIS);

struct tagcore_core *api_core_make(struct tagcore_error *error)
{
	struct tagcore_core *c = calloc(1, sizeof(*c));

	if (!c)
		api_fail(error, -ENOMEM, "core");
	return c;
}

void tagcore_core_close(struct tagcore_core *c)
{
	if (!c)
		return;
	mm_close(&c->mm.mm);
	page_source_close(&c->pages.src);
	core_close(&c->core);
	free(c->threads);
	free(c->names);
	free(c);
}

static void fill_thread(struct tagcore_core *c, size_t i)
{
	const struct core_thread *t = &c->core.threads[i];
	struct tagcore_thread *out = &c->threads[i];

	*out = (struct tagcore_thread){ .tid = t->tid, .signal = t->cursig, .crashed = t == c->core.crashed, .state = t->state };
	out->has_pc = !core_thread_pc(&c->core, t, &out->pc, NULL);
	out->has_sp = !core_thread_sp(&c->core, t, &out->sp, NULL);
	out->name = core_thread_name(&c->core, t, c->names[i]);
}

static int fill_threads(struct tagcore_core *c, struct err *e)
{
	c->threads = calloc(c->core.n_threads + 1, sizeof(*c->threads));
	c->names = calloc(c->core.n_threads + 1, sizeof(*c->names));
	if (!c->threads || !c->names)
		return err_set(e, -ENOMEM, "%zu threads", c->core.n_threads);
	for (size_t i = 0; i < c->core.n_threads; i++)
		fill_thread(c, i);
	return 0;
}

static void fill_file(struct tagcore_core *c)
{
	struct core *core = &c->core;
	struct tagcore_core_info *o = &c->info;

	o->kind = (enum tagcore_core_kind)core->kind;
	o->kind_name = core_kind_name(core->kind);
	o->bits = core->fmt.class == ELFCLASS32 ? 32 : 64;
	o->big_endian = core->fmt.data == ELFDATA2MSB;
	o->machine = core_machine(core, c->machine);
	o->maker = core_tool(core, c->maker, sizeof(c->maker));
	o->size = core->file.size;
	o->file_size = core->file.packing ? core->file.packing->size : core->file.size;
	o->compression = core->file.packing ? core->file.packing->name : NULL;
}

static void fill_process(struct tagcore_core *c)
{
	struct core_procinfo *p = &c->process;
	struct tagcore_core_info *o = &c->info;

	core_procinfo(&c->core, p);
	o->pid = p->has_pid ? p->pid : -1;
	o->uid = p->has_uid ? p->uid : -1;
	o->command = p->has_name ? p->name : NULL;
	o->arguments = p->has_args ? p->args : NULL;
}

static void fill_signal(struct tagcore_core *c)
{
	struct tagcore_core_info *o = &c->info;
	struct core_siginfo si;
	bool has_si;

	o->signal = core_crash_signal(&c->core, &si, &has_si);
	o->signal_name = o->signal ? core_signal_text(&c->core, o->signal, c->signal_name) : NULL;
	o->signal_code = has_si ? si.code : 0;
	o->has_fault_address = has_si && si.has_addr;
	o->fault_address = o->has_fault_address ? si.addr : 0;
	o->crashed = c->core.crashed ? &c->threads[c->core.crashed - c->core.threads] : NULL;
}

int api_core_fill(struct tagcore_core *c, struct tagcore_error *error)
{
	struct core_loss loss;
	struct err e = { 0 };
	int r = fill_threads(c, &e);

	if (!r)
		r = mm_open_core(&c->mm.mm, &c->core, &e);
	if (!r)
		r = core_loss(&c->core, &loss, &e);
	if (r)
		return api_error(error, r, &e);
	page_source_open_core(&c->pages.src, &c->core);
	fill_file(c);
	fill_process(c);
	fill_signal(c);
	c->info.lost = loss.bytes;
	c->info.truncated = core_is_truncated(&c->core) || core_loss_any(&loss);
	return 0;
}

int api_core_file(struct core_file *file, const struct tagcore_open_options *options, struct tagcore_error *error)
{
	struct tagcore_open_options o;
	int r = api_options(&o, sizeof(o), options, error);

	if (!r)
		*file = (struct core_file){ .cancel = o.cancel, .unpack_limit = o.unpack_limit };
	return r;
}

/* Takes over @file, also on failure. */
static int open_core(struct tagcore_core **out, struct core_file *file, const char *name, struct tagcore_error *error)
{
	struct tagcore_core *c = api_core_make(error);
	struct err e = { 0 };
	int r;

	if (!c) {
		core_file_close(file);
		return -ENOMEM;
	}
	r = core_open_file(&c->core, file, name, &e);
	r = r ? api_error(error, r, &e) : api_core_fill(c, error);
	if (r)
		tagcore_core_close(c);
	else
		*out = c;
	return r;
}

int tagcore_core_open(struct tagcore_core **core, const char *path, const struct tagcore_open_options *options,
		      struct tagcore_error *error)
{
	struct core_file file;
	struct err e = { 0 };
	int r = api_core_file(&file, options, error);

	if (r)
		return r;
	if (!core || !path)
		return api_fail(error, ERR_USAGE, "the core to open is NULL");
	r = core_file_open(&file, path, &e);
	return r ? api_error(error, r, &e) : open_core(core, &file, path, error);
}

int tagcore_core_open_fd(struct tagcore_core **core, int fd, const char *name, const struct tagcore_open_options *options,
			 struct tagcore_error *error)
{
	struct core_file file;
	struct err e = { 0 };
	int own, r = api_core_file(&file, options, error);

	if (r)
		return r;
	if (!core)
		return api_fail(error, ERR_USAGE, "the core to open is NULL");
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return api_fail(error, -errno, "duplicate the descriptor %d", fd);
	name = name ? name : "the core";
	r = core_file_open_fd(&file, own, name, &e);
	return r ? api_error(error, r, &e) : open_core(core, &file, name, error);
}

const struct tagcore_core_info *tagcore_core_get_info(const struct tagcore_core *c)
{
	return &c->info;
}

size_t tagcore_core_segments(const struct tagcore_core *c)
{
	return c->core.n_segs;
}

const struct tagcore_segment *tagcore_core_segment(struct tagcore_core *c, size_t i)
{
	const GElf_Phdr *p;

	if (i >= c->core.n_segs)
		return NULL;
	p = &c->core.segs[i];
	c->segment = (struct tagcore_segment){
		.type = p->p_type, .flags = p->p_flags, .offset = p->p_offset, .vaddr = p->p_vaddr, .paddr = p->p_paddr,
		.filesz = p->p_filesz, .memsz = p->p_memsz, .align = p->p_align, .in_file = core_seg_in_file(&c->core, i),
	};
	return &c->segment;
}

int tagcore_core_auxv(const struct tagcore_core *c, uint64_t type, uint64_t *value)
{
	u64 v;

	if (!core_auxv(&c->core, type, &v))
		return 0;
	*value = v;
	return 1;
}

int tagcore_auxv_each(const struct tagcore_core *c, int (*fn)(uint64_t type, uint64_t value, void *arg), void *arg)
{
	struct auxv_iter it;
	struct auxv a;
	int r = 0;

	auxv_iter_init(&it, &c->core);
	while (!r && auxv_next(&it, &a))
		r = fn(a.type, a.value, arg);
	return r;
}
