#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/uapi.h"
#include "base/util.h"
#include "cli/view_text.h"
#include "os/os.h"

enum show { SHOW_BITS, SHOW_ADDRESS, SHOW_NUMBER, SHOW_STRING };

/* Linux 7.3, include/uapi/linux/auxvec.h and the machines' own: 34 to 47 alpha, sh, powerpc; 48 to 50 sparc. */
static const struct entry {
	const char *name;
	u16 type;
	enum show show;
} entries[] = {
	{ "AT_EXECFD", 2, SHOW_NUMBER },
	{ "AT_PHDR", 3, SHOW_ADDRESS },
	{ "AT_PHENT", 4, SHOW_NUMBER },
	{ "AT_PHNUM", 5, SHOW_NUMBER },
	{ "AT_PAGESZ", 6, SHOW_NUMBER },
	{ "AT_BASE", 7, SHOW_ADDRESS },
	{ "AT_FLAGS", 8, SHOW_BITS },
	{ "AT_ENTRY", 9, SHOW_ADDRESS },
	{ "AT_NOTELF", 10, SHOW_NUMBER },
	{ "AT_UID", 11, SHOW_NUMBER },
	{ "AT_EUID", 12, SHOW_NUMBER },
	{ "AT_GID", 13, SHOW_NUMBER },
	{ "AT_EGID", 14, SHOW_NUMBER },
	{ "AT_PLATFORM", 15, SHOW_STRING },
	{ "AT_HWCAP", 16, SHOW_BITS },
	{ "AT_CLKTCK", 17, SHOW_NUMBER },
	{ "AT_FPUCW", 18, SHOW_BITS },
	{ "AT_DCACHEBSIZE", 19, SHOW_NUMBER },
	{ "AT_ICACHEBSIZE", 20, SHOW_NUMBER },
	{ "AT_UCACHEBSIZE", 21, SHOW_NUMBER },
	{ "AT_IGNOREPPC", 22, SHOW_NUMBER },
	{ "AT_SECURE", 23, SHOW_NUMBER },
	{ "AT_BASE_PLATFORM", 24, SHOW_STRING },
	{ "AT_RANDOM", 25, SHOW_ADDRESS },
	{ "AT_HWCAP2", 26, SHOW_BITS },
	{ "AT_RSEQ_FEATURE_SIZE", 27, SHOW_NUMBER },
	{ "AT_RSEQ_ALIGN", 28, SHOW_NUMBER },
	{ "AT_HWCAP3", 29, SHOW_BITS },
	{ "AT_HWCAP4", 30, SHOW_BITS },
	{ "AT_EXECFN", 31, SHOW_STRING },
	{ "AT_SYSINFO", 32, SHOW_ADDRESS },
	{ "AT_SYSINFO_EHDR", 33, SHOW_ADDRESS },
	{ "AT_L1I_CACHESHAPE", 34, SHOW_BITS },
	{ "AT_L1D_CACHESHAPE", 35, SHOW_BITS },
	{ "AT_L2_CACHESHAPE", 36, SHOW_BITS },
	{ "AT_L3_CACHESHAPE", 37, SHOW_BITS },
	{ "AT_L1I_CACHESIZE", 40, SHOW_NUMBER },
	{ "AT_L1I_CACHEGEOMETRY", 41, SHOW_BITS },
	{ "AT_L1D_CACHESIZE", 42, SHOW_NUMBER },
	{ "AT_L1D_CACHEGEOMETRY", 43, SHOW_BITS },
	{ "AT_L2_CACHESIZE", 44, SHOW_NUMBER },
	{ "AT_L2_CACHEGEOMETRY", 45, SHOW_BITS },
	{ "AT_L3_CACHESIZE", 46, SHOW_NUMBER },
	{ "AT_L3_CACHEGEOMETRY", 47, SHOW_BITS },
	{ "AT_ADI_BLKSZ", 48, SHOW_NUMBER },
	{ "AT_ADI_NBITS", 49, SHOW_NUMBER },
	{ "AT_ADI_UEONADI", 50, SHOW_NUMBER },
	{ "AT_MINSIGSTKSZ", 51, SHOW_NUMBER },
};

static const char x86_hwcap[] =
	"fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr "
	"sse sse2 ss ht tm ia64 pbe";
static const char arm64_hwcap[] =
	"fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 "
	"sm3 sm4 asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs sb paca pacg "
	"gcs cmpbr fprcvt f8mm8 f8mm4 svef16mm sveeltperm sveaes2 svebfscale sve2p2 sme2p2 smesbitperm smeaes "
	"smesfexpa smestmop smesmop4";
