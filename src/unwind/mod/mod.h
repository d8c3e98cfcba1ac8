/* mod.h - the modules of a core, the files that they are of, and memory as the process had it. */
#pragma once

#include <gelf.h>

#include "core/modules.h"
#include "unwind/unwind.h"

/* A module of the core, and the file that was found to be it. */
struct module {
	struct unwind *u;
	u64 start;
	u64 end;
	char *path;		/* as the process had it, or NULL */
	char *note;		/* why no file, or that it could not be verified; or NULL */
	Elf *elf;		/* NULL until looked for, and if no file was found */
	int fd;
	char *file;		/* where it was found; NULL: it is a copy of the core's memory */
	u8 *image;		/* that copy */
	u64 bias;		/* from the addresses in @elf to memory; wraps */
	bool looked;
	bool needed;		/* what @note says matters */
	bool is_main;		/* the program itself */
	bool go_known, is_go;	/* walk/first.c: it is of Go */
	u8 build_id[CORE_BUILD_ID_MAX];
	size_t build_id_len;
	struct units *units;	/* dwarf/units.c's index, if it was needed */
	struct names *names;	/* dwarf/names.c's */
	struct splits *splits;	/* dwarf/split.c's */
};

/* Why the last read of memory failed, for stack->why. */
struct read_fault {
	bool is_set;
	u64 addr;
	enum mem_state state;
};

/* What all rooms work on; each has its own part, NULL or zero until it needs it. */
struct unwind {
	struct core *core;
	struct unwind_opts opts;
	char *sysroot;		/* dirs.c: opts.sysroot, real; and the directories of debug files */
	char **debugdirs;
	size_t n_debugdirs;
	size_t cap_debugdirs;
	u64 entry;		/* of the program of --exe where the core has no AT_ENTRY; or 0 */
	char *exe_note;		/* why the program of --exe is not used; or NULL */
	struct module *mods;	/* sorted by start, the first n_sorted of them */
	size_t n_mods;
	size_t n_sorted;
	size_t cap_mods;
	bool too_many;		/* some were left out */
	bool is_elsewhere;	/* the file of a module is not here by its name, or is another */
	u64 image_bytes;	/* of all module->image */
	u64 ret_cookie;		/* core_return_cookie() */
	u64 insn_mask;		/* bits of a code address that a signature is in; of the thread at work */
	struct { bool known; u16 dwarf; u64 value; } vectors;	/* of the thread at work: struct vector_length */
	struct read_fault fault;
	struct dw *dw;		/* the dwarf room's */
	struct uw *uw;		/* libunwind's, or NULL */
	struct fetch *fetch;	/* fetch.c's; NULL until needed */
	u64 packed, unpacked;	/* of all files: what their packed sections have, and make of it */
	struct code_reader *code;	/* NULL until needed */
	struct call_memo *calls;	/* calls/calls.c's; NULL until needed */
	struct tail_memo *tails;	/* calls/tailcall.c's; NULL until needed */
	u64 dies_left;		/* that may still be looked at for calls: a bound for hostile cores */
	u64 relocations_left;	/* and for imports */
};

/* ---- module.c: one of them; module_list.c: all */

/* The core's modules, then the program and the libraries in the dynamic linker's list, if those are not among them. */
int modules_load(struct unwind *u, struct err *e) must_check;
int modules_add(struct unwind *u, const struct core_module *m, struct err *e) must_check;
/* Takes over what @m owns, which is empty then. */
int modules_take(struct unwind *u, struct module *m, struct err *e) must_check;
int program_load(struct unwind *u, struct err *e) must_check;
/* Places @m as its file and the auxiliary vector say; false when they contradict each other. */
bool program_place(const struct unwind *u, struct module *m);
/* AT_EXECFN, or NULL.  The caller frees it. */
char *program_name(struct unwind *u);
/* Where the program begins: AT_ENTRY, or what --exe says. */
bool program_entry(const struct unwind *u, u64 *out);
/* Finds out which module the program of --exe is, and gives it that file; an error if it is not the core's program. */
int exe_load(struct unwind *u, struct err *e) must_check;
/* Where the program has its program headers in memory, and how many: the auxiliary vector's word, or of --exe. */
bool program_headers(const struct unwind *u, u64 *at, u64 *n);
int links_load(struct unwind *u, struct err *e) must_check;
void modules_close(struct unwind *u);
void module_fini(struct module *m);
/* The pages that a file's PT_LOADs take, [lo, hi), addresses as in the file; false when it has none. */
bool module_span(Elf *elf, u64 *lo, u64 *hi);
/* m->bias, of its place and file. */
void module_set_bias(struct module *m);
/* The module that covers @addr, or NULL. */
struct module *module_at(const struct unwind *u, u64 addr);
/* Its ELF file, looked for at the first call; NULL if none can be trusted. */
Elf *module_elf(struct unwind *u, struct module *m);

/* ---- modfile.c, image.c, debugfile.c */

/*
 * A regular file that a core or another file names: below --sysroot or the live process's root as if that were the
 * root directory.  As open_regular().
 */
