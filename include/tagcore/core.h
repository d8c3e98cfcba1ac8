/* tagcore/core.h - a core file, opened and read without trust. */
#pragma once

#include <signal.h>

#include <tagcore/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An open core file, of any machine, class and byte order.  One thread at a time. */
struct tagcore_core;

struct tagcore_thread;

struct tagcore_open_options {
	size_t size;		/* sizeof(struct tagcore_open_options) */
	/*
	 * Bytes that a packed core may unpack to: more is TAGCORE_ERR_LIMIT.  UINT64_MAX: any number;
	 * 0: a multiple of the packed file's size, and 64 GiB at least.
	 */
	uint64_t unpack_limit;
	/*
	 * Not 0 ends a long operation on the core with TAGCORE_ERR_CANCELLED; may be set by a
	 * signal handler or another thread; must stay valid until the core is closed.
	 */
	const volatile sig_atomic_t *cancel;
};

/*
 * Opens the core @path: plain, or packed by zstd, gzip or xz.  The memory stays in the
 * file, and is read when it is asked for.  A packed core that has no index is unpacked
 * to a temporary file in $TMPDIR, /var/tmp or /tmp.  @options may be NULL.
 *
 * Only what would make every answer wrong is an error: TAGCORE_ERR_INPUT or _TRUNCATED
 * for what is no core.  A core that is damaged in part opens, without that part;
 * tagcore/check.h finds it.
 */
TAGCORE_API int tagcore_core_open(struct tagcore_core **core, const char *path,
				  const struct tagcore_open_options *options,
				  struct tagcore_error *error) TAGCORE_MUST_CHECK;
/*
 * The same for a regular file that is open for reading.  The descriptor is duplicated:
 * the caller keeps @fd, whose file position may change.  @name is for messages.
 */
TAGCORE_API int tagcore_core_open_fd(struct tagcore_core **core, int fd, const char *name,
				     const struct tagcore_open_options *options,
				     struct tagcore_error *error) TAGCORE_MUST_CHECK;
/* All that was returned for @core becomes invalid. */
TAGCORE_API void tagcore_core_close(struct tagcore_core *core);

enum tagcore_core_kind {
	TAGCORE_KIND_PROCESS,	/* a process of Linux, or of an unknown system */
	TAGCORE_KIND_KDUMP,	/* a crashed Linux kernel: /proc/vmcore */
	TAGCORE_KIND_QEMU,	/* a virtual machine, by QEMU */
	TAGCORE_KIND_VMCORE,	/* the memory of a machine, by an unknown program */
	TAGCORE_KIND_KCORE,	/* a running Linux kernel: /proc/kcore */
	TAGCORE_KIND_FREEBSD,	/* and these: a process */
	TAGCORE_KIND_OPENBSD,
	TAGCORE_KIND_NETBSD,
	TAGCORE_KIND_SOLARIS,	/* or illumos */
};

/* What is known of the core as a whole.  Strings are NULL, numbers as noted, where it does not say. */
struct tagcore_core_info {
	enum tagcore_core_kind kind;
	int bits;			/* 32 or 64 */
	int big_endian;			/* not 0: byte order of all that is in it */
	int truncated;			/* not 0: the file is shorter than it says, or has lost memory since it was made */
	const char *kind_name;		/* "core", "qemu vmcore", "FreeBSD core" … */
	const char *machine;		/* "x86_64", "aarch64" … or "EM_1234" */
	const char *maker;		/* program that wrote it: "tagcore 0.2.0", "gdb", "kernel" */
	const char *compression;	/* "zstd", "gzip", "xz"; NULL: none */
	uint64_t size;			/* bytes; of a packed core, unpacked */
	uint64_t file_size;		/* bytes of the file itself */
	int64_t pid;			/* -1: unknown */
	int64_t uid;			/* -1: unknown */
	const char *command;		/* as the kernel has it, cut to 15 bytes */
	const char *arguments;		/* cut to 79 bytes */
	int signal;			/* that ended the process, by the core's own numbers; 0: none */
	int signal_code;		/* si_code; 0 without a siginfo */
	const char *signal_name;	/* "SIGSEGV" */
	int has_fault_address;		/* not 0: @fault_address is known */
	uint64_t fault_address;
	const struct tagcore_thread *crashed;	/* that took the signal; NULL: none */
	uint64_t lost;			/* bytes of memory that the file has lost since it was made */
};
/* Valid until the core is closed. */
TAGCORE_API const struct tagcore_core_info *tagcore_core_get_info(const struct tagcore_core *core);

/* A program header, after elf(5). */
struct tagcore_segment {
	uint32_t type;		/* PT_* */
	uint32_t flags;		/* PF_* */
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
	uint64_t in_file;	/* bytes of filesz that the file really holds */
};
/* How many program headers the file holds. */
TAGCORE_API size_t tagcore_core_segments(const struct tagcore_core *core);
/* Number @i of them; NULL past the end.  Valid until the next call for this core. */
TAGCORE_API const struct tagcore_segment *tagcore_core_segment(struct tagcore_core *core, size_t i);

/*
 * The value of the entry @type (AT_*, by Linux's numbers) of the auxiliary vector.
 * 1 and *value; 0: there is none.
 */
TAGCORE_API int tagcore_core_auxv(const struct tagcore_core *core, uint64_t type, uint64_t *value);
/*
 * Calls @fn for each entry of the auxiliary vector, with the numbers of the core's own system.  A
 * value other than 0 from @fn ends the walk and is returned; else 0.
 */
TAGCORE_API int tagcore_auxv_each(const struct tagcore_core *core, int (*fn)(uint64_t type, uint64_t value, void *arg),
				  void *arg);

#ifdef __cplusplus
}
#endif
