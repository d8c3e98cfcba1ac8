/* os.h - a system other than Linux, as tables: what the notes of its cores hold. */
#pragma once

#include "base/types.h"

/* What a note may say; of the process, or of the thread that it belongs to. */
enum os_field {
	OS_PID, OS_UID, OS_NAME, OS_ARGS,	/* the process */
	OS_TID, OS_THREAD_NAME,			/* a thread */
	OS_SIGNO,	/* of the thread; or of the process, whose thread OS_SIGNO_TID took it */
	OS_SIGNO_TID,	/* 0: it was not for one thread */
	OS_SI_CODE, OS_SI_ADDR,			/* siginfo_t */
	OS_RET_COOKIE,	/* see core_return_cookie() */
};

/*
 * Where it is: @len bytes at @off of the descriptor of a note of @type.  Numbers
 * have 2, 4 or 8 bytes in the file's byte order.  @word: for longs of so many
 * bytes, 0 for any; @size: for descriptors of that size, 0 for any.  With @flag,
 * only where one of its bits is set in the 4 bytes at @flag_off.
 */
struct os_field_at {
	enum os_field field;
	u32 type;
	u16 off;
	u16 len;
	u8 word;
	u16 size;
	u16 flag_off;
	u32 flag;
};

/*
 * A register set: at @off of the descriptor of a note of @type.  @regs are names
 * as the machine's table (arch/) has them, in order, each of a word of @word
 * bytes or "NAME:BYTES"; "-" is a gap.  NULL: laid out as Linux's set of that
 * @name.  The set "general" takes the place of PRSTATUS's.  If several rows have one name,
 * the first whose note is in the core is used.
 */
struct os_set {
	const char *name;
	u16 machine;	/* EM_* */
	u8 word;	/* of the machine's registers */
	u32 type;
	u16 off;
	u16 size;	/* of the descriptor, where that distinguishes two forms; 0: any */
	const char *regs;
};

/* A si_code.  One that has no row means what it does on Linux if System V had it already; see os_code_is_common(). */
struct os_code {
	const char *signal;	/* without SIG; NULL: any */
	s32 code;
	const char *name;
	const char *words;
};

/* An AT_* above AT_ENTRY; those up to that are System V's. */
struct os_auxv {
	u16 type;
	char show;	/* 'x' hexadecimal, 'n' a number, 's' the address of a string */
	u16 like;	/* the number that Linux gives to what means the same, or 0 */
	const char *name;
};

#define OS_ROWS(member, table) .member = (table), .n_##member = ARRAY_SIZE(table)
struct os {
	const char *name;
	const char *owner;	/* of its notes; "OWNER@TID" where @tid_in_owner */
	bool tid_in_owner;
	/* A note of one of these types begins a thread; of the first type that there is a note of. */
	u32 begins[2];
	struct { u32 type; u8 skip; u8 type_size; } auxv;	/* bytes before the vector, and of a type; 0: a word */
	u32 vmmap;		/* type of a note of kinfo_vmentry structures, or 0 */
	const char *const *signals;	/* from 1 on, without SIG */
	const struct os_field_at *fields;
	const struct os_set *sets;
	const struct os_code *codes;
	const struct os_auxv *auxv_names;
	u16 n_signals, n_fields, n_sets, n_codes, n_auxv_names;
};

extern const struct os os_freebsd, os_netbsd, os_openbsd, os_solaris;

/* FreeBSD, NetBSD and OpenBSD, sys/sys/signal.h: 1 to 31. */
#define OS_BSD_SIGNALS \
	"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "EMT", "FPE", "KILL", "BUS", "SEGV", "SYS", "PIPE", "ALRM", "TERM", \
	"URG", "STOP", "TSTP", "CONT", "CHLD", "TTIN", "TTOU", "IO", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", \
	"INFO", "USR1", "USR2"

/* True when @code of @signal (without SIG, or NULL) means the same on all of them, and on Linux. */
bool os_code_is_common(const struct os *os, const char *signal, s32 code);
/* The row of @os for the code, or NULL. */
const struct os_code *os_code_find(const struct os *os, const char *signal, s32 code);
/* The rows for an AT_* of @os, and for what is Linux's AT_*; or NULL. */
const struct os_auxv *os_auxv_find(const struct os *os, u64 type);
const struct os_auxv *os_auxv_like(const struct os *os, u64 type);

/* In tables of registers that have numbers in their names. */
#define OS_8(p, s) p "0" s " " p "1" s " " p "2" s " " p "3" s " " p "4" s " " p "5" s " " p "6" s " " p "7" s
#define OS_16(p, s) OS_8(p, s) " " p "8" s " " p "9" s " " p "10" s " " p "11" s " " p "12" s " " p "13" s " " \
	p "14" s " " p "15" s
#define OS_31(p, s) OS_16(p, s) " " p "16" s " " p "17" s " " p "18" s " " p "19" s " " p "20" s " " p "21" s " " \
	p "22" s " " p "23" s " " p "24" s " " p "25" s " " p "26" s " " p "27" s " " p "28" s " " p "29" s " " p "30" s
#define OS_32(p, s) OS_31(p, s) " " p "31" s
