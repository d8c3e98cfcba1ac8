#include "cmocka_all.h"
#include "dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "dump/write_queue.h"

static u8 pattern_at(u64 off)
{
	return (u8)(off * 7 + off / 4096);
}

static void put_pattern(struct write_queue *p, size_t len)
{
	struct err e;

	while (len) {
		size_t room = 0;
		u8 *at = NULL;

		assert_int_equal(write_queue_room(p, 1, &at, &room, &e), 0);
		room = min(room, len);
		for (size_t i = 0; i < room; i++)
			at[i] = pattern_at(p->off + i);
		assert_int_equal(write_queue_emit(p, room, &e), 0);
		len -= room;
	}
}

static int keep_rules(struct writer *w, struct writer rules, int r)
{
	w->cancel = rules.cancel;
	w->since = rules.since;
	return r;
}

static int open_core(struct writer *w, void *arg, struct err *e)
{
	struct writer rules = *w;

	(void)arg;
	return keep_rules(w, rules, writer_open_file(w, "core", false, e));
}

static int open_pipe(struct writer *w, void *arg, struct err *e)
{
	struct writer rules = *w;

	return keep_rules(w, rules, writer_open_stream(w, *(int *)arg, "pipe", e));
}

static int finish(struct writer *w, void *arg, struct err *e)
{
	(void)arg;
	return writer_finish(w, e);
}

static void start_queue(struct write_queue *p, write_queue_fn open, int fd)
{
	int *arg = malloc(sizeof(*arg));
	void *given = arg;
	struct err e;

	*arg = fd;
	assert_int_equal(write_queue_init(p, 4096, fd, &e), 0);
	assert_int_equal(write_queue_call(p, open, &given, &e), 0);
	free(given);
	write_queue_start(p);
}

/* Whatever the sizes, the output is what a writer without a queue makes. */
static void it_keeps_order(void **state)
{
	static const size_t lens[] = { 1, 4096, 3 << 20, 17, 100000, 1 };
	struct write_queue p;
	struct err e;
	u64 end, bad = 0;
	FILE *f;

	(void)state;
	start_queue(&p, open_core, -1);
	for (size_t round = 0; round < 300; round++) {
		put_pattern(&p, round % 50 ? 64 : lens[round / 50]);
		assert_int_equal(write_queue_skip(&p, 4096, &e), 0);
	}
	end = p.off;
	assert_int_equal(write_queue_skip_to(&p, end - 1, &e), ERR_UNSUPPORTED);
	assert_int_equal(write_queue_call(&p, finish, NULL, &e), 0);
	assert_true(p.writer->off == end);
	assert_true(write_queue_end(&p, NULL));
	f = fopen("core", "r");
	for (u64 off = 0; off < end; off++) {
		int c = fgetc(f);

		bad += c != pattern_at(off) && c != 0;
	}
	assert_int_equal(fgetc(f), EOF);
	fclose(f);
	assert_true(bad == 0);
}

/* What is handed over whole comes in its place, and larger than a slot, too. */
static void it_takes_buffers(void **state)
{
	static u8 big[3 * QUEUE_SLOT_SIZE];
	struct buf b = { 0 }, none = { 0 };
	struct write_queue p;
	struct err e;
	u64 bad = 0;
	FILE *f;

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = pattern_at(4096 + 100 + i);
	assert_int_equal(buf_add(&b, big, sizeof(big), &e), 0);
	start_queue(&p, open_core, -1);
	put_pattern(&p, 100);
	assert_int_equal(write_queue_give(&p, &none, &e), 0);
	assert_int_equal(write_queue_skip(&p, 4096, &e), 0);
	assert_int_equal(write_queue_give(&p, &b, &e), 0);
	assert_null(b.p);
	put_pattern(&p, 100);
	assert_int_equal(write_queue_call(&p, finish, NULL, &e), 0);
	assert_true(write_queue_end(&p, NULL));
	f = fopen("core", "r");
	for (u64 off = 0; off < 4096 + 200 + sizeof(big); off++)
		bad += fgetc(f) != (off >= 100 && off < 4096 + 100 ? 0 : pattern_at(off));
	assert_int_equal(fgetc(f), EOF);
	fclose(f);
	assert_true(bad == 0);
}

static void it_reports_write_errors(void **state)
{
	struct write_queue p;
	struct err e;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	start_queue(&p, open_pipe, fds[1]);
	for (int i = 0; i < 20; i++) {
		size_t room = 0;
		u8 *at = NULL;

		/* The error comes with a later call, or at the end: nobody hangs. */
		if (write_queue_room(&p, QUEUE_SLOT_SIZE, &at, &room, &e))
			break;
		memset(at, 1, room);
		if (write_queue_emit(&p, room, &e))
			break;
	}
	assert_int_equal(write_queue_call(&p, finish, NULL, &e), -EPIPE);
	assert_true(write_queue_end(&p, NULL));
	close(fds[1]);
}

