#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "base/util.h"
#include "repair/repairs.h"

#define FOUND_BY(...) (const char *const []){ __VA_ARGS__, NULL }

/* In this order: a later one builds on what earlier ones made certain. */
const struct repair repairs[] = {
	{ "elf-ident", "A damaged magic number, class or byte order is put back, where only one makes it a core",
	  "gABI, ELF Identification", FOUND_BY("elf-ident"), .apply_refused = repair_ident },
	{ "elf-type", "A file with threads and memory segments is a core: its type is ET_CORE",
	  "gABI, ELF Header", FOUND_BY("elf-type"), .apply_refused = repair_type },
	{ "elf-phentsize", "The size of a program header is that of the class",
	  "gABI, ELF Header", FOUND_BY("elf-phentsize"), .apply_refused = repair_phentsize },
	{ "packed-cut", "A packed core that is cut off or damaged ends with what can be unpacked before that",
	  "RFC 8878, RFC 1952, the .xz file format", FOUND_BY("packed-truncated", "packed-damaged"),
	  .apply = repair_packed, .header_only = true },
	{ "packed-damage", "What is in damaged frames of a packed core is lost, and all others are kept",
	  "zstd contrib/seekable_format", FOUND_BY("packed-damaged"), .apply = repair_packed_bad },
	{ "checksum-damage", "What is in blocks with a wrong checksum is lost, and all others are kept",
	  "tagcore-notes(5)", FOUND_BY("tagcore-checksums"), .apply = repair_sums },
	{ "elf-version", "The ELF version is 1, in both places",
	  "gABI, ELF Header", FOUND_BY("elf-version"), .apply = repair_version, .header_only = true },
	{ "elf-ehsize", "The size of the ELF header is that of the class",
	  "gABI, ELF Header", FOUND_BY("elf-ehsize"), .apply = repair_ehsize, .header_only = true },
	{ "phdr-place", "Program headers that are not where the ELF header says are right after it",
	  "Linux fs/binfmt_elf.c: fill_elf_header()", FOUND_BY("phdr-truncated"), .apply = repair_phoff, .header_only = true },
	{ "phdr-count", "The number of program headers is that of those in the file",
	  "gABI, Program Header", FOUND_BY("phdr-none", "phdr-xnum", "phdr-truncated"), .apply = repair_phnum, .header_only = true },
	{ "shdr-lost", "The ELF header does not count section headers that are not in the file",
	  "gABI, Section Header; elfutils does not open such a file", NULL, .apply = repair_sections, .header_only = true },
	{ "seg-cut", "A segment has no more bytes in the file than the file has: the rest is absent, not zero",
	  "gABI, Program Header", FOUND_BY("seg-truncated", "seg-wrap"), .apply = repair_seg_cut },
	{ "phdr-xnum", "Section header 0, which has the number of program headers, is put back at the end",
	  "gABI, ELF Header; Linux fs/binfmt_elf.c: fill_extnum_info()", FOUND_BY("phdr-xnum"), .apply = repair_xnum },
	{ "seg-wrap", "An area that would pass the end of the address space ends with its bytes",
	  "gABI, Program Header", FOUND_BY("seg-wrap"), .apply = repair_seg_wrap },
	{ "seg-filesz", "An area is as large as its bytes, or where another one begins, has no more of them",
	  "gABI, Program Header", FOUND_BY("seg-filesz"), .apply = repair_seg_filesz },
	{ "seg-align", "A false alignment becomes the largest true one, up to a page",
	  "gABI, Program Header; elfutils libdwfl rounds addresses to it", FOUND_BY("seg-align"),
	  .apply = repair_seg_align },
	{ "seg-order", "Headers of PT_LOADs ascend by address, unless some overlap",
	  "gABI, Program Header; elfutils libdwfl takes it for granted", FOUND_BY("seg-order"),
	  .apply = repair_seg_order },
	{ "note-align", "Notes have the alignment that all of them can be read with",
	  "gABI, Note Section; elfutils libelf/gelf_getnote.c", FOUND_BY("note-malformed", "note-padding"),
	  .apply = repair_note_align },
	{ "note-zeros", "Zeros between a FILE note and the next one belong to it; those after all notes are cut off",
	  "LLDB refuses a core for a note without owner; gdb loses its way", FOUND_BY("note-owner"),
	  .apply = repair_note_zeros },
	{ "note-missing", "The MISSING note of owner TAGCORE that lost only zeros at its end is as long as what is there",
	  "tagcore-notes(5)", FOUND_BY("note-malformed"), .apply = repair_note_missing },
	{ "note-cut", "A segment of notes ends with the last whole one",
	  "gABI, Note Section", FOUND_BY("note-malformed"), .apply = repair_note_cut },
	{ "note-padding", "Notes are padded with zeros",
	  "gABI, Note Section", FOUND_BY("note-padding"), .apply = repair_note_padding },
	{ "file-table", "The FILE note has the ranges that can be read and have a name",
	  "Linux fs/binfmt_elf.c: fill_files_note()", FOUND_BY("file-malformed"), .apply = repair_file_table },
	{ "file-page", "The FILE note's page size is that of AT_PAGESZ, or of the segments",
	  "Linux fs/binfmt_elf.c: fill_files_note(); offsets are counted in it", FOUND_BY("file-page"),
	  .apply = repair_file_page },
	{ "mte-type", "A tag segment of a 5.18 release candidate gets the type of later kernels",
	  "Linux commit c35fe2a68f29", FOUND_BY("mte-old-type"), .apply = repair_mte_type },
	{ "mte-empty", "A tag segment that covers nothing becomes PT_NULL",
	  "gdb never ends on p_memsz 0", FOUND_BY("mte-empty"), .apply = repair_mte_empty },
	{ "mte-size", "A tag segment has no more tags than its memory",
	  "Linux Documentation/arch/arm64/memory-tagging-extension.rst", FOUND_BY("mte-size"),
	  .apply = repair_mte_size },
	{ "mte-fields", "A tag segment's p_flags, p_paddr and p_align are 0",
	  "Linux arch/arm64/kernel/elfcore.c: elf_core_write_extra_phdrs()", FOUND_BY("mte-fields"),
	  .apply = repair_mte_fields },
	{ "lost-record", "A MISSING note of owner TAGCORE says what the file has lost",
	  "tagcore-notes(5); else a cut core would pass as whole", NULL, .apply = repair_lost_record },
	{ "lost-file", "The FILE note ends with what is left of an area that may have been written",
	  "gdb corelow.c: core_target::xfer_partial() reads the file in its place", NULL, .apply = repair_lost_file },
	{ "checksum-void", "The checksums of a core that a repair has changed are void",
	  "tagcore-notes(5)", NULL, .apply = repair_sums_void },
};
const size_t n_repairs = ARRAY_SIZE(repairs);

