#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/uapi.h"
#include "cli/view_text.h"

int view_addr_parse(const struct core *c, const char *text, u64 *out, struct err *e)
{
	u64 addr;

	if (text_parse_u64(text, 16, false, &addr))
		return err_set(e, ERR_USAGE, "%s is not an address (hexadecimal)", text);
	*out = core_untag(c, addr);
	return 0;
}

const char *view_seg_flags(const GElf_Phdr *p, char out[4])
{
	return text_rwx(p->p_flags & PF_R, p->p_flags & PF_W, p->p_flags & PF_X, out);
}

const char *view_build_id(const u8 *id, size_t len, char out[VIEW_BUILD_ID_MAX])
{
	return len ? text_hex(id, len, out) : NULL;
}

const char *view_hex(struct bytes b, struct elffmt fmt, char *out)
{
	bool big = fmt.data == ELFDATA2MSB;

	memcpy(out, "0x", 3);
	for (size_t i = 0; i < b.len; i++)
		text_hex(b.p + (big ? i : b.len - 1 - i), 1, out + 2 + 2 * i);
	return out;
}
