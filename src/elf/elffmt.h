/* elffmt.h - ELF headers of either class and byte order, through libelf. */
#pragma once

#include <gelf.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/types.h"

/* Sizes on disk, bytes. */
size_t elffmt_ehdr_size(struct elffmt fmt);
size_t elffmt_phdr_size(struct elffmt fmt);
size_t elffmt_shdr_size(struct elffmt fmt);

/* Reads e_ident: *out is the class and byte order.  ERR_INPUT when it is not ELF. */
int elffmt_ident(struct bytes b, struct elffmt *out, struct err *e) must_check;

/* Decode the header at the window's beginning; widened to the 64-bit form. */
int elffmt_get_ehdr(struct elffmt fmt, struct bytes b, GElf_Ehdr *out, struct err *e) must_check;
int elffmt_get_phdr(struct elffmt fmt, struct bytes b, GElf_Phdr *out, struct err *e) must_check;
int elffmt_get_shdr(struct elffmt fmt, struct bytes b, GElf_Shdr *out, struct err *e) must_check;

/* Append the encoded header.  ERR_UNSUPPORTED when a value does not fit the class. */
struct buf;
int elffmt_put_ehdr(struct elffmt fmt, const GElf_Ehdr *h, struct buf *b, struct err *e) must_check;
int elffmt_put_phdr(struct elffmt fmt, const GElf_Phdr *h, struct buf *b, struct err *e) must_check;
int elffmt_put_shdr(struct elffmt fmt, const GElf_Shdr *h, struct buf *b, struct err *e) must_check;
