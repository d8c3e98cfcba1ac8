/* fuse.h - which FUSE file systems a process serves. */
#pragma once

#include "live/target.h"

enum fuse_server {
	FUSE_SERVER_NO,		/* none of its descriptors is of that file system */
	FUSE_SERVER_MAY,	/* it serves one, and this kernel does not say which */
	FUSE_SERVER_YES,
};

/* Whether @t serves the FUSE file system whose files have the device number @dev (stat(2), st_dev).  Before the stop. */
enum fuse_server fuse_served_by(const struct target *t, dev_t dev);
