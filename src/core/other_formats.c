#include <string.h>

#include "base/util.h"
#include "core/core_priv.h"

/*
 * Files that are no ELF cores but may be taken for one: their first bytes, what they are, and
 * what to do.  Formats that unpackers.c opens are not listed.
 */
static const struct {
	const char *magic;
	u8 len;
	const char *what;
} rows[] = {
	/* makedumpfile diskdump_mod.h: KDUMP_SIGNATURE, DISK_DUMP_SIGNATURE; qemu's dump-guest-memory -z, -l, -s. */
	{ "KDUMP   ", 8, "a compressed kdump: crash(8) and drgn(1) read it; only makedumpfile -E, or qemu's "
			 "dump-guest-memory without -z, -l and -s, writes ELF" },
	{ "DISKDUMP", 8, "a diskdump: crash(8) reads it" },
	/* makedumpfile.h: MAKEDUMPFILE_SIGNATURE */
	{ "makedumpfile\0\0\0", 16, "a flattened dump of makedumpfile: makedumpfile -R OUT <FILE puts it in order" },
	/* arch/s390/include/asm/... zipl's stand-alone dump: DF_S390_MAGIC */
	{ "\xa8\x19\x01\x73\x61\x8f\x23\xfd", 8, "a stand-alone dump of s390: zgetdump(8) -f elf makes a core of it" },
	{ "EMiL", 4, "a memory image of LiME: it has no registers" },
	{ "QEVM", 4, "a saved state of qemu: load it, and use dump-guest-memory" },
	{ "MDMP", 4, "a minidump: minidump-2-core of Breakpad makes a core of it, and LLDB reads it" },
	{ "PAGEDU64", 8, "a dump of a Windows kernel: WinDbg reads it" },
	{ "PAGEDUMP", 8, "a dump of a Windows kernel: WinDbg reads it" },
	{ "\xcf\xfa\xed\xfe", 4, "a Mach-O file, as macOS has: LLDB reads its cores" },
	{ "\xce\xfa\xed\xfe", 4, "a Mach-O file, as macOS has: LLDB reads its cores" },
	{ "\xfe\xed\xfa\xcf", 4, "a Mach-O file, as macOS has: LLDB reads its cores" },
	{ "\xfe\xed\xfa\xce", 4, "a Mach-O file, as macOS has: LLDB reads its cores" },
	{ "\x04\x22\x4d\x18", 4, "packed by lz4(1): unpack it with lz4 -d" },
	{ "\x02\x21\x4c\x18", 4, "packed by an old lz4(1): unpack it with lz4 -d" },
	{ "BZh", 3, "packed by bzip2(1): unpack it with bzip2 -d" },
	{ "\x89LZO", 4, "packed by lzop(1): unpack it with lzop -d" },
	{ "LZIP", 4, "packed by lzip(1): unpack it with lzip -d" },
	{ "\x5d\x00\x00", 3, "perhaps packed by lzma(1): unpack it with xz --format=lzma -d" },
	{ "\x1f\x9d", 2, "packed by compress(1): unpack it with gzip -d" },
	{ "PK\x03\x04", 4, "a zip archive: unpack it with unzip(1)" },
};

const char *core_other_format(struct bytes head)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (head.len >= rows[i].len && !memcmp(head.p, rows[i].magic, rows[i].len))
			return rows[i].what;
	return NULL;
}
