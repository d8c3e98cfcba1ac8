/*
 * hangs HOW - hangs in one way, or looks as if; "ready PID" comes when all its threads are where they stay.
 */
#include "target.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static pthread_mutex_t locks[4] = {
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
};
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t all;
static int circle;	/* threads that lock one, then the next one */
static sem_t sem;
static int ends[2];
static volatile int sink;

/* State S, for a while: every thread has got to its wait. */
static void wait_asleep(pid_t tid)
{
	char path[64], text[256], *close;
	int asleep = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	for (int n = 0; asleep < 3 && n < 5000; n++) {
		FILE *f = fopen(path, "re");

		if (!f)
			return;
		close = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
		fclose(f);
		asleep = close && close[2] == 'S' ? asleep + 1 : 0;
		usleep(2000);
	}
}

static void say_ready(void)
{
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
}

/* When all the others have got there: the thread that says so is one more, and ends. */
static void *say_when_asleep(void *arg)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *t;

	while (d && (t = readdir(d)))
		if (*t->d_name != '.' && atoi(t->d_name) != (int)syscall(SYS_gettid))
			wait_asleep(atoi(t->d_name));
	if (d)
		closedir(d);
	say_ready();
	return arg;
}

static void begin(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	must(!pthread_create(&t, NULL, fn, arg), "pthread_create");
	pthread_detach(t);
}

static void ready_soon(void)
{
	begin(say_when_asleep, NULL);
}

static void *lock_two(void *arg)
{
	long i = (long)arg;

	pthread_mutex_lock(&locks[i]);
	pthread_barrier_wait(&all);
	pthread_mutex_lock(&locks[(i + 1) % circle]);
	return arg;
}

static noinline void lock_in_circle(int n)
{
	circle = n;
	pthread_barrier_init(&all, NULL, (unsigned)n + 1);
	for (long i = 0; i < n; i++)
		begin(lock_two, (void *)i);
	pthread_barrier_wait(&all);
}

static noinline void hang_in_circle(int n)
{
	lock_in_circle(n);
	ready_soon();
	pause();
}

static void two(void) { hang_in_circle(2); }
static void three(void) { hang_in_circle(3); }

static noinline void watchdog(void)
{
	target_wait_asleep();
	say_ready();
	abort();
}

static void watched(void)
{
	lock_in_circle(2);
	watchdog();
}

static void self(void)
{
	ready_soon();
	pthread_mutex_lock(&locks[0]);
	pthread_mutex_lock(&locks[0]);
}

/* Kinds of mutexes whose word has the owner. */
static void self_robust(void)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&locks[0], &a);
	self();
}

static void *want_first(void *arg)
{
	pthread_mutex_lock(&locks[0]);
	return arg;
}

/* The kernel refuses one of the two, and glibc has it wait for ever. */
static void refused(void)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&locks[0], &a);
	pthread_mutex_init(&locks[1], &a);
	hang_in_circle(2);
}

/* Mutexes that keep their owners in musl, too. */
static void two_checked(void)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&locks[0], &a);
	pthread_mutex_init(&locks[1], &a);
	hang_in_circle(2);
}

static void owner_ended(void)
{
	pthread_t t;

	must(!pthread_create(&t, NULL, want_first, NULL), "pthread_create");
	pthread_join(t, NULL);
	ready_soon();
	pthread_mutex_lock(&locks[0]);
}

static void *lock_and_stay(void *arg)
{
	pthread_mutex_lock(&locks[0]);
	pthread_barrier_wait(&all);
	for (;;)
		sleep(1000);
	return arg;
}

/* The child is who says that it is ready. */
static void owner_in_parent(void)
{
	pid_t pid;

	pthread_barrier_init(&all, NULL, 2);
	begin(lock_and_stay, NULL);
	pthread_barrier_wait(&all);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ready_soon();
		pthread_mutex_lock(&locks[0]);
	}
	for (;;)
		sleep(1000);
}

static void owner_sleeps(void)
{
	pthread_mutex_lock(&locks[0]);
	for (int i = 0; i < 3; i++)
		begin(want_first, NULL);
	ready_soon();
	for (;;)
		sleep(1000);
}

static void *read_pipe(void *arg)
{
	char c;

	must(read(ends[0], &c, 1) >= 0, "read");
	return arg;
}

