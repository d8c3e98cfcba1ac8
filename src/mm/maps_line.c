#include "mm/maps_line.h"

#include <string.h>

/* The smallest page of any machine: addresses are multiples of it. */
#define PAGE_MIN 4096

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

/* Reads a number and the character after it; NULL when either is missing or it is too large. */
static const char *take_number(const char *p, int base, u64 max, char after, u64 *out)
{
	u64 v = 0;
	const char *first = p;

	for (int d; (d = digit_value(*p)) < base; p++) {
		if (v > (max - (u64)d) / (u64)base)
			return NULL;
		v = v * (u64)base + (u64)d;
	}
	if (p == first || *p != after)
		return NULL;
	*out = v;
	return p + 1;
}

static const char *take_perms(const char *p, u32 *flags)
{
	static const struct {
		char set;
		char clear;
		u32 flag;
	} perms[] = {
		{ 'r', '-', VM_READ },
		{ 'w', '-', VM_WRITE },
		{ 'x', '-', VM_EXEC },
		{ 's', 'p', VM_SHARED },
	};

	for (size_t i = 0; i < sizeof(perms) / sizeof(perms[0]); i++, p++) {
		if (*p == perms[i].set)
			*flags |= perms[i].flag;
		else if (*p != perms[i].clear)
			return NULL;
	}
	return *p == ' ' ? p + 1 : NULL;
}

/* The inode ends the line on kernels that print no space for "no name". */
static const char *take_inode(const char *p, u64 *out)
{
	const char *rest = take_number(p, 10, UINT64_MAX, ' ', out);

	if (rest)
		return rest;
	rest = take_number(p, 10, UINT64_MAX, '\0', out);
	return rest ? rest - 1 : NULL;
}

/* The name follows padding and extends to the end of the line, whatever is in it. */
static const char *take_name(const char *p)
{
	p += strspn(p, " ");
	return *p ? p : NULL;
}

static const char *take_fields(const char *p, struct vma *v)
{
	u64 dev[2] = { 0 };

	if (!(p = take_number(p, 16, UINT64_MAX, '-', &v->start)) ||
	    !(p = take_number(p, 16, UINT64_MAX, ' ', &v->end)) ||
	    !(p = take_perms(p, &v->flags)) ||
	    !(p = take_number(p, 16, UINT64_MAX, ' ', &v->pgoff)) ||
	    !(p = take_number(p, 16, UINT32_MAX, ':', &dev[0])) ||
	    !(p = take_number(p, 16, UINT32_MAX, ' ', &dev[1])) ||
	    !(p = take_inode(p, &v->ino)))
		return NULL;
	v->dev_major = (u32)dev[0];
	v->dev_minor = (u32)dev[1];
	return p;
}

int maps_line_parse(const char *line, size_t len, struct vma *out, struct err *e)
{
	struct vma v = { 0 };

	if (strlen(line) != len)
		return err_set(e, ERR_INPUT, "a NUL in the line of an area");
	const char *p = take_fields(line, &v);
	if (!p)
		return err_set(e, ERR_INPUT, "not the line of an area: \"%.60s\"", line);
	if (v.end <= v.start || (v.start | v.end) % PAGE_MIN)
		return err_set(e, ERR_INPUT, "not a range of pages: \"%.60s\"", line);
	v.name = take_name(p);
	*out = v;
	return 0;
}