int modfile_open(const struct unwind *u, const char *path, struct err *e) must_check;
/* allowed.c: within --sysroot, where that is given, or where another option says. */
bool allowed_name(const struct unwind *u, const char *path);
/* Its result means that there is something, which was not opened: e->msg says why.  -errno is not below -4095. */
static inline bool modfile_is_odd(int fd)
{
	return fd < -4095;
}
/* The name of an open file, without symbolic links; false when it has none any more. */
bool modfile_real(int fd, char *out, size_t size);
/* A build-id as text. */
const char *modfile_hex(const u8 *p, size_t len, char out[2 * CORE_BUILD_ID_MAX + 1]);
/* u->sysroot and u->debugdirs, of the options; an error if one that the user named is no directory. */
int dirs_open(struct unwind *u, struct err *e) must_check;
void dirs_close(struct unwind *u);

/* Opens the file that is module @m, verified by its build-id: fills fd, file, elf; or note. */
void modfile_find(struct unwind *u, struct module *m);
/* Without a build-id: could the file be what the process had mapped? */
bool modfile_layout_fits(const struct unwind *u, const struct module *m, Elf *elf);
/* Hides the sections of m->elf that would unpack to too much, and says so in a note. */
void modfile_bound(struct unwind *u, struct module *m);
/* Closes that file again: it is not the one, because of @why. */
void modfile_refuse(struct module *m, const char *why);
void modfile_note(struct module *m, const char *text);
/* Appended to what the note says already. */
void modfile_add_note(struct module *m, const char *text);
/* Makes an ELF file of the core's own memory; false when a part that counts is not there. */
bool modfile_from_memory(struct unwind *u, struct module *m);

/* ---- parts.c: what of a file is in memory as it is in the file */

/* A segment or section that is not written to; addresses as in the file. */
struct part {
	u64 addr, off, len;
	bool is_code;
};
typedef int part_fn(const struct part *p, void *arg);
/* Calls @fn for each until one returns not 0, which is returned. */
int parts_each(Elf *elf, part_fn *fn, void *arg);
/* One that has all @len bytes at @addr. */
bool part_at(Elf *elf, u64 addr, u64 len, struct part *out);
/* @len bytes of @m's file, from @at in @p on. */
bool part_read(const struct module *m, const struct part *p, u64 at, void *buf, size_t len);

/* ---- resident.c: a file against the core's memory, which has it @bias above the file's addresses */

/* Bytes that both have, equal and not; and the address of the first that is not. */
struct likeness {
	u64 same, other, first;
};
/* Breakpoints and patches change less than one byte of so many. */
enum { PATCHED_RATIO = 16 };
/* What the memory has of it is another file's. */
bool resident_contradicts(struct unwind *u, const struct module *m, u64 bias, struct likeness *out);
/* Has the memory the build-id @id of the file, or another one in its place, which goes to @ours? */
enum resident_id { RESIDENT_ID_UNKNOWN, RESIDENT_ID_SAME, RESIDENT_ID_OTHER };
enum resident_id resident_build_id(struct unwind *u, const struct module *m, u64 bias, const u8 *id, size_t len,
				   u8 ours[CORE_BUILD_ID_MAX]);
/* Looks for the file in all memory: the number of places that it can be at, of which *bias is one. */
int resident_find(struct unwind *u, const struct module *m, const u8 *id, size_t id_len, u64 *bias, struct err *e) must_check;
/* A thread is in the file's code, if it is there. */
bool resident_runs(struct unwind *u, const struct module *m, u64 bias);

/* ---- sections.c: sections that are packed, before libelf and libdw unpack them */

/* Would that take too much memory?  It counts for the next ones where not. */
bool sections_fit(struct unwind *u, Elf *elf);
/* Hides those that would, and returns how many these are. */
size_t sections_bound(struct unwind *u, Elf *elf);
/* Is there a section whose name begins so? */
bool section_find(Elf *elf, const char *start);

/* ---- space.c: memory as the process had it */

/*
 * All @len bytes at @addr: from the core or, what is absent there, from the
 * unwritable segments of a verified file.  False, and u->fault, when they are in
 * neither.
 */
bool space_read(struct unwind *u, u64 addr, void *buf, size_t len);
/* A word of the machine, or a number of @size bytes, in its byte order. */
bool space_word(struct unwind *u, u64 addr, u64 *out);
bool space_uint(struct unwind *u, u64 addr, unsigned size, u64 *out);
/*
 * A general register that a function has saved, as much of it as a word holds: MIPS
 * n32 and x32 save 8 bytes, of which the address is not the first ones on a
 * big-endian machine.
 */
bool space_reg(struct unwind *u, u64 addr, u64 *out);
/* @v as a word of the machine holds it; the same with its sign. */
u64 u64_of_word(const struct unwind *u, u64 v);
s64 s64_of_word(const struct unwind *u, u64 v);
/* Code was executable there. */
bool space_is_code(struct unwind *u, u64 addr);
/* No guard page and no hole is between @from and the higher @to: both may be of one stack. */
bool space_is_one(const struct unwind *u, u64 from, u64 to);
/* The code address @addr without signature, and what else is no address in it. */
u64 space_strip(const struct unwind *u, u64 addr);
