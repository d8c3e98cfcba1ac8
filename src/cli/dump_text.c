#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/dump_text.h"
#include "cli/json.h"

/* "in an uninterruptible sleep (kernel_clone)" */
const char *unstopped_text(const struct dump_unstopped *u, char out[UNSTOPPED_TEXT_MAX])
{
	if (u->wchan[0])
		snprintf(out, UNSTOPPED_TEXT_MAX, "%s (%s)", u->why->text, u->wchan);
	else
		snprintf(out, UNSTOPPED_TEXT_MAX, "%s", u->why->text);
	return out;
}

static void print_missing(FILE *f, const struct dump_report *r)
{
	enum { MOST = 10 };
	char size[TEXT_SIZE_MAX], why[UNSTOPPED_TEXT_MAX];

	for (size_t i = 0; i < r->missing.n && i < MOST; i++)
		fprintf(f, "  missing 0x%" PRIx64 "-0x%" PRIx64 " (%s): %s\n", r->missing.v[i].start,
			r->missing.v[i].end, text_size(r->missing.v[i].end - r->missing.v[i].start, size),
			r->missing.v[i].reason);
	if (r->missing.n > MOST)
		fprintf(f, "  and %zu ranges more: tagcore inspect missing lists them\n", r->missing.n - MOST);
	if (r->no_stop)
		fputs("  no registers were read, and memory may have changed while it was copied (--no-stop)\n", f);
	for (size_t i = 0; !r->no_stop && i < r->n_unstopped && i < MOST; i++)
		fprintf(f, "  thread %d did not stop: %s; its registers are not in the core\n", r->unstopped[i].tid,
			unstopped_text(&r->unstopped[i], why));
	if (r->n_unstopped > MOST && !r->no_stop)
		fprintf(f, "  and %zu threads more\n", r->n_unstopped - MOST);
	if (r->n_unstopped && !r->no_stop)
		fputs("  they could run and write to memory while it was copied\n", f);
}

static void print_unmatched(FILE *f, const struct unmatched *u)
{
	for (size_t i = 0; i < u->n; i++) {
		const struct plan_select *s = u->v[i].select;

		fprintf(f, "  %s ", s->include ? "--include" : "--exclude");
		text_puts(f, s->text);
		fputs(u->v[i].effect == PLAN_SELECT_NOTHING ? " matched nothing" : ": not saved: ", f);
		fprintf(f, "%s\n", u->v[i].why ? u->v[i].why : "");
	}
}

static void print_snapshot(FILE *f, const struct dump_report *r)
{
	if (r->late[0])
		fprintf(f, "  stopped %s\n", r->late);
	if (r->no_precopy[0])
		fprintf(f, "  %s\n", r->no_precopy);
	if (r->no_snapshot[0])
		fprintf(f, "  %s; it was stopped while it was saved\n", r->no_snapshot);
	if (r->zombie_left)
		fprintf(f, "  a zombie of the snapshot stays until process %d ends or waits for it\n", r->pid);
}

static void print_rounds(FILE *f, const struct dump_report *r)
{
	char copied[TEXT_SIZE_MAX], rest[TEXT_SIZE_MAX];

	fprintf(f, " (%s copied before, in %" PRIu32 " rounds, %s then)", text_size(r->precopied, copied), r->rounds,
		text_size(r->rest, rest));
}

/* What a dump that is hardly noticed has cost all the same. */
static void print_cost(FILE *f, const struct dump_report *r)
{
	char pte[TEXT_SIZE_MAX], own[TEXT_SIZE_MAX], split[TEXT_SIZE_MAX];

	if (r->snapshot)
		fprintf(f, "  the copy took %s of page tables, and %s that the process has written to or given back since\n",
			text_size(r->copy.pte, pte), text_size(r->copy.own, own));
	if (r->after.huge < r->before.huge)
		fprintf(f, "  huge pages of %s were split, or given back\n", text_size(r->before.huge - r->after.huge, split));
}

