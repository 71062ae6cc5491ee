/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kernel stacks by step rules, which user space derives from the kernel's ORC
 * tables. bpf_get_stack is the teacher: it takes every stack for which a rule is
 * missing, and user space writes the rules for what it returned; and it is the
 * fallback where no rule can say what comes next.
 */
#ifndef TRAPLINE_KERNEL_WALK_H
#define TRAPLINE_KERNEL_WALK_H

#include "maps.h"

#if defined(__TARGET_ARCH_x86)
#define THREAD_SIZE 16384 /* arch/x86/include/asm/page_64_types.h; stacks are aligned to it */

/* The kernel copies its own memory word by word: little at a time. */
#define KERNEL_COPY 512
__noinline int copy_kernel_stack(u32 slot, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 size = THREAD_SIZE - (address & (THREAD_SIZE - 1));

	if (!s)
		return 1;
	barrier_var(size); /* lest the bound is made of another register */
	if (size > KERNEL_COPY)
		size = KERNEL_COPY;
	if (size < 8)
		return 1;
	s->walk.base = address;
	s->walk.limit = 0;
	if (bpf_probe_read_kernel(s->stack, size, (void *)address))
		return 1;
	s->walk.limit = size - 7;
	return 0;
}

static __always_inline int kernel_word(struct scratch *s, u32 slot, u64 address, u64 *value)
{
	u64 at = address - s->walk.base;

	if (at >= s->walk.limit) {
		if (copy_kernel_stack(slot, address))
			return 1;
		at = 0;
	}
	barrier_var(at);
	if (at > KERNEL_COPY - 8)
		return 1;
	*value = *(u64 *)(s->stack + at);
	return 0;
}

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

/*
 * Programs on raw tracepoints and function entries are given the address of
 * their arguments, which lie on the stack, and no registers. How far behind
 * them the first return address lies is the same every time; it is found by
 * comparison with bpf_get_stack, and believed after as many hits have agreed.
 */
#define ANCHOR_TRUSTED 16
#define ANCHOR_WORDS 48
#define ANCHOR_DEPTH 6

/* How far from the arguments the function that holds them has put the address that our program returns to. */
#define CALL_WORDS 48
__noinline s64 find_call(u32 slot, u64 arguments, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	if (!s || copy_kernel_stack(slot, arguments - CALL_WORDS * 8))
		return 0;
	for (u32 i = CALL_WORDS - 1; i > 0; i--) {
		if (*(u64 *)(s->stack + i * 8) == address)
			return ((s64)i - CALL_WORDS) * 8;
	}
	return 0;
}

/*
 * Finds the anchor in the stack from `arguments` on, given that s->kernel.ip
 * holds what bpf_get_stack returned.
 */
__noinline int find_anchor(u32 slot, u64 arguments, u32 index)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct anchor *a = bpf_map_lookup_elem(&anchors, &index);
	u64 callee = 0, body;
	s64 place = 0, fp;

	if (!s || !a || copy_kernel_stack(slot, arguments))
		return 0;
	for (u32 i = 1; i < ANCHOR_WORDS && !place; i++) {
		u64 word = *(u64 *)(s->stack + i * 8);

		for (u32 k = 1; k < ANCHOR_DEPTH; k++) {
			if (s->kernel.ip[k] == word) {
				place = i * 8;
				callee = s->kernel.ip[k - 1];
			}
		}
	}
	/* Where the frame pointer lies that belongs to the frame found. */
	body = rule_of(mix(KERNEL_IMAGE, callee - 1));
	if (!place || !body)
		return 0;
	if (RULE_KIND(body) != RULE_STEP) /* a trampoline, which begins by saving it */
		fp = place - 8;
	else if (body & RULE_SAVES_FP)
		fp = place + 8 + RULE_FP(body);
	else /* our program has saved it */
		fp = find_call(slot, arguments, callee) - 8;
	if (a->place != place || a->fp != fp)
		a->agreed = 0;
	a->place = place;
	a->fp = fp;
	a->agreed++;
	return 0;
}

/* Where the walk of the kernel stack begins; false: that is not known. */
static __always_inline bool kernel_start(void *ctx, enum hook hook, struct scratch *s, u32 slot)
{
	u64 at = 0, value;

	s->walk.limit = 0;
	s->walk.fp = 0;
	s->walk.back = 1;
	if (hook == HOOK_TRACEPOINT) {
		/*
		 * The context's first word, which programs may not load, points to
		 * the registers that perf_arch_fetch_caller_regs made up: sp is the
		 * frame pointer of the function that called the program.
		 */
		if (bpf_probe_read_kernel(&at, 8, ctx) ||
		    bpf_probe_read_kernel(&at, 8, &((struct pt_regs *)at)->sp) ||
		    kernel_word(s, slot, at, &value))
			return false;
		s->walk.fp = value;
		at += 8;
	} else if (hook == HOOK_REGISTERS || hook == HOOK_NONE) {
		struct pt_regs *regs = ctx;

		s->walk.pc = regs->ip;
		s->walk.sp = regs->sp;
		s->walk.fp = regs->bp;
		s->walk.back = 0;
		return true;
	} else {
		u32 index = probe_index;
		struct anchor *a = bpf_map_lookup_elem(&anchors, &index);

		if (!a || a->agreed < ANCHOR_TRUSTED)
			return false;
		*(volatile u64 *)&s->walk.sp = (u64)ctx; /* makes a number of the pointer */
		u64 arguments = *(volatile u64 *)&s->walk.sp;

		at = arguments + a->place;
		if (a->fp != -8) {
			if (kernel_word(s, slot, arguments + a->fp, &value))
				return false;
			s->walk.fp = value;
		}
	}
	if (kernel_word(s, slot, at, &value))
		return false;
	s->walk.pc = value;
	s->walk.sp = at + 8;
	return true;
}
#endif

#endif
