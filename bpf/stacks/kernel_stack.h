/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel stack of a hit: walked, or taken by bpf_get_stack().
 * Called by take_hit() for probes with kernel stacks. With --verify-stacks, it takes the
 * stack in both ways and compares them.
 */
#ifndef TRAPLINE_KERNEL_STACK_H
#define TRAPLINE_KERNEL_STACK_H

#include "constants.h"
#include "context.h"
#include "kernel_start.h"
#include "kernel_walk.h"
#include "stack.h"

/* The account of kernel stacks taken in both ways. */
struct comparison {
	u64 compared, different;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct comparison);
} verified SEC(".maps");

#if defined(__TARGET_ARCH_x86)
/* Reports and counts whether the walked stack is the outer part of the one by bpf_get_stack(). */
__noinline int same_kernel_stack(u32 slot, u32 frames, u32 taught)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u32 zero = 0;
	struct comparison *v = bpf_map_lookup_elem(&verified, &zero);

	if (!s || !v || taught >= max_frames)
		return 1; /* cut short: nothing to compare */
	v->compared++;
	for (u32 i = 0; i < MAX_FRAMES; i++) {
		u32 theirs = taught - frames + i;

		if (i >= frames)
			return 1;
		barrier_var(theirs); /* or the verifier loses the bound */
		if (theirs >= MAX_FRAMES || s->kernel.ip[i] != s->teacher[theirs])
			break;
	}
	v->different++;
	return 0;
}

/* Walks the kernel stack; returns the number of frames, 0 if bpf_get_stack() has to take it. */
static __always_inline u32 walked_kernel_stack(struct hit_context *c, u64 seed)
{
	struct scratch *s = c->s;
	u32 frames;

	s->walk.missing = 0;
	if (!with_kernel_rules || !kernel_start(c))
		return 0;
	walk_kernel(s, c->slot, seed);
	frames = s->walk.frames;
	if (c->verify && frames) {
		long n = bpf_get_stack(c->ctx, s->teacher, sizeof(s->teacher), 0);

		if (n > 0 && !same_kernel_stack(c->slot, frames, frame_count(n)))
			return 0;
	}
	return frames;
}
#endif

/* A known kernel stack is sent at most once in this many ns, to have its missing rules written. */
#define TEACHING_PAUSE 1000000

/* Takes the kernel stack of a hit. */
static __always_inline struct taken kernel_stack(struct hit_context *c)
{
	struct scratch *s = c->s;
	struct taken t = {};
	u32 size = max_frames * 8, frames = 0;
	bool teach = false;
	u64 seed = mix(c->epoch, 1);

	if (size > MAX_FRAMES * 8)
		size = MAX_FRAMES * 8;
#if defined(__TARGET_ARCH_x86)
	if ((c->hook == HOOK_REGISTERS || c->hook == HOOK_NONE) &&
	    ((struct pt_regs *)c->ctx)->cs & 3)
		return t; /* the hit is in user mode */
	frames = walked_kernel_stack(c, seed);
	t.hash = s->walk.hash | 1;
	if (!frames && s->walk.missing && c->time - s->taught > TEACHING_PAUSE) {
		teach = true;
		s->taught = c->time;
	}
#endif
	if (!frames) {
		long n = bpf_get_stack(c->ctx, s->kernel.ip, size, 0);
		if (n <= 0)
			return (struct taken){};
		frames = frame_count(n);
		t.hash = hash_frames(c->slot, 0, frames, seed) | 1;
#if defined(__TARGET_ARCH_x86)
		if (c->hook == HOOK_CONTEXT && with_kernel_rules) {
			*(volatile u64 *)&s->walk.sp = (u64)c->ctx;
			find_anchor(c->slot, *(volatile u64 *)&s->walk.sp, probe_index);
		}
#endif
	}
	bool again = sent_before(t.hash);

	if (again && !teach && !sent_again(c->time))
		return t;
	s->kernel.head = (struct stack){
		.kind = EVENT_KERNEL_STACK,
		.flags = again ? STACK_AGAIN : 0,
		.cut = frames >= max_frames ? CUT_DEPTH : CUT_NONE,
		.frames = frames,
		.hash = t.hash,
		.time = c->time,
	};
	put_stack(c, &t, &s->kernel, sizeof(struct stack) + frames * 8);
	return t;
}

#endif
