/* dump_args.h - arguments that the commands which save processes have in common. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "dump/dump.h"

/* A process id.  ERR_USAGE. */
int dump_pid_parse(const char *s, pid_t *out, struct err *e) must_check;
/* Of --snapshot: "require", or NULL.  ERR_USAGE. */
int dump_snapshot_parse(const char *s, enum snapshot_wish *out, struct err *e) must_check;
/* Of --compress: a level of zstd's; NULL is the default.  ERR_USAGE. */
int dump_level_parse(const char *s, int *out, struct err *e) must_check;
/* Of --stop-timeout and its like: seconds, also as "0.5".  ERR_USAGE. */
int dump_timeout_parse(const char *option, const char *s, u32 *ms, struct err *e) must_check;
