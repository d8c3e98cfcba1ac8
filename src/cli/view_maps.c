#include <inttypes.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/view.h"

/*
 * Four letters as in maps; three where the core does not distinguish shared and
 * private; "???" for an area that is only in NT_FILE.
 */
static const char *prot_text(const struct core *c, const struct vma *v, char out[VMA_PERMS_MAX])
{
	const struct core_area *a = core_area_find(c, v->start);
	bool known = true;

	if (a)
		core_area_prot(c, a, &known);
	if (!known)
		return "???";
	vma_perms(v->flags, out);
	if (!core_noted_area_at(c, v->start))
		out[3] = 0;
	return out;
}

/* As the address before it, of at least @width digits. */
static const char *padded_end(u64 end, int width, char out[TEXT_END_MAX])
{
	if (end == UINT64_MAX)
		snprintf(out, TEXT_END_MAX, "10000000000000000");
	else
		snprintf(out, TEXT_END_MAX, "%0*" PRIx64, width, end);
	return out;
}

static int add_saved(const struct vma *v, const struct page_run *r, void *arg, struct err *e)
{
	u64 *saved = arg;

	(void)v;
	(void)e;
	*saved += range_len(r->start, r->end);
	return 0;
}

static const struct page_walk_ops saved_ops = { .run = add_saved };

static void row_text(struct view_ctx *view, const struct vma *v, u64 saved)
{
	int w = view->core->fmt.class == ELFCLASS32 ? 8 : 12;
	FILE *f = view->out;
	char end[TEXT_END_MAX], prot[VMA_PERMS_MAX], size[TEXT_SIZE_MAX], kept[TEXT_SIZE_MAX];

	fprintf(f, "%0*" PRIx64 "-%s %-4s %12" PRIx64 " %10s %10s  ", w, v->start, padded_end(v->end, w, end),
		prot_text(view->core, v, prot), v->pgoff, text_size(range_len(v->start, v->end), size),
		text_size(saved, kept));
	text_puts(f, v->name);
	fputs(vma_is_mte(v) ? " (mte)" : "", f);
	if (v->flags & VM_SHADOW_STACK)
		fputs(view->core->ehdr.e_machine == EM_AARCH64 ? " (guarded control stack)" : " (shadow stack)", f);
	fputc('\n', f);
}

static struct json_object *row_json(struct view_ctx *view, const struct vma *v, u64 saved)
{
	struct json_object *o = json_object_new_object();
	char prot[VMA_PERMS_MAX];

	json_put_hex(o, "start", v->start);
	json_put_end(o, "end", v->end);
	json_put_text(o, "prot", prot_text(view->core, v, prot));
	json_put_u64(o, "offset", v->pgoff);
	json_put_text(o, "name", v->name);
	json_put_u64(o, "saved_bytes", saved);
	json_put_bool(o, "mte", vma_is_mte(v));
	json_put_bool(o, "shadow_stack", v->flags & VM_SHADOW_STACK);
	json_put_null(o, "physical");
	return o;
}

static int print_areas(struct view_ctx *view, struct mm *mm, struct json_list *l, struct err *e)
{
	struct page_source src;
	struct vma *v;
	int r = 0;

	page_source_open_core(&src, view->core);
	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, v) {
		u64 saved = 0;

		r = page_walk_vma(&src, v, v->start, v->end, &saved_ops, &saved, e);
		if (r)
			break;
		if (l)
			json_list_add(l, row_json(view, v, saved));
		else
			row_text(view, v, saved);
	}
	page_source_close(&src);
	return r ? r : vma_iter_end(&vmi, e);
}

static int print_process(struct view_ctx *view, struct err *e)
{
	struct mm mm = { 0 };
	struct json_list l;
	int r = mm_open_core(&mm, view->core, e);

	if (r)
		return r;
	if (view->json)
		l = json_list_begin(view->out);
	else
		fprintf(view->out, "%-*s %-4s %12s %10s %10s  %s\n", view->core->fmt.class == ELFCLASS32 ? 17 : 25,
			"START-END", "PROT", "OFFSET", "SIZE", "SAVED", "NAME");
	r = print_areas(view, &mm, view->json ? &l : NULL, e);
	if (view->json)
		json_list_end(&l);
	mm_close(&mm);
	return r;
}

static void machine_json(struct json_list *l, const struct core *c, size_t i)
{
	const GElf_Phdr *p = &c->segs[i];
	struct json_object *o = json_object_new_object();
	char prot[4];

	json_put_hex(o, "start", p->p_vaddr);
	json_put_end(o, "end", range_end(p->p_vaddr, p->p_memsz));
	json_put_text(o, "prot", view_seg_flags(p, prot));
	json_put_u64(o, "offset", 0);
	json_put_null(o, "name");
	json_put_u64(o, "saved_bytes", core_seg_in_file(c, i));
	json_put_bool(o, "mte", false);
	json_put_bool(o, "shadow_stack", false);
	json_put_hex(o, "physical", p->p_paddr);
	json_list_add(l, o);
}

static void machine_text(FILE *f, const struct core *c, size_t i)
{
	const GElf_Phdr *p = &c->segs[i];
	int w = c->fmt.class == ELFCLASS32 ? 8 : 16;
	char end[TEXT_END_MAX], prot[4], size[TEXT_SIZE_MAX], kept[TEXT_SIZE_MAX];

	fprintf(f, "%0*" PRIx64 "-%s %-4s %*" PRIx64 " %10s %10s\n", w, (u64)p->p_vaddr,
		padded_end(range_end(p->p_vaddr, p->p_memsz), w, end), view_seg_flags(p, prot), w, (u64)p->p_paddr,
		text_size(p->p_memsz, size), text_size(core_seg_in_file(c, i), kept));
}

/*
 * A machine's memory may be at several addresses, or at none that is known (qemu
 * without -p then has the physical one): each segment as it stands.
 */
static void print_machine(struct view_ctx *view)
{
	const struct core *c = view->core;
	int w = c->fmt.class == ELFCLASS32 ? 8 : 16;
	struct json_list l;

	if (view->json)
		l = json_list_begin(view->out);
	else
		fprintf(view->out, "%-*s %-4s %*s %10s %10s\n", 2 * w + 1, "START-END", "PROT", w, "PHYSICAL", "SIZE",
			"SAVED");
	for (size_t i = 0; i < c->n_segs; i++) {
		if (c->segs[i].p_type != PT_LOAD)
			continue;
		if (view->json)
			machine_json(&l, c, i);
		else
			machine_text(view->out, c, i);
	}
	if (view->json)
		json_list_end(&l);
}

int view_maps(struct view_ctx *view, struct err *e)
{
	if (core_kind_is_machine(view->core->kind)) {
		print_machine(view);
		return 0;
	}
	return print_process(view, e);
}
