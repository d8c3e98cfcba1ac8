#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "explain/abort_message.h"
#include "explain/heap.h"
#include "explain/rows.h"

/* Accesses to memory that may not be made. */

enum {
	NULL_PAGE = 4096,
	MMAP_MIN = 65536,	/* vm.mmap_min_addr, below which nothing can be mapped */
	NULL_ARRAY = 16 << 20,	/* an index into a null array leads no further, as a rule */
};
enum { MAPERR = 1, ACCERR = 2, PKUERR = 4, CPERR = 10 };

static bool is_access(const struct crash *c)
{
	return c->is_fault && crash_is(c, "SEGV") && c->has_addr && c->access.type != ACCESS_FETCH;
}

/* The instruction has a base register, and the core its value. */
static bool base_is_known(const struct access *a)
{
	return a->is_decoded && *a->base.name && a->base.known;
}

/* What instruction and registers say against it: a base that is not null. */
static bool base_is_null(const struct access *a)
{
	return base_is_known(a) && !a->base.value;
}

/* The offset that the instruction has is all of the address, below 0 or above. */
static bool is_offset_of_null(const struct crash *c)
{
	u64 from = c->core->layout.word == 4 ? (u32)c->access.disp : (u64)c->access.disp;

	return base_is_null(&c->access) && !c->access.index.value && c->addr - from < max(c->access.size, 1u);
}

/* As arm64 has offsets that are too large for an instruction: a pointer would not be below all that is mapped. */
static bool is_index_of_null(const struct crash *c)
{
	return base_is_null(&c->access) && c->access.index.value && c->core->n_areas && c->addr < c->core->areas[0].start;
}

/* The register that the address is mostly of; NULL: it is not known. */
static const struct access_reg *pointer_in(const struct access *a)
{
	if (!base_is_known(a))
		return NULL;
	return a->base.value < MMAP_MIN && *a->index.name && a->index.value >= MMAP_MIN ? &a->index : &a->base;
}

static bool is_far(const struct crash *c)
{
	return c->access.disp > NULL_ARRAY || c->access.disp < -(s64)NULL_ARRAY;
}

static void say_null(struct crash *c, const char *access)
{
	const struct access *a = &c->access;

	if (a->is_decoded && !*a->base.name && !*a->index.name) {
		say(c, "%s: the instruction has that address in itself: a null pointer that the compiler knew", access);
		say_sure(c, SURE_LIKELY, "the address is in the first pages, which are never mapped, and no register is part of it");
	} else if (!base_is_known(a)) {
		say(c, "%s: a null pointer, or one with a small offset", access);
		say_sure(c, c->addr < NULL_PAGE ? SURE_LIKELY : SURE_POSSIBLE,
			 "the address is in the first pages, which are never mapped; the instruction's registers are not known");
	} else if (!a->base.value && a->index.value) {
		say(c, "%s: null pointer in %s, with the index %s = 0x%" PRIx64, access, a->base.name, a->index.name, a->index.value);
		say_sure(c, c->addr < MMAP_MIN ? SURE_CERTAIN : SURE_LIKELY, "the base register is 0, and the address follows from it");
	} else if (!a->base.value) {
		say(c, a->disp ? "%s: null pointer in %s, with the offset %s0x%" PRIx64 : "%s: null pointer in %s", access, a->base.name,
		    a->disp < 0 ? "-" : "", a->disp < 0 ? (u64)-a->disp : (u64)a->disp);
		say_sure(c, is_far(c) ? SURE_LIKELY : SURE_CERTAIN, "the base register is 0, and the address follows from it");
	} else {
		say(c, "%s: %s = 0x%" PRIx64 " is a null pointer to which an offset was added before, or a small number", access,
		    a->base.name, a->base.value);
		say_sure(c, c->addr < NULL_PAGE ? SURE_LIKELY : SURE_POSSIBLE,
			 "the address is in the first pages, which are never mapped, but the base register is not 0");
	}
}

