#include "base/util.h"
#include "core/core_file.h"

void core_file_close(struct core_file *f)
{
	if (f->ops)
		f->ops->close(f);
	*f = (struct core_file){ 0 };
}

int core_file_read(struct core_file *f, u64 off, void *buf, size_t len, struct err *e)
{
	u64 end;
	size_t n;
	int r;

	if (add_overflow(off, (u64)len, &end) || end > f->size)
		return err_at(e, ERR_TRUNCATED, off, "%zu bytes are wanted, and the file has %llu", len,
			      (unsigned long long)f->size);
	r = f->ops->read_at(f, off, buf, len, &n, e);
	if (r)
		return r;
	if (n < len)
		return err_at(e, ERR_TRUNCATED, off + n, "the file became shorter while it was read");
	return 0;
}

u64 core_file_next_data(struct core_file *f, u64 off)
{
	return f->ops->next_data && off < f->size ? min(f->ops->next_data(f, off), f->size) : off;
}
