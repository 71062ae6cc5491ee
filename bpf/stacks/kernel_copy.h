/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the kernel stack through a copy of a piece of it.
 * Called by kernel_walk.h for every word of a walk, and by kernel_start.h.
 * Like the whole walk of kernel stacks, it exists on x86-64 only.
 */
#ifndef TRAPLINE_KERNEL_COPY_H
#define TRAPLINE_KERNEL_COPY_H

#include "scratch.h"

#if defined(__TARGET_ARCH_x86)
#define THREAD_SIZE 16384 /* arch/x86/include/asm/page_64_types.h; stacks are aligned to it */

#define KERNEL_COPY 512 /* less than of user stacks: the kernel copies its memory word by word */

/* Copies stack memory from an address, up to the end of the stack at most. Returns 1 on failure. */
__noinline int copy_kernel_stack(u32 slot, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 size = THREAD_SIZE - (address & (THREAD_SIZE - 1));

	if (!s)
		return 1;
	barrier_var(size); /* or the compiler checks the bound in another register */
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

/* Reads a word of the stack into *value; returns 1 on failure. */
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
#endif

#endif