bool row_null(struct crash *c)
{
	char access[200];

	if (!is_access(c) || !(c->addr < MMAP_MIN || (base_is_null(&c->access) && c->addr < NULL_ARRAY) || is_offset_of_null(c) ||
			      is_index_of_null(c)))
		return false;
	if (core_area_find(c->core, c->addr) && core_area_find(c->core, c->addr)->start <= c->addr)
		return false;
	say_null(c, access_text(c, access, sizeof(access)));
	show_access(c);
	show_mem(c, c->addr, "nothing is mapped there");
	try_next(c, "tagcore stack --source shows the line; look for where the pointer should have been set");
	return true;
}

/* ---- general protection of x86: no address */

static bool is_protection(const struct crash *c)
{
	return c->is_fault && c->is_kernel_code && (crash_is(c, "SEGV") || crash_is(c, "BUS")) && c->core->arch &&
	       (c->core->ehdr.e_machine == EM_X86_64 || c->core->ehdr.e_machine == EM_386);
}

/* Six or more printable characters: a string was written over the pointer. */
static bool is_text(u64 addr, char out[9])
{
	size_t n = 0;

	while (n < 8 && (u8)(addr >> 8 * n) >= 0x20 && (u8)(addr >> 8 * n) < 0x7f) {
		out[n] = (char)(u8)(addr >> 8 * n);
		n++;
	}
	out[n] = 0;
	return n >= 6 && (n == 8 || !(addr >> 8 * n));
}

/* Values that debugging allocators fill memory with. */
static const struct {
	u64 value, mask;
	const char *what;
} poisons[] = {
	{ 0xdeadbeefdeadbeef, ~0xffffffull, "0xdeadbeef, a mark of memory that is not in use" },
	{ 0xdeadbeef, 0xff000000ffff0000, "0xdeadbeef, a mark of memory that is not in use" },
	{ 0x5a5a5a5a5a5a5a5a, ~0xffffull, "0x5a bytes, with which jemalloc fills freed memory" },
	{ 0xa5a5a5a5a5a5a5a5, ~0xffffull, "0xa5 bytes, with which jemalloc fills new memory" },
	{ 0xfefefefefefefefe, ~0xffffull, "0xfe bytes, a fill of freed memory" },
	{ 0xfdfdfdfdfdfdfdfd, ~0xffffull, "0xfd bytes, a fill of memory beside a block" },
	{ 0xdddddddddddddddd, ~0xffffull, "0xdd bytes, a fill of freed memory" },
	{ 0xcdcdcdcdcdcdcdcd, ~0xffffull, "0xcd bytes, a fill of new memory" },
	{ 0xcccccccccccccccc, ~0xffffull, "0xcc bytes, a fill of stack memory" },
};

void show_pattern(struct crash *c, u64 value)
{
	char text[9];

	if (is_text(value, text))
		show_insn(c, "the bytes of the pointer are the text \"%s\": a string was probably written over it", text);
	for (size_t i = 0; i < ARRAY_SIZE(poisons); i++)
		if ((value & poisons[i].mask) == (poisons[i].value & poisons[i].mask)) {
			show_insn(c, "the pointer is made of %s", poisons[i].what);
			return;
		}
}

bool row_noncanonical(struct crash *c)
{
	const struct access *a = &c->access;
	char access[200];

	if (!is_protection(c) || a->type == ACCESS_FETCH || !a->is_decoded || place_is_canonical(c, a->addr))
		return false;
	say(c, "%s, which is no address (not canonical): the pointer%s%s is wild", access_text(c, access, sizeof(access)),
	    *a->base.name ? " in " : "", a->base.name);
	say_sure(c, SURE_CERTAIN, "the kernel gives no address; the instruction and its registers do, and it is not canonical");
	show_access(c);
	show_pattern(c, a->base.known && *a->base.name ? a->base.value : a->addr);
	return true;
}

bool row_misaligned_vector(struct crash *c)
{
	const struct access *a = &c->access;
	char access[200];

	if (!is_protection(c) || !a->is_decoded || !a->must_align || !a->size || a->addr % a->size == 0)
		return false;
	say(c, "%s: the instruction takes only addresses that are multiples of %u", access_text(c, access, sizeof(access)), a->size);
	say_sure(c, SURE_CERTAIN, "a general protection fault of an aligned vector instruction whose address is not aligned");
	show_access(c);
	if (!strcmp(a->base.name, "rsp") || !strcmp(a->base.name, "rbp"))
		try_next(c, "the stack is misaligned: look at assembly, and at calls through pointers of another convention");
	else
		try_next(c, "look for a cast of a pointer to a vector type, or a type with a larger alignment");
	if (a->addr < NULL_PAGE)
		also_possible(c, "null-pointer", "a null pointer with an offset: the address is in the first pages");
	return true;
}