void report_print(FILE *f, const struct dump_report *r)
{
	char size[TEXT_SIZE_MAX], disk[TEXT_SIZE_MAX], lost[TEXT_SIZE_MAX];

	text_puts(f, strcmp(r->path, "-") ? r->path : "standard output");
	fputs(": ", f);
	if (r->ns_pid)
		fprintf(f, "process %d (%d in its namespace), ", r->pid, r->ns_pid);
	fputs(text_size(r->bytes, size), f);
	if (r->bytes_on_disk != r->bytes)
		fprintf(f, " (%s on disk)", text_size(r->bytes_on_disk, disk));
	fprintf(f, ", %" PRIu64 " thread%s, %" PRIu64 " areas", r->threads, r->threads == 1 ? "" : "s", r->areas);
	if (r->mte_areas)
		fprintf(f, " (%" PRIu64 " tagged)", r->mte_areas);
	if (r->no_stop)
		fprintf(f, ", not stopped in %.1f ms, INCONSISTENT", (double)r->total_us / 1000);
	else
		fprintf(f, ", stopped for %.1f ms of %.1f ms", (double)r->pause_us / 1000, (double)r->total_us / 1000);
	if (r->snapshot)
		fprintf(f, " (snapshot, made in %.1f ms)", (double)r->fork_us / 1000);
	if (r->rounds)
		print_rounds(f, r);
	if (r->guard.n)
		fprintf(f, ", %s of guard pages", text_size(r->guard.bytes, size));
	if (r->missing.n)
		fprintf(f, ", MISSING %s in %zu range%s", text_size(r->missing.bytes, lost), r->missing.n,
			r->missing.n == 1 ? "" : "s");
	if (r->n_unstopped && !r->no_stop)
		fprintf(f, ", %zu thread%s did not stop", r->n_unstopped, r->n_unstopped == 1 ? "" : "s");
	fputs(r->missing.n || r->n_unstopped ? "\n" : ", nothing missing\n", f);
	print_snapshot(f, r);
	print_cost(f, r);
	print_missing(f, r);
	print_unmatched(f, &r->unmatched);
}

static struct json_object *missing_json(const struct missing *m)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < m->n; i++) {
		struct json_object *o = json_object_new_object();

		json_put_hex(o, "start", m->v[i].start);
		json_put_hex(o, "end", m->v[i].end);
		json_put_u64(o, "bytes", m->v[i].end - m->v[i].start);
		json_put_text(o, "reason", m->v[i].reason);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *unstopped_json(const struct dump_report *r)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < r->n_unstopped; i++)
		json_object_array_add(list, json_object_new_int64(r->unstopped[i].tid));
	return list;
}

/* In the same order, why. */
static struct json_object *unstopped_why_json(const struct dump_report *r)
{
	struct json_object *list = json_object_new_array();
	char why[UNSTOPPED_TEXT_MAX];

	for (size_t i = 0; i < r->n_unstopped; i++)
		json_object_array_add(list, json_object_new_string(unstopped_text(&r->unstopped[i], why)));
	return list;
}

static struct json_object *unmatched_json(const struct unmatched *u)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < u->n; i++) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "option", u->v[i].select->include ? "include" : "exclude");
		json_put_text(o, "what", u->v[i].select->text);
		json_put_text(o, "reason", u->v[i].why ? u->v[i].why : "matched nothing");
		json_object_array_add(list, o);
	}
	return list;
}

int report_add_json(struct json_object **list, const struct dump_report *r, struct err *e)
{
	struct json_object *o = json_object_new_object();

	if (!*list)
		*list = json_object_new_array();
	if (!o || !*list)
		return err_set(e, -ENOMEM, "JSON report");
	json_put_s64(o, "pid", r->pid);
	if (r->ns_pid)
		json_put_s64(o, "ns_pid", r->ns_pid);
	else
		json_put_null(o, "ns_pid");
	json_put_text(o, "comm", r->comm);
	json_put_text(o, "path", r->path);
	json_put_u64(o, "bytes", r->bytes);
	json_put_u64(o, "bytes_on_disk", r->bytes_on_disk);
	json_put_u64(o, "threads", r->threads);
	json_put_u64(o, "areas", r->areas);
	json_put_u64(o, "mte_areas", r->mte_areas);
	json_put_u64(o, "pause_us", r->pause_us);
	json_put_u64(o, "total_us", r->total_us);
	json_put_bool(o, "no_stop", r->no_stop);
	json_put_bool(o, "inconsistent", r->inconsistent);
	json_put_bool(o, "snapshot", r->snapshot);
	json_put_text(o, "no_snapshot", r->no_snapshot[0] ? r->no_snapshot : NULL);
	json_put_u64(o, "fork_us", r->fork_us);
	json_put_u64(o, "rounds", r->rounds);
	json_put_u64(o, "precopied_bytes", r->precopied);
	json_put_u64(o, "rest_bytes", r->rest);
	json_put_text(o, "no_precopy", r->no_precopy[0] ? r->no_precopy : NULL);
	json_put_text(o, "late", r->late[0] ? r->late : NULL);
	json_object_object_add(o, "missing", missing_json(&r->missing));
	json_object_object_add(o, "guard", missing_json(&r->guard));
	json_object_object_add(o, "unstopped_threads", unstopped_json(r));
	json_object_object_add(o, "unmatched", unmatched_json(&r->unmatched));
	json_object_object_add(o, "unstopped_reasons", unstopped_why_json(r));
	json_put_u64(o, "target_rss_before", r->before.rss);
	json_put_u64(o, "target_rss_after", r->after.rss);
	json_put_u64(o, "target_pte_before", r->before.pte);
	json_put_u64(o, "target_pte_after", r->after.pte);
	json_put_u64(o, "target_shmem_before", r->before.shmem);
	json_put_u64(o, "target_shmem_after", r->after.shmem);
	json_put_u64(o, "target_huge_before", r->before.huge);
	json_put_u64(o, "target_huge_after", r->after.huge);
	json_put_u64(o, "copy_pte", r->copy.pte);
	json_put_u64(o, "copy_own", r->copy.own);
	json_object_array_add(*list, o);
	return 0;
}