static int open_current(struct repaired *r, struct core *out, const char *name, struct err *e)
{
	struct core_file file;
	int err;

	overlay_file(r->overlay, &file);
	err = core_open_file(out, &file, name, e);
	if (!err)
		out->cancel = r->cancel;
	return err;
}

static bool cancelled(const struct repaired *r)
{
	return r->cancel && *r->cancel;
}

/* One repair on the core as it now is; *core is then as this one has left it. */
static int apply_one(struct repair_ctx *x, const char *name, struct err *e)
{
	size_t before = x->out->n_changes;
	int r = cancelled(x->out) ? err_set(e, ERR_CANCELLED, "cancelled by a signal") : 0;

	x->n = 0;
	if (!r)
		r = x->repair->apply(x, e);
	if (!r)
		r = repair_did_more(x, e);
	if (r || x->out->n_changes == before)
		return r;
	r = overlay_commit(x->out->overlay, e);
	if (r)
		return r;
	core_close(x->core);
	return open_current(x->out, x->core, name, e);
}

/*
 * Until a whole round finds nothing, so that repairing the result finds nothing
 * either.  Bounded, in case two repairs undo each other.
 */
static int apply_all(struct repair_ctx *x, const char *name, struct err *e)
{
	enum { ROUNDS = 8 };
	size_t before;
	int r = 0;

	for (int round = 0; !r && round < ROUNDS; round++) {
		before = x->out->n_changes;
		for (size_t i = 0; !r && i < n_repairs; i++) {
			x->repair = &repairs[i];
			if (x->repair->apply && (x->repair->header_only || repair_is_counted(x->core)))
				r = apply_one(x, name, e);
		}
		if (x->out->n_changes == before)
			break;
	}
	return r;
}