static void owner_reads(void)
{
	must(!pipe(ends), "pipe");
	pthread_mutex_lock(&locks[0]);
	begin(want_first, NULL);
	ready_soon();
	read_pipe(NULL);
}

static void no_signal(void)
{
	ready_soon();
	pthread_mutex_lock(&locks[0]);
	for (;;)
		pthread_cond_wait(&cond, &locks[0]);
}

static void no_post(void)
{
	sem_init(&sem, 0, 0);
	ready_soon();
	for (;;)
		sem_wait(&sem);
}

static void reads(void)
{
	must(!pipe(ends), "pipe");
	ready_soon();
	read_pipe(NULL);
}

/* A child has the end that is written to. */
static void pipe_of_child(void)
{
	must(!pipe(ends), "pipe");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		for (;;)
			sleep(1000);
	}
	close(ends[1]);
	ready_soon();
}

static void reads_other(void)
{
	pipe_of_child();
	read_pipe(NULL);
}

static void polls_other(void)
{
	struct pollfd p[3] = { { .fd = -1 }, { .fd = -1 }, { .events = POLLIN } };

	pipe_of_child();
	p[2].fd = ends[0];
	poll(p, 3, -1);
}

static void selects_other(void)
{
	fd_set set;

	pipe_of_child();
	must(dup2(ends[0], 99) == 99, "dup2");
	FD_ZERO(&set);
	FD_SET(99, &set);
	select(100, NULL, NULL, &set, NULL);
}

static void writes(void)
{
	char page[4096] = { 0 };

	must(!pipe(ends), "pipe");
	ready_soon();
	for (;;)
		must(write(ends[1], page, sizeof(page)) > 0, "write");
}

static void *sleep_long(void *arg)
{
	for (;;)
		sleep(1000);
	return arg;
}

static void join(void)
{
	pthread_t t;

	must(!pthread_create(&t, NULL, sleep_long, NULL), "pthread_create");
	ready_soon();
	pthread_join(t, NULL);
}

static void *join_main(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	return NULL;
}

/* A join and a mutex: a circle, too. */
static void join_circle(void)
{
	pthread_t t;

	pthread_mutex_lock(&locks[0]);
	must(!pthread_create(&t, NULL, want_first, NULL), "pthread_create");
	ready_soon();
	pthread_join(t, NULL);
}

static void join_each_other(void)
{
	static pthread_t first;
	pthread_t t;

	first = pthread_self();
	must(!pthread_create(&t, NULL, join_main, &first), "pthread_create");
	ready_soon();
	pthread_join(t, NULL);
}

static void *want_read(void *arg)
{
	pthread_rwlock_rdlock(&rw);
	return arg;
}

static void *want_write(void *arg)
{
	pthread_rwlock_wrlock(&rw);
	return arg;
}

static void rwlock_written(void)
{
	pthread_rwlock_wrlock(&rw);
	begin(want_read, NULL);
	begin(want_write, NULL);
	ready_soon();
	sleep_long(NULL);
}

/* A reader that wants to write waits for itself. */
static void rwlock_upgrade(void)
{
	pthread_rwlock_rdlock(&rw);
	ready_soon();
	pthread_rwlock_wrlock(&rw);
}

static void rwlock_read(void)
{
	pthread_rwlock_rdlock(&rw);
	begin(want_write, NULL);
	ready_soon();
	sleep_long(NULL);
}

static noinline void burn(void)
{
	for (;;)
		sink++;
}

static void busy(void)
{
	say_ready();
	burn();
}

static void *wait_for_work(void *arg)
{
	pthread_mutex_lock(&locks[1]);
	for (;;)
		pthread_cond_wait(&cond, &locks[1]);
	return arg;
}

static void server(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "hangs.socket" };
	struct epoll_event ev = { .events = EPOLLIN };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), ep = epoll_create1(0);

	unlink(a.sun_path);
	must(!bind(s, (struct sockaddr *)&a, sizeof(a)) && !listen(s, 5), "listen");
	must(!epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev), "epoll_ctl");
	for (int i = 0; i < 4; i++)
		begin(wait_for_work, NULL);
	ready_soon();
	epoll_wait(ep, &ev, 1, -1);
}

static void accepts(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "hangs.socket" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(a.sun_path);
	must(!bind(s, (struct sockaddr *)&a, sizeof(a)) && !listen(s, 5), "listen");
	ready_soon();
	accept(s, NULL, NULL);
}

