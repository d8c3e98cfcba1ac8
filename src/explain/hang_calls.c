#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "explain/hang.h"

/* The system call that a thread waits in: from its registers, or as /proc had it. */

static const struct wait_call calls[] = {
	{ "accept", WAIT_EVENTS, .has_fd = true }, { "accept4", WAIT_EVENTS, .has_fd = true },
	{ "clock_nanosleep", WAIT_SLEEP, .has_fd = false }, { "clock_nanosleep_time64", WAIT_SLEEP, .has_fd = false },
	/* With CLONE_VFORK; else they do not wait. */
	{ "clone", WAIT_CHILD, .has_fd = false }, { "clone3", WAIT_CHILD, .has_fd = false },
	{ "connect", WAIT_CALL, .has_fd = true },
	{ "epoll_pwait", WAIT_EVENTS, .has_fd = true, .limit = 4, .limit_is_ms = true },
	{ "epoll_pwait2", WAIT_EVENTS, .has_fd = true, .limit = 4 },
	{ "epoll_wait", WAIT_EVENTS, .has_fd = true, .limit = 4, .limit_is_ms = true },
	{ "fcntl", WAIT_FILE_LOCK, .has_fd = true }, { "fcntl64", WAIT_FILE_LOCK, .has_fd = true },
	{ "fdatasync", WAIT_CALL, .has_fd = true }, { "flock", WAIT_FILE_LOCK, .has_fd = true },
	{ "fsync", WAIT_CALL, .has_fd = true },
	{ "futex", WAIT_FUTEX, .limit = 4 }, { "futex_time64", WAIT_FUTEX, .limit = 4 },
	{ "io_getevents", WAIT_EVENTS, .limit = 5 }, { "io_uring_enter", WAIT_EVENTS, .has_fd = true },
	{ "mq_timedreceive", WAIT_INPUT, .has_fd = true, .limit = 5 }, { "mq_timedsend", WAIT_OUTPUT, .has_fd = true, .limit = 5 },
	{ "msgrcv", WAIT_INPUT, .has_fd = false }, { "msgsnd", WAIT_OUTPUT, .has_fd = false },
	{ "nanosleep", WAIT_SLEEP, .has_fd = false }, { "pause", WAIT_SIGNAL, .has_fd = false },
	{ "open", WAIT_CALL, .path = 1 }, { "openat", WAIT_CALL, .path = 2 },
	{ "poll", WAIT_EVENTS, .limit = 3, .limit_is_ms = true },
	{ "ppoll", WAIT_EVENTS, .limit = 3 }, { "ppoll_time64", WAIT_EVENTS, .limit = 3 },
	{ "pread64", WAIT_INPUT, .has_fd = true }, { "preadv", WAIT_INPUT, .has_fd = true },
	{ "pselect6", WAIT_EVENTS, .limit = 5 }, { "pselect6_time64", WAIT_EVENTS, .limit = 5 },
	{ "pwrite64", WAIT_OUTPUT, .has_fd = true }, { "pwritev", WAIT_OUTPUT, .has_fd = true },
	{ "read", WAIT_INPUT, .has_fd = true }, { "readv", WAIT_INPUT, .has_fd = true },
	{ "recv", WAIT_INPUT, .has_fd = true }, { "recvfrom", WAIT_INPUT, .has_fd = true },
	{ "recvmmsg", WAIT_INPUT, .has_fd = true, .limit = 5 }, { "recvmsg", WAIT_INPUT, .has_fd = true },
	{ "rt_sigsuspend", WAIT_SIGNAL, .has_fd = false }, { "rt_sigtimedwait", WAIT_SIGNAL, .limit = 3 },
	{ "select", WAIT_EVENTS, .limit = 5 }, { "_newselect", WAIT_EVENTS, .limit = 5 },
	{ "semop", WAIT_CALL, .has_fd = false }, { "semtimedop", WAIT_CALL, .has_fd = false },
	{ "send", WAIT_OUTPUT, .has_fd = true }, { "sendfile", WAIT_OUTPUT, .has_fd = true },
	{ "sendmsg", WAIT_OUTPUT, .has_fd = true }, { "sendto", WAIT_OUTPUT, .has_fd = true },
	{ "sigsuspend", WAIT_SIGNAL, .has_fd = false }, { "vfork", WAIT_CHILD, .has_fd = false },
	{ "wait4", WAIT_CHILD, .has_fd = false }, { "waitid", WAIT_CHILD, .has_fd = false }, { "waitpid", WAIT_CHILD, .has_fd = false },
	{ "write", WAIT_OUTPUT, .has_fd = true }, { "writev", WAIT_OUTPUT, .has_fd = true },
};

const struct wait_call *wait_call_find(const char *name)
{
	size_t len = strcspn(name, "@");

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (strlen(calls[i].name) == len && !strncmp(calls[i].name, name, len))
			return &calls[i];
	return NULL;
}

static bool reg(const struct crash *c, const struct hang_thread *t, unsigned i, u64 *out)
{
	const struct regset *set = &c->core->layout.gregs;
	struct bytes regs;
	struct err e;

	return !core_thread_regs(c->core, t->thread, &regs, &e) && i < set->n_regs &&
	       !reg_get(&c->core->layout, set, i, regs, out, &e);
}

