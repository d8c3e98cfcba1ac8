/* core_file.h - the bytes of a core, wherever they are: in a plain file, or in a packed one. */
#pragma once

#include <signal.h>

#include "base/err.h"
#include "base/types.h"

struct core_file;

/*
 * A backend: how the bytes of a core are reached.  read_at: up to @len bytes at
 * @off, *n < len only at the end of the file.  Never by mmap: a file that
 * shrinks while it is read must give an error, not SIGBUS.  start and verify:
 * as core_file_start() and core_file_verify(), or NULL when there is nothing to do.
 * next_data: as core_file_next_data(), or NULL when it is not known.
 */
struct core_file_ops {
	const char *name;
	int (*read_at)(struct core_file *f, u64 off, void *buf, size_t len, size_t *n,
		       struct err *e);
	void (*close)(struct core_file *f);
	int (*start)(struct core_file *f, struct err *e);
	int (*verify)(struct core_file *f, struct err *e);
	u64 (*next_data)(struct core_file *f, u64 off);
};

/* Bytes [start, end) of the core. */
struct core_part {
	u64 start;
	u64 end;
};

/* How a packed file is packed, and what is known to be wrong with that. */
struct core_packing {
	const char *name;	/* "zstd", "gzip" or "xz" */
	u64 size;		/* bytes of the packed file */
	u64 good_to;		/* a read past here failed, as the packed file is damaged; else UINT64_MAX */
	/* ERR_TRUNCATED: it ends too early; else: it is damaged.  "at 0xOFF" is in the packed file. */
	const struct err *faults;
	size_t n_faults;
	const struct core_part *bad;	/* found by core_file_verify(): what does not unpack, while what follows does */
	size_t n_bad;
	struct err table;	/* code not 0: its seek table does not agree with the frames, and is not used */
};

/*
 * An open file of @size bytes (as it was when opened; of a packed one, unpacked,
 * and known once it is started).  A zeroed one may be closed.
 */
struct core_file {
	const struct core_file_ops *ops;
	void *priv;
	u64 size;
	const struct core_packing *packing;	/* of a packed file, while it is open; else NULL */
	/* Not NULL: != 0 ends unpacking with ERR_CANCELLED.  May be set before core_file_open(). */
	const volatile sig_atomic_t *cancel;
	/*
	 * Bytes that a packed file may unpack to, past which there is ERR_LIMIT; UINT64_MAX:
	 * any number; 0: 64 GiB or 1000 times the packed file, of them 4 GiB or 100 times
	 * the packed file in pages that are not zero, whichever is more.  To be set before core_file_open().
	 */
	u64 unpack_limit;
	bool bad_is_zero;	/* what packing->bad has is read as zeros; else that is an error */
};

extern const struct core_file_ops core_file_plain_ops;	/* pread(2) */

/*
 * Opens @path to @f, which is zeroed but for @cancel and @unpack_limit; a file packed by zstd, gzip
 * or xz, known by its first bytes, as what it unpacks to.  Nothing in it but
 * those bytes has been looked at: no file needs to be opened for that any more.
 */
int core_file_open(struct core_file *f, const char *path, struct err *e) must_check;
/* The same for a descriptor, which is taken over, also on failure; @path is for messages. */
int core_file_open_fd(struct core_file *f, int fd, const char *path, struct err *e) must_check;
/* The last step of core_file_open(), for other backends: if @f is packed, it becomes the unpacked file. */
int core_file_unpack(struct core_file *f, struct err *e) must_check;
/*
 * Learns the size of a packed file, and how it can be read: any part by itself,
 * or from the beginning into a temporary file (in TMPDIR, /var/tmp or /tmp).
 * If the size is not known otherwise, the file is unpacked to its end now.  Memory is
 * bounded and some disk space is left free: ERR_LIMIT.  A damaged or truncated file
 * gives what can be unpacked; an error when that is nothing.
 */
int core_file_start(struct core_file *f, struct err *e) must_check;
/* Unpacks all of a packed file to see that it can be; faults go to packing->faults and are not an error. */
int core_file_verify(struct core_file *f, struct err *e) must_check;
void core_file_close(struct core_file *f);
/* All of [off, off + len), or ERR_TRUNCATED. */
int core_file_read(struct core_file *f, u64 off, void *buf, size_t len, struct err *e) must_check;
/* Zeros are all there is in [off, the result): a hole, as far as that is known.  At most the file's size. */
u64 core_file_next_data(struct core_file *f, u64 off);
