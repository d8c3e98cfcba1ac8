#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "core/core_priv.h"
#include "elf/elffmt.h"

static int refuse(struct core *c, enum core_fault fault, struct err *e)
{
	c->fault = fault;
	return e ? e->code : ERR_INPUT;
}

static int load_header(struct core *c, struct err *e)
{
	u8 raw[sizeof(Elf64_Ehdr)];
	size_t len = (size_t)min(c->file.size, (u64)sizeof(raw));
	struct bytes b = { .p = raw, .len = len };
	int r = core_file_read(&c->file, 0, raw, len, e);

	if (r)
		return r;
	if (core_other_format(b)) {
		err_at(e, ERR_INPUT, 0, "not an ELF file, but %s", core_other_format(b));
		return refuse(c, CORE_FAULT_IDENT, e);
	}
	if (elffmt_ident(b, &c->fmt, e) || elffmt_get_ehdr(c->fmt, b, &c->ehdr, e))
		return refuse(c, CORE_FAULT_IDENT, e);
	if (c->ehdr.e_type != ET_CORE) {
		err_at(e, ERR_INPUT, EI_NIDENT, "an ELF file of type %u, not a core (4)", c->ehdr.e_type);
		return refuse(c, CORE_FAULT_TYPE, e);
	}
	if (c->ehdr.e_phnum && c->ehdr.e_phentsize != elffmt_phdr_size(c->fmt)) {
		err_at(e, ERR_INPUT, c->fmt.class == ELFCLASS32 ? 42 : 54,
		       "program headers of %u bytes, this class has %zu", c->ehdr.e_phentsize,
		       elffmt_phdr_size(c->fmt));
		return refuse(c, CORE_FAULT_PHENTSIZE, e);
	}
	c->arch = arch_find(c->ehdr.e_machine, c->fmt, c->ehdr.e_flags);
	return 0;
}

static int load(struct core *c, struct err *e)
{
	int r = load_header(c, e);

	if (!r)
		r = core_load_segs(c, e);
	if (!r)
		r = core_load_notes(c, e);
	if (!r)
		r = core_load_threads(c, e);
	if (!r) {
		c->kind = core_find_kind(c);
		core_find_crashed(c);
	}
	if (!r)
		r = core_load_maps(c, e);
	if (!r)
		r = core_load_tagcore(c, e);
	if (!r)
		r = core_load_areas(c, e);
	if (!r)
		core_mark_shadow_stacks(c);
	return r ? r : core_load_tags(c, e);
}

/* Forgets all but the file. */
static void unload(struct core *c)
{
	struct core_file file = c->file;

	c->file = (struct core_file){ 0 };
	core_close(c);
	c->file = file;
	c->cancel = file.cancel;
}

/*
 * If a packed file proves damaged while it is read, the core is what comes before,
 * as if it ended there: headers and notes can be of use without the rest.
 */
static int start_and_load(struct core *c, struct err *e)
{
	enum { TRIES = 3 };	/* one, but for files that are made to */
	const struct core_packing *p = c->file.packing;
	int r = core_file_start(&c->file, e);

	if (!r)
		r = load(c, e);
	for (int i = 0; r && i < TRIES && p && p->good_to && p->good_to < c->file.size; i++) {
		c->file.size = p->good_to;
		unload(c);
		r = load(c, e);
	}
	return r;
}

int core_open_file(struct core *core, struct core_file *file, const char *name, struct err *e)
{
	struct core c scoped(core_close) = { .file = *file, .cancel = file->cancel };
	struct err own;
	int r;

	*file = (struct core_file){ 0 };
	*core = (struct core){ 0 };
	if (!e)
		e = &own;
	r = start_and_load(&c, e);
	if (r) {
		core->fault = c.fault;
		return err_wrap(e, "%s", name);
	}
	*core = c;
	c = (struct core){ 0 };
	return 0;
}

int core_open(struct core *core, const char *path, struct err *e)
{
	struct core_file file = { 0 };
	int r;

	*core = (struct core){ 0 };
	r = core_file_open(&file, path, e);
	return r ? r : core_open_file(core, &file, path, e);
}

void core_close(struct core *c)
{
	core_file_close(&c->file);
	core_close_os(c);
	free(c->segs);
	free(c->areas);
	free(c->tagged);
	free(c->note_data);
	free(c->note_segs);
	free(c->notes);
	free(c->threads);
	free(c->by_tid);
	free(c->maps);
	free(c->noted_areas);
	free(c->missing);
	free(c->missing_tags);
	free(c->missing_other);
	*c = (struct core){ 0 };
}