static int apply_all_refused(struct repair_ctx *x, const u8 *header, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < n_repairs; i++) {
		x->repair = &repairs[i];
		x->n = 0;
		if (x->repair->apply_refused)
			r = x->repair->apply_refused(x, header, e);
	}
	return r ? r : overlay_commit(x->out->overlay, e);
}

/* Opens what is there, or if that is no core, what it must have been. */
static int open_first(struct repair_ctx *x, const char *name, struct err *e)
{
	u8 header[REPAIR_HEADER_MAX];
	int r = open_current(x->out, x->core, name, e);

	if (!r || x->core->fault == CORE_OK || !repair_find_header(x->out->overlay, header))
		return r;
	r = apply_all_refused(x, header, e);
	return r ? r : open_current(x->out, x->core, name, e);
}

static int repair_all(struct repaired *out, const char *name, struct err *e)
{
	struct core core scoped(core_close) = { 0 };
	struct repair_ctx x = { .core = &core, .out = out };
	int r = open_first(&x, name, e);

	if (!r)
		r = apply_all(&x, name, e);
	if (!r)
		r = check_core(&core, &out->left, e);
	out->size = out->overlay->size;
	return r;
}

int repair_open(struct repaired *r, struct core_file *file, const char *name,
		const volatile sig_atomic_t *cancel, struct err *e)
{
	struct repaired out scoped(repair_close) = { .in = *file, .cancel = cancel };
	u64 size = 0;
	int err;

	*file = (struct core_file){ 0 };
	*r = (struct repaired){ 0 };
	out.overlay = calloc(1, sizeof(*out.overlay));
	if (!out.overlay)
		return err_set(e, -ENOMEM, "repair %s", name);
	out.in.cancel = cancel;
	err = repair_packed_start(&out.in, &size, e);
	if (err)
		return err_wrap(e, "%s", name);
	overlay_init(out.overlay, &out.in, size);
	err = repair_all(&out, name, e);
	if (err)
		return err;
	*r = out;
	r->overlay->base = &r->in;
	out = (struct repaired){ 0 };
	return 0;
}

void repair_file(struct repaired *r, struct core_file *out)
{
	overlay_file(r->overlay, out);
}

enum { PIECE = 1 << 20, PAGE = 4096 };

/* The next piece, with the hole before it; @w is at a page's beginning. */
static int write_piece(struct core_file *file, struct writer *w, u8 *buf, struct err *e)
{
	u64 data = align_down(core_file_next_data(file, w->off), PAGE);
	int r = data > w->off ? writer_skip_to(w, data, e) : 0;
	size_t n = (size_t)min((u64)PIECE, file->size - w->off);

	if (!r)
		r = core_file_read(file, w->off, buf, n, e);
	return r ? r : writer_emit_sparse(w, buf, n, PAGE, e);
}

int repair_write(struct repaired *r, struct writer *w, struct err *e)
{
	u8 *buf auto_free = malloc(PIECE);
	struct core_file file;
	int err = 0;

	if (!buf)
		return err_set(e, -ENOMEM, "copy buffer");
	repair_file(r, &file);
	while (!err && w->off < file.size)
		err = cancelled(r) ? err_set(e, ERR_CANCELLED, "cancelled by a signal") :
				     write_piece(&file, w, buf, e);
	return err;
}

void repair_close(struct repaired *r)
{
	for (size_t i = 0; i < r->n_changes; i++)
		free(r->changes[i].msg);
	free(r->changes);
	findings_fini(&r->left);
	for (size_t i = 0; i < REPAIR_LOST_KINDS; i++)
		buf_fini(&r->lost[i]);
	if (r->overlay)
		overlay_fini(r->overlay);
	free(r->overlay);
	core_file_close(&r->in);
	*r = (struct repaired){ 0 };
}
