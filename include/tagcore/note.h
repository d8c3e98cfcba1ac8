/* tagcore/note.h - the notes of a core. */
#pragma once

#include <tagcore/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A note, after elf(5).  @data and @owner are valid until the next call of tagcore_core_note() for the core. */
struct tagcore_note {
	const char *owner;	/* name of the note: "CORE", "LINUX" … */
	uint32_t type;		/* NT_* */
	const char *type_name;	/* "NT_PRSTATUS"; NULL: this library does not know it */
	const void *data;	/* descriptor, in the byte order of the core */
	size_t size;		/* bytes of it */
	uint64_t offset;	/* of the note's header in the file (of a packed core, unpacked) */
	int has_tid;		/* not 0: it belongs to the thread @tid */
	int32_t tid;
};

/* How many notes the core has, in all its PT_NOTE segments. */
TAGCORE_API size_t tagcore_core_notes(const struct tagcore_core *core);
/* Number @i, in the order of the file; NULL past the end. */
TAGCORE_API const struct tagcore_note *tagcore_core_note(struct tagcore_core *core, size_t i);

#ifdef __cplusplus
}
#endif
