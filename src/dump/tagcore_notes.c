#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "dump/dump_priv.h"
#include "elf/note.h"
#include "live/proc.h"

/*
 * Notes of owner TAGCORE: what the kernel's notes have no place for.  Lines of
 * text, described in tagcore-notes(5).  A newline in a name is "\012".
 */

static int put_line(struct buf *b, const char *key, const char *value, struct err *e)
{
	char shown[4096];

	return buf_printf(b, e, "%s %s\n", key, text_escape(value, shown, sizeof(shown)));
}

static int put_exe(const struct dump *d, struct buf *b, struct err *e)
{
	char path[4096];
	struct err ignored;

	if (proc_readlink(d->target.pid, d->target.reader, "exe", path, sizeof(path), &ignored))
		return 0;
	return put_line(b, "exe", path, e);
}

/* Why threads did not stop, a line for each. */
static int put_unstopped(const struct dump *d, struct buf *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < d->report->n_unstopped; i++) {
		const struct dump_unstopped *u = &d->report->unstopped[i];

		r = buf_printf(b, e, TAGCORE_NOT_STOPPED " %d %s%s%s\n", u->tid, u->why->name, u->wchan[0] ? " " : "", u->wchan);
	}
	return r;
}

static int put_info(struct dump *d, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	struct utsname u;
	time_t now = time(NULL);
	struct tm tm;
	char when[32] = "";
	int r;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	r = put_line(&b, "version", TAGCORE_VERSION, e);
	if (!r)
		r = put_line(&b, "time", when, e);
	if (!r && !uname(&u))
		r = put_line(&b, "kernel", u.release, e);
	if (!r)
		r = put_exe(d, &b, e);
	if (!r)
		r = buf_printf(&b, e, "page_size %llu\ncoredump_filter 0x%x\nleader_exited %d\n",
			       (unsigned long long)d->page_size, d->filter, d->target.leader_exited);
	if (!r && d->report->ns_pid)
		r = buf_printf(&b, e, TAGCORE_NS_PID " %d\n", d->report->ns_pid);
	if (!r && d->report->inconsistent)
		r = put_line(&b, TAGCORE_INCONSISTENT, d->report->no_stop ? "no-stop" : "not-stopped", e);
	/* The note of checksums may be lost: then this says that there was one. */
	if (!r && d->sums_block)
		r = buf_printf(&b, e, "checksums xxh3\n");
	if (!r)
		r = put_unstopped(d, &b, e);
	return r ? r : note_put(&d->notes, d->target.arch->fmt, TAGCORE_OWNER, NT_TAGCORE_INFO, b.p, b.len, e);
}

static int put_thread_line(struct buf *b, const struct thread *th, bool no_stop, struct err *e)
{
	char name[sizeof(th->comm) * 4];
	char state = th->stop == THREAD_STOPPED || no_stop ? th->state : '!';

	return buf_printf(b, e, "%d %c %s\n", th->tid, state, text_escape(th->comm, name, sizeof(name)));
}

static int put_threads(struct dump *d, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < d->target.n_threads; i++)
		r = put_thread_line(&b, &d->target.threads[i], d->opts->no_stop, e);
	return r ? r : note_put(&d->notes, d->target.arch->fmt, TAGCORE_OWNER, NT_TAGCORE_THREADS, b.p, b.len, e);
}

/* Flags as in smaps, those that /proc/PID/maps does not show. */
static int put_area_line(struct buf *b, const struct vma *v, const struct plan_entry *p, struct err *e)
{
	char perms[VMA_PERMS_MAX], flags[VMA_FLAGS_MAX];

	return buf_printf(b, e, "%llx-%llx %s %llx %s %s %s %s\n", (unsigned long long)v->start,
			  (unsigned long long)v->end, vma_perms(v->flags, perms), (unsigned long long)v->pgoff,
			  vma_flags_text(v->flags, flags), plan_action_name(p->action), p->rule->name,
			  v->name ? v->name : "");
}

static int put_areas(struct dump *d, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < d->areas.n; i++)
		r = put_area_line(&b, d->areas.v[i].vma, &d->plan.v[i], e);
	return r ? r : note_put(&d->notes, d->target.arch->fmt, TAGCORE_OWNER, NT_TAGCORE_AREAS, b.p, b.len, e);
}

int dump_tagcore_notes(struct dump *d, struct err *e)
{
	int r = put_info(d, e);

	if (!r)
		r = put_threads(d, e);
	return r ? r : put_areas(d, e);
}

static const char *mode_of(const struct dump_report *r)
{
	return r->no_stop ? "no-stop" : r->snapshot ? "snapshot" : r->rounds ? "pre-copy" : "stop";
}

static int put_footprint(struct buf *b, const char *when, const struct footprint *f, struct err *e)
{
	return buf_printf(b, e, "%s rss %llu pte %llu shmem %llu huge %llu\n", when, (unsigned long long)f->rss,
			  (unsigned long long)f->pte, (unsigned long long)f->shmem, (unsigned long long)f->huge);
}

static int put_cost(const struct dump_report *rep, struct buf *b, struct err *e)
{
	int r = buf_printf(b, e, "mode %s\npause_us %llu\n", mode_of(rep), (unsigned long long)rep->pause_us);

	if (!r && rep->snapshot)
		r = buf_printf(b, e, "fork_us %llu\ncopy pte %llu own %llu\n", (unsigned long long)rep->fork_us,
			       (unsigned long long)rep->copy.pte, (unsigned long long)rep->copy.own);
	if (!r && rep->rounds)
		r = buf_printf(b, e, "rounds %u\nprecopied %llu\nrest %llu\n", rep->rounds,
			       (unsigned long long)rep->precopied, (unsigned long long)rep->rest);
	if (!r)
		r = put_footprint(b, "before", &rep->before, e);
	return r ? r : put_footprint(b, "after", &rep->after, e);
}

/* Header, "TAGCORE\0" and the descriptor make @room. */
int dump_pause_note(const struct dump *d, u64 room, struct buf *b, struct err *e)
{
	struct buf text scoped(buf_fini) = { 0 };
	u64 size = room - 12 - sizeof(TAGCORE_OWNER);
	int r = put_cost(d->report, &text, e);

	if (!r)
		r = buf_zero(&text, size - min(size, (u64)text.len), e);
	return r ? r : note_put(b, d->target.arch->fmt, TAGCORE_OWNER, NT_TAGCORE_PAUSE, text.p, (size_t)size, e);
}
