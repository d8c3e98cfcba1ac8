#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "unwind/mod/mod.h"

/* With --sysroot, which files may be opened by what a core, or a file that it has led to, calls them. */

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

/* As libdebuginfod chooses its directory: debuginfod-client.c, debuginfod_init_cache() and default_cache_path(). */
static bool is_in_cache(const char *path)
{
	static const struct {
		const char *variable, *below;
	} dirs[] = {
		{ "DEBUGINFOD_CACHE_PATH", "" }, { "XDG_CACHE_HOME", "/debuginfod_client" },
		{ "HOME", "/.cache/debuginfod_client" }, { "HOME", "/.debuginfod_client_cache" },
	};
	const char *urls = getenv("DEBUGINFOD_URLS");
	char dir[PATH_MAX];

	for (size_t i = 0; urls && *urls && i < ARRAY_SIZE(dirs); i++) {
		const char *at = getenv(dirs[i].variable);

		if (at && at[0] == '/' && snprintf(dir, sizeof(dir), "%s%s", at, dirs[i].below) < (int)sizeof(dir) &&
		    is_below(path, dir) && !goes_back(path))
			return true;
	}
	return false;
}

/* What the user has named outside of the sysroot, and what the command itself made there. */
static bool is_named(const struct unwind *u, const char *path)
{
	static const char *const of_process[] = { "root", "exe", "map_files" };
	char live[64];

	if (u->opts.exe && !strcmp(path, u->opts.exe))
		return true;
	for (size_t i = 0; u->opts.pid && i < ARRAY_SIZE(of_process); i++) {
		snprintf(live, sizeof(live), "/proc/%d/%s", (int)u->opts.pid, of_process[i]);
		if (!strcmp(path, live) || (is_below(path, live) && !goes_back(path)))
			return true;
	}
	for (size_t i = 0; i < u->n_debugdirs; i++)
		if (is_below(path, u->debugdirs[i]) && !goes_back(path))
			return true;
	return is_in_cache(path);
}

bool allowed_name(const struct unwind *u, const char *path)
{
	return !u->opts.sysroot || is_below(path, u->opts.sysroot) || is_named(u, path);
}
