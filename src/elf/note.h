/* note.h - ELF notes, both ways, and what each kind is called. */
#pragma once

#include <signal.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/*
 * The tagcore notes, owner "TAGCORE": text, lines of key and value.
 * tagcore-notes(5).  The numbers, "TC" and a count, are nobody else's: BFD's
 * elfcore_grok_note() looks at the type whoever the owner is, and would take 2
 * for floating-point registers.
 */
#define TAGCORE_OWNER "TAGCORE"
enum {
	NT_TAGCORE_INFO = 0x54430001,	/* "KEY VALUE\n": who made this core, of what, how */
	NT_TAGCORE_THREADS = 0x54430002,	/* "TID STATE NAME\n" a thread; STATE !: it did not stop */
	NT_TAGCORE_AREAS = 0x54430003,	/* "START-END PROT OFFSET FLAGS ACTION RULE NAME\n" an area */
	NT_TAGCORE_MISSING = 0x54430004,	/* "START-END REASON\n" a range that could not be saved; NUL-padded */
	NT_TAGCORE_PAUSE = 0x54430005,	/* "KEY VALUE\n": how the process was held, and what that cost it; NUL-padded */
	NT_TAGCORE_CHECKSUMS = 0x54430006,	/* of all that is before it in the file: elf/sums.h */
};
/* A REASON that begins so is about the range's memory tags only: its bytes are present. */
#define TAGCORE_TAGS_LOST "memory tags"
/* One with this word was in the core when it was made, and the file has lost it since. */
#define TAGCORE_LOST "lost:"
/* Pages that a dump has found to have no content: nothing of them is missing. */
#define TAGCORE_GUARD "guard page: it has no content, and nobody can read it"
/* Keys of INFO: the process's id in its own PID namespace; memory may be of different moments, and why; a thread that did not stop, and why. */
#define TAGCORE_NS_PID "ns_pid"
#define TAGCORE_INCONSISTENT "inconsistent"
#define TAGCORE_NOT_STOPPED "not_stopped"

/*
 * One note as read.  @owner is the name without its NUL, cut at 31 bytes and
 * with unprintable bytes replaced by '?'; @off is the file position of the
 * note's header.
 */
struct note {
	char owner[32];
	u32 type;
	struct bytes desc;
	u64 off;
};

/*
 * Walks the notes in @seg, whose padding is @align (p_align: 8 pads to 8, all
 * else to 4; GNU practice against gABI's 8 for class 64, see elfutils
 * libelf/gelf_getnote.c).
 */
struct note_iter {
	struct bytes seg;
	struct elffmt fmt;
	u64 at;
	u8 align;
};

void note_iter_init(struct note_iter *it, struct bytes seg, struct elffmt fmt, u64 p_align);
/* 1 and *out, 0 at the end, ERR_INPUT or ERR_TRUNCATED when the note does not fit. */
int note_next(struct note_iter *it, struct note *out, struct err *e) must_check;

/* Appends a note, padded to 4; or to @align, 4 or 8, as in a segment with that p_align. */
int note_put(struct buf *b, struct elffmt fmt, const char *owner, u32 type, const void *desc,
	     size_t len, struct err *e) must_check;
int note_put_aligned(struct buf *b, struct elffmt fmt, size_t align, const char *owner, u32 type, const void *desc,
		     size_t len, struct err *e) must_check;

/*
 * Other systems': FreeBSD sys/sys/elf_common.h, OpenBSD and NetBSD
 * sys/sys/exec_elf.h, illumos uts/common/sys/elf.h.
 */
enum {
	NT_FREEBSD_THRMISC = 7,
	NT_FREEBSD_PROCSTAT_PROC = 8,
	NT_FREEBSD_PROCSTAT_FILES = 9,
	NT_FREEBSD_PROCSTAT_VMMAP = 10,
	NT_FREEBSD_PROCSTAT_GROUPS = 11,
	NT_FREEBSD_PROCSTAT_UMASK = 12,
	NT_FREEBSD_PROCSTAT_RLIMIT = 13,
	NT_FREEBSD_PROCSTAT_OSREL = 14,
	NT_FREEBSD_PROCSTAT_PSSTRINGS = 15,
	NT_FREEBSD_PROCSTAT_AUXV = 16,
	NT_FREEBSD_PTLWPINFO = 17,
	NT_FREEBSD_PROCSTAT_KQUEUES = 18,
	NT_FREEBSD_PPC_VMX = 0x100,
	NT_FREEBSD_PPC_VSX = 0x102,
	NT_FREEBSD_X86_SEGBASES = 0x200,
	NT_FREEBSD_X86_XSTATE = 0x202,
	NT_FREEBSD_ARM_VFP = 0x400,
	NT_FREEBSD_ARM_TLS = 0x401,
	NT_FREEBSD_ARM_SVE = 0x405,
	NT_FREEBSD_ARM_ADDR_MASK = 0x406,
	NT_OPENBSD_PROCINFO = 10,
	NT_OPENBSD_AUXV = 11,
	NT_OPENBSD_REGS = 20,
	NT_OPENBSD_FPREGS = 21,
	NT_OPENBSD_XFPREGS = 22,
	NT_OPENBSD_WCOOKIE = 23,
	NT_OPENBSD_PACMASK = 24,
	NT_NETBSD_PROCINFO = 1,
	NT_NETBSD_AUXV = 2,
	NT_NETBSD_LWPSTATUS = 24,
	NT_SOLARIS_PLATFORM = 5,
	NT_SOLARIS_GWINDOWS = 7,
	NT_SOLARIS_ASRS = 8,
	NT_SOLARIS_LDT = 9,
	NT_SOLARIS_PSTATUS = 10,
	NT_SOLARIS_PSINFO = 13,
	NT_SOLARIS_PRCRED = 14,
	NT_SOLARIS_UTSNAME = 15,
	NT_SOLARIS_LWPSTATUS = 16,
	NT_SOLARIS_LWPSINFO = 17,
	NT_SOLARIS_PRPRIV = 18,
	NT_SOLARIS_PRPRIVINFO = 19,
	NT_SOLARIS_CONTENT = 20,
	NT_SOLARIS_ZONENAME = 21,
	NT_SOLARIS_FDINFO = 22,
	NT_SOLARIS_SPYMASTER = 23,
	NT_SOLARIS_SECFLAGS = 24,
	NT_SOLARIS_LWPNAME = 25,
	NT_GDB_TDESC = 0xff000000u,	/* gdb, include/elf/common.h: a target description, XML */
};

