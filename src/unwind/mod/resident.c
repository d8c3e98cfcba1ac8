#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/util.h"
#include "elf/elffmt.h"
#include "unwind/mod/mod.h"

/* What the core's memory says of a file: whether it has the same bytes, and where. */

/* COMPARED_MAX: of a file, whose size a hostile one could make any. */
enum { CHUNK = 4096, COMPARED_MAX = 64 << 20 };

struct comparison {
	struct unwind *u;
	const struct module *m;
	u64 bias;
	u64 left;
	struct likeness *out;
};

static bool contradicts(const struct likeness *l)
{
	return l->other && l->other * PATCHED_RATIO > l->same + l->other;
}

static void compare_bytes(struct comparison *c, const u8 *ours, const u8 *theirs, size_t len, u64 addr)
{
	/* As a rule. */
	if (!memcmp(ours, theirs, len)) {
		c->out->same += len;
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (ours[i] == theirs[i]) {
			c->out->same++;
			continue;
		}
		if (!c->out->other++)
			c->out->first = addr + i;
	}
}

/* @len bytes that the core has. */
static void compare_present(struct comparison *c, const struct part *p, u64 at, u64 len)
{
	u8 ours[CHUNK], theirs[CHUNK];
	enum mem_state state;
	struct err ignored;
	size_t n = 0;

	for (u64 end = at + len; at < end; at += n) {
		u64 addr = u64_of_word(c->u, p->addr + c->bias + at);

		if (core_read(c->u->core, addr, ours, (size_t)min(end - at, (u64)CHUNK), &state, &n, &ignored) || !n ||
		    state != MEM_PRESENT || !part_read(c->m, p, at, theirs, n))
			return;
		compare_bytes(c, ours, theirs, n, addr);
	}
}

static int compare_part(const struct part *p, void *arg)
{
	struct comparison *c = arg;
	u64 until, n;

	for (u64 at = 0; at < p->len && c->left; at += n) {
		u64 addr = u64_of_word(c->u, p->addr + c->bias + at);
		enum mem_state state = core_mem_state(c->u->core, addr, &until);

		n = min(until > addr ? until - addr : 1, p->len - at);
		/* Where nothing is a step costs as much as a piece: parts may be as long as the space is, and repeat. */
		if (state != MEM_PRESENT) {
			c->left -= min(c->left, (u64)CHUNK);
			continue;
		}
		n = min(n, c->left);
		compare_present(c, p, at, n);
		c->left -= n;
		/* For an unrelated file, comparing a part is enough. */
		if (c->out->other > CHUNK && contradicts(c->out))
			return 1;
	}
	return 0;
}

static void compare(struct unwind *u, const struct module *m, u64 bias, struct likeness *out)
{
	struct comparison c = { .u = u, .m = m, .bias = bias, .left = COMPARED_MAX, .out = out };

	*out = (struct likeness){ 0 };
	parts_each(m->elf, compare_part, &c);
}

/* DT_TEXTREL: the dynamic linker writes to code, wherever there is an address in it. */
static bool has_text_relocations(Elf *elf)
{
	size_t n = 0;
	GElf_Phdr p;
	GElf_Dyn d;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		Elf_Data *data = gelf_getphdr(elf, (int)i, &p) && p.p_type == PT_DYNAMIC ?
				 elf_getdata_rawchunk(elf, (int64_t)p.p_offset, p.p_filesz, ELF_T_DYN) : NULL;

		for (int k = 0; data && gelf_getdyn(data, k, &d) && d.d_tag != DT_NULL; k++)
			if (d.d_tag == DT_TEXTREL || (d.d_tag == DT_FLAGS && d.d_un.d_val & DF_TEXTREL))
				return true;
	}
	return false;
}

bool resident_contradicts(struct unwind *u, const struct module *m, u64 bias, struct likeness *out)
{
	compare(u, m, bias, out);
	return contradicts(out) && !has_text_relocations(m->elf);
}

/* ---- the build-id */

enum { NOTE_HEAD = 16 };	/* sizes, type and "GNU": gABI, "Note Section" */

struct id_search {
	const struct module *m;
	const u8 *id;
	size_t len;
	u64 addr;
};

/* A build-id is in the first pages of what is loaded, if the file has one. */
static int find_id(const struct part *p, void *arg)
{
	struct id_search *s = arg;
	u8 raw[1 << 16];
	size_t len = (size_t)min(p->len, (u64)sizeof(raw));
	const u8 *at = part_read(s->m, p, 0, raw, len) ? memmem(raw, len, s->id, s->len) : NULL;

	if (!at || at - raw < NOTE_HEAD)
		return 0;
	s->addr = p->addr + (u64)(at - raw) - NOTE_HEAD;
	return 1;
}

