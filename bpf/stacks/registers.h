/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The layout of struct pt_regs: arch/x86/include/asm/ptrace.h.
 * Used by the walks, where a rule names a register or a frame holds all registers, and by
 * raw.h, which sends all registers.
 */
#ifndef TRAPLINE_REGISTERS_H
#define TRAPLINE_REGISTERS_H

#if defined(__TARGET_ARCH_x86)
/* Offsets in bytes. */
#define REGS_BP 32
#define REGS_IP 128
#define REGS_CS 136
#define REGS_SP 152

/* Offsets in bytes by DWARF register number (psABI, figure 3.36). */
static const u8 register_offsets[] = {80, 96, 88, 40, 112, 104, 32, 152,
				      72, 64, 56, 48, 24,  16,	8,  0};
#endif

#endif
