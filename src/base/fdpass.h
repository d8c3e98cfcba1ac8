/* fdpass.h - a message and open files to another process of ours, over a socket that keeps messages apart. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* With the descriptors @fds, of which those below 0 are left out.  False when it could not be sent as a whole. */
enum { FDPASS_MAX = 2 };
bool fdpass_send(int sock, const void *msg, size_t len, const int *fds, size_t n);
/* Its length, or -1; fds[0..n) are those that came with it, FD_CLOEXEC, the others are -1. */
ssize_t fdpass_recv(int sock, void *msg, size_t size, int *fds, size_t n);
