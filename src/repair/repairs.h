/* repairs.h - the functions of repairs[], and what they change a core with. */
#pragma once

#include "repair/overlay.h"
#include "repair/repair.h"

/* A repair at work.  @core is the core with all earlier repairs applied, without what this one changes. */
struct repair_ctx {
	struct core *core;
	const struct repair *repair;
	struct repaired *out;
	size_t n;	/* changes by this repair so far */
};

/* repair_ctx.c: says what was changed, and where. */
int repair_did(struct repair_ctx *x, struct err *e, u64 off, const char *fmt, ...) must_check printf_like(4, 5);
/* "and N more" for what was not listed. */
int repair_did_more(struct repair_ctx *x, struct err *e) must_check;
/* Change the file: its header, program header @i, @len bytes at @off. */
int repair_put_ehdr(struct repair_ctx *x, const GElf_Ehdr *h, struct err *e) must_check;
int repair_put_phdr(struct repair_ctx *x, size_t i, const GElf_Phdr *p, struct err *e) must_check;
int repair_put(struct repair_ctx *x, u64 off, const void *p, size_t len, struct err *e) must_check;
/*
 * Indices of the segments that have bytes of their own: none of them is the ELF
 * header's, a program header's or another segment's.  A flag a segment, to be
 * freed; NULL when memory is short.
 */
bool *repair_alone(const struct core *c);

/* repair_refused.c: the header of what core_open() refuses. */
enum { REPAIR_HEADER_MAX = sizeof(Elf64_Ehdr) };
/* True and @header filled when there is exactly one way to read the file as a core. */
bool repair_find_header(struct overlay *o, u8 header[REPAIR_HEADER_MAX]);
/*
 * True when @o with another header, @len bytes at @p, is a core without doubt: all
 * program headers are there, and threads of the machine's size, and memory.
 */
bool repair_try(struct overlay *o, const void *p, size_t len);
int repair_ident(struct repair_ctx *x, const u8 *header, struct err *e);
int repair_type(struct repair_ctx *x, const u8 *header, struct err *e);
int repair_phentsize(struct repair_ctx *x, const u8 *header, struct err *e);

/* repair_packed.c: unpacks all of @in, if it is packed; *size: the bytes that could be unpacked. */
int repair_packed_start(struct core_file *in, u64 *size, struct err *e) must_check;
int repair_packed(struct repair_ctx *x, struct err *e);
int repair_packed_bad(struct repair_ctx *x, struct err *e);

/* repair_sums.c: what is damaged inside the file. */
int repair_sums(struct repair_ctx *x, struct err *e);
int repair_sums_void(struct repair_ctx *x, struct err *e);

/* repair_damage.c: what is in @parts of the file, in their order, is remembered as lost, as repair_lost_range() does. */
int repair_lost_parts(struct repair_ctx *x, const struct core_part *parts, size_t n, const char *what, struct err *e) must_check;

/* repair_header.c */
/* False when how many program headers there are is a mere guess: some may be other bytes, not to be changed. */
bool repair_is_counted(const struct core *c);
int repair_version(struct repair_ctx *x, struct err *e);
int repair_ehsize(struct repair_ctx *x, struct err *e);
int repair_phoff(struct repair_ctx *x, struct err *e);
int repair_phnum(struct repair_ctx *x, struct err *e);
int repair_xnum(struct repair_ctx *x, struct err *e);
int repair_sections(struct repair_ctx *x, struct err *e);

/* repair_segment.c */
int repair_seg_cut(struct repair_ctx *x, struct err *e);
int repair_seg_wrap(struct repair_ctx *x, struct err *e);
int repair_seg_filesz(struct repair_ctx *x, struct err *e);
int repair_seg_align(struct repair_ctx *x, struct err *e);
int repair_seg_order(struct repair_ctx *x, struct err *e);

/*
 * repair_lost.c: remembers what a repair found to be lost, for the MISSING note.  Of memory and
 * tags a range, which may get more than one line; @what ends the line.
 */
int repair_lost_range(struct repair_ctx *x, bool tags, u64 start, u64 end, const char *what, struct err *e) must_check;
int repair_lost_other(struct repair_ctx *x, u64 bytes, const char *what, struct err *e) must_check;
int repair_lost_record(struct repair_ctx *x, struct err *e);
int repair_lost_file(struct repair_ctx *x, struct err *e);

/* repair_mte.c */
int repair_mte_type(struct repair_ctx *x, struct err *e);
int repair_mte_size(struct repair_ctx *x, struct err *e);
int repair_mte_empty(struct repair_ctx *x, struct err *e);
int repair_mte_fields(struct repair_ctx *x, struct err *e);

/* repair_note.c */
int repair_note_align(struct repair_ctx *x, struct err *e);
int repair_note_missing(struct repair_ctx *x, struct err *e);
int repair_note_cut(struct repair_ctx *x, struct err *e);
int repair_note_padding(struct repair_ctx *x, struct err *e);

/* repair_zeros.c */
int repair_note_zeros(struct repair_ctx *x, struct err *e);

/* repair_ntfile.c */
int repair_file_table(struct repair_ctx *x, struct err *e);
int repair_file_page(struct repair_ctx *x, struct err *e);
