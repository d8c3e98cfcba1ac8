/* check.h - what may be wrong with a core, as a table of checks; see tagcore-checks(7). */
#pragma once

#include "base/err.h"
#include "core/core.h"

enum check_severity { CHECK_ERROR, CHECK_WARNING, CHECK_INFO };

struct check_ctx;

/*
 * One check.  run reports through check_found().  A row with @fault has no run:
 * it stands for what core_open() refuses.
 */
struct check {
	const char *id;			/* stable: scripts name it */
	enum check_severity severity;
	const char *what;		/* what must hold, in a sentence */
	const char *reference;		/* who says so, or who stumbles */
	enum core_fault fault;
	bool of_process;		/* of the process, not of the file: info where the kernel wrote the core */
	u32 kinds;			/* of core it is for: a sum of 1 << CORE_*; 0: all */
	void (*run)(struct check_ctx *x);
};

extern const struct check checks[];
extern const size_t n_checks;
const char *check_severity_name(enum check_severity s);

/*
 * One fault found: @off is a file position, @severity the check's, or less.  One
 * with @unlisted is the last of its check, and stands for so many that are not listed.
 */
struct finding {
	const struct check *check;
	enum check_severity severity;
	size_t unlisted;
	u64 off;
	char *msg;
};

/*
 * Findings in the order of checks[]; owns the sentences.  A zeroed one is empty
 * and valid.  At most @max findings of one check are listed; 0: CHECK_FINDINGS_MAX.
 */
struct findings {
	struct finding *f;
	size_t n;
	size_t cap;
	size_t max;
};
void findings_fini(struct findings *l);
/* How many are of that severity. */
size_t findings_count(const struct findings *l, enum check_severity s);

/* Bounds for findings.max: the usual one, and the one for who wants all. */
enum { CHECK_FINDINGS_MAX = 100, CHECK_FINDINGS_ALL = 10000 };

/* Runs every check on an open core and appends to @out. */
int check_core(struct core *core, struct findings *out, struct err *e) must_check;
/*
 * The same for a file.  A file that is not a core at all is a finding; negative
 * when it cannot be read, or memory is short.
 */
int check_file(const char *path, struct findings *out, struct err *e) must_check;
/* The same for a file that is open already, as core_open_file(): taken over, also on failure. */
int check_open_file(struct core_file *file, const char *path, struct findings *out, struct err *e) must_check;