/* The kernel's: include/linux/errno.h ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK; and EINTR. */
static bool is_interrupted(s64 result)
{
	return result == -512 || result == -513 || result == -514 || result == -516 || result == -4;
}

static s64 as_signed(const struct crash *c, u64 v)
{
	return c->core->layout.word == 4 ? (s32)v : (s64)v;
}

/* arm64: svc #0 is at @pc.  Instructions are little-endian on either. */
static bool is_svc(const struct crash *c, u64 pc)
{
	static const u8 svc[4] = { 0x01, 0, 0, 0xd4 };
	u8 insn[4];

	return c->core->ehdr.e_machine == EM_AARCH64 && space_read(c->u, pc, insn, sizeof(insn)) && !memcmp(insn, svc, sizeof(svc));
}

/*
 * Where a register keeps the number, the call's result says that it was interrupted; elsewhere the kernel has set
 * the registers back to the call's beginning (Linux 6.12, arch/arm64/kernel/signal.c: do_signal()), or it
 * has returned EINTR in the place of the first argument.
 */
static bool call_of_registers(struct crash *c, struct hang_thread *t)
{
	const struct arch *a = c->core->arch;
	const struct syscall_abi *s = a ? &a->syscall : NULL;
	u64 result, pc;
	struct err e;

	if (!t->thread || !s || !s->args[1] || !reg(c, t, s->ret_reg, &result) || core_thread_pc(c->core, t->thread, &pc, &e) ||
	    !reg(c, t, s->orig_reg >= 0 ? (unsigned)s->orig_reg : s->nr_reg, &t->nr))
		return false;
	t->has_arg0 = s->ret_reg != s->args[0] || is_svc(c, pc);
	if (s->orig_reg >= 0 ? !is_interrupted(as_signed(c, result)) || as_signed(c, t->nr) < 0 :
	    !t->has_arg0 && !(is_interrupted(as_signed(c, result)) && is_svc(c, pc - 4)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(t->args); i++)
		if (!reg(c, t, s->args[i], &t->args[i]))
			return false;
	return true;
}

bool hang_call_of(struct crash *c, const struct core_thread *t, s32 *nr)
{
	struct hang_thread of = { .thread = t };
	bool is = call_of_registers(c, &of);

	*nr = (s32)of.nr;
	return is;
}

/*
 * Of a thread that did not stop, of which a core has no registers or those of a moment before; of one that a stop has brought
 * out of its call with a part of the work done, which write(2) to a pipe is, and that is back there; and the argument that a
 * result has replaced, if it waits still.  Of a lock the memory is known as it was at the stop, only.
 */
static void call_of_proc(const struct crash *c, struct hang_thread *t)
{
	const u16 *futex = c->core->arch ? c->core->arch->syscall.futex : NULL;
	const struct live_thread *l = t->live;

	if (!l || !l->has_call)
		return;
	if (!t->in_call && (!t->thread || l->state == 'D' ||
			    (!l->moved && futex && l->nr != futex[0] && l->nr != futex[1]))) {
		t->in_call = t->has_arg0 = true;
		t->nr = l->nr;
		memcpy(t->args, l->args, sizeof(t->args));
	} else if (t->in_call && !t->has_arg0 && t->nr == l->nr) {
		t->has_arg0 = true;
		t->args[0] = l->args[0];
	}
}

/* include/uapi/linux/audit.h: AUDIT_ARCH_* is the ELF machine with __AUDIT_ARCH_64BIT and __AUDIT_ARCH_LE. */
static u32 audit_arch(const struct core *core)
{
	return core->ehdr.e_machine | (core->fmt.class == ELFCLASS64 ? 0x80000000u : 0) |
	       (core->fmt.data == ELFDATA2LSB ? 0x40000000u : 0);
}

static bool is_timed(const struct crash *c, const struct hang_thread *t)
{
	u8 limit = t->call ? t->call->limit : 0;

	if (t->kind == WAIT_SLEEP)
		return true;
	if (!limit)
		return false;
	return t->call->limit_is_ms ? (s32)t->args[limit - 1] >= 0 : u64_of_word(c->u, t->args[limit - 1]) != 0;
}

void hang_call(struct crash *c, struct hang_thread *t)
{
	enum { CALLS_MAX = 1 << 12 };

	t->in_call = call_of_registers(c, t) && t->nr < CALLS_MAX;
	call_of_proc(c, t);
	if (!t->in_call)
		return;
	if (!c->opts.call_name || !c->opts.call_name(audit_arch(c->core), (s32)t->nr, t->wait->call, sizeof(t->wait->call)))
		put_fmt(t->wait->call, sizeof(t->wait->call), "system call %" PRIu64, t->nr);
	t->call = wait_call_find(t->wait->call);
	t->kind = t->call ? t->call->kind : WAIT_CALL;
	t->timed = is_timed(c, t);
}

/* ---- what it is on */

static void put_fd(struct crash *c, s32 fd, const struct hang_thread *t, char *out, size_t size)
{
	const struct live_fd *f = c->hang->live ? live_fd_find(c->hang->live, fd) : NULL;
	bool others = f && *f->others && (t->kind == WAIT_INPUT || t->kind == WAIT_OUTPUT || t->kind == WAIT_EVENTS);

	put_fmt(out, size, "fd %d%s%s%s%s", fd, f ? ", " : "", f ? f->name : "", others ? ", " : "",
		others ? f->others : "");
}

/* Of the descriptors in poll(2)'s or select(2)'s arguments the first ones, and how many there are; of so many at most. */
enum { FDS_SHOWN = 3, FDS_LOOKED_AT = 1024 };

static void add_fd(u64 fd, s32 fds[FDS_SHOWN], u64 *n)
{
	if (*n < FDS_SHOWN)
		fds[*n] = (s32)fd;
	++*n;
}

/* struct pollfd: an int and two shorts, everywhere.  One whose descriptor is negative is left out. */
static u64 polled(struct crash *c, const struct hang_thread *t, s32 fds[FDS_SHOWN])
{
	u64 fd, found = 0, n = min(t->args[1], (u64)FDS_LOOKED_AT);

	for (u64 i = 0; i < n && space_uint(c->u, u64_of_word(c->u, t->args[0]) + 8 * i, 4, &fd); i++)
		if ((s32)fd >= 0)
			add_fd(fd, fds, &found);
	return found;
}

/* Three sets of bits, in longs. */
static u64 selected(struct crash *c, const struct hang_thread *t, s32 fds[FDS_SHOWN])
{
	u64 n = min(t->args[0], (u64)FDS_LOOKED_AT), bits = 8 * c->core->layout.word, found = 0;

	for (u64 first = 0; first < n; first += bits) {
		u64 any = 0, word;

		for (size_t i = 1; i <= 3; i++)
			if (t->args[i] && space_uint(c->u, u64_of_word(c->u, t->args[i]) + first / 8, c->core->layout.word, &word))
				any |= word;
		for (u64 bit = 0; bit < min(bits, n - first); bit++)
			if (any >> bit & 1)
				add_fd(first + bit, fds, &found);
	}
	return found;
}

static void put_fds(struct crash *c, const struct hang_thread *t, char *out, size_t size)
{
	s32 fds[FDS_SHOWN];
	u64 n = strstr(t->wait->call, "poll") ? polled(c, t, fds) : selected(c, t, fds);
	size_t len = 0;

	for (u64 i = 0; i < min(n, (u64)FDS_SHOWN) && len < size; i++) {
		put_fmt(out + len, size - len, i ? "; " : "");
		put_fd(c, fds[i], t, out + strlen(out), size - strlen(out));
		len = strlen(out);
	}
	if (n > FDS_SHOWN && len < size)
		put_fmt(out + len, size - len, " and %" PRIu64 " more", n - FDS_SHOWN);
}

static void put_child(struct crash *c, const struct hang_thread *t, char *out, size_t size)
{
	bool is_wait4 = t->call && strcmp(t->call->name, "waitid") != 0;
	const struct live *l = c->hang->live;
	s32 pid = (s32)t->args[is_wait4 ? 0 : 1];

	if (t->call && strncmp(t->call->name, "wait", 4) != 0) {
		put_fmt(out, size, "the child of vfork(2), until it runs another program or ends");
		return;
	}
	/* P_PID of waitid(2) is 1. */
	if (pid <= 0 || (!is_wait4 && t->args[0] != 1))
		pid = l && l->n_children == 1 ? l->children[0].pid : 0;
	if (!pid) {
		put_fmt(out, size, l && l->n_children ? "%s %zu children" : "any child", "any of", l ? l->n_children : 0);
		return;
	}
	put_fmt(out, size, "child %d", pid);
	for (size_t i = 0; l && i < l->n_children; i++)
		if (l->children[i].pid == pid)
			put_fmt(out, size, "child %d (%s), state %c", pid, l->children[i].comm, l->children[i].state);
}

/* A name in memory, cut. */
static void put_path(struct crash *c, u64 at, char *out, size_t size)
{
	size_t len = 0;

	while (len + 1 < size && space_read(c->u, at + len, out + len, 1) && out[len])
		len++;
	out[len] = 0;
}

void hang_call_on(struct crash *c, struct hang_thread *t)
{
	char *out = t->wait->on;
	size_t size = sizeof(t->wait->on);

	if (t->call && t->call->path && (t->call->path > 1 || t->has_arg0))
		put_path(c, u64_of_word(c->u, t->args[t->call->path - 1]), out, min(size, sizeof(c->v->evidence->where)));
	else if (t->call && t->call->has_fd && t->has_arg0)
		put_fd(c, (s32)t->args[0], t, out, size);
	else if (t->kind == WAIT_CHILD && t->has_arg0)
		put_child(c, t, out, size);
	else if (t->has_arg0 && t->kind == WAIT_EVENTS && (strstr(t->wait->call, "poll") || strstr(t->wait->call, "select")))
		put_fds(c, t, out, size);
}
