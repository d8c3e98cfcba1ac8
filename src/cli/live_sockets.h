/* live_sockets.h - the addresses of a process's sockets. */
#pragma once

#include "explain/explain.h"

/* Replaces "socket:[12]" in the names of descriptors by what /proc/PID/net says of number 12. */
void live_sockets(pid_t pid, struct live *l);
