/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks kernel stacks by step rules, derived by user space from the kernel's ORC tables.
 * Called by kernel_stack.h, which takes the stack by bpf_get_stack() if the walk fails.
 * User space then writes the rules that were missing.
 */
#ifndef TRAPLINE_KERNEL_WALK_H
#define TRAPLINE_KERNEL_WALK_H

#include "constants.h"
#include "image.h"
#include "kernel_copy.h"
#include "registers.h"
#include "rules.h"

#if defined(__TARGET_ARCH_x86)
/* The state of walk_kernel_on(), kept in registers like struct user_walker. */
struct kernel_walker {
	struct scratch *s;
	u32 slot;
	u64 pc, sp, fp; /* fp 0: unknown */
	u32 back;	/* 1: pc is a return address */
};

/* The results of steps and walks. */
enum {
	STEP_TAKEN = 0,
	STEP_LAST = 1,	  /* there is no caller */
	STEP_FAILED = -1, /* bpf_get_stack() has to take the stack */
};

/* Steps to the code that was interrupted: the stack has its registers. */
static __always_inline int registers_step(struct kernel_walker *w, u64 regs, u64 body)
{
	u64 cs;

	if (kernel_word(w->s, w->slot, regs + REGS_CS, &cs))
		return STEP_FAILED;
	if (cs & 3) /* it interrupted user mode */
		return STEP_LAST;
	if (body & RULE_SAVES_FP && kernel_word(w->s, w->slot, regs + REGS_BP, &w->fp))
		return STEP_FAILED;
	if (kernel_word(w->s, w->slot, regs + REGS_IP, &w->pc) ||
	    kernel_word(w->s, w->slot, regs + REGS_SP, &w->sp))
		return STEP_FAILED;
	w->back = 0;
	return STEP_TAKEN;
}

/* Steps to the caller by a rule. */
static __always_inline int kernel_step(struct kernel_walker *w, u64 body)
{
	u64 cfa = RULE_BASE(body) == BASE_FP ? w->fp : w->sp, value;
	u32 kind = RULE_KIND(body);

	if (!cfa)
		return STEP_FAILED;
	if (kind == RULE_STACK_SWITCH) {
		if (kernel_word(w->s, w->slot, cfa, &value))
			return STEP_FAILED;
		w->sp = cfa = value;
		body &= ~(u64)RULE_DEREF;
		kind = RULE_STEP;
	}
	cfa += RULE_CFA(body);
	if (kind == RULE_REGISTERS)
		return registers_step(w, cfa, body);
	if (kind != RULE_STEP)
		return STEP_FAILED;
	if (body & RULE_DEREF) {
		if (kernel_word(w->s, w->slot, cfa, &value))
			return STEP_FAILED;
		cfa = value;
	}
	if (cfa <= w->sp)
		return STEP_FAILED;
	if (body & RULE_SAVES_FP) {
		u64 saved = (body & RULE_FP_FROM_FP ? w->fp : cfa) + RULE_FP(body);

		if (kernel_word(w->s, w->slot, saved, &value))
			return STEP_FAILED;
		w->fp = value;
	}
	if (kernel_word(w->s, w->slot, cfa - 8, &w->pc))
		return STEP_FAILED;
	if (!w->pc)
		return STEP_LAST;
	w->sp = cfa;
	w->back = 1;
	return STEP_TAKEN;
}

/*
 * Walks the next WALK_STEPS frames, from s->walk, and stores them in s->kernel.ip. Returns
 * STEP_TAKEN if there are more.
 */
__noinline int walk_kernel_on(u32 slot, u32 max)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct kernel_walker w = {.s = s, .slot = slot};
	u64 hash;
	u32 n;

	if (!s)
		return STEP_FAILED;
	w.pc = s->walk.pc;
	w.sp = s->walk.sp;
	w.fp = s->walk.fp;
	w.back = s->walk.back;
	n = s->walk.frames;
	hash = s->walk.hash;
	for (u32 i = 0; i < WALK_STEPS; i++) {
		u64 body = rule_of(mix(KERNEL_IMAGE, w.pc - w.back));
		int ended;

		barrier_var(n);
		if (n >= MAX_FRAMES)
			return STEP_FAILED;
		hash = mix(hash, w.pc);
		s->kernel.ip[n] = w.pc;
		n++;
		if (RULE_KIND(body) == RULE_END || n >= max)
			goto last;
		if (RULE_KIND(body) == 0) {
			s->walk.missing = 1;
			return STEP_FAILED;
		}
		ended = kernel_step(&w, body);
		if (ended == STEP_LAST)
			goto last;
		if (ended)
			return STEP_FAILED;
	}
	s->walk.pc = w.pc;
	s->walk.sp = w.sp;
	s->walk.fp = w.fp;
	s->walk.back = w.back;
	s->walk.frames = n;
	s->walk.hash = hash;
	return STEP_TAKEN;
last:
	s->walk.frames = n;
	s->walk.hash = hash;
	return STEP_LAST;
}

/* Walks the kernel stack from s->walk; leaves 0 in s->walk.frames if that fails. */
static __always_inline void walk_kernel(struct scratch *s, u32 slot, u64 hash)
{
	int ended = 0;

	s->walk.frames = 0;
	s->walk.hash = hash;
	s->walk.missing = 0;
	for (u32 i = 0; i < (MAX_FRAMES + WALK_STEPS - 1) / WALK_STEPS && !ended; i++)
		ended = walk_kernel_on(slot, max_frames);
	if (ended != STEP_LAST)
		s->walk.frames = 0;
}
#endif

#endif
