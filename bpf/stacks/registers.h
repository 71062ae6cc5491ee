/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where struct pt_regs holds the registers: arch/x86/include/asm/ptrace.h.
 * Used by the walks where a rule names a register or a frame holds all of them, and by
 * raw.h, which sends all registers.
 */
#ifndef TRAPLINE_REGISTERS_H
#define TRAPLINE_REGISTERS_H

#if defined(__TARGET_ARCH_x86)
/* Offsets in struct pt_regs, bytes: arch/x86/include/asm/ptrace.h */
#define REGS_BP 32
#define REGS_IP 128
#define REGS_CS 136
#define REGS_SP 152

/* Where struct pt_regs has the registers, by their DWARF numbers (psABI, figure 3.36). */
static const u8 register_offsets[] = {80, 96, 88, 40, 112, 104, 32, 152,
				      72, 64, 56, 48, 24,  16,	8,  0};
#endif

#endif
