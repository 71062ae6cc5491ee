/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the walk of a kernel stack begins: registers, or what stands in for them.
 * Called by kernel_stack.h before each walk, and after bpf_get_stack has taken a stack, to
 * learn from it.
 */
#ifndef TRAPLINE_KERNEL_START_H
#define TRAPLINE_KERNEL_START_H

#include "context.h"
#include "image.h"
#include "kernel_copy.h"
#include "rules.h"
#include "site.h"

/* Where the stack begins for programs without registers, see kernel_walk.h. */
struct anchor {
	s32 place; /* of the first return address, bytes from the arguments */
	s32 fp;	   /* of the frame pointer that goes with it; -8: not found */
	u32 agreed;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1); /* set to the number of probes */
	__type(key, u32);
	__type(value, struct anchor);
} anchors SEC(".maps");

#if defined(__TARGET_ARCH_x86)
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
		 * the registers that perf_arch_fetch_caller_regs made up: sp is the
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
