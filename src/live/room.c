#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/scope.h"
#include "base/text.h"
#include "base/util.h"
#include "live/proc.h"
#include "live/room.h"

enum { TEXT_MAX = 1 << 20, PATH_LEN = 4096 };

/* A controller's files: the limit, and how much is in use; of the second version, and of the first. */
static const struct controller {
	const char *name;
	const char *max[2];
	const char *current[2];
	const char *stat;	/* where there is what would be given back when it is needed: "inactive_file" */
	size_t need;
} controllers[] = {
	{ "memory", { "memory.max", "memory.limit_in_bytes" }, { "memory.current", "memory.usage_in_bytes" }, "memory.stat",
	  offsetof(struct room_need, memory) },
	{ "pids", { "pids.max", "pids.max" }, { "pids.current", "pids.current" }, NULL, offsetof(struct room_need, tasks) },
};

static int slurp(const char *path, struct buf *b)
{
	struct err ignored;

	return io_slurp_text(path, b, TEXT_MAX, &ignored) ? -1 : 0;
}

/* The number in @dir/@file, or after @key at the beginning of a line there.  False: there is none, or it is "max". */
static bool read_number(const char *dir, const char *file, const char *key, u64 *out)
{
	struct buf b scoped(buf_fini) = { 0 };
	char path[PATH_LEN + 64];
	const char *at;
	char *end;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (slurp(path, &b))
		return false;
	at = (char *)b.p;
	while (key && at && strncmp(at, key, strlen(key)) != 0) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	if (!at)
		return false;
	at += key ? strlen(key) : 0;
	*out = strtoull(at, &end, 10);
	return end != at;
}

/* ---- groups */

static u64 need_of(const struct controller *c, const struct room_need *need)
{
	u64 n;

	memcpy(&n, (const char *)need + c->need, sizeof(n));
	return n;
}

static int check_group(const struct controller *c, bool first, const char *dir, const struct room_need *need, struct err *e)
{
	u64 limit, used, back = 0, n = need_of(c, need);

	if (!read_number(dir, c->max[first], NULL, &limit) || !read_number(dir, c->current[first], NULL, &used))
		return 0;
	if (limit >= used && limit - used >= n)
		return 0;
	if (c->stat && read_number(dir, c->stat, "inactive_file ", &back) && limit >= used - min(used, back) &&
	    limit - (used - min(used, back)) >= n)
		return 0;
	return err_set(e, ERR_LIMIT, "%s has no room for it: %s is %llu, and %llu are in use", dir, c->max[first],
		       (unsigned long long)limit, (unsigned long long)used);
}

/* From the process's own group up to the root. */
static int check_path(const struct controller *c, bool first, char *dir, size_t root_len, const struct room_need *need,
		      struct err *e)
{
	int r = check_group(c, first, dir, need, e);

	while (!r && strlen(dir) > root_len) {
		*strrchr(dir, '/') = 0;
		r = check_group(c, first, dir, need, e);
	}
	return r;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = strstr(list, word); p; p = strstr(p + 1, word))
		if ((p == list || p[-1] == ',') && (!p[len] || p[len] == ','))
			return true;
	return false;
}

/* Where the group of that path is: proc_pid_mountinfo(5), "ID PARENT DEV ROOT POINT … - TYPE SOURCE OPTIONS". */
static bool find_dir(char *mounts, const struct controller *c, bool first, const char *path,
		     char dir[PATH_LEN], size_t *root_len)
{
	char *save, root[PATH_LEN], point[PATH_LEN], type[32], options[512];

	for (char *line = strtok_r(mounts, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *rest = strstr(line, " - ");
		size_t len;

		if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2 ||
		    sscanf(rest, " - %31s %*s %511s", type, options) != 2)
			continue;
		if (strcmp(type, first ? "cgroup" : "cgroup2") != 0 || (first && !has_word(options, c->name)))
			continue;
		len = strcmp(root, "/") ? strlen(root) : 0;
		/* One that is seen only in part, from a container. */
		if (strncmp(path, root, len) != 0 || (path[len] && path[len] != '/'))
			continue;
		*root_len = strlen(point);
		path += len;
		return snprintf(dir, PATH_LEN, "%s%s", point, strcmp(path, "/") ? path : "") < PATH_LEN;
	}
	return false;
}

static int check_controller(const struct controller *c, bool first, const char *path, const struct room_need *need,
			    struct err *e)
{
	struct buf mounts scoped(buf_fini) = { 0 };
	char dir[PATH_LEN];
	size_t root_len;

	if (slurp("/proc/self/mountinfo", &mounts) || !find_dir((char *)mounts.p, c, first, path, dir, &root_len))
		return 0;
	return check_path(c, first, dir, root_len, need, e);
}

/* "ID:CONTROLLERS:PATH"; the second version has one line, without a list. */
static int check_line(char *line, const struct room_need *need, struct err *e)
{
	char *list = strchr(line, ':');
	char *path = list ? strchr(list + 1, ':') : NULL;
	int r = 0;

	if (!path)
		return 0;
	*path++ = 0;
	list++;
	for (size_t i = 0; !r && i < ARRAY_SIZE(controllers); i++)
		if (!*list || has_word(list, controllers[i].name))
			r = check_controller(&controllers[i], *list != 0, path, need, e);
	return r;
}

int room_check(pid_t pid, const struct room_need *need, struct err *e)
{
	struct buf b scoped(buf_fini) = { 0 };
	char path[64];
	char *save;
	u64 kib;
	int r = 0;

	if (read_number("/proc", "meminfo", "MemAvailable:", &kib) && kib * 1024 < need->memory)
		return err_set(e, ERR_LIMIT, "the machine has no memory for it: %llu KiB are available", (unsigned long long)kib);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (slurp(path, &b))
		return 0;
	for (char *line = strtok_r((char *)b.p, "\n", &save); !r && line; line = strtok_r(NULL, "\n", &save))
		r = check_line(line, need, e);
	return r;
}
