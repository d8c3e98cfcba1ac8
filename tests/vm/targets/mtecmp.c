/*
 * mtecmp runs CORE		"START END TAG" for runs of equal tags
 * mtecmp areas CORE LOG	"KIND whole|first|empty|part|missing right|wrong" for each area that a
 *				target reported in LOG: how much is saved, and whether it is as reported
 * mtecmp cores OURS KERNEL	the tag segments of two cores: every header and every byte, but
 *				for areas never written to, of which the kernel saves nothing
 *
 * For the tests only, little-endian, on any machine; deliberately not the
 * program's own reader.  Exit 0 when right or equal, 1 when not, 2 on trouble.
 */
#include "mte.h"

#include <elf.h>
#include <sys/stat.h>

#define PT_MTE 0x70000002u	/* PT_AARCH64_MEMTAG_MTE */

struct core {
	const char *path;
	const uint8_t *p;
	size_t len;
	const Elf64_Phdr *phdr;
	size_t n;
};

static void need(int good, const char *path, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "mtecmp: %s: %s\n", path, what);
	exit(2);
}

static struct core core_open(const char *path)
{
	struct core c = { .path = path };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const Elf64_Ehdr *h;
	struct stat st;

	need(fd >= 0 && fstat(fd, &st) == 0, path, strerror(errno));
	c.len = (size_t)st.st_size;
	need(c.len >= sizeof(*h), path, "too short");
	c.p = mmap(NULL, c.len, PROT_READ, MAP_PRIVATE, fd, 0);
	need(c.p != MAP_FAILED, path, "mmap");
	close(fd);
	h = (const void *)c.p;
	need(!memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_type == ET_CORE, path, "no core");
	c.phdr = (const void *)(c.p + h->e_phoff);
	c.n = h->e_phnum;
	need(h->e_phoff + c.n * sizeof(*c.phdr) <= c.len, path, "program headers cut off");
	for (size_t i = 0; i < c.n; i++)
		need(c.phdr[i].p_type != PT_MTE || c.phdr[i].p_offset + c.phdr[i].p_filesz <= c.len,
		     path, "tags cut off");
	return c;
}

/* The next tag segment at or after number *i; NULL at the end. */
static const Elf64_Phdr *next_mte(const struct core *c, size_t *i)
{
	while (*i < c->n)
		if (c->phdr[(*i)++].p_type == PT_MTE)
			return &c->phdr[*i - 1];
	return NULL;
}

/* The lower granule of a pair is in the low nibble. */
static unsigned tag_at(const struct core *c, const Elf64_Phdr *h, size_t granule)
{
	return c->p[h->p_offset + granule / 2] >> (granule & 1 ? 4 : 0) & 15;
}

static int run_runs(char **a)
{
	struct core c = core_open(a[0]);
	const Elf64_Phdr *h;

	for (size_t i = 0; (h = next_mte(&c, &i));) {
		size_t n = h->p_filesz * 2, begin = 0;

		for (size_t g = 1; g <= n; g++) {
			if (g < n && tag_at(&c, h, g) == tag_at(&c, h, begin))
				continue;
			printf("%lx %lx %u\n", h->p_vaddr + begin * GRANULE, h->p_vaddr + g * GRANULE,
			       tag_at(&c, h, begin));
			begin = g;
		}
	}
	return 0;
}

static const char *saved(const Elf64_Phdr *h)
{
	if (h->p_filesz == 0)
		return "empty";
	if (h->p_filesz == h->p_memsz / 32)
		return "whole";
	return h->p_filesz == PAGE / 32 ? "first" : "part";
}

/* The first granule that is not as reported, or the number of granules. */
static size_t first_wrong(const struct core *c, const Elf64_Phdr *h, const struct tagging *t)
{
	size_t g = 0;

	while (g < h->p_filesz * 2 && tag_at(c, h, g) == tag_of(t, g))
		g++;
	return g;
}

