/*
 * world - what others see of a process: a socket that listens, one with a peer, a lock, a pipe in an epoll set, shared
 * memory that is attached and sealed.
 *
 * "port N", then "ready".  SIGUSR1: all of it is closed, and looked at at once: "released", or what was not.
 * world bind N: whether that port is free: "free", or "taken".
 */
#include "target.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>

enum { SIZE = 64 << 10 };
/* More than a dump keeps in its own memory. */
static char ballast[32 << 20];

static int tcp_socket(int port, struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*a = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(fd >= 0, "socket");
	return bind(fd, (struct sockaddr *)a, sizeof(*a)) || listen(fd, 1) ? -1 : fd;
}

static int attached(int id)
{
	struct shmid_ds ds;

	must(shmctl(id, IPC_STAT, &ds) == 0, "shmctl");
	return (int)ds.shm_nattch;
}

/* Two open files of one name. */
static void make_lock(int fd[2])
{
	char name[32];

	snprintf(name, sizeof(name), "world.%d", (int)getpid());
	fd[0] = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	fd[1] = open(name, O_RDWR | O_CLOEXEC);
	unlink(name);
	must(fd[1] >= 0 && flock(fd[0], LOCK_EX) == 0, "flock");
}

static int make_set(int pipe_end)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	must(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, pipe_end, &ev) == 0, "epoll");
	return ep;
}

int main(int argc, char **argv)
{
	int peer[2], lock[2], pipe_fd[2], ep, id, mem;
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct epoll_event ev;
	struct pollfd p;
	void *shm, *sealed;
	int fd;

	if (argc > 2) {
		puts(tcp_socket(atoi(argv[2]), &a) >= 0 ? "free" : "taken");
		return 0;
	}
	target_begin();
	target_block_usr1();
	target_fill(ballast, sizeof(ballast), 1);
	fd = tcp_socket(0, &a);
	must(fd >= 0 && getsockname(fd, (struct sockaddr *)&a, &len) == 0, "listen");
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, peer) == 0 && pipe(pipe_fd) == 0, "socketpair");
	make_lock(lock);
	ep = make_set(pipe_fd[0]);
	id = shmget(IPC_PRIVATE, SIZE, 0600);
	shm = shmat(id, NULL, 0);
	must(shm != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0, "shmat");
	mem = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(mem >= 0 && ftruncate(mem, SIZE) == 0, "memfd");
	sealed = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	memset(sealed, 1, SIZE);
	memset(shm, 1, SIZE);
	printf("port %d\n", ntohs(a.sin_port));
	target_ready();
	target_wait();
	/* Each by itself: what the copy holds of it stays. */
	if (attached(id) != 1)
		printf("%d attached, ", attached(id));
	munmap(sealed, SIZE);
	if (fcntl(mem, F_ADD_SEALS, F_SEAL_WRITE))
		printf("no seal, ");
	close(peer[0]);
	p = (struct pollfd){ .fd = peer[1], .events = POLLIN };
	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLHUP))
		printf("no end of a socket, ");
	close(lock[0]);
	if (flock(lock[1], LOCK_EX | LOCK_NB))
		printf("locked, ");
	must(write(pipe_fd[1], "x", 1) == 1, "write");
	close(pipe_fd[0]);
	if (epoll_wait(ep, &ev, 1, 0))
		printf("an event of a closed file, ");
	close(fd);
	fd = tcp_socket(ntohs(a.sin_port), &a);
	if (fd < 0)
		printf("port taken, ");
	puts("released");
	fflush(stdout);
	/* The lock is held, and the port listened to. */
	for (;;)
		pause();
}
