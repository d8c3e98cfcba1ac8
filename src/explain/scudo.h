/* scudo.h - a block of LLVM's hardened allocator. */
#pragma once

#include "base/types.h"

/*
 * In the 16 bytes before each block the first 8 are used: LLVM 14 and 19, compiler-rt/lib/scudo/standalone/chunk.h: struct
 * UnpackedHeader.
 */
enum { SCUDO_HEADER = 16 };
enum scudo_state { SCUDO_FREE, SCUDO_IN_USE, SCUDO_QUARANTINED, SCUDO_NO_STATE };
struct scudo_chunk {
	enum scudo_state state;	/* Chunk::State */
	u32 size;		/* in bytes, as asked for, of a small block; of others what is left after it */
	u32 offset;		/* granules from the first place where the block could be, for an alignment */
	u16 checksum;
	u8 class_id;		/* 0: a large one */
};
struct scudo_chunk scudo_header(u64 word);
