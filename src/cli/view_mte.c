#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "cli/view.h"
#include "elf/tags.h"

static bool same_ctrl(const struct core_tag_ctrl *a, const struct core_tag_ctrl *b)
{
	return a->tagged_addresses == b->tagged_addresses && a->sync == b->sync && a->async == b->async &&
	       a->store_only == b->store_only && a->include_mask == b->include_mask;
}

static void gather_ctrl(const struct core *c, struct view_mte *m)
{
	const struct core_thread *t = c->crashed ? c->crashed : c->threads;
	struct core_tag_ctrl other;

	m->has_ctrl = c->n_threads && !core_tag_ctrl(c, t, &m->ctrl, NULL);
	m->same_ctrl = m->has_ctrl;
	m->of_crashed = c->crashed;
	for (size_t i = 0; m->same_ctrl && i < c->n_threads; i++)
		m->same_ctrl = !core_tag_ctrl(c, &c->threads[i], &other, NULL) && same_ctrl(&m->ctrl, &other);
}

/*
 * A tag fault's address has the pointer's tag in bits 59:56 (SEGV_MTEAERR has no
 * address).  Linux, Documentation/arch/arm64/memory-tagging-extension.rst.
 */
static int gather_fault(struct core *c, const struct core_siginfo *si, struct view_mte *m, struct err *e)
{
	if (c->ehdr.e_machine != EM_AARCH64 || !si || si->signo != SIGSEGV)
		return 0;
	m->is_async = si->code == SEGV_MTEAERR;
	m->is_fault = m->is_async || si->code == SEGV_MTESERR;
	if (!m->is_fault || m->is_async)
		return 0;
	m->addr = core_untag(c, si->addr);
	m->pointer_tag = tags_of_pointer(si->addr);
	return core_tag_at(c, m->addr, &m->memory, &m->memory_tag, e);
}

int view_mte_gather(struct core *c, const struct core_siginfo *si, struct view_mte *out, struct err *e)
{
	*out = (struct view_mte){ 0 };
	gather_ctrl(c, out);
	return gather_fault(c, si, out, e);
}

static struct json_object *ctrl_json(const struct view_mte *m)
{
	struct json_object *o;

	if (!m->has_ctrl)
		return NULL;
	o = json_object_new_object();
	json_put_bool(o, "tagged_addresses", m->ctrl.tagged_addresses);
	json_put_bool(o, "sync", m->ctrl.sync);
	json_put_bool(o, "async", m->ctrl.async);
	json_put_bool(o, "store_only", m->ctrl.store_only);
	json_put_hex(o, "include_mask", m->ctrl.include_mask);
	json_put_bool(o, "all_threads", m->same_ctrl);
	return o;
}

void view_mte_json(struct json_object *o, const struct view_mte *m)
{
	json_put_tag(o, "fault_tag", m->is_fault && !m->is_async ? TAG_KNOWN : TAG_NONE, m->pointer_tag);
	json_put_tag(o, "fault_memory_tag", m->is_fault ? m->memory : TAG_NONE, m->memory_tag);
	json_object_object_add(o, "tag_ctrl", ctrl_json(m));
}

void view_mte_text_fault(FILE *out, const struct view_mte *m)
{
	if (!m->is_fault)
		return;
	if (m->is_async) {
		fputs("tag fault  asynchronous: a pointer's tag was not the memory's; where is not known\n", out);
		return;
	}
	fprintf(out, "tag fault  synchronous at 0x%" PRIx64 ": pointer tag 0x%x, memory tag ", m->addr, m->pointer_tag);
	if (m->memory == TAG_KNOWN)
		fprintf(out, "0x%x%s\n", m->memory_tag,
			m->memory_tag == m->pointer_tag ? " (changed since: they agree now)" : "");
	else
		fputs(m->memory == TAG_ABSENT ? "not in this file\n" : "none: the area has no tags\n", out);
}

void view_mte_text_mode(FILE *out, const struct view_mte *m)
{
	const struct core_tag_ctrl *t = &m->ctrl;

	/* Every arm64 core has the note; where tagging is not in use it is not worth a line. */
	if (!m->has_ctrl || (m->same_ctrl && !t->sync && !t->async && !t->include_mask))
		return;
	fprintf(out, "tag check  %s%s, new tags from the mask 0x%04x%s%s\n",
		t->sync && t->async ? "synchronous or asynchronous, as the CPU prefers" :
		t->sync ? "synchronous" : t->async ? "asynchronous" : "none",
		t->store_only ? ", loads are unchecked" : "", t->include_mask,
		t->tagged_addresses ? "" : ", no tagged addresses in system calls",
		m->same_ctrl ? "" :
		m->of_crashed ? " (the thread that crashed; others differ)" : " (the first thread; others differ)");
}