/* A kind of note: its owner and type say which. */
struct note_kind {
	const char *name;	/* as in elf.h: "NT_PRSTATUS" */
	const char *owner;
	u32 type;
	const char *what;
	bool per_thread;	/* belongs to the PRSTATUS before it */
};
extern const struct note_kind note_kinds[];
extern const size_t n_note_kinds;
/* The row for a note, or NULL.  "OpenBSD@77", of thread 77, is of OpenBSD. */
const struct note_kind *note_kind_find(const char *owner, u32 type);
/* True when @have is @owner, or that with "@" and a thread's number, as BSD writes it. */
bool note_owner_is(const char *have, const char *owner);

/* struct elf_prstatus without its registers' meaning; times in seconds and microseconds. */
struct prstatus {
	s32 si_signo, si_code, si_errno;
	s32 cursig;
	u64 sigpend, sighold;
	s32 pid, ppid, pgrp, sid;
	s64 utime[2], stime[2], cutime[2], cstime[2];
	struct bytes regs;	/* borrowed */
	s32 fpvalid;
};
size_t prstatus_size(const struct arch *a);
/*
 * @a, or the ABI of the same machine whose PRSTATUS has @len bytes: kernels before
 * v4.15 (commit 547da673173d) wrote n32 cores of MIPS with the e_flags of o32.
 */
const struct arch *prstatus_arch(const struct arch *a, size_t len);
/*
 * The machine of which a PRSTATUS of @len bytes is, if that is not @a's size, or
 * NULL.  gdb's gcore of a remote target writes its own host's structure, with as
 * many of the target's registers as that has room for, where BFD cannot write
 * the target's (bfd/elf.c: elfcore_write_prstatus()).
 */
const struct arch *prstatus_host(const struct arch *a, size_t len);
/* In a host's structure, regs may be shorter than @a's. */
int prstatus_get(const struct arch *a, struct bytes desc, struct prstatus *out,
		 struct err *e) must_check;
/* Appends the encoded structure; regs shorter than the machine's are zero-filled. */
int prstatus_put(const struct arch *a, const struct prstatus *s, struct buf *b,
		 struct err *e) must_check;

/* struct elf_prpsinfo.  fname and psargs are NUL-terminated here, cut on disk as the kernel does. */
struct prpsinfo {
	s32 state;
	char sname;
	s32 zomb, nice;
	u64 flag;
	u32 uid, gid;
	s32 pid, ppid, pgrp, sid;
	char fname[17];
	char psargs[81];
};
size_t prpsinfo_size(const struct arch *a);
int prpsinfo_get(const struct arch *a, struct bytes desc, struct prpsinfo *out,
		 struct err *e) must_check;
int prpsinfo_put(const struct arch *a, const struct prpsinfo *s, struct buf *b,
		 struct err *e) must_check;

/* Which members of siginfo_t's union are meant. */
enum siginfo_form {
	SIGINFO_PLAIN,	/* none */
	SIGINFO_SENT,	/* pid, uid */
	SIGINFO_QUEUED,	/* pid, uid, value */
	SIGINFO_TIMER,	/* timer, overrun, value */
	SIGINFO_CHILD,	/* pid, uid, status, times */
	SIGINFO_POLL,	/* band, descriptor */
	SIGINFO_CALL,	/* address, system call, machine */
	SIGINFO_FAULT,	/* address */
	SIGINFO_MEMORY,	/* and how much is lost */
	SIGINFO_BOUNDS,	/* and the bounds */
	SIGINFO_PKEY,	/* and the protection key */
	SIGINFO_PERF,	/* and the event's data and type */
	SIGINFO_TRAP,	/* and the trap's number: of alpha and sparc, which siginfo_form() does not know */
};
/*
 * Of @signal, its name without SIG ("SEGV"; NULL when it has none), with @code as
 * most machines number the codes.  Linux 7.3, kernel/signal.c: siginfo_layout().
 */
enum siginfo_form siginfo_form(const char *signal, int code);

/*
 * Appends @si, which is this machine's, as @a has it: 128 bytes, in a core of
 * smaller words with what its signal and code give a meaning to, and zeros.
 * Linux 6.12, kernel/signal.c: copy_siginfo_to_external32().
 */
int siginfo_put(const struct arch *a, const siginfo_t *si, struct buf *b, struct err *e) must_check;
