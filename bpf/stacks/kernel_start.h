/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the walk of a kernel stack starts: the registers, or a substitute.
 * Called by kernel_stack.h before each walk and, to learn the substitute, after
 * bpf_get_stack() has taken a stack.
 */
#ifndef TRAPLINE_KERNEL_START_H
#define TRAPLINE_KERNEL_START_H

#include "context.h"
#include "image.h"
#include "kernel_copy.h"
#include "rules.h"
#include "site.h"

/*
 * Raw tracepoints and trampolines give programs the address of their arguments, which are
 * on the stack, and no registers. The first return address is always at the same distance
 * from the arguments. find_anchor() finds it by comparison with bpf_get_stack(); the walk
 * uses it once ANCHOR_TRUSTED hits have agreed.
 */
struct anchor {
	s32 place;  /* distance of the first return address from the arguments, bytes */
	s32 fp;	    /* distance of the frame pointer that goes with it; -8: not found */
	u32 agreed; /* hits in a row */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1); /* set to the number of probes */
	__type(key, u32);
	__type(value, struct anchor);
} anchors SEC(".maps");

#if defined(__TARGET_ARCH_x86)
#define ANCHOR_TRUSTED 16 /* hits that must agree */
#define ANCHOR_WORDS 48	  /* how far to look from the arguments */
#define ANCHOR_DEPTH 6	  /* how many frames of bpf_get_stack() to look for */

#define CALL_WORDS 48

/*
 * Returns the distance from the arguments to the return address of our program, which the
 * function with the arguments has pushed below them; 0: not found.
 */
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
 * Finds the anchor on the stack above the arguments, with the stack that bpf_get_stack()
 * has stored in s->kernel.ip.
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
	/* where the frame pointer of that frame is */
	body = rule_of(mix(KERNEL_IMAGE, callee - 1));
	if (!place || !body)
		return 0;
	if (RULE_KIND(body) != RULE_STEP) /* a trampoline, which saves it first */
		fp = place - 8;
	else if (body & RULE_SAVES_FP)
		fp = place + 8 + RULE_FP(body);
	else /* our program saves it */
		fp = find_call(slot, arguments, callee) - 8;
	if (a->place != place || a->fp != fp)
		a->agreed = 0;
	a->place = place;
	a->fp = fp;
	a->agreed++;
	return 0;
}

/* Sets s->walk to where the walk starts; returns false if that is unknown. */
static __always_inline bool kernel_start(struct hit_context *c)
{
	struct scratch *s = c->s;
	u64 at = 0, value;

	s->walk.limit = 0;
	s->walk.fp = 0;
	s->walk.back = 1;
	if (c->hook == HOOK_TRACEPOINT) {
		/*
		 * The context's first word, which programs may not load, points to
		 * the registers made up by perf_arch_fetch_caller_regs(): their sp is the
		 * frame pointer of the function that called the program.
		 */
		if (bpf_probe_read_kernel(&at, 8, c->ctx) ||
		    bpf_probe_read_kernel(&at, 8, &((struct pt_regs *)at)->sp) ||
		    kernel_word(s, c->slot, at, &value))
			return false;
		s->walk.fp = value;
		at += 8;
	} else if (c->hook == HOOK_REGISTERS || c->hook == HOOK_NONE) {
		struct pt_regs *regs = c->ctx;

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
		*(volatile u64 *)&s->walk.sp = (u64)c->ctx; /* makes a number of the pointer */
		u64 arguments = *(volatile u64 *)&s->walk.sp;

		at = arguments + a->place;
		if (a->fp != -8) {
			if (kernel_word(s, c->slot, arguments + a->fp, &value))
				return false;
			s->walk.fp = value;
		}
	}
	if (kernel_word(s, c->slot, at, &value))
		return false;
	s->walk.pc = value;
	s->walk.sp = at + 8;
	return true;
}
#endif

#endif