int report_print_json(struct json_object *list, struct err *e)
{
	struct json_object *doc = json_object_new_object();

	if (!doc)
		return err_set(e, -ENOMEM, "JSON report");
	json_put_text(doc, "version", TAGCORE_VERSION);
	json_object_object_add(doc, "dumps", list ? json_object_get(list) : json_object_new_array());
	json_print(stdout, doc);
	return 0;
}

/* What the rule does not know, but for the area's flags; @out is of the caller. */
static const char *area_reason(const struct dump_preview *p, size_t i, char out[256])
{
	const struct plan_entry *entry = &p->plan.v[i];
	bool uffd = entry->action != PLAN_OMIT && p->areas.v[i].vma->flags & VM_UFFD_MISSING;

	snprintf(out, 256, "%s%s", entry->rule->why,
		 uffd ? "; MISSING will be what a userfaultfd monitor has not filled in" : "");
	return out;
}

void preview_print(FILE *f, pid_t pid, const struct dump_preview *p)
{
	char size[TEXT_SIZE_MAX], bytes[TEXT_SIZE_MAX], room[TEXT_SIZE_MAX], prot[VMA_PERMS_MAX], reason[256];

	fprintf(f, "process %d: nothing is stopped or written\n", pid);
	fprintf(f, "%-33s %-4s %-10s %10s %-16s %s\n", "AREA", "PROT", "ACTION", "BYTES", "RULE", "NAME / REASON");
	for (size_t i = 0; i < p->areas.n; i++) {
		const struct vma *v = p->areas.v[i].vma;

		fprintf(f, "%016" PRIx64 "-%016" PRIx64 " %s %-10s %10s %-16s ", v->start, v->end, 
			vma_perms(v->flags, prot), plan_action_name(p->plan.v[i].action), text_size(p->area_bytes[i], bytes),
			p->plan.v[i].rule->name);
		text_puts(f, v->name);
		fprintf(f, "%s(%s)\n", v->name ? " " : "", area_reason(p, i, reason));
	}
	text_puts(f, p->path);
	fprintf(f, ": about %s on disk, %s with holes", text_size(p->bytes, bytes), text_size(p->size, size));
	if (p->free_bytes)
		fprintf(f, "; %s free", text_size(p->free_bytes, room));
	fputc('\n', f);
	print_unmatched(f, &p->unmatched);
}

static struct json_object *area_json(const struct dump_preview *p, size_t i)
{
	const struct vma *v = p->areas.v[i].vma;
	struct json_object *o = json_object_new_object();
	char prot[VMA_PERMS_MAX], reason[256];

	json_put_hex(o, "start", v->start);
	json_put_hex(o, "end", v->end);
	json_put_text(o, "prot", vma_perms(v->flags, prot));
	json_put_text(o, "name", v->name);
	json_put_text(o, "action", plan_action_name(p->plan.v[i].action));
	json_put_u64(o, "bytes", p->area_bytes[i]);
	json_put_u64(o, "filesz", p->plan.v[i].filesz);
	json_put_text(o, "rule", p->plan.v[i].rule->name);
	json_put_text(o, "reason", area_reason(p, i, reason));
	return o;
}

int preview_add_json(struct json_object **list, pid_t pid, const struct dump_preview *p, struct err *e)
{
	struct json_object *o = json_object_new_object(), *areas = json_object_new_array();

	if (!*list)
		*list = json_object_new_array();
	if (!o || !areas || !*list)
		return err_set(e, -ENOMEM, "JSON plan");
	for (size_t i = 0; i < p->areas.n; i++)
		json_object_array_add(areas, area_json(p, i));
	json_put_s64(o, "pid", pid);
	json_put_text(o, "path", p->path);
	json_object_object_add(o, "areas", areas);
	json_put_u64(o, "bytes", p->bytes);
	json_put_u64(o, "size", p->size);
	json_put_u64(o, "free_bytes", p->free_bytes);
	json_object_object_add(o, "unmatched", unmatched_json(&p->unmatched));
	json_object_array_add(*list, o);
	return 0;
}

int preview_print_json(struct json_object *list, struct err *e)
{
	struct json_object *doc = json_object_array_length(list) == 1 ? json_object_array_get_idx(list, 0) : list;

	if (!doc)
		return err_set(e, -ENOMEM, "JSON plan");
	json_print(stdout, json_object_get(doc));
	return 0;
}
