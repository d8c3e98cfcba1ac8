/*
 * zstd_seek.h - the seek table at the end of a zstd file, as it is written and read: zstd 1.5.7,
 * contrib/seekable_format/zstd_seekable_compression_format.md, version 0.1.0.
 */
#pragma once

enum {
	ZSTD_SEEK_HEAD = 8,	/* bytes: magic and length of the skippable frame that it is in */
	ZSTD_SEEK_ROW = 8,	/* of a frame: packed, unpacked; with a checksum 4 more */
	ZSTD_SEEK_FOOT = 9,	/* frames, descriptor, magic */
	ZSTD_SEEK_FRAME_MAX = 16 << 20,	/* bytes that a frame of ours unpacks to: what the reader keeps as one */
};
#define ZSTD_SEEK_HEAD_MAGIC 0x184d2a5eU
#define ZSTD_SEEK_FOOT_MAGIC 0x8f92eab1U