/* Address, as in the file, of the note that has it. */
static bool id_note(const struct module *m, const u8 *id, size_t len, u64 *out)
{
	struct id_search s = { .m = m, .id = id, .len = len };

	if (!len || parts_each(m->elf, find_id, &s) <= 0)
		return false;
	*out = s.addr;
	return true;
}

enum resident_id resident_build_id(struct unwind *u, const struct module *m, u64 bias, const u8 *id, size_t len,
				   u8 ours[CORE_BUILD_ID_MAX])
{
	u8 note[NOTE_HEAD + CORE_BUILD_ID_MAX], head[NOTE_HEAD];
	struct part p;
	struct err e;
	size_t n = 0;
	u64 at;

	if (!id_note(m, id, len, &at) || !part_at(m->elf, at, NOTE_HEAD + len, &p) ||
	    !part_read(m, &p, at - p.addr, head, sizeof(head)) ||
	    core_read_present(u->core, u64_of_word(u, at + bias), note, NOTE_HEAD + len, &n, &e) || n != NOTE_HEAD + len ||
	    memcmp(note, head, NOTE_HEAD) != 0)
		return RESIDENT_ID_UNKNOWN;
	memcpy(ours, note + NOTE_HEAD, len);
	return memcmp(ours, id, len) ? RESIDENT_ID_OTHER : RESIDENT_ID_SAME;
}

/* ---- where in memory it is */

/*
 * What is looked for: the note with the build-id, the ELF header, and some of the
 * code.  Each costs one reading of all that the core has.
 */
enum {
	KEY_MAX = 64,
	KEYS_MAX = 10,
	KEY_CODE_MIN = 32,		/* fewer different bytes are no code, but padding */
	PLACES_MAX = 16,		/* that are looked at more closely */
	WINDOW = 1 << 20,
	THREADS_MAX = 1024,
	PAGE_MAX = 1 << 16,
};
#define SEARCHED_MAX (4ull << 30)

struct key {
	u64 addr, off;	/* as in the file */
	u8 v[KEY_MAX];
	size_t len;
};

struct search {
	struct unwind *u;
	const struct module *m;
	struct key keys[KEYS_MAX];
	size_t n_keys;
	u64 seen[PLACES_MAX];	/* biases that were looked at */
	size_t n_seen;
	size_t n_fit;		/* those that can be, as well as any other; */
	int rank;		/* how well that is, */
	u64 bias;		/* and the last of them */
	u64 left;
};

static void add_key(struct search *s, const struct part *p, u64 at, size_t len)
{
	struct key *k = &s->keys[s->n_keys];

	if (s->n_keys == KEYS_MAX || at > p->len || p->len - at < len || !part_read(s->m, p, at, k->v, len))
		return;
	k->addr = p->addr + at;
	k->off = p->off + at;
	k->len = len;
	s->n_keys++;
}

static bool is_varied(const struct key *k)
{
	bool has[256] = { false };
	int n = 0;

	for (size_t i = 0; i < k->len; i++) {
		n += !has[k->v[i]];
		has[k->v[i]] = true;
	}
	return n * KEY_CODE_MIN >= KEY_MAX * 8;
}

/* At the beginning, and in even distances from it. */
static int add_code(const struct part *p, void *arg)
{
	enum { SAMPLES = 4 };
	struct search *s = arg;

	for (u64 i = 0; p->is_code && i < SAMPLES; i++) {
		size_t n = s->n_keys;

		add_key(s, p, p->len / SAMPLES * i, KEY_MAX);
		if (s->n_keys > n && !is_varied(&s->keys[n]))
			s->n_keys = n;
	}
	return 0;
}

static int add_header(const struct part *p, void *arg)
{
	struct search *s = arg;

	if (p->off)
		return 0;
	add_key(s, p, 0, elffmt_ehdr_size(s->u->core->fmt));
	return 1;
}

static void choose_keys(struct search *s, const u8 *id, size_t len)
{
	struct part p;
	u64 at;

	if (id_note(s->m, id, len, &at) && part_at(s->m->elf, at, NOTE_HEAD + len, &p))
		add_key(s, &p, at - p.addr, min(NOTE_HEAD + len, (size_t)KEY_MAX));
	parts_each(s->m->elf, add_header, s);
	parts_each(s->m->elf, add_code, s);
}

