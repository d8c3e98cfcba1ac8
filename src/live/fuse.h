/* fuse.h - which FUSE file systems a process serves. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum fuse_server {
	FUSE_SERVER_NO,		/* none of its descriptors is of that file system */
	FUSE_SERVER_MAY,	/* it serves one, and this kernel does not say which */
	FUSE_SERVER_YES,
};

/* What a process serves, by its descriptors.  A zeroed one is nothing. */
struct fuse_served {
	bool any;	/* it serves one or more of which this kernel does not say which they are */
	unsigned *v;	/* minor numbers of the others */
	size_t n, cap;
};

/*
 * Of process @pid, of which @tid is a thread.  It looks at all descriptors, which may have to wait for the server of
 * one (Linux 6.12, fs/namei.c: complete_walk(): d_weak_revalidate(), as of NFS), so it is for a struct worker.
 */
void fuse_find_served(pid_t pid, pid_t tid, struct fuse_served *out);
/* Whether the FUSE file system whose files have the device number @dev (stat(2), st_dev) is one of them. */
enum fuse_server fuse_is_served(const struct fuse_served *s, dev_t dev);
void fuse_served_fini(struct fuse_served *s);