static void polls(void)
{
	struct pollfd p;

	must(!pipe(ends), "pipe");
	p = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	ready_soon();
	poll(&p, 1, -1);
}

static void lock_file(void)
{
	int fd = open("hangs.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0 && !flock(fd, LOCK_EX), "flock");
}

/* The child has it. */
static void file_lock(void)
{
	char c;

	must(!pipe(ends), "pipe");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		lock_file();
		must(write(ends[1], "", 1) == 1, "write");
		for (;;)
			sleep(1000);
	}
	must(read(ends[0], &c, 1) == 1, "read");
	ready_soon();
	lock_file();
}

/* Nobody accepts: the second finds the queue full. */
static void connects(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "hangs.socket" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(a.sun_path);
	must(!bind(s, (struct sockaddr *)&a, sizeof(a)) && !listen(s, 0), "listen");
	ready_soon();
	for (;;)
		must(!connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)), "connect");
}

/* From a file that nobody serves. */
static void reads_file(void)
{
	int fd = open(getenv("HANGS_FILE"), O_RDONLY | O_CLOEXEC);
	char c;

	must(fd >= 0, "open");
	say_ready();
	must(read(fd, &c, 1) >= 0, "read");
}

static void child(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			sleep(1000);
	}
	ready_soon();
	waitpid(pid, NULL, 0);
}

static void sleeps(void)
{
	ready_soon();
	sleep_long(NULL);
}

/* ---- what is none */

/* Contended, but it goes on. */
static void *take_turns(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&locks[0]);
		usleep(1000);
		pthread_mutex_unlock(&locks[0]);
		usleep(100);
	}
	return arg;
}

static void contended(void)
{
	for (int i = 0; i < 4; i++)
		begin(take_turns, NULL);
	say_ready();
	pause();
}

/* A futex of its own, that has by chance what would be a mutex and its owner. */
static void by_chance(void)
{
	static struct { int lock, count, owner, users, kind, pad[5]; } looks = { 2, 0, 0, 1, 0, { 0 } };

	looks.owner = (int)syscall(SYS_gettid);
	ready_soon();
	for (;;)
		syscall(SYS_futex, &looks.lock, 128 /* FUTEX_WAIT_PRIVATE */, 2, NULL, NULL, 0);
}

/* Gives up by itself, in the end. */
static void timed(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 1000;
	ready_soon();
	pthread_mutex_lock(&locks[0]);
	pthread_mutex_timedlock(&locks[0], &end);
}

/* Owners that are no thread, and a lock where nothing is mapped. */
static void *want_broken(void *arg)
{
	pthread_mutex_lock(&locks[2]);
	return arg;
}

static void nonsense(void)
{
	pthread_mutex_lock(&locks[2]);
#ifdef __GLIBC__
	locks[2].__data.__owner = 0x7ffffffe;
#endif
	begin(want_broken, NULL);
	ready_soon();
	pause();
}

static void many(void)
{
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 64 << 10);
	pthread_mutex_lock(&locks[0]);
	for (int i = 0; i < 2000; i++)
		must(!pthread_create(&t, &a, want_first, NULL), "pthread_create");
	ready_soon();
	sleep_long(NULL);
}

static const struct {
	const char *name;
	void (*hang)(void);
} ways[] = {
#define WAY(f) { #f, f }
	WAY(two), WAY(three), WAY(watched), WAY(self), WAY(self_robust), WAY(owner_sleeps), WAY(owner_reads), WAY(no_signal), WAY(no_post),
	WAY(reads), WAY(reads_other), WAY(polls_other), WAY(selects_other), WAY(writes), WAY(join),
	WAY(join_circle), WAY(join_each_other), WAY(rwlock_written), WAY(rwlock_read),
	WAY(busy), WAY(server), WAY(accepts), WAY(polls), WAY(child), WAY(sleeps), WAY(contended), WAY(by_chance), WAY(timed),
	WAY(nonsense), WAY(many), WAY(refused), WAY(two_checked), WAY(owner_ended), WAY(owner_in_parent), WAY(rwlock_upgrade),
	WAY(file_lock), WAY(connects), WAY(reads_file),
#undef WAY
};

int main(int argc, char **argv)
{
	target_begin();
	for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(ways[i].name, argv[1]))
			ways[i].hang();
	return 3;
}
