#include "base/search.h"
#include "explain/hang.h"

const struct live_thread *live_thread_find(const struct live *l, s32 tid)
{
	size_t i = search_first(k, 0, l->n_threads, l->threads[k].tid >= tid);

	return i < l->n_threads && l->threads[i].tid == tid ? &l->threads[i] : NULL;
}

const struct live_fd *live_fd_find(const struct live *l, s32 fd)
{
	size_t i = search_first(k, 0, l->n_fds, l->fds[k].fd >= fd);

	return i < l->n_fds && l->fds[i].fd == fd ? &l->fds[i] : NULL;
}

size_t hang_find(const struct hang *h, s32 tid)
{
	size_t i = search_first(k, 0, h->n, h->v[k].tid >= tid);

	return i < h->n && h->v[i].tid == tid ? i : SIZE_MAX;
}

size_t hang_find_own(const struct hang *h, u64 own_tid)
{
	size_t i = search_first(k, 0, h->n_own, (u64)h->v[h->by_own[k]].own_tid >= own_tid);

	return i < h->n_own && (u64)h->v[h->by_own[i]].own_tid == own_tid ? h->by_own[i] : SIZE_MAX;
}

const char *hang_text(const struct hang_thread *t, char *out, size_t size)
{
	if (t->in_call && *t->wait->on)
		put_fmt(out, size, "waits in %s for %s", t->wait->call, t->wait->on);
	else if (t->in_call)
		put_fmt(out, size, "is in %s", t->wait->call);
	else if (t->live && t->live->state == 'D')
		put_fmt(out, size, "waits in the kernel");
	else
		put_fmt(out, size, t->thread ? "runs" : "did not stop");
	return out;
}
