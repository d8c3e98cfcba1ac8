#include "unwind/code/code_rv.h"

/*
 * RISC-V's instructions of 16 bits.  The RISC-V Instruction Set Manual, Volume I,
 * 20191213, chapter 16, "C", tables 16.5 to 16.7: by quadrant, the two low bits, and
 * by bits 15 to 13.  Three bits tell of registers 8 to 15.
 *
 * Zcmp's cm.push and cm.pop have the encodings of c.fsdsp.  They are for processors
 * without the compressed instructions of D, which Linux's distributions require.
 */
static const struct rv_form
	form_ci = { 6, { { 12, 12, 5 }, { 6, 2, 0 } } },
	form_addi16sp = { 10, { { 12, 12, 9 }, { 6, 6, 4 }, { 5, 5, 6 }, { 4, 3, 7 }, { 2, 2, 5 } } },
	form_addi4spn = { 0, { { 12, 11, 4 }, { 10, 7, 6 }, { 6, 6, 2 }, { 5, 5, 3 } } },
	form_lwsp = { 0, { { 12, 12, 5 }, { 6, 4, 2 }, { 3, 2, 6 } } },
	form_ldsp = { 0, { { 12, 12, 5 }, { 6, 5, 3 }, { 4, 2, 6 } } },
	form_swsp = { 0, { { 12, 9, 2 }, { 8, 7, 6 } } },
	form_sdsp = { 0, { { 12, 10, 3 }, { 9, 7, 6 } } },
	form_lw = { 0, { { 12, 10, 3 }, { 6, 6, 2 }, { 5, 5, 6 } } },
	form_ld = { 0, { { 12, 10, 3 }, { 6, 5, 6 } } },
	form_cb = { 9, { { 12, 12, 8 }, { 11, 10, 3 }, { 6, 5, 6 }, { 4, 3, 1 }, { 2, 2, 5 } } },
	form_cj = { 12, { { 12, 12, 11 }, { 11, 11, 4 }, { 10, 9, 8 }, { 8, 8, 10 }, { 7, 7, 6 }, { 6, 6, 7 },
			  { 5, 3, 1 }, { 2, 2, 5 } } };

/* With a base of sp, or of a register of three bits. */
void rv_quadrant0(struct riscv *d)
{
	u32 rd = 8 + code_bits(d->w, 4, 2), rs = 8 + code_bits(d->w, 9, 7);
	s64 word = rv_imm(d, &form_lw), dword = rv_imm(d, &form_ld);

	switch (code_bits(d->w, 15, 13)) {
	case 0:
		rv_set(d, rd, RV_SP, rv_imm(d, &form_addi4spn));
		/* Without an immediate it is reserved, and 0 is no instruction. */
		if (!code_bits(d->w, 12, 5))
			d->in->flow = CODE_STOP;
		break;
	case 2:
		rv_load(d, rd, rs, word, 4);
		break;
	case 3:	/* or C.FLW */
		if (d->is64)
			rv_load(d, rd, rs, dword, 8);
		break;
	case 4:	/* Zcb: bytes and half words; those stored are near the base */
		if (code_bits(d->w, 11, 11))
			rv_store(d, CODE_NONE, rs, 0, 4);
		else
			rv_clobber(d, rd);
		break;
	case 5:	/* C.FSD */
		rv_store(d, CODE_NONE, rs, dword, 8);
		break;
	case 6:
		rv_store(d, (u8)rd, rs, word, 4);
		break;
	case 7:
		if (d->is64)
			rv_store(d, (u8)rd, rs, dword, 8);
		else
			rv_store(d, CODE_NONE, rs, word, 4);
		break;
	default:	/* C.FLD */
		break;
	}
}

void rv_quadrant1(struct riscv *d)
{
	u32 rd = code_bits(d->w, 11, 7), small = 8 + code_bits(d->w, 9, 7);
	s64 imm = rv_imm(d, &form_ci);

	switch (code_bits(d->w, 15, 13)) {
	case 0:
		rv_set(d, rd, rd, imm);
		d->in->is_nop = !rd;
		break;
	case 1:
		if (d->is64)
			rv_add_word(d, rd, rd, imm);
		else
			rv_jump_to(d, rv_link(d, RV_RA), d->in->addr + (u64)rv_imm(d, &form_cj));
		break;
	case 2:
		rv_set(d, rd, 0, imm);
		break;
	case 3:	/* C.LUI; without an immediate, one of those that may become something (Zcmop) */
		if (rd == RV_SP)
			rv_set(d, RV_SP, RV_SP, rv_imm(d, &form_addi16sp));
		else if (imm)
			rv_set(d, rd, 0, imm * 4096);
		break;
	case 4:
		/* C.SUB. */
		if ((d->w & 0x1c60) == 0x0c00)
			rv_sum(d, small, small, 8 + code_bits(d->w, 4, 2), -1);
		else
			rv_clobber(d, small);
		break;
	case 5:
		rv_jump_to(d, CODE_JUMP, d->in->addr + (u64)rv_imm(d, &form_cj));
		break;
	default:
		rv_jump_to(d, CODE_BRANCH, d->in->addr + (u64)rv_imm(d, &form_cb));
	}
}

/* C.JR, C.MV, C.EBREAK, C.JALR, C.ADD. */
static void two_registers(struct riscv *d, u32 rd, u32 rs2)
{
	bool is_second = code_bits(d->w, 12, 12);

	if (!rs2 && !rd)
		d->in->flow = CODE_STOP;
	else if (!rs2)
		rv_jump_reg(d, is_second ? RV_RA : 0, rd, 0);
	else if (is_second)
		rv_sum(d, rd, rd, rs2, 1);
	else
		rv_set(d, rd, rs2, 0);
}

void rv_quadrant2(struct riscv *d)
{
	u32 rd = code_bits(d->w, 11, 7), rs2 = code_bits(d->w, 6, 2);

	switch (code_bits(d->w, 15, 13)) {
	case 0:
		rv_shift_left(d, rd, rd, code_bits(d->w, 12, 12) ? 0 : rs2);
		break;
	case 2:
		rv_load(d, rd, RV_SP, rv_imm(d, &form_lwsp), 4);
		break;
	case 3:	/* or C.FLWSP */
		if (d->is64)
			rv_load(d, rd, RV_SP, rv_imm(d, &form_ldsp), 8);
		break;
	case 4:
		two_registers(d, rd, rs2);
		break;
	case 5:	/* C.FSDSP */
		rv_store(d, CODE_NONE, RV_SP, rv_imm(d, &form_sdsp), 8);
		break;
	case 6:
		rv_store(d, rv_source(rs2), RV_SP, rv_imm(d, &form_swsp), 4);
		break;
	case 7:
		if (d->is64)
			rv_store(d, rv_source(rs2), RV_SP, rv_imm(d, &form_sdsp), 8);
		else
			rv_store(d, CODE_NONE, RV_SP, rv_imm(d, &form_swsp), 4);
		break;
	default:	/* C.FLDSP */
		break;
	}
}
