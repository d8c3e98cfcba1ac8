#include "base/util.h"
#include "dump/dump.h"

static bool wants_snapshot(const struct dump_opts *o) { return o->snapshot != SNAPSHOT_NO; }
static bool wants_pause(const struct dump_opts *o) { return o->max_pause_us; }
static bool wants_timeout(const struct dump_opts *o) { return o->have_stop_timeout; }
static bool wants_stacks(const struct dump_opts *o) { return o->stacks; }

static const struct {
	const char *what;
	bool (*given)(const struct dump_opts *o);
	const char *why;
} needs_stop[] = {
	{ "snapshot", wants_snapshot, "the kernel makes one of a process that stands still" },
	{ "longest stop (--max-pause)", wants_pause, "the process runs all the time" },
	{ "limit for it (--stop-timeout)", wants_timeout, "no thread is waited for" },
	{ "dump of stacks (--stacks)", wants_stacks, "which parts of them are in use is in registers, which only a stopped thread has" },
};

int dump_check_no_stop(const struct dump_opts *o, struct err *e)
{
	for (size_t i = 0; o->no_stop && i < ARRAY_SIZE(needs_stop); i++)
		if (needs_stop[i].given(o))
			return err_set(e, ERR_USAGE, "without a stop (--no-stop) there is no %s: %s", needs_stop[i].what,
				       needs_stop[i].why);
	return 0;
}
