/*
 * lost CORE PID: the ranges of the core, "START END" a line, whose content a
 * dump cannot have: pages of files (shared memory is one, too) which the process
 * has not mapped in, where the file cannot be opened either.  Its name may be
 * gone, no descriptor open, and /proc/PID/map_files is for CAP_CHECKPOINT_RESTORE
 * in the first user namespace only; reading the pages through the process would
 * map them in.  For root nothing is lost.
 *
 * To be asked before anything reads the memory of the process, which must not
 * run meanwhile; found out by other means than the program's own.
 */
#include "coreread.h"

#include <sys/sysmacros.h>

struct line {
	unsigned long start;
	unsigned long end;
	unsigned long ino;
	dev_t dev;
	char name[4096];
};

static int read_line(FILE *f, struct line *l)
{
	char text[8192];
	unsigned major, minor;
	int name = 0;

	if (!fgets(text, sizeof(text), f))
		return 0;
	must(sscanf(text, "%lx-%lx %*s %*x %x:%x %lu %n", &l->start, &l->end, &major, &minor,
		    &l->ino, &name) >= 5 && name, "maps");
	l->dev = makedev(major, minor);
	snprintf(l->name, sizeof(l->name), "%.*s", (int)strcspn(text + name, "\n"), text + name);
	return 1;
}

static int opens(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int leads_to(const char *path, const struct line *l)
{
	struct stat st;

	return !stat(path, &st) && st.st_ino == l->ino && st.st_dev == l->dev && opens(path);
}

static int open_as_fd(const char *pid, const struct line *l)
{
	char path[512];
	struct dirent *de;
	int found = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	must(d != NULL, path);
	while (!found && (de = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, de->d_name);
		found = leads_to(path, l);
	}
	closedir(d);
	return found;
}

static int has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

static int can_open(const char *pid, const struct line *l)
{
	char path[8192];

	snprintf(path, sizeof(path), "/proc/%s/map_files/%lx-%lx", pid, l->start, l->end);
	if (opens(path))
		return 1;
	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	if (leads_to(path, l) || open_as_fd(pid, l))
		return 1;
	snprintf(path, sizeof(path), "/proc/%s/root%s", pid, l->name);
	return !has_suffix(l->name, " (deleted)") && opens(path);
}

/* pagemap.rst: bit 63 is a page in memory, bit 62 one in swap. */
static int is_mapped_in(int pagemap, uint64_t addr)
{
	uint64_t word;

	must(pread(pagemap, &word, sizeof(word), (off_t)(addr / PAGE * sizeof(word))) ==
	     sizeof(word), "pagemap");
	return (word >> 62) != 0;
}

static void join_range(struct range *last, uint64_t start, uint64_t end)
{
	if (start == last->end && last->end) {
		last->end = end;
		return;
	}
	if (last->end)
		printf("0x%lx 0x%lx\n", last->start, last->end);
	*last = (struct range){ start, end };
}

int main(int argc, char **argv)
{
	struct range last = { 0, 0 };
	struct line l;
	char path[64];
	struct core c;
	int pagemap;
	FILE *maps;

	if (argc != 3) {
		fprintf(stderr, "usage: lost CORE PID\n");
		return 2;
	}
	c = core_open(argv[1]);
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[2]);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[2]);
	maps = fopen(path, "r");
	must(pagemap >= 0 && maps, path);
	while (read_line(maps, &l)) {
		const Elf64_Phdr *h = core_find(&c, l.start);

		if (!h || !h->p_filesz || !l.dev || can_open(argv[2], &l))
			continue;
		for (uint64_t a = h->p_vaddr; a < h->p_vaddr + h->p_filesz; a += PAGE)
			if (!is_mapped_in(pagemap, a))
				join_range(&last, a, a + PAGE);
	}
	join_range(&last, UINT64_MAX, 0);
	fclose(maps);
	close(pagemap);
	return 0;
}