static const char arm64_hwcap2[] =
	"dcpodp sve2 sveaes svepmull svebitperm svesha3 svesm4 flagm2 frint svei8mm svef32mm svef64mm svebf16 i8mm "
	"bf16 dgh rng bti mte ecv afp rpres mte3 sme smei16i64 smef64f64 smei8i32 smef16f32 smeb16f32 smef32f32 "
	"smefa64 wfxt ebf16 sveebf16 cssc rprfm sve2p1 sme2 sme2p1 smei16i32 smebi32i32 smeb16b16 smef16f16 mops hbc "
	"sveb16b16 lrcpc3 lse128 fpmr lut faminmax f8cvt f8fma f8dp4 f8dp2 f8e4m3 f8e5m2 smelutv2 smef8f16 smef8f32 "
	"smesf8fma smesf8dp4 smesf8dp2 poe";
static const char arm64_hwcap3[] =
	"mtefar mtestoreonly lsfe ls64 sveb16mm sve2p3 smelut6 sme2p3 f16mm f16f32dot f16f32mm svelut6";

/*
 * What bit 0, 1, ... of a value means, in words; "-" for none.  As /proc/cpuinfo
 * has them: Linux 7.3, arch/arm64/kernel/cpuinfo.c: hwcap_str; of x86 it is
 * CPUID leaf 1, EDX (arch/x86/include/asm/elf.h: ELF_HWCAP) and asm/hwcap2.h.
 */
static const struct {
	u16 machine;
	u16 type;	/* AT_* */
	const char *words;
} bits[] = {
	{ EM_X86_64, AT_HWCAP, x86_hwcap },
	{ EM_386, AT_HWCAP, x86_hwcap },
	{ EM_X86_64, AT_HWCAP2, "ring3mwait fsgsbase" },
	{ EM_386, AT_HWCAP2, "ring3mwait fsgsbase" },
	{ EM_AARCH64, AT_HWCAP, arm64_hwcap },
	{ EM_AARCH64, AT_HWCAP2, arm64_hwcap2 },
	{ EM_AARCH64, UAPI_AT_HWCAP3, arm64_hwcap3 },
	/* Of any machine: include/uapi/linux/binfmts.h, AT_FLAGS_*. */
	{ EM_NONE, AT_FLAGS, "preserve_argv0 transparent_interp" },
};

/* As another system has it above the types of System V's ABI. */
static const struct entry *os_entry(const struct os *os, u64 type, struct entry *buf)
{
	const struct os_auxv *a = os_auxv_find(os, type);

	if (!a)
		return NULL;
	*buf = (struct entry){ a->name, a->type, a->show == 'n' ? SHOW_NUMBER : a->show == 's' ? SHOW_STRING : SHOW_ADDRESS };
	return buf;
}

/* May be in @buf; or NULL. */
static const struct entry *entry_find(const struct core *c, u64 type, struct entry *buf)
{
	if (c->os && type > AT_ENTRY)
		return os_entry(c->os, type, buf);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		if (entries[i].type == type)
			return &entries[i];
	return NULL;
}

const char *view_auxv_name(const struct core *c, u64 type, bool *number)
{
	struct entry buf;
	const struct entry *t = entry_find(c, type, &buf);

	*number = t && t->show == SHOW_NUMBER;
	return t ? t->name : NULL;
}

/* The words for the bits of @value, and "bit N" for those without one. */
static void words_of(const char *words, u64 value, char out[VIEW_AUXV_MAX])
{
	size_t n = 0;

	for (unsigned i = 0; i < 64 && value >> i; i++) {
		int len = (int)strcspn(words, " ");

		if (value >> i & 1 && len && words[0] != '-')
			n += (size_t)snprintf(out + n, VIEW_AUXV_MAX - n, "%s%.*s", n ? " " : "", len, words);
		else if (value >> i & 1)
			n += (size_t)snprintf(out + n, VIEW_AUXV_MAX - n, "%sbit%u", n ? " " : "", i);
		words += len;
		words += *words == ' ';
	}
}

static int string_at(struct core *c, u64 addr, char out[VIEW_AUXV_MAX], struct err *e)
{
	size_t n;
	int r = core_read_present(c, addr, out, VIEW_AUXV_MAX - 1, &n, e);

	if (r)
		return r;
	/* Without its end it is not known. */
	if (!memchr(out, 0, n))
		n = n == VIEW_AUXV_MAX - 1 ? n : 0;
	out[n] = 0;
	return 0;
}

int view_auxv_text(struct core *c, u64 type, u64 value, char out[VIEW_AUXV_MAX], struct err *e)
{
	struct entry buf;
	const struct entry *t = entry_find(c, type, &buf);

	out[0] = 0;
	if (t && t->show == SHOW_STRING)
		return string_at(c, value, out, e);
	for (size_t i = 0; t && !c->os && i < ARRAY_SIZE(bits); i++)
		if ((bits[i].machine == c->ehdr.e_machine || !bits[i].machine) && bits[i].type == t->type)
			words_of(bits[i].words, value, out);
	return 0;
}
