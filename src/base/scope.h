/* scope.h - release by scope: memory, descriptors and any type with a destructor. */
#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* Calls fn(&variable) when the variable goes out of scope. */
#define scoped(fn) __attribute__((cleanup(fn)))

static inline void scope_free(void *p)
{
	free(*(void **)p);
}

static inline void scope_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void scope_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* char *p auto_free = NULL;   int fd auto_close = -1; */
#define auto_free scoped(scope_free)
#define auto_close scoped(scope_close)

/* Hands the pointer out of its scope: returns it and sets it to NULL. */
#define take_ptr(p) ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })
/* The same for a descriptor. */
#define take_fd(fd) ({ int taken_ = (fd); (fd) = -1; taken_; })