/* musl 1.2.3, arch/x86_64/atomic_arch.h and arch/i386/atomic_arch.h: a_crash() is this instruction. */
static bool is_in_musl(struct crash *c)
{
	const struct module *m = module_at(c->u, c->pc);

	return m && m->path && strstr(m->path, "musl");
}

bool row_musl_check(struct crash *c)
{
	char in[160];

	if (!is_protection(c) || strcmp(c->access.insn, "hlt") || !is_in_musl(c))
		return false;
	say(c, "musl has ended the program%s: a check has failed, of the heap or of the guard value on the stack", abort_in(c, in));
	say_sure(c, SURE_LIKELY, "the instruction \"hlt\" in musl, as its a_crash() has it, which malloc(3), free(3) and __stack_chk_fail() call");
	show_access(c);
	try_next(c, "look for a pointer that was freed twice or that malloc(3) has not given, and for writes past the end of a block or an array");
	return true;
}

/* Intel SDM volume 3, 6.15, "General Protection Exception": instructions of the kernel. */
bool row_privileged(struct crash *c)
{
	static const char *const names[] = { "hlt", "cli", "sti", "in", "out", "insb", "insd", "outsb", "outsd", "lgdt", "lidt", "ltr",
					     "wrmsr", "rdmsr", "invlpg", "wbinvd", "invd", "clts", "swapgs", "rdpmc", "lmsw", "lldt" };
	const char *insn = c->access.insn;
	size_t len = strcspn(insn, " ");
	char in[160];

	if (!is_protection(c))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (len == strlen(names[i]) && !strncmp(insn, names[i], len)) {
			say(c, "instruction \"%s\"%s, which only the kernel may execute", insn, crash_in(c, in));
			say_sure(c, SURE_CERTAIN, "a general protection fault at a privileged instruction");
			show_insn(c, "instruction \"%s\"", insn);
			return true;
		}
	return false;
}

/* ---- rights */

/* What is left: the instruction is not in the core, or nothing in it explains the fault. */
bool row_protection(struct crash *c)
{
	char in[160];

	if (!is_protection(c) || c->is_inferred || c->access.is_decoded)
		return false;
	say(c, "a fault for which the kernel gives no address%s: an address that is not canonical, or a general protection fault of another kind",
	    crash_in(c, in));
	say_sure(c, SURE_POSSIBLE, "the signal's code is SI_KERNEL; the instruction %s", *c->access.insn ? "does not show which" :
		 "is not in this core, nor in a file that is here");
	show_access(c);
	show_insn(c, "the program counter");
	try_next(c, *c->access.insn ? "look at the registers with tagcore inspect registers" :
		 "give the files of the process with --exe or --sysroot: then the instruction can be read");
	return true;
}

bool row_protection_key(struct crash *c)
{
	char access[200], text[320];
	struct place p;

	if (!crash_is_code(c, "SEGV", PKUERR))
		return false;
	place_at(c, c->addr, &p);
	/* si_pkey is after the address and a pointer's padding: include/uapi/asm-generic/siginfo.h. */
	say(c, "%s: refused by protection key %" PRIu64, access_text(c, access, sizeof(access)),
	    crash_si_uint(c, 2ull * c->core->layout.word, 4));
	say_sure(c, SURE_CERTAIN, "the kernel says so: SEGV_PKUERR");
	show_access(c);
	show_mem(c, c->addr, "%s", place_text(&p, text, sizeof(text)));
	return true;
}

bool row_shadow_stack(struct crash *c)
{
	char in[160];

	if (!crash_is_code(c, "SEGV", CPERR))
		return false;
	say(c, "control protection fault%s: a return address, or the target of a jump, was not what it should be", crash_in(c, in));
	say_sure(c, SURE_CERTAIN, "the kernel says so: SEGV_CPERR");
	show_access(c);
	show_insn(c, "the processor's shadow stack or branch tracking has refused the instruction");
	return true;
}

