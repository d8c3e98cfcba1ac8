#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/array.h"
#include "base/scope.h"
#include "base/util.h"
#include "live/files.h"
#include "live/mapped_file.h"

void files_fini(struct files *f)
{
	worker_end(&f->worker);
	fuse_served_fini(&f->served);
	free(f->servers);
	*f = FILES_INIT;
}

struct served {
	struct worker_job job;
	pid_t pid, reader;
	struct fuse_served found;
};

static void run_served(struct worker_job *job)
{
	struct served *s = (struct served *)job;

	fuse_find_served(s->pid, s->reader, &s->found);
}

static void drop_served(struct worker_job *job)
{
	fuse_served_fini(&((struct served *)job)->found);
	free(job);
}

int files_find_served(struct files *f, const struct target *t, struct err *e)
{
	struct served *s;
	int r;

	if (f->looked)
		return 0;
	s = malloc(sizeof(*s));
	if (!s)
		return err_set(e, -ENOMEM, "a job");
	*s = (struct served){ .job = { run_served, drop_served }, .pid = t->pid, .reader = t->reader };
	r = worker_call(&f->worker, &s->job, e);
	f->looked = true;
	if (r == ERR_TIMEOUT || r == ERR_CANCELLED) {
		/* It may be any. */
		f->served.any = true;
		worker_leave(&f->worker, &s->job);
		return r == ERR_TIMEOUT ? 0 : r;
	}
	f->served = s->found;
	free(s);
	return r;
}

/* ---- servers */

static struct file_server *find_server(const struct files *f, dev_t dev)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->servers[i].major == major(dev) && f->servers[i].minor == minor(dev))
			return &f->servers[i];
	return NULL;
}

/* What there is no memory for is asked for again. */
static void note_server(struct files *f, dev_t dev, u32 flags)
{
	struct file_server *s = find_server(f, dev);
	struct err ignored;

	if (!s && flags &&
	    !array_grow((void **)&f->servers, f->n, &f->cap, sizeof(*f->servers), "list of servers", &ignored)) {
		s = &f->servers[f->n++];
		*s = (struct file_server){ .major = major(dev), .minor = minor(dev) };
	}
	if (s)
		s->flags |= flags;
}

static u32 served_flags(const struct files *f, dev_t dev)
{
	static const u32 flags[] = {
		[FUSE_SERVER_YES] = AREA_FILE_SERVED, [FUSE_SERVER_MAY] = AREA_FILE_MAY_BE_SERVED,
	};

	return flags[fuse_is_served(&f->served, dev)];
}

u32 files_server(const struct files *f, const struct vma *v)
{
	const struct file_server *s = find_server(f, makedev(v->dev_major, v->dev_minor));

	return s ? s->flags : 0;
}

/* Without a question: one that has been mapped since the target was looked at, of a file system that may be its own. */
static u32 known_server(const struct files *f, const struct target *t, const struct vma *v)
{
	u32 flags = files_server(f, v);

	if (!flags && t->stopped_at && !v->dev_major)
		flags = served_flags(f, makedev(v->dev_major, v->dev_minor));
	return flags;
}

/* ---- questions */

static void drop_file(struct worker_job *job)
{
	struct mapped_file *m = (struct mapped_file *)job;

	if (m->thread == gettid()) {
		scope_close(&m->found);
		scope_close(&m->fd);
	}
	free(m->buf);
	free(m);
}

struct mapped_file *mapped_file_make(const struct target *t, const struct area *a, struct err *e)
{
	const struct vma *v = a->vma;
	size_t size = v->name ? strlen(v->name) + 1 : 1;
	struct mapped_file *m = calloc(1, sizeof(*m) + size);

