#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/io.h"
#include "base/scope.h"
#include "dump/dump_priv.h"

bool output_is_stream(const char *path)
{
	struct stat st;

	if (!strcmp(path, "-"))
		return true;
	/* What is there and is no file (a FIFO, /dev/null) is written into, never replaced. */
	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int output_room(const char *path, u64 *bytes, struct err *e)
{
	char *copy auto_free = strdup(path);
	struct statvfs sv;
	const char *dir;

	if (!copy)
		return err_set(e, -ENOMEM, "%s", path);
	dir = dirname(copy);
	if (statvfs(dir, &sv))
		return err_set(e, -errno, "directory %s for the core", dir);
	*bytes = (u64)sv.f_bavail * sv.f_frsize;
	return 0;
}

int output_open(struct dump *d, struct err *e)
{
	const char *path = d->report->path;
	struct stat st;

	if (!strcmp(path, "-"))
		return writer_open_stream(&d->writer, d->opts->stream_fd, "standard output", e);
	if (output_is_stream(path)) {
		d->stream_fd = io_open(path, O_WRONLY | O_NOCTTY, e);
		return d->stream_fd < 0 ? d->stream_fd : writer_open_stream(&d->writer, d->stream_fd, path, e);
	}
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return err_set(e, -EISDIR, "create %s", path);
	return writer_open_file(&d->writer, path, d->opts->force, e);
}
