#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "unwind/dwarf/dw.h"

/* Mangled names are short; what a hostile symbol table has may be deep. */
enum { MANGLED_MAX = 8192 };

const char *demangle(struct unwind *u, const char *name)
{
	char *text;

	/* "_Z" C++ (Itanium ABI) and old Rust, "_R" Rust (RFC 2603); Go does not mangle. */
	if (!name || name[0] != '_' || (name[1] != 'Z' && name[1] != 'R') || strlen(name) > MANGLED_MAX)
		return name;
	text = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO);
	if (!text)
		return name;
	free(u->dw->demangled);
	u->dw->demangled = text;
	return text;
}
