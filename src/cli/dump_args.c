#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/dump_args.h"
#include "dump/writer.h"

/* A process waits for what is compressed; stronger levels are for those who have a reason. */
enum { DEFAULT_LEVEL = 1 };

int dump_pid_parse(const char *s, pid_t *out, struct err *e)
{
	u64 v;

	if (text_parse_u64(s, 10, false, &v) || v == 0 || v > INT32_MAX)
		return err_set(e, ERR_USAGE, "%s is not a process id", s);
	*out = (pid_t)v;
	return 0;
}

int dump_snapshot_parse(const char *s, enum snapshot_wish *out, struct err *e)
{
	if (s && strcmp(s, "require") != 0)
		return err_set(e, ERR_USAGE, "--snapshot=%s: there is only --snapshot=require", s);
	*out = s ? SNAPSHOT_REQUIRE : SNAPSHOT_TRY;
	return 0;
}

int dump_level_parse(const char *s, int *out, struct err *e)
{
	u64 v = DEFAULT_LEVEL;
	int r;

	if (s && (text_parse_u64(s, 10, false, &v) || v > INT32_MAX))
		return err_set(e, ERR_USAGE, "--compress=%s is not a level", s);
	r = writer_level_check((int)v, e);
	if (r)
		return err_wrap(e, "--compress=%s", s);
	*out = (int)v;
	return 0;
}

int dump_timeout_parse(const char *option, const char *s, u32 *ms, struct err *e)
{
	char *end;
	double sec = strtod(s, &end);

	if (end == s || *end || !(sec >= 0 && sec <= 86400))
		return err_set(e, ERR_USAGE, "%s %s is not a number of seconds up to 86400", option, s);
	*ms = sec > 0 && sec < 0.001 ? 1 : (u32)(sec * 1000);
	return 0;
}
