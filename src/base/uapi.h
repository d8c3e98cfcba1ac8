/* uapi.h - kernel constants that older headers lack, and the one place that knows the host's machine. */
#pragma once

#include <elf.h>
#include <sys/ioctl.h>

#include "base/types.h"

/* elf.h of glibc 2.36 lacks these; include/uapi/linux/elf.h, Linux 7.0. */
#ifndef NT_ARM_TAGGED_ADDR_CTRL
#define NT_ARM_TAGGED_ADDR_CTRL 0x409
#endif
#ifndef NT_ARM_PAC_ENABLED_KEYS
#define NT_ARM_PAC_ENABLED_KEYS 0x40a
#endif
#ifndef NT_ARM_SSVE
#define NT_ARM_SSVE 0x40b
#endif
#ifndef NT_ARM_ZA
#define NT_ARM_ZA 0x40c
#endif
#ifndef NT_ARM_ZT
#define NT_ARM_ZT 0x40d
#endif
#ifndef NT_ARM_FPMR
#define NT_ARM_FPMR 0x40e
#endif
#ifndef NT_ARM_POE
#define NT_ARM_POE 0x40f
#endif
#ifndef NT_ARM_GCS
#define NT_ARM_GCS 0x410
#endif
#ifndef NT_X86_SHSTK
#define NT_X86_SHSTK 0x204
#endif
#ifndef NT_X86_XSAVE_LAYOUT
#define NT_X86_XSAVE_LAYOUT 0x205
#endif
#ifndef NT_PPC_DEXCR
#define NT_PPC_DEXCR 0x111
#endif
#ifndef NT_PPC_HASHKEYR
#define NT_PPC_HASHKEYR 0x112
#endif
#ifndef NT_S390_PV_CPU_DATA
#define NT_S390_PV_CPU_DATA 0x30e
#endif
#ifndef NT_ARC_V2
#define NT_ARC_V2 0x600
#endif
#ifndef NT_RISCV_CSR
#define NT_RISCV_CSR 0x900
#endif
#ifndef NT_RISCV_VECTOR
#define NT_RISCV_VECTOR 0x901
#endif
#ifndef NT_RISCV_TAGGED_ADDR_CTRL
#define NT_RISCV_TAGGED_ADDR_CTRL 0x902
#endif
#ifndef NT_RISCV_USER_CFI
#define NT_RISCV_USER_CFI 0x903
#endif
#ifndef NT_LOONGARCH_CPUCFG
#define NT_LOONGARCH_CPUCFG 0xa00
#endif
#ifndef NT_LOONGARCH_CSR
#define NT_LOONGARCH_CSR 0xa01
#endif
#ifndef NT_LOONGARCH_LSX
#define NT_LOONGARCH_LSX 0xa02
#endif
#ifndef NT_LOONGARCH_LASX
#define NT_LOONGARCH_LASX 0xa03
#endif
#ifndef NT_LOONGARCH_LBT
#define NT_LOONGARCH_LBT 0xa04
#endif
#ifndef NT_LOONGARCH_HW_BREAK
#define NT_LOONGARCH_HW_BREAK 0xa05
#endif
#ifndef NT_LOONGARCH_HW_WATCH
#define NT_LOONGARCH_HW_WATCH 0xa06
#endif
#ifndef PT_AARCH64_MEMTAG_MTE
#define PT_AARCH64_MEMTAG_MTE 0x70000002
#endif

/* include/uapi/linux/auxvec.h, since v6.9; elf.h of glibc 2.36 lacks it. */
#define UAPI_AT_HWCAP3 29
/* include/uapi/linux/binfmts.h, Linux 7.3: of AT_FLAGS. */
#define UAPI_AT_FLAGS_TRANSPARENT_INTERP (1 << 1)

/* arch/arm64/include/uapi/asm/ptrace.h, since v5.10, commit 18ddbaa02b7a; other machines say EIO. */
#define UAPI_PTRACE_PEEKMTETAGS 33
/* arch/arm64/include/uapi/asm/mman.h; other machines refuse it or take no notice. */
#define UAPI_PROT_MTE 0x20

/* PROCMAP_QUERY: include/uapi/linux/fs.h, since v6.11, commit ed5d583a88a9. */
struct uapi_procmap_query {
	u64 size;
	u64 query_flags;
	u64 query_addr;
	u64 vma_start;
	u64 vma_end;
	u64 vma_flags;
	u64 vma_page_size;
	u64 vma_offset;
	u64 inode;
	u32 dev_major;
	u32 dev_minor;
	u32 vma_name_size;
	u32 build_id_size;
	u64 vma_name_addr;
	u64 build_id_addr;
};
#define UAPI_PROCMAP_QUERY _IOWR('f', 17, struct uapi_procmap_query)
#define UAPI_PROCMAP_VMA_READABLE 0x01
#define UAPI_PROCMAP_VMA_WRITABLE 0x02
#define UAPI_PROCMAP_VMA_EXECUTABLE 0x04
#define UAPI_PROCMAP_VMA_SHARED 0x08
#define UAPI_PROCMAP_COVERING_OR_NEXT_VMA 0x10

