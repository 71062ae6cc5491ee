/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * User stacks by frame pointers.
 * Called by user_stack.h if the recording, the kernel or the task has no step rules.
 * The frames are those of perf_callchain_user() in arch/x86/events/core.c.
 *
 * bpf_get_stack() reads frame by frame and takes a page fault at the end of the chain, half
 * of the cost of a hit with both stacks. So follow_frames() walks a copy of the stack. It
 * leaves 32-bit tasks and tasks with uprobes to bpf_get_stack().
 */
#ifndef TRAPLINE_FRAMES_H
#define TRAPLINE_FRAMES_H

#include "constants.h"
#include "context.h"
#include "stack.h"
#include "user_copy.h"

#define FRAME_SIZE 16 /* the caller's frame pointer and the return address */

/*
 * Follows the chain of frame pointers from fp and stores the frames from ip[1] on.
 * Returns the number of frames, including ip[0].
 */
__noinline u32 follow_frames(u32 slot, u64 fp, u32 max)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 base = 0, frames_at = 0; /* frames at base to base + frames_at - 1 are in the copy */
	u32 n = 1;

	if (!s)
		return 0;
	for (u32 i = 1; i < MAX_FRAMES; i++) {
		u64 at = fp - base;

		if (i >= max || fp < LOWEST_ADDRESS)
			break;
		if (at >= frames_at) {
			/* up to the end of the page, which is readable or not as a whole */
			u64 size = PAGE - (fp & (PAGE - 1));

			if (size > STACK_COPY)
				size = STACK_COPY;
			if (size < FRAME_SIZE)
				size = FRAME_SIZE;
			if (bpf_probe_read_user(s->stack, size, (void *)fp))
				break;
			base = fp;
			at = 0;
			frames_at = size - FRAME_SIZE + 1;
		}
		barrier_var(at); /* the verifier loses the bound above */
		if (at > STACK_COPY - FRAME_SIZE)
			break;
		u64 *frame = (u64 *)(s->stack + at);

		fp = frame[0];
		s->ip[i] = frame[1];
		n++;
	}
	return n;
}

/* Stores the frames of the user stack in s->ip; returns their number, 0 if there are none. */
static __always_inline u32 user_frames(struct hit_context *c)
{
	struct scratch *s = c->s;
	u32 size = max_frames * 8;

#if defined(__TARGET_ARCH_x86)
	struct task_struct *task = c->task;
	bool kernel_context = c->hook == HOOK_TRACEPOINT || c->hook == HOOK_CONTEXT ||
			      (c->hook == HOOK_REGISTERS && !(((struct pt_regs *)c->ctx)->cs & 3));
	bool uprobed = bpf_core_field_exists(task->utask) && task->utask;

	if (have_task_regs && kernel_context && !uprobed &&
	    !(task->flags & (PF_IO_WORKER | PF_USER_WORKER))) {
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

		if (*(u16 *)&regs->cs == USER_CS) {
			s->ip[0] = regs->ip;
			return follow_frames(c->slot, regs->bp, max_frames);
		}
	}
#endif
	if (size > MAX_FRAMES * 8)
		size = MAX_FRAMES * 8;
	long n = bpf_get_stack(c->ctx, s->ip, size, BPF_F_USER_STACK);

	return n > 0 ? frame_count(n) : 0;
}

#endif
