/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kernel stacks by step rules, which user space derives from the kernel's ORC tables.
 * Called by kernel_stack.h. bpf_get_stack is the teacher: it takes every stack for which
 * a rule is missing, and user space writes the rules for what it returned.
 * It is also the fallback where no rule can say what comes next.
 */
#ifndef TRAPLINE_KERNEL_WALK_H
#define TRAPLINE_KERNEL_WALK_H

#include "constants.h"
#include "image.h"
#include "kernel_copy.h"
#include "registers.h"
#include "rules.h"

#if defined(__TARGET_ARCH_x86)
/*
 * Walks WALK_STEPS frames on, from s->walk.pc, sp, fp (0: not known) and back into
 * s->kernel.ip. Returns 0 if there are more, -1 if bpf_get_stack has to do it.
 */
__noinline int walk_kernel_on(u32 slot, u32 max)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 pc, sp, fp, hash;
	u32 back, n;

	if (!s)
		return -1;
	pc = s->walk.pc;
	sp = s->walk.sp;
	fp = s->walk.fp;
	back = s->walk.back;
	n = s->walk.frames;
	hash = s->walk.hash;
	for (u32 i = 0; i < WALK_STEPS; i++) {
		u64 body = rule_of(mix(KERNEL_IMAGE, pc - back));
		u32 kind = RULE_KIND(body);
		u64 from, value;

		barrier_var(n);
		if (n >= MAX_FRAMES)
			return -1;

		hash = mix(hash, pc);
		s->kernel.ip[n] = pc;
		n++;
		if (kind == RULE_END || n >= max)
			goto end;
		if (kind == 0) {
			s->walk.missing = 1;
			return -1;
		}
		from = RULE_BASE(body) == BASE_FP ? fp : sp;
		if (!from)
			return -1;
		if (kind == RULE_STACK_SWITCH) {
			if (kernel_word(s, slot, from, &value))
				return -1;
			sp = from = value;
			body &= ~(u64)RULE_DEREF;
			kind = RULE_STEP;
		}
		from += RULE_CFA(body);
		if (kind == RULE_REGISTERS) {
			if (kernel_word(s, slot, from + REGS_CS, &value))
				return -1;
			if (value & 3) /* came from user mode */
				goto end;
			if (body & RULE_SAVES_FP && kernel_word(s, slot, from + REGS_BP, &fp))
				return -1;
			if (kernel_word(s, slot, from + REGS_IP, &pc) ||
			    kernel_word(s, slot, from + REGS_SP, &sp))
				return -1;
			back = 0;
			continue;
		}
		if (kind != RULE_STEP)
			return -1;
		if (body & RULE_DEREF) {
			if (kernel_word(s, slot, from, &value))
				return -1;
			from = value;
		}
		if (from <= sp)
			return -1;
		if (body & RULE_SAVES_FP) {
			u64 saved = (body & RULE_FP_FROM_FP ? fp : from) + RULE_FP(body);

			if (kernel_word(s, slot, saved, &value))
				return -1;
			fp = value;
		}
		if (kernel_word(s, slot, from - 8, &pc))
			return -1;
		if (!pc)
			goto end;
		sp = from;
		back = 1;
	}
	s->walk.pc = pc;
	s->walk.sp = sp;
	s->walk.fp = fp;
	s->walk.back = back;
	s->walk.frames = n;
	s->walk.hash = hash;
	return 0;
end:
	s->walk.frames = n;
	s->walk.hash = hash;
	return 1;
}

/* Walks the kernel stack; s->walk.frames 0: bpf_get_stack has to do it. */
static __always_inline void walk_kernel(struct scratch *s, u32 slot, u64 hash)
{
	int ended = 0;

	s->walk.frames = 0;
	s->walk.hash = hash;
	s->walk.missing = 0;
	for (u32 i = 0; i < (MAX_FRAMES + WALK_STEPS - 1) / WALK_STEPS && !ended; i++)
		ended = walk_kernel_on(slot, max_frames);
	if (ended != 1)
		s->walk.frames = 0;
}
#endif

#endif
