#include <inttypes.h>
#include <stdio.h>

#include "explain/rows.h"

/* SIGBUS: include/uapi/asm-generic/siginfo.h. */
enum { ADRALN = 1, ADRERR = 2, MCEERR_AR = 4, MCEERR_AO = 5 };

bool row_bus_past_file(struct crash *c)
{
	char access[200], text[320];
	struct place p;

	if (!crash_is_code(c, "BUS", ADRERR))
		return false;
	place_at(c, c->addr, &p);
	if (!p.is_file)
		return false;
	say(c, "%s: past the end of the file %s, which is shorter than what is mapped of it", access_text(c, access, sizeof(access)), p.name);
	say_sure(c, SURE_LIKELY, "SIGBUS for an address in a mapping of a file: it was truncated, or there was no room or an error on its disk");
	show_access(c);
	show_mem(c, c->addr, "%s: offset 0x%" PRIx64 " of the file", place_text(&p, text, sizeof(text)), p.pgoff + (c->addr - p.start));
	place_is_object(c, &p, "mapped");
	also_possible(c, NULL, "an error of the disk, or no room in a sparse file: see the kernel's log");
	try_next(c, "compare the file's size with 0x%" PRIx64 ", and look for who truncates it", p.pgoff + (c->addr - p.start) + 1);
	return true;
}

bool row_bus_misaligned(struct crash *c)
{
	char access[200];

	if (!crash_is_code(c, "BUS", ADRALN))
		return false;
	if (c->has_addr && c->addr == c->pc && c->core->arch)
		say(c, "jump to 0x%" PRIx64 ", where no instruction can begin: it is not aligned", c->addr);
	else
		say(c, "%s: the address is not aligned as the instruction needs it", access_text(c, access, sizeof(access)));
	say_sure(c, SURE_CERTAIN, "the kernel says so: BUS_ADRALN");
	show_access(c);
	if (c->has_addr || c->access.has_addr)
		show_mem(c, c->addr, "the address of the access");
	return true;
}

bool row_bus_poisoned(struct crash *c)
{
	char access[200];

	if (!crash_is_code(c, "BUS", MCEERR_AR) && !crash_is_code(c, "BUS", MCEERR_AO))
		return false;
	say(c, "%s: the memory there is broken (an uncorrected error of the hardware)", access_text(c, access, sizeof(access)));
	say_sure(c, SURE_CERTAIN, "the kernel says so: %s", c->si.code == MCEERR_AR ? "BUS_MCEERR_AR" : "BUS_MCEERR_AO");
	show_access(c);
	show_mem(c, c->addr, "the address of the lost memory");
	try_next(c, "look into the kernel's log for the memory that failed; the program is not at fault");
	return true;
}

bool row_bus_other(struct crash *c)
{
	char access[200], text[320];
	struct place p;

	if (!c->is_fault || !crash_is(c, "BUS") || !c->has_addr)
		return false;
	place_at(c, c->addr, &p);
	say(c, "%s: there is no memory for that address of %s", access_text(c, access, sizeof(access)), p.name);
	say_sure(c, SURE_POSSIBLE, "SIGBUS for an address that is in no mapping of a known file");
	show_access(c);
	show_mem(c, c->addr, "%s", place_text(&p, text, sizeof(text)));
	also_possible(c, "past-end-of-file", "a file or a shared memory object that was truncated");
	also_possible(c, NULL, "no huge page is left, or userfaultfd(2) has refused the page");
	return true;
}
