/* tagcore/module.h - the programs and libraries in a core's memory, with their build-ids; mapped files. */
#pragma once

#include <tagcore/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An ELF file that the process had mapped.  What is said of it is read from the core's
 * own memory, never from a file of this machine.  Valid during the call.
 */
struct tagcore_module {
	uint64_t start;
	uint64_t end;
	const char *path;		/* "[vdso]" for that; NULL: unknown */
	const uint8_t *build_id;
	size_t build_id_size;		/* bytes; 0: it has none, or it is not in this core */
	int has_header;			/* not 0: its ELF header is in this core */
};
/*
 * Calls @fn for each module in address order.  A value other than 0 from @fn ends the walk and
 * is returned; *error is untouched then.
 */
TAGCORE_API int tagcore_modules_each(struct tagcore_core *core, int (*fn)(const struct tagcore_module *module, void *arg),
				     void *arg, struct tagcore_error *error) TAGCORE_MUST_CHECK;

/* A part of a file that was mapped, as the note FILE has it.  Valid until the next call of tagcore_core_file() for the core. */
struct tagcore_file {
	uint64_t start;
	uint64_t end;
	uint64_t offset;	/* of @start in the file, in bytes */
	const char *path;
};
/* How many the note has. */
TAGCORE_API size_t tagcore_core_files(const struct tagcore_core *core);
/* Number @i, in address order; NULL past the end. */
TAGCORE_API const struct tagcore_file *tagcore_core_file(struct tagcore_core *core, size_t i);

#ifdef __cplusplus
}
#endif