/* Hands in what comes until that fails. */
static int fill(struct write_queue *p, struct err *e)
{
	for (;;) {
		size_t room = 0;
		u8 *at = NULL;
		int r = write_queue_room(p, QUEUE_SLOT_SIZE, &at, &room, e);

		if (r)
			return r;
		memset(at, 1, room);
		r = write_queue_emit(p, room, e);
		if (r)
			return r;
	}
}

/* A reader that does not read: who hands in waits for no longer than it may, and the thread ends. */
static void it_waits_no_longer_than_it_may(void **state)
{
	volatile sig_atomic_t cancel = 0;
	struct write_queue p;
	struct err e;
	u64 begin;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	start_queue(&p, open_pipe, fds[1]);
	p.limit_ns = 200 * 1000000ull;
	begin = now_ns();
	assert_int_equal(fill(&p, &e), ERR_TIMEOUT);
	assert_true(now_ns() - begin > 150 * 1000000ull);
	assert_true(write_queue_end(&p, NULL));
	start_queue(&p, open_pipe, fds[1]);
	p.cancel = &cancel;
	cancel = 1;
	assert_int_equal(fill(&p, &e), ERR_CANCELLED);
	assert_true(write_queue_end(&p, NULL));
	close(fds[0]);
	close(fds[1]);
}

struct slow_reader {
	int fd;
	int left;		/* bytes that it reads */
	volatile sig_atomic_t *done;
};

static void *read_slowly(void *arg)
{
	struct slow_reader *r = arg;
	char byte;

	while (r->left-- && read(r->fd, &byte, 1) == 1)
		poll(NULL, 0, 50);
	*r->done = 1;
	return NULL;
}

/* A byte now and then is progress, though a pipe has no room again before a whole page of it has been read. */
static void a_slow_reader_is_progress(void **state)
{
	volatile sig_atomic_t done = 0;
	struct slow_reader reader = { .left = 60, .done = &done };
	struct write_queue p;
	pthread_t t;
	struct err e;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	reader.fd = fds[0];
	start_queue(&p, open_pipe, fds[1]);
	p.limit_ns = 2000 * 1000000ull;
	p.cancel = &done;
	assert_int_equal(pthread_create(&t, NULL, read_slowly, &reader), 0);
	/* It reads for longer than the limit, and ends by that. */
	assert_int_equal(fill(&p, &e), ERR_CANCELLED);
	pthread_join(t, NULL);
	assert_true(write_queue_end(&p, NULL));
	close(fds[0]);
	close(fds[1]);
}

struct hang {
	sem_t *go_on, *gone;
};

/* A call that does not return, as one of a server's that has gone. */
static int hang(struct writer *w, void *arg, struct err *e)
{
	struct hang h = *(struct hang *)arg;

	(void)e;
	writer_waits(w);
	while (sem_wait(h.go_on))
		;
	sem_post(h.gone);
	return 0;
}

/* Nobody waits for it; what it has is its own, and goes with it. */
static void a_call_that_hangs_is_left(void **state)
{
	static sem_t go_on, gone;
	struct hang *h = malloc(sizeof(*h));
	char temp[WRITER_TEMP_MAX];
	void *arg = h;
	struct write_queue p;
	struct err e;
	u64 begin;

	(void)state;
	sem_init(&go_on, 0, 0);
	sem_init(&gone, 0, 0);
	*h = (struct hang){ &go_on, &gone };
	start_queue(&p, open_core, -1);
	p.limit_ns = 100 * 1000000ull;
	assert_int_equal(write_queue_call(&p, hang, &arg, &e), ERR_TIMEOUT);
	assert_null(arg);
	begin = now_ns();
	assert_false(write_queue_end(&p, temp));
	assert_true(now_ns() - begin < 20 * 1000000000ull);
	sem_post(&go_on);
	sem_wait(&gone);
	for (int i = 0; i < 1000 && count_files(); i++)
		poll(NULL, 0, 10);
	assert_int_equal(count_files(), 0);
}

/* Its table is its own: what we close is closed, and it closes nothing of ours. */
static void the_thread_has_its_own_files(void **state)
{
	struct write_queue p;
	struct pollfd end = { .events = POLLIN };
	int fds[2], out[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pipe(out), 0);
	start_queue(&p, open_pipe, out[1]);
	close(fds[1]);
	end.fd = fds[0];
	assert_int_equal(poll(&end, 1, 20000), 1);
	assert_true(end.revents & POLLHUP);
	assert_true(write_queue_end(&p, NULL));
	assert_int_equal(fcntl(out[1], F_GETFD), 0);
	close(fds[0]);
	close(out[0]);
	close(out[1]);
}

static void it_may_be_zeroed(void **state)
{
	struct write_queue p = { 0 };

	(void)state;
	assert_true(write_queue_end(&p, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(it_keeps_order),
		in_dir(it_takes_buffers),
		cmocka_unit_test(it_reports_write_errors),
		cmocka_unit_test(it_waits_no_longer_than_it_may),
		cmocka_unit_test(a_slow_reader_is_progress),
		in_dir(a_call_that_hangs_is_left),
		cmocka_unit_test(the_thread_has_its_own_files),
		cmocka_unit_test(it_may_be_zeroed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
