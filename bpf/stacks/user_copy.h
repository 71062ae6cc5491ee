/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the current task's user stack through a copy of a piece of it.
 * Called by all code that walks user stacks: user_walk.h, special_step.h and memo.h.
 * frames.h fills the same copy itself.
 */
#ifndef TRAPLINE_USER_COPY_H
#define TRAPLINE_USER_COPY_H

#include "scratch.h"

#define LOWEST_ADDRESS 4096 /* no frame lies below; chains end with 0 or a small number */
#define PAGE 4096

/*
 * Copies stack memory from an address, up to the end of its page at most: within a page,
 * all bytes can be read or none. Returns 1 on failure.
 */
__noinline int copy_stack(u32 slot, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 size = PAGE - (address & (PAGE - 1));

	if (!s)
		return 1;
	barrier_var(size); /* or the compiler checks the bound in another register */
	if (size > STACK_COPY)
		size = STACK_COPY;
	if (size < 8)
		size = 8;
	s->walk.base = address;
	s->walk.limit = 0;
	if (bpf_probe_read_user(s->stack, size, (void *)address))
		return 1;
	s->walk.limit = size - 7;
	return 0;
}

/* Reads a word of the stack into *value; returns 1 on failure. */
static __always_inline int stack_word(struct scratch *s, u32 slot, u64 address, u64 *value)
{
	u64 at = address - s->walk.base;

	if (__builtin_expect(at >= s->walk.limit, 0)) {
		if (copy_stack(slot, address))
			return 1;
		at = 0;
	}
	barrier_var(at); /* the verifier loses the bound above */
	if (at > STACK_COPY - 8)
		return 1;
	*value = *(u64 *)(s->stack + at);
	return 0;
}

#endif