static bool is_at(struct crash *c, s32 code, struct place *p)
{
	if (!is_access(c) || c->si.code != code)
		return false;
	place_at(c, c->addr, p);
	return p->area != NULL;
}

bool row_read_only(struct crash *c)
{
	char access[200], text[320], section[64];
	struct place p;
	bool has_section;

	if (!is_at(c, ACCERR, &p) || !p.prot_known || !(p.prot & PF_R) || p.prot & PF_W || c->access.type == ACCESS_READ)
		return false;
	has_section = place_section(c, c->addr, section, sizeof(section));
	c->access.type = ACCESS_WRITE;
	say(c, "%s: read-only memory, %s%s%s", access_text(c, access, sizeof(access)), has_section ? section : "",
	    has_section ? " of " : "", p.name);
	say_sure(c, SURE_CERTAIN, "the mapping may be read and not written, and the kernel says SEGV_ACCERR");
	show_access(c);
	show_mem(c, c->addr, "%s", place_text(&p, text, sizeof(text)));
	if (has_section)
		show_mem(c, c->addr, "section %s", section);
	place_is_object(c, &p, "read-only");
	try_next(c, has_section && !strncmp(section, ".rodata", 7) ? "look for a write to a string literal or to a const object" :
		 "look for who made the mapping read-only: mprotect(2), PROT_READ, or a section without write permission");
	return true;
}

bool row_guard(struct crash *c)
{
	char access[200], text[320];
	struct place p, below;
	const struct core_area *a;

	if (!is_at(c, ACCERR, &p) || !p.prot_known || p.prot)
		return false;
	a = place_below(c, p.start);
	place_at(c, a && a->end == p.start ? a->start : p.start, &below);
	if (below.area != p.area && below.prot & PF_W && c->addr - p.start < (1 << 20))
		say(c, "%s: 0x%" PRIx64 " bytes into memory without permissions that is after %s: a guard", access_text(c, access, sizeof(access)),
		    c->addr - p.start, below.name);
	else
		say(c, "%s: memory without permissions, %s", access_text(c, access, sizeof(access)), p.name);
	say_sure(c, SURE_CERTAIN, "the mapping has no permissions at all, and the kernel says SEGV_ACCERR");
	show_access(c);
	show_mem(c, c->addr, "%s", place_text(&p, text, sizeof(text)));
	if (below.area != p.area)
		show_mem(c, below.start, "%s", place_text(&below, text, sizeof(text)));
	place_is_object(c, &p, "guard");
	return true;
}

bool row_no_permission(struct crash *c)
{
	char access[200], text[320];
	struct place p;

	if (!is_at(c, ACCERR, &p))
		return false;
	say(c, "%s: the mapping's permissions forbid it, %s", access_text(c, access, sizeof(access)), p.name);
	say_sure(c, p.prot_known ? SURE_LIKELY : SURE_POSSIBLE, "the kernel says SEGV_ACCERR; %s",
		 p.prot_known ? "the permissions alone do not show why" : "the permissions are not in this core");
	show_access(c);
	show_mem(c, c->addr, "%s", place_text(&p, text, sizeof(text)));
	place_is_object(c, &p, "mapped");
	return true;
}

/* madvise(2), MADV_GUARD_INSTALL: since v6.13; the fault is VM_FAULT_SIGSEGV, which becomes SEGV_MAPERR. */
bool row_lost_permission(struct crash *c)
{
	char access[200], text[320];
	struct place p;

	if (!is_at(c, MAPERR, &p))
		return false;
	say(c, "%s: a guard page within %s, or memory that another thread has mapped since", access_text(c, access, sizeof(access)), p.name);
	say_sure(c, SURE_POSSIBLE, "the kernel says that nothing is mapped there (SEGV_MAPERR), and the core has a mapping");
	show_access(c);
	show_mem(c, c->addr, "%s", place_text(&p, text, sizeof(text)));
	show_mem(c, c->addr, "madvise(2) with MADV_GUARD_INSTALL leaves such pages; no core records them");
	place_is_object(c, &p, "guard");
	return true;
}

/* ---- nothing there */

