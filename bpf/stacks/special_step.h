/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Steps from a frame to its caller that two distances cannot express.
 * Called by user_walk.h for signal frames, Go's system stacks and return addresses in
 * registers. raw.h uses the offsets in Go's structures.
 */
#ifndef TRAPLINE_SPECIAL_STEP_H
#define TRAPLINE_SPECIAL_STEP_H

#include "registers.h"
#include "rules.h"
#include "user_copy.h"

/* Offsets in structures of Go's runtime, unchanged since Go 1.17. */
#define GO_TLS_G (-8)	/* the goroutine, from the thread's FS base */
#define GO_G_STACK_HI 8 /* runtime.g.stack.hi */

#if defined(__TARGET_ARCH_x86)
static __always_inline u64 user_word(u64 address)
{
	u64 value = 0;

	bpf_probe_read_user(&value, 8, (void *)address);
	return value;
}

/*
 * Steps from s->walk.pc, sp and fp to the caller. Returns 0, or the CUT_… that ends the
 * walk.
 */
__noinline int special_step(u32 slot, u64 body)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 sp, place = 0, value;

	if (!s)
		return CUT_UNREADABLE;
	sp = s->walk.sp;
	switch (RULE_KIND(body)) {
	case RULE_SIGNAL:
		/* struct ucontext's uc_mcontext: arch/x86/include/uapi/asm/sigcontext.h */
		if (stack_word(s, slot, sp + 120, &value))
			return CUT_UNREADABLE;
		s->walk.fp = value;
		if (stack_word(s, slot, sp + 168, &value))
			return CUT_UNREADABLE;
		s->walk.pc = value;
		if (stack_word(s, slot, sp + 160, &value))
			return CUT_UNREADABLE;
		s->walk.sp = value;
		s->walk.back = 0;
		return 0;
	case RULE_GO_ASMCGOCALL: {
		u64 depth;

		sp += RULE_CFA(body);
		if (stack_word(s, slot, sp, &depth) || stack_word(s, slot, sp + 8, &value))
			return CUT_UNREADABLE;
		place = user_word(value + GO_G_STACK_HI) - depth;
		if (stack_word(s, slot, place, &value))
			return CUT_UNREADABLE;
		s->walk.fp = value;
		place += 8;
		break;
	}
	case RULE_LINK_REGISTER:
		/* only in the innermost frame: these are its registers */
		if (bpf_probe_read_kernel(&value, 8,
					  (void *)bpf_task_pt_regs(bpf_get_current_task_btf()) +
						  register_offsets[RULE_BASE(body) & 15]))
			return CUT_UNREADABLE;
		s->walk.pc = value;
		s->walk.sp = sp + RULE_CFA(body);
		s->walk.back = 1;
		return 0;
	default:
		return CUT_NO_RULE;
	}
	if (place < LOWEST_ADDRESS || stack_word(s, slot, place, &value))
		return CUT_UNREADABLE;
	s->walk.pc = value;
	s->walk.sp = place + 8;
	s->walk.back = 1;
	return 0;
}
#endif

#endif