bool resident_runs(struct unwind *u, const struct module *m, u64 bias)
{
	struct part p;
	u64 pc;

	for (size_t i = 0; i < min(u->core->n_threads, (size_t)THREADS_MAX); i++)
		if (!core_thread_pc(u->core, &u->core->threads[i], &pc, NULL) &&
		    part_at(m->elf, u64_of_word(u, pc - bias), 1, &p) && p.is_code)
			return true;
	return false;
}

/* What the program writes to is in any core of it: every such segment. */
static bool has_data(const struct search *s, u64 bias)
{
	size_t n = 0;
	GElf_Phdr p;
	u64 until;

	if (elf_getphdrnum(s->m->elf, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(s->m->elf, (int)i, &p) && p.p_type == PT_LOAD && p.p_flags & PF_W && p.p_memsz &&
		    core_mem_state(s->u->core, u64_of_word(s->u, p.p_vaddr + bias), &until) == MEM_UNMAPPED)
			return false;
	return true;
}

static void consider(struct search *s, u64 bias)
{
	struct likeness l;
	int rank;

	for (size_t i = 0; i < s->n_seen; i++)
		if (s->seen[i] == bias)
			return;
	if (s->n_seen == PLACES_MAX)
		return;
	s->seen[s->n_seen++] = bias;
	rank = 2 * has_data(s, bias) + resident_runs(s->u, s->m, bias);
	if (!rank || rank < s->rank || resident_contradicts(s->u, s->m, bias, &l))
		return;
	s->n_fit = rank > s->rank ? 1 : s->n_fit + 1;
	s->rank = rank;
	s->bias = bias;
}

/*
 * A key was found at @addr.  Data that begin within a page of the file have in memory what is before
 * them in that page, too: the end of the code, or even the headers.
 */
static void consider_key(struct search *s, const struct key *k, u64 addr)
{
	size_t n = 0;
	GElf_Phdr p;

	consider(s, u64_of_word(s->u, addr - k->addr));
	if (elf_getphdrnum(s->m->elf, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(s->m->elf, (int)i, &p) && p.p_type == PT_LOAD && p.p_flags & PF_W && k->off < p.p_offset &&
		    p.p_offset - k->off < PAGE_MAX)
			consider(s, u64_of_word(s->u, addr - (p.p_vaddr - (p.p_offset - k->off))));
}

static void look_in(struct search *s, const struct key *k, const u8 *window, size_t len, u64 addr)
{
	for (const u8 *p = window, *end = window + len; s->n_seen < PLACES_MAX; p++) {
		p = memmem(p, (size_t)(end - p), k->v, k->len);
		if (!p)
			return;
		consider_key(s, k, addr + (u64)(p - window));
	}
}

/* In [addr, end), which is present. */
static int look_through(struct search *s, const struct key *k, u8 *window, u64 addr, u64 end, struct err *e)
{
	while (end - addr >= k->len && s->left && s->n_seen < PLACES_MAX) {
		size_t n = 0;
		int r = core_read_present(s->u->core, addr, window, (size_t)min(end - addr, (u64)WINDOW), &n, e);

		if (s->u->core->cancel && *s->u->core->cancel)
			return err_set(e, ERR_CANCELLED, "cancelled");
		if (r || n < k->len)
			return r;
		look_in(s, k, window, n, addr);
		s->left -= min(s->left, (u64)n);
		addr += n - (k->len - 1);
	}
	return 0;
}

static int look_for(struct search *s, const struct key *k, u8 *window, struct err *e)
{
	const struct core *c = s->u->core;
	int r = 0;

	for (size_t i = 0; !r && i < c->n_areas; i++) {
		const struct core_area *a = &c->areas[i];
		u64 until;

		for (u64 at = a->start; !r && at < a->end; at = until) {
			bool present = core_mem_state(c, at, &until) == MEM_PRESENT;

			if (until <= at)
				break;
			if (present)
				r = look_through(s, k, window, at, min(until, a->end), e);
		}
	}
	return r;
}

int resident_find(struct unwind *u, const struct module *m, const u8 *id, size_t id_len, u64 *bias, struct err *e)
{
	struct search *s auto_free = calloc(1, sizeof(*s));
	u8 *window auto_free = malloc(WINDOW);
	int r = 0;

	if (!s || !window)
		return err_set(e, -ENOMEM, "--exe");
	*s = (struct search){ .u = u, .m = m, .left = SEARCHED_MAX };
	choose_keys(s, id, id_len);
	for (size_t i = 0; !r && !s->n_fit && i < s->n_keys; i++)
		r = look_for(s, &s->keys[i], window, e);
	if (r)
		return r;
	*bias = s->bias;
	return (int)s->n_fit;
}
