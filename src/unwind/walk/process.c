#include <errno.h>
#include <sys/mman.h>

#include "base/scope.h"
#include "dump/job.h"
#include "unwind/process.h"

int process_core(pid_t pid, u32 stop_timeout_ms, enum snapshot_wish snapshot, bool waits,
		 const volatile sig_atomic_t *cancel, struct core *core, struct dump_report *report, struct err *e)
{
	int fd auto_close = memfd_create("stacks", MFD_CLOEXEC);
	struct dump_opts opts = {
		.output = "-", .stacks = true, .unwind_only = true, .stop_timeout_ms = stop_timeout_ms, .cancel = cancel,
		.stream_fd = fd, .snapshot = snapshot, .waits = waits,
	};
	struct core_file file = { 0 };
	int r;

	*report = (struct dump_report){ .pid = pid };
	if (fd < 0)
		return err_set(e, -errno, "memory for the stacks");
	r = dump_job(pid, &opts, report, e);
	if (!r)
		r = core_file_open_fd(&file, take_fd(fd), "the process's stacks", e);
	return r ? r : core_open_file(core, &file, "the process's stacks", e);
}
