/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds what a signal interrupted whose handler runs on an alternate stack.
 * Called by raw.h, which copies both stacks: a walk that has ended on the alternate stack
 * does not know where the other one is.
 */
#ifndef TRAPLINE_ALTERNATE_STACK_H
#define TRAPLINE_ALTERNATE_STACK_H

#include "context.h"
#include "user_copy.h"

#if defined(__TARGET_ARCH_x86)
/* Offsets in struct ucontext: include/uapi/asm-generic/ucontext.h, asm/sigcontext.h. */
#define UCONTEXT_STACK 16
#define UCONTEXT_STACK_SIZE 32
#define UCONTEXT_SP 160
#define UCONTEXT_CS 184

/*
 * How many pieces of STACK_COPY bytes are searched, from the upper end of an alternate
 * stack, and words that might be the right ones are looked at. Only the registers of the
 * floating-point unit lie above the struct ucontext: 0.5 to 2.7 KiB, and 11 KiB with AMX.
 */
#define ALTERNATE_TRIES 24

/* Returns the interrupted stack pointer if uc is the struct ucontext of a handler; else 0. */
static __always_inline u64 interrupted_pointer(u64 uc, u64 size)
{
	u64 found = 0, sp = 0;
	u16 cs = 0;

	if (bpf_probe_read_user(&found, 8, (void *)(uc + UCONTEXT_STACK_SIZE)) || found != size ||
	    bpf_probe_read_user(&cs, 2, (void *)(uc + UCONTEXT_CS)) || cs != USER_CS ||
	    bpf_probe_read_user(&sp, 8, (void *)(uc + UCONTEXT_SP)))
		return 0;
	return sp;
}

/* Returns the index of the last of the first n words in the copy that has a value; ~0: none. */
__noinline u32 last_word(u32 slot, u64 value, u32 n)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u32 found = ~0U;

	if (!s)
		return found;
	for (u32 i = 0; i < STACK_COPY / 8; i++) {
		if (i >= n)
			break;
		if (*(u64 *)(s->stack + 8 * i) == value)
			found = i;
	}
	return found;
}

/*
 * Returns the stack pointer of the code that was interrupted when the alternate stack at
 * base was entered; 0 if it is not found. The first signal's frame is at the upper end, and
 * it holds the alternate stack's address and size (uc_stack).
 */
__noinline u64 interrupted_stack(u32 slot, u64 base, u64 size)
{
	u64 piece = (base + size - 1) & ~(u64)(STACK_COPY - 1);
	u32 n = 0; /* words of the piece to search; 0: the piece is not copied yet */

	for (u32 i = 0; i < ALTERNATE_TRIES; i++) {
		u64 sp;

		if (piece + STACK_COPY <= base)
			break;
		if (!n && !copy_stack(slot, piece))
			n = STACK_COPY / 8;
		n = last_word(slot, base, n);
		if (n >= STACK_COPY / 8) { /* go on in the next piece */
			n = 0;
			piece -= STACK_COPY;
			continue;
		}
		sp = interrupted_pointer(piece + 8 * n - UCONTEXT_STACK, size);
		if (sp)
			return sp;
		if (!n)
			piece -= STACK_COPY;
	}
	return 0;
}
#endif

#endif