/* PAGEMAP_SCAN: include/uapi/linux/fs.h, since v6.7, commit 52526ca7fdb9. */
struct uapi_page_region {
	u64 start;
	u64 end;
	u64 categories;
};
struct uapi_pm_scan_arg {
	u64 size;
	u64 flags;
	u64 start;
	u64 end;
	u64 walk_end;
	u64 vec;
	u64 vec_len;
	u64 max_pages;
	u64 category_inverted;
	u64 category_mask;
	u64 category_anyof_mask;
	u64 return_mask;
};
#define UAPI_PAGEMAP_SCAN _IOWR('f', 16, struct uapi_pm_scan_arg)
#define UAPI_PM_SCAN_WP_MATCHING (1 << 0)
#define UAPI_PAGE_IS_WPALLOWED (1 << 0)
#define UAPI_PAGE_IS_WRITTEN (1 << 1)
#define UAPI_PAGE_IS_FILE (1 << 2)
#define UAPI_PAGE_IS_PRESENT (1 << 3)
#define UAPI_PAGE_IS_SWAPPED (1 << 4)
#define UAPI_PAGE_IS_PFNZERO (1 << 5)
#define UAPI_PAGE_IS_GUARD (1 << 8)	/* since v6.15, commit a516403787e0 */

/* userfaultfd(2): include/uapi/linux/userfaultfd.h; the first since v5.11, the other since v6.7. */
#define UAPI_UFFD_USER_MODE_ONLY 1
#define UAPI_UFFD_FEATURE_WP_ASYNC (1 << 15)

/* Landlock: include/uapi/linux/landlock.h, Linux 6.12; the numbers of its calls are those of every machine. */
#define UAPI_SYS_close_range 436
#define UAPI_SYS_landlock_create_ruleset 444
#define UAPI_SYS_landlock_restrict_self 446
#define UAPI_LANDLOCK_CREATE_RULESET_VERSION 1
struct uapi_landlock_ruleset_attr {
	u64 handled_access_fs;
	u64 handled_access_net;
	u64 scoped;
};
#define UAPI_LANDLOCK_FS_1 ((1 << 13) - 1)	/* EXECUTE to MAKE_SYM: version 1 of the interface */
#define UAPI_LANDLOCK_FS_READ_FILE (1 << 2)
#define UAPI_LANDLOCK_FS_READ_DIR (1 << 3)
#define UAPI_LANDLOCK_FS_REFER (1 << 13)	/* version 2 */
#define UAPI_LANDLOCK_FS_TRUNCATE (1 << 14)	/* 3 */
#define UAPI_LANDLOCK_NET_TCP (1 << 0 | 1 << 1)	/* 4: BIND, CONNECT */
#define UAPI_LANDLOCK_FS_IOCTL_DEV (1 << 15)	/* 5 */
#define UAPI_LANDLOCK_SCOPES (1 << 0 | 1 << 1)	/* 6: ABSTRACT_UNIX_SOCKET, SIGNAL */

/* openat2(2): include/uapi/linux/openat2.h, since v5.6, commit fddb5d430ad9; its number is that of every machine. */
#define UAPI_SYS_openat2 437
struct uapi_open_how {
	u64 flags;
	u64 mode;
	u64 resolve;
};
#define UAPI_RESOLVE_IN_ROOT 0x10

/* e_flags that elf.h of glibc 2.36 lacks; binutils 2.40, include/elf/mips.h. */
#ifndef EF_MIPS_ARCH_32R6
#define EF_MIPS_ARCH_32R6 0x90000000
#endif
#ifndef EF_MIPS_ARCH_64R6
#define EF_MIPS_ARCH_64R6 0xa0000000
#endif
#ifndef EF_MIPS_MICROMIPS
#define EF_MIPS_MICROMIPS 0x02000000
#endif
#ifndef EF_MIPS_ARCH_ASE_M16
#define EF_MIPS_ARCH_ASE_M16 0x04000000
#endif

/* The machine this program runs on; the only place that asks the compiler. */
#if defined(__x86_64__)
#define UAPI_NATIVE_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define UAPI_NATIVE_MACHINE EM_AARCH64
#else
#define UAPI_NATIVE_MACHINE EM_NONE
#endif
#define UAPI_NATIVE_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define UAPI_NATIVE_DATA (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

/* CPUID, on the machines that have it: false elsewhere.  out: eax, ebx, ecx, edx. */
#if defined(__x86_64__)
#include <cpuid.h>
static inline bool uapi_cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	return __get_cpuid_count(leaf, subleaf, &out[0], &out[1], &out[2], &out[3]);
}
#else
static inline bool uapi_cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	(void)leaf;
	(void)subleaf;
	(void)out;
	return false;
}
#endif
