#include "base/text.h"
#include "cli/cmds.h"
#include "cli/subject.h"
#include "unwind/process.h"

/* A PID, unless it is spelled as a path. */
static bool is_pid(const char *operand, pid_t *pid)
{
	u64 v;

	if (text_parse_u64(operand, 10, false, &v) || !v || v > INT32_MAX)
		return false;
	*pid = (pid_t)v;
	return true;
}

static int open_live(struct subject *s, pid_t pid, struct err *e)
{
	int r = process_core(pid, PROCESS_STOP_TIMEOUT_MS, s->snapshot, s->waits, &cli_cancelled, &s->core, &s->report, e);

	if (r) {
		/* The target runs again. */
		cli_end_by_signal();
		return r;
	}
	s->opts.pid = s->report.pid;
	return 0;
}

static int open_core(struct subject *s, const char *path, struct err *e)
{
	int r;

	s->file = (struct core_file){ .cancel = &cli_cancelled, .unpack_limit = s->unpack_limit };
	s->path = path;
	r = core_file_open(&s->file, path, e);
	if (r)
		cli_end_by_signal();
	return r;
}

int subject_open(struct subject *s, const char *command, const char *operand, struct err *e)
{
	pid_t pid;

	if (is_pid(operand, &pid))
		return open_live(s, pid, e);
	if (s->snapshot)
		return err_set(e, ERR_USAGE, "%s: --snapshot is for a process, and %s is a core", command, operand);
	return open_core(s, operand, e);
}

int subject_read(struct subject *s, struct err *e)
{
	return s->path ? core_open_file(&s->core, &s->file, s->path, e) : 0;
}

void subject_close(struct subject *s)
{
	core_file_close(&s->file);
	core_close(&s->core);
	dump_report_fini(&s->report);
}
