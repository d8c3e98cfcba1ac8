#include <errno.h>
#include <stdlib.h>

#include "base/pageset.h"
#include "base/util.h"

enum { WORD = 64, LEAF = WORD * 512 };

int pageset_init(struct pageset *s, u64 n_pages, struct err *e)
{
	*s = (struct pageset){ .n_pages = n_pages };
	s->leaves = calloc((size_t)(n_pages / LEAF + 1), sizeof(*s->leaves));
	return s->leaves ? 0 : err_set(e, -ENOMEM, "set of %llu pages", (unsigned long long)n_pages);
}

void pageset_fini(struct pageset *s)
{
	for (u64 i = 0; s->leaves && i <= s->n_pages / LEAF; i++)
		free(s->leaves[i]);
	free(s->leaves);
	*s = (struct pageset){ 0 };
}

/* As long as the pages that there can be: most areas are small, and of some processes there are hundreds of thousands. */
static u64 *new_leaf(const struct pageset *s, u64 i)
{
	u64 pages = min(s->n_pages - i * LEAF, (u64)LEAF);

	return calloc((size_t)((pages + WORD - 1) / WORD), sizeof(u64));
}

/* The bits of [@from, @to) that are in @from's word; *next: where the next word begins. */
static u64 mask_of(u64 from, u64 to, u64 *next)
{
	u64 first = from % WORD, n = min(to - from, WORD - first);

	*next = from + n;
	return (n == WORD ? UINT64_MAX : (1ull << n) - 1) << first;
}

static u64 word_at(const struct pageset *s, u64 page)
{
	const u64 *leaf = s->leaves[page / LEAF];

	return leaf ? leaf[page % LEAF / WORD] : 0;
}

int pageset_add(struct pageset *s, u64 from, u64 to, struct err *e)
{
	for (u64 next; from < to; from = next) {
		u64 **leaf = &s->leaves[from / LEAF], mask = mask_of(from, to, &next), *word;

		if (!*leaf)
			*leaf = new_leaf(s, from / LEAF);
		if (!*leaf)
			return err_set(e, -ENOMEM, "set of pages");
		word = &(*leaf)[from % LEAF / WORD];
		s->count += (u64)__builtin_popcountll(mask & ~*word);
		*word |= mask;
	}
	return 0;
}

void pageset_remove(struct pageset *s, u64 from, u64 to)
{
	for (u64 next; from < to; from = next) {
		u64 *leaf = s->leaves[from / LEAF], mask = mask_of(from, to, &next), *word;

		if (!leaf) {
			next = min(to, (from / LEAF + 1) * LEAF);
			continue;
		}
		word = &leaf[from % LEAF / WORD];
		s->count -= (u64)__builtin_popcountll(mask & *word);
		*word &= ~mask;
	}
}

bool pageset_has(const struct pageset *s, u64 page)
{
	return word_at(s, page) >> page % WORD & 1;
}

u64 pageset_count(const struct pageset *s, u64 from, u64 to)
{
	u64 n = 0;

	for (u64 next; from < to; from = next) {
		u64 mask = mask_of(from, to, &next);

		if (s->leaves[from / LEAF])
			n += (u64)__builtin_popcountll(mask & word_at(s, from));
		else
			next = min(to, (from / LEAF + 1) * LEAF);
	}
	return n;
}

/* The first page at or after @from, below @to, whose bit is @value; @to if there is none. */
static u64 find(const struct pageset *s, u64 from, u64 to, bool value)
{
	for (u64 next; from < to; from = next) {
		u64 mask = mask_of(from, to, &next), word = word_at(s, from);

		if (!value && !s->leaves[from / LEAF])
			return from;
		if (value && !s->leaves[from / LEAF]) {
			next = min(to, (from / LEAF + 1) * LEAF);
			continue;
		}
		word = (value ? word : ~word) & mask;
		if (word)
			return from / WORD * WORD + (u64)__builtin_ctzll(word);
	}
	return to;
}

bool pageset_next(const struct pageset *s, u64 from, u64 to, u64 *start, u64 *end)
{
	*start = find(s, from, to, true);
	*end = find(s, *start, to, false);
	return *start < to;
}