	if (!m) {
		err_set(e, -ENOMEM, "a file");
		return NULL;
	}
	m->job.drop = drop_file;
	m->reader = t->reader;
	m->map_start = a->map_start;
	m->map_end = a->map_end;
	m->ino = v->ino;
	m->dev = makedev(v->dev_major, v->dev_minor);
	m->here = a->file & AREA_FILE_LINKED && !(a->file & (AREA_FILE_REMOTE | AREA_FILE_UNASKED));
	m->found = m->fd = -1;
	if (v->name)
		memcpy(m->name, v->name, size);
	return m;
}

/* A call that does not come back has the file from then on; what it found before that is in *@found, if it is not NULL. */
static int ask(struct files *f, struct mapped_file **file, void (*run)(struct worker_job *job),
	       struct mapped_file *found, struct err *e)
{
	struct mapped_file *m = *file;
	enum mapped_file_stage stage;
	int r;

	m->job.run = run;
	if (m->here) {
		run(&m->job);
		return 0;
	}
	r = worker_call(&f->worker, &m->job, e);
	stage = __atomic_load_n(&m->stage, __ATOMIC_ACQUIRE);
	if (found && (!r || stage == FILE_KNOWN))
		*found = *m;
	if (r != ERR_TIMEOUT && r != ERR_CANCELLED)
		return r;
	if (r == ERR_TIMEOUT && stage == FILE_BY_LINK && m->dev)
		note_server(f, m->dev, AREA_FILE_SILENT | (run == mapped_file_run_memory ? AREA_FILE_STUCK : 0u));
	worker_leave(&f->worker, &m->job);
	*file = NULL;
	return r;
}

/* It was not asked, or did not answer. */
static u32 not_known(const struct area *a)
{
	static const char removed[] = " (deleted)";
	const char *name = a->vma->name ? a->vma->name : "";
	size_t len = strlen(name), n = sizeof(removed) - 1;

	return AREA_FILE_UNKNOWN | AREA_FILE_ELSEWHERE |
	       (len > n && !strcmp(name + len - n, removed) ? AREA_FILE_UNLINKED : 0);
}

/* What is had of a look that did not end is that the file can be read, and not which one has its name here. */
static void note_found(struct files *f, struct area *a, const struct mapped_file *found, bool ended)
{
	u32 system = found->flags & AREA_FILE_SYSTEM;

	/* Of what may not be opened it is not known, but by its number. */
	if (system & AREA_FILE_FUSE || !(found->flags & AREA_FILE_FOUND))
		system |= served_flags(f, found->dev) & (system & AREA_FILE_FUSE ? ~0u : (u32)AREA_FILE_SERVED);
	note_server(f, found->dev, system);
	a->file = found->flags | system | (ended ? 0 : AREA_FILE_ELSEWHERE);
	a->allocated = found->allocated;
}

int files_look(struct files *f, const struct target *t, struct area *a, struct err *e)
{
	struct mapped_file found = { .fd = -1 }, *m;
	u32 known = known_server(f, t, a->vma);
	int r;

	a->file = not_known(a) | known;
	/* A DAX device is not opened, for opening may act; its whole memory is DAX. */
	if (a->vma->name && !strncmp(a->vma->name, "/dev/dax", 8)) {
		a->file = AREA_FILE_DAX;
		return 0;
	}
	if (known & AREA_FILE_SILENT || (t->stopped_at && known & AREA_FILE_UNASKED))
		return 0;
	m = mapped_file_make(t, a, e);
	if (!m)
		return e->code;
	r = ask(f, &m, mapped_file_run_look, &found, e);
	if (!r || (r == ERR_TIMEOUT && found.job.run))
		note_found(f, a, &found, !r);
	else if (r == ERR_TIMEOUT)
		a->file |= AREA_FILE_SILENT;
	mapped_file_close(f, &m);
	return r == ERR_TIMEOUT ? 0 : r;
}

