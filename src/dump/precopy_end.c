#include <time.h>

#include "base/util.h"
#include "dump/dump_priv.h"
#include "dump/precopy_priv.h"

/*
 * To close the descriptor lifts the protection of all pages at once, with the whole address space locked against page
 * faults and mappings meanwhile: fs/userfaultfd.c: userfaultfd_release().  And where a hypervisor keeps page tables of
 * its own for those of its guest, it follows up when the process runs next: on such a machine a thread that
 * only looked at the clock got no further for 0.9 s after 1 GiB had been saved, its processor not even seeing
 * a timer interrupt (2 to 9 us a page; elsewhere some 0.03 us).  So it is done in pieces, of which none takes long.
 */
enum {
	PIECE_NS = 2000 * 1000,
	WORD = 8,	/* bytes of an entry in a page table */
};

static void nap(u64 ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };

	nanosleep(&t, NULL);
}

u64 precopy_piece(const struct dump *d, const struct place *p, u64 start, u64 *ns)
{
	u64 table = d->page_size / WORD * d->page_size, end = start;

	for (*ns = 0; end < p->end && *ns < PIECE_NS;) {
		u64 next = min(align_down(end, table) + table, p->end);

		*ns += pageset_count(&p->stored, place_page_of(d, p, end), place_page_of(d, p, next)) * d->pre.unwatch_ns;
		end = next;
	}
	return end;
}

/* What is not mapped any more is not watched either; what is left ends with the descriptor. */
void precopy_unwatch(struct dump *d)
{
	const volatile sig_atomic_t *cancel = d->opts->cancel;

	for (size_t i = 0; i < d->pre.places.n; i++) {
		const struct place *p = &d->pre.places.v[i];

		for (u64 at = p->start, end, ns; p->watched && at < p->end; at = end) {
			end = precopy_piece(d, p, at, &ns);
			/* The process has the processor for it; who cancels does not wait. */
			if (written_unwatch(&d->pre.written, at, end) && (!cancel || !*cancel))
				nap(ns);
		}
	}
}
