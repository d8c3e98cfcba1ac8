#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/search.h"
#include "base/util.h"
#include "core/core_priv.h"

/*
 * Linux 6.12, fs/binfmt_elf.c: fill_files_note(): count, page size, count times
 * { start, end, file offset in pages }, then count names; all longs.
 */
static int init(struct ntfile_iter *it, struct bytes desc, struct elffmt fmt, unsigned w, struct err *e)
{
	u64 count, page_size, room;
	int r = bytes_uint(desc, fmt, 0, w, &count, e);

	if (!r)
		r = bytes_uint(desc, fmt, w, w, &page_size, e);
	if (r)
		return err_wrap(e, "FILE note");
	room = desc.len - 2 * w;
	if (count > room / (3 * w))
		return err_at(e, ERR_TRUNCATED, desc.off, "FILE note: %llu entries do not fit in %zu bytes",
			      (unsigned long long)count, desc.len);
	*it = (struct ntfile_iter){ .desc = desc, .fmt = fmt, .count = count, .page_size = page_size, .word = w,
				    .name_at = 2 * w + count * 3 * w };
	return 0;
}

/*
 * 64-bit MIPS kernels write 8-byte longs into the cores of o32 and n32 processes
 * (seen in LLDB's test cores; arch/mips/kernel/binfmt_elfo32.c had no
 * user_long_t).  Read as 4-byte longs, such a count or page size is 0.
 */
int ntfile_iter_init(struct ntfile_iter *it, struct bytes desc, struct elffmt fmt, struct err *e)
{
	struct ntfile_iter wide;
	int r = init(it, desc, fmt, fmt.class == ELFCLASS32 ? 4 : 8, e);

	if (fmt.class == ELFCLASS32 && !r && (!it->count || !it->page_size) &&
	    !init(&wide, desc, fmt, 8, NULL) && wide.count && wide.page_size)
		*it = wide;
	return r;
}

int ntfile_next(struct ntfile_iter *it, struct core_map *out, struct err *e)
{
	unsigned w = it->word;
	const u8 *p;
	struct core_text name;
	int r;

	if (it->i == it->count)
		return 0;
	r = bytes_str(it->desc, it->name_at, &name.p, &name.len, e);
	if (r)
		return err_wrap(e, "FILE note: name %llu", (unsigned long long)it->i);
	/* The bounds of the entries were checked by init. */
	p = it->desc.p + 2 * w + it->i * 3 * w;
	*out = (struct core_map){ .start = uint_get(it->fmt, p, w), .end = uint_get(it->fmt, p + w, w),
				  .pgoff = uint_get(it->fmt, p + 2 * w, w) * it->page_size, .name = name };
	if (out->end <= out->start)
		return err_at(e, ERR_INPUT, it->desc.off + 2 * w + it->i * 3 * w,
			      "FILE note: entry %llu ends where it begins or before",
			      (unsigned long long)it->i);
	it->name_at += name.len + 1;
	it->i++;
	return 1;
}

static int map_cmp(const void *a, const void *b)
{
	const struct core_map *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->name.p < y->name.p ? -1 : x->name.p > y->name.p;
}

static int load_files(struct core *c, struct err *e)
{
	const struct core_note *n = core_note_find(c, 0, "CORE", NT_FILE);
	struct ntfile_iter it;
	struct core_map m;
	size_t cap = 0;
	int r = 0;

	/* A malformed entry ends the list; validate reports it. */
	if (!n || ntfile_iter_init(&it, n->note.desc, c->fmt, NULL))
		return 0;
	c->map_page_size = it.page_size;
	while (!r && ntfile_next(&it, &m, NULL) > 0) {
		r = array_grow((void **)&c->maps, c->n_maps, &cap, sizeof(m), "read core", e);
		if (!r)
			c->maps[c->n_maps++] = m;
	}
	return r;
}

int core_load_maps(struct core *c, struct err *e)
{
	int r = c->os ? core_load_os_maps(c, e) : load_files(c, e);

	if (c->n_maps)
		qsort(c->maps, c->n_maps, sizeof(*c->maps), map_cmp);
	return r;
}

const struct core_map *core_map_at(const struct core *c, u64 addr)
{
	/* The last entry that starts at or below addr: real entries do not overlap. */
	size_t n = search_first(i, 0, c->n_maps, c->maps[i].start > addr);

	return n && c->maps[n - 1].end > addr ? &c->maps[n - 1] : NULL;
}
