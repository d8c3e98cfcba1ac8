/* capstone.h - the disassembler, loaded when code is first read: its tables of pointers cost every start 85,000 relocations. */
#pragma once

#include <capstone/capstone.h>

#include "base/err.h"

/* The library of this header: the structures are others with each major version. */
#define CAPSTONE_STR(x) #x
#define CAPSTONE_SO(major) "libcapstone.so." CAPSTONE_STR(major)
#define CAPSTONE_SONAME CAPSTONE_SO(CS_API_MAJOR)

/* libcapstone's functions, for one machine. */
struct capstone {
	void *library;
	csh handle;
	cs_insn *insn;		/* where disasm_iter() leaves what it has decoded */
	typeof(cs_open) *open;
	typeof(cs_option) *option;
	typeof(cs_close) *close;
	typeof(cs_malloc) *malloc;
	typeof(cs_free) *free;
	typeof(cs_disasm_iter) *disasm_iter;
	typeof(cs_regs_access) *regs_access;
	typeof(cs_insn_group) *insn_group;
	typeof(cs_reg_name) *reg_name;
	typeof(cs_group_name) *group_name;
};

/* With details of operands.  -ENOENT when the library cannot be loaded; *out is the caller's to close. */
int capstone_open(struct capstone **out, cs_arch arch, cs_mode mode, struct err *e) must_check;
/* @c may be NULL. */
void capstone_close(struct capstone *c);
