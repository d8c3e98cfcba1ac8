#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "live/footprint.h"
#include "live/proc.h"

/* "KEY:	N kB" */
static u64 value_of(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	unsigned long long kb = 0;

	return at && sscanf(at + strlen(key), "%llu kB", &kb) == 1 ? kb * 1024 : 0;
}

static void read_rollup(pid_t pid, pid_t tid, struct footprint *out)
{
	struct buf b scoped(buf_fini) = { 0 };
	const char *text;
	struct err ignored;

	if (proc_slurp_text(pid, tid, "smaps_rollup", 1 << 16, &b, &ignored))
		return;
	text = (const char *)b.p;
	out->huge = value_of(text, "\nAnonHugePages:");
	out->own = value_of(text, "\nPrivate_Dirty:");
}

void footprint_read(pid_t pid, pid_t tid, bool rollup, struct footprint *out)
{
	struct proc_status st;
	struct err ignored;

	*out = (struct footprint){ 0 };
	if (proc_status(pid, tid, &st, &ignored))
		return;
	*out = (struct footprint){ .rss = st.vm_rss, .pte = st.vm_pte, .shmem = st.rss_shmem };
	if (rollup)
		read_rollup(pid, tid, out);
}