int files_look_inside(struct files *f, const struct target *t, struct area *a, struct err *e)
{
	struct mapped_file found = { .fd = -1 }, *m;
	u32 flags = a->file | files_server(f, a->vma);
	int r;

	if (flags & AREA_FILE_UNASKED || !(flags & AREA_FILE_FOUND))
		return 0;
	m = mapped_file_make(t, a, e);
	if (!m)
		return e->code;
	r = ask(f, &m, mapped_file_run_magic, &found, e);
	if (!r && !(found.flags & AREA_FILE_UNKNOWN))
		a->file = (a->file & ~(u32)AREA_FILE_UNKNOWN) | found.flags;
	mapped_file_close(f, &m);
	return r == ERR_TIMEOUT ? 0 : r;
}

void mapped_file_close(struct files *f, struct mapped_file **file)
{
	dev_t dev;

	if (!*file)
		return;
	dev = (*file)->dev;
	if ((*file)->here)
		drop_file(&(*file)->job);
	else if (!worker_drop(&f->worker, &(*file)->job))
		note_server(f, dev, AREA_FILE_SILENT);
	*file = NULL;
}

/* ---- reading */

/* Its number is one of the other thread's; the file is in memory, so this waits for nobody. */
static int open_here(const struct mapped_file *m)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/fd/%d", m->thread, m->fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int mapped_file_open(struct files *f, struct mapped_file **file, int *fd, u64 *size, u64 *allocated, struct err *e)
{
	int r = ask(f, file, mapped_file_run_open, NULL, e);

	if (r)
		return r;
	if ((*file)->fd < 0)
		return err_set(e, -ENOENT, "no way to open %s", *(*file)->name ? (*file)->name : "the mapped file");
	if ((*file)->here)
		*fd = take_fd((*file)->fd);
	else
		*fd = (*file)->flags & AREA_FILE_MEMORY ? open_here(*file) : -1;
	*size = (*file)->size;
	*allocated = (*file)->allocated;
	return 0;
}

int mapped_file_next(struct files *f, struct mapped_file **file, u64 off, u64 end, u64 *data, u64 *hole, struct err *e)
{
	int r;

	(*file)->off = off;
	(*file)->end = end;
	r = ask(f, file, mapped_file_run_next, NULL, e);
	if (r)
		return r;
	*data = (*file)->off;
	*hole = (*file)->end;
	return 0;
}

/* Into a buffer of its own: ours may be in use again when the call comes back. */
static int read_by(struct files *f, struct mapped_file **file, void (*run)(struct worker_job *job), u64 at, void *p,
		   size_t len, ssize_t *n, struct err *e)
{
	struct mapped_file *m = *file;
	int r;

	if (!m->buf)
		m->buf = malloc(MAPPED_FILE_PIECE);
	if (!m->buf)
		return err_set(e, -ENOMEM, "a buffer");
	m->off = at;
	m->len = min(len, (size_t)MAPPED_FILE_PIECE);
	r = ask(f, file, run, NULL, e);
	if (r)
		return r;
	*n = m->n;
	if (m->n > 0)
		memcpy(p, m->buf, (size_t)m->n);
	return 0;
}

int mapped_file_read(struct files *f, struct mapped_file **file, u64 off, void *p, size_t len, ssize_t *n, struct err *e)
{
	return read_by(f, file, mapped_file_run_read, off, p, len, n, e);
}

int mapped_file_memory(struct files *f, struct mapped_file **file, u64 addr, void *p, size_t len, size_t *n,
		       struct err *e)
{
	ssize_t got = 0;
	int r = read_by(f, file, mapped_file_run_memory, addr, p, len, &got, e);

	if (!r)
		*n = got > 0 ? (size_t)got : 0;
	return r;
}

int files_read_memory(const struct target *t, u64 addr, void *p, size_t len, size_t *n, struct err *e)
{
	struct files own scoped(files_fini) = FILES_INIT, *f = t->files ? t->files : &own;
	const struct area none = { .vma = &(struct vma){ .start = 0 } };
	struct mapped_file *file = mapped_file_make(t, &none, e);
	int r = file ? mapped_file_memory(f, &file, addr, p, len, n, e) : e->code;

	mapped_file_close(f, &file);
	return r;
}
