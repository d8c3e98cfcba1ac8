#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/open.h"
#include "base/scope.h"
#include "base/util.h"
#include "unwind/broker.h"
#include "unwind/mod/mod.h"

/*
 * The names come from a process that a hostile core may have taken over: what is decided here
 * depends on the options alone, and on nothing that this process has said before.
 */
struct broker {
	struct unwind u;	/* its options and directories */
	char *cache;		/* where libdebuginfod puts files, or NULL */
};

/* As libdebuginfod chooses it: debuginfod-client.c, debuginfod_init_cache() and default_cache_path(). */
static char *cache_dir(void)
{
	static const struct {
		const char *variable, *below;
	} dirs[] = {
		{ "DEBUGINFOD_CACHE_PATH", "" }, { "XDG_CACHE_HOME", "/debuginfod_client" },
		{ "HOME", "/.cache/debuginfod_client" },
	};
	const char *urls = getenv("DEBUGINFOD_URLS");
	char *path;

	for (size_t i = 0; urls && *urls && i < ARRAY_SIZE(dirs); i++) {
		const char *at = getenv(dirs[i].variable);

		if (at && at[0] == '/')
			return asprintf(&path, "%s%s", at, dirs[i].below) < 0 ? NULL : path;
	}
	return NULL;
}

int broker_make(struct broker **out, const struct unwind_opts *opts, struct err *e)
{
	struct broker *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return err_set(e, -ENOMEM, "names of files");
	b->u.opts = *opts;
	b->u.opts.open_file = NULL;
	b->cache = cache_dir();
	r = dirs_open(&b->u, e);
	if (r)
		broker_free(b);
	else
		*out = b;
	return r;
}

void broker_free(struct broker *b)
{
	if (!b)
		return;
	dirs_close(&b->u);
	free(b->cache);
	free(b);
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = dir ? strlen(dir) : 0;

	while (len && dir[len - 1] == '/')
		len--;
	return dir && !strncmp(path, dir, len) && path[len] == '/';
}

/* No component is "..", so that what is below a directory by its text is not above it by its meaning. */
static bool goes_back(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
	return false;
}

/* What the user has named outside of the sysroot, and what the command itself made there. */
static bool is_named(const struct broker *b, const char *path)
{
	static const char *const of_process[] = { "root", "exe", "map_files" };
	char live[64];

	if (b->u.opts.exe && !strcmp(path, b->u.opts.exe))
		return true;
	for (size_t i = 0; b->u.opts.pid && i < ARRAY_SIZE(of_process); i++) {
		snprintf(live, sizeof(live), "/proc/%d/%s", (int)b->u.opts.pid, of_process[i]);
		if (!strcmp(path, live) || (is_below(path, live) && !goes_back(path)))
			return true;
	}
	for (size_t i = 0; i < b->u.n_debugdirs; i++)
		if (is_below(path, b->u.debugdirs[i]) && !goes_back(path))
			return true;
	return is_below(path, b->cache) && !goes_back(path);
}

int broker_open(struct broker *b, const char *path, struct err *e)
{
	bool in_root = b->u.sysroot && is_below(path, b->u.sysroot);

	if (strlen(path) >= PATH_MAX)
		return err_set(e, -ENAMETOOLONG, "open a file");
	if (b->u.sysroot && !in_root && !is_named(b, path))
		return err_set(e, ERR_INPUT, "%s is outside of --sysroot", path);
	if (path[0] != '/' && !is_named(b, path))
		return err_set(e, ERR_INPUT, "%s is no absolute name", path);
	return modfile_open(&b->u, path, e);
}