static int check_area(const struct core *c, unsigned long start, unsigned long end,
		      const char *kind, const struct tagging *t)
{
	const Elf64_Phdr *h;
	size_t i = 0, g;

	while ((h = next_mte(c, &i)) && h->p_vaddr != start)
		;
	if (!h || h->p_memsz != end - start) {
		printf("%s missing wrong\n", kind);
		return 1;
	}
	g = first_wrong(c, h, t);
	if (g == h->p_filesz * 2) {
		printf("%s %s right\n", kind, saved(h));
		return 0;
	}
	printf("%s %s wrong: at 0x%lx tag %u, expected %u\n", kind, saved(h), start + g * GRANULE,
	       tag_at(c, h, g), tag_of(t, g));
	return 1;
}

static int run_areas(char **a)
{
	struct core c = core_open(a[0]);
	FILE *log = fopen(a[1], "r");
	unsigned long start, end;
	char line[256], kind[64];
	struct tagging t;
	int wrong = 0, n = 0;

	need(log != NULL, a[1], strerror(errno));
	while (fgets(line, sizeof(line), log)) {
		if (sscanf(line, "area %lx %lx %63s %u %u %u", &start, &end, kind, &t.first, &t.by,
			   &t.step) != 6)
			continue;
		wrong |= check_area(&c, start, end, kind, &t);
		n++;
	}
	fclose(log);
	need(n, a[1], "reports no area");
	return wrong;
}

/*
 * The one header that may differ, OURS before the kernel's: an area that was
 * never written has no anon_vma, so the kernel saves nothing of it; ours is a
 * hole of full size, in the memory and so in the tags.  All must be zero then.
 */
static int untouched(const struct core *a, const Elf64_Phdr *x, const Elf64_Phdr *y)
{
	if (y->p_filesz || x->p_filesz != x->p_memsz / (2 * GRANULE))
		return 0;
	for (size_t i = 0; i < x->p_filesz; i++)
		if (a->p[x->p_offset + i])
			return 0;
	return 1;
}

static int differs(const struct core *a, const Elf64_Phdr *x, const struct core *b,
		   const Elf64_Phdr *y)
{
	if (x->p_vaddr == y->p_vaddr && x->p_memsz == y->p_memsz && untouched(a, x, y))
		return 0;
	if (x->p_vaddr != y->p_vaddr || x->p_memsz != y->p_memsz || x->p_filesz != y->p_filesz ||
	    x->p_flags != y->p_flags || x->p_paddr != y->p_paddr || x->p_align != y->p_align) {
		printf("tags 0x%lx memsz 0x%lx filesz 0x%lx flags %x paddr 0x%lx align %lu; "
		       "0x%lx 0x%lx 0x%lx %x 0x%lx %lu\n", x->p_vaddr, x->p_memsz, x->p_filesz,
		       x->p_flags, x->p_paddr, x->p_align, y->p_vaddr, y->p_memsz, y->p_filesz,
		       y->p_flags, y->p_paddr, y->p_align);
		return 1;
	}
	for (size_t i = 0; i < x->p_filesz; i++) {
		uint8_t one = a->p[x->p_offset + i], other = b->p[y->p_offset + i];

		if (one == other)
			continue;
		printf("tags of 0x%lx: %02x; %02x\n", x->p_vaddr + i * 2 * GRANULE, one, other);
		return 1;
	}
	return 0;
}

static int run_cores(char **args)
{
	struct core a = core_open(args[0]), b = core_open(args[1]);
	size_t i = 0, j = 0, n = 0;
	const Elf64_Phdr *x = next_mte(&a, &i), *y = next_mte(&b, &j);
	int diffs = 0;

	for (; x && y; x = next_mte(&a, &i), y = next_mte(&b, &j), n++)
		diffs |= differs(&a, x, &b, y);
	if (x || y)
		printf("tags 0x%lx: only in %s\n", x ? x->p_vaddr : y->p_vaddr, x ? a.path : b.path);
	printf("segments: %zu\n", n);
	return diffs || x || y;
}

static const struct {
	const char *name;
	int n_args;
	int (*run)(char **args);
} commands[] = {
	{ .name = "runs", .n_args = 1, .run = run_runs },
	{ .name = "areas", .n_args = 2, .run = run_areas },
	{ .name = "cores", .n_args = 2, .run = run_cores },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[1]) && argc - 2 == commands[i].n_args)
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: mtecmp runs CORE | areas CORE LOG | cores CORE CORE\n");
	return 2;
}