static void show_neighbours(struct crash *c)
{
	const struct core_area *below = place_below(c, c->addr), *above = place_above(c, c->addr);
	char text[320];
	struct place p;

	if (below) {
		place_at(c, below->start, &p);
		show_mem(c, below->end, "0x%" PRIx64 " bytes before ends %s", c->addr - below->end, place_text(&p, text, sizeof(text)));
	}
	if (above) {
		place_at(c, above->start, &p);
		show_mem(c, above->start, "0x%" PRIx64 " bytes after begins %s", above->start - c->addr, place_text(&p, text, sizeof(text)));
	}
}

static bool is_unmapped(struct crash *c)
{
	struct place p;

	if (!is_access(c) || c->si.code != MAPERR)
		return false;
	place_at(c, c->addr, &p);
	return !p.area;
}

/* The base, or what was accessed just before, is in the mapping that ends there. */
static bool base_is_in(const struct crash *c, const struct core_area *a)
{
	const struct access *x = &c->access;
	u64 base = core_untag(c->core, x->base.value);

	return base_is_known(x) && base >= a->start && base < a->end;
}

bool row_past_mapping(struct crash *c)
{
	enum { NEAR = 64 << 10 };
	const struct core_area *below;
	char access[200];
	struct place p;
	bool has_base;

	if (!is_unmapped(c))
		return false;
	below = place_below(c, c->addr);
	if (!below || c->addr - below->end >= NEAR)
		return false;
	has_base = base_is_in(c, below);
	/* Reached byte by byte, or from a pointer that is good. */
	if (!has_base && c->addr != below->end)
		return false;
	place_at(c, below->start, &p);
	say(c, "%s: 0x%" PRIx64 " bytes past the end of %s", access_text(c, access, sizeof(access)), c->addr - below->end, p.name);
	say_sure(c, SURE_LIKELY, has_base ? "the base register points into the mapping, and nothing is mapped after it" :
		 "the address is the first after the mapping, as of a walk that did not stop");
	show_access(c);
	show_neighbours(c);
	c->v->object = (struct object){ .is_set = true, .start = p.start, .end = p.end, .state = "mapped",
					.offset = (s64)(c->addr - p.start) };
	try_next(c, "look for an index or a length that is larger than that memory");
	return true;
}

/* A pointer that was read from the start of a block, as of a list or to a virtual table, after free(3) had written its own there. */
bool row_use_after_free(struct crash *c)
{
	const struct access *a = &c->access;
	char access[200];
	u64 block, word;

	if (!is_unmapped(c) || !base_is_known(a) || !heap_free_block(c, a->base.value, &block, &word))
		return false;
	say(c, "%s: the pointer in %s was read from a block at 0x%" PRIx64 " that was free: use after free", access_text(c, access, sizeof(access)),
	    a->base.name, block);
	say_sure(c, SURE_LIKELY, "the pointer is what free(3) of glibc leaves at the start of a block, and the block's address is at hand");
	show_access(c);
	show_mem(c, block, "the first word is 0x%" PRIx64 ": the address without its 12 low bits, XORed with the next free block's", word);
	c->v->object = (struct object){ .is_set = true, .start = block, .end = block + c->core->layout.word, .state = "freed" };
	try_next(c, "run it again with valgrind or -fsanitize=address, which show who freed the block");
	return true;
}

bool row_unmapped(struct crash *c)
{
	const struct access_reg *in = pointer_in(&c->access);
	char access[200];

	if (!is_unmapped(c))
		return false;
	access_text(c, access, sizeof(access));
	if (in)
		say(c, "%s: nothing is mapped there; the pointer in %s is wild or stale", access, in->name);
	else
		say(c, "%s: nothing is mapped there; the pointer is wild or stale", access);
	say_sure(c, SURE_CERTAIN, "the kernel says SEGV_MAPERR, and the core has no mapping there; where the pointer comes from is not known");
	show_access(c);
	show_pattern(c, in ? in->value : c->si.addr);
	show_neighbours(c);
	if (heap_is_allocator(c->function))
		also_possible(c, "heap-corruption", "%s met a pointer that malloc(3) has not given, or the heap was written to past a block's end",
			      c->function);
	try_next(c, "look for a pointer that was not set, was overwritten, or is of memory that was unmapped");
	return true;
}
