/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Raw stacks: user stacks that user space has to unwind, sent as registers and memory.
 * Called by user_stack.h if a walk ended because there was no rule, or if user space will
 * verify the walk.
 */
#ifndef TRAPLINE_RAW_H
#define TRAPLINE_RAW_H

#include "alternate_stack.h"
#include "context.h"
#include "locate.h"
#include "registers.h"
#include "ring.h"
#include "special_step.h"
#include "uprobes.h"

/* The memory that is sent, in bytes. */
#define RAW_BEYOND (32 << 10)  /* beyond where the walk ended */
#define RAW_LONGEST (64 << 10) /* in all */
#define RAW_PIECES (RAW_LONGEST / PAGE + 2)
#define RED_ZONE 128 /* below the stack pointer, for functions to use (psABI, 3.2.2) */

/* Reports whether the budget and the ring have room for a raw stack. No hit may be lost to it. */
static __always_inline bool raw_allowed(struct hit_context *c)
{
	struct scratch *s = c->s;
	struct ring *ring = c->ring;
	u64 second = c->time >> 30;

	if (s->raw_second != second) {
		s->raw_second = second;
		s->raw_bytes = 0;
	}
	return s->raw_bytes < raw_budget &&
	       ring->produced - *(volatile u64 *)&ring->consumed < ring->full / 2;
}

/* Restores, in a copy of memory, the return addresses that uretprobes have replaced. */
__noinline int restore_returns(u32 slot, u64 at, u64 from, u32 size)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct ring *ring = ring_of(bpf_get_smp_processor_id(), slot);
	struct memory *m;
	u8 *bytes;

	if (!ring || !bpf_core_field_exists(task->utask) || !task->utask)
		return 0;
	m = event_at(ring, at);
	if (!m)
		return 0;
	bytes = (u8 *)(m + 1);
	struct return_instance *r = task->utask->return_instances;
	for (u32 i = 0; i < MAX_RETURN_INSTANCES; i++) {
		if (!r)
			break;
		u64 place = r->stack - from;

		barrier_var(place);
		if (place < size && place <= PAGE - 8)
			*(u64 *)(bytes + place) = r->orig_ret_vaddr;
		r = r->next;
	}
	return 0;
}

/*
 * Writes copies of user memory at a position in the ring, page by page, without the pages
 * that cannot be read. Returns the position after them.
 */
__noinline u64 put_memory(u32 slot, u64 at, u64 hash, u64 from, u64 to)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct ring *ring = ring_of(bpf_get_smp_processor_id(), slot);

	if (!s || !ring)
		return at;
	for (u32 i = 0; i < RAW_PIECES; i++) {
		u64 size = PAGE - (from & (PAGE - 1));
		struct memory *m = event_at(ring, at);

		if (from >= to || !m)
			break;
		if (size > to - from)
			size = to - from;
		barrier_var(size); /* Linux 6.1's verifier loses the bound above */
		if (size > PAGE)
			size = PAGE;
		if (!bpf_probe_read_user(m + 1, size, (void *)from)) {
			restore_returns(slot, at, from, size);
			m->kind = EVENT_MEMORY;
			m->size = size;
			m->hash = hash;
			m->address = from;
			at = event_end(at, sizeof(*m) + size);
			s->raw_bytes += size;
		}
		from += size;
	}
	return at;
}

#if defined(__TARGET_ARCH_x86)
/* Returns the upper end of the stack on which Go runs code of the thread; 0 if sp is elsewhere. */
static __always_inline u64 go_stack_end(u64 control, u64 sp)
{
	u64 g = 0, bounds[2] = {};

	if (control && !bpf_probe_read_user(&g, 8, (void *)(control + GO_TLS_G)) && g &&
	    !bpf_probe_read_user(bounds, 16, (void *)g) && /* runtime.g.stack */
	    bounds[0] < sp && sp < bounds[1])
		return bounds[1];
	return 0;
}

/*
 * Returns where to stop copying the stack at sp. That is a given distance beyond where the
 * walk ended, but not beyond the stack: the first thread's stack ends at the arguments,
 * another thread's at its control block, which C libraries put above the stack, and a
 * goroutine's where its g says.
 */
static __always_inline u64 raw_end(struct task_struct *task, u64 sp, u64 walked, u64 beyond)
{
	u64 arguments = task->mm->start_stack, control = task->thread.fsbase;
	u64 end = walked + beyond, go_end = go_stack_end(control, sp);

	if (walked < sp || end > sp + RAW_LONGEST)
		end = sp + RAW_LONGEST;
	if (sp < arguments && end > arguments)
		end = arguments;
	if (sp < control && end > control)
		end = control;
	if (go_end && end > go_end)
		end = go_end;
	return end;
}

/*
 * Returns the last frame pointer of the chain that starts at fp, as far as it lies in what a
 * raw stack of the stack at sp may have. Code with frame pointers, such as Go's, can have
 * frames larger than RAW_BEYOND.
 */
__noinline u64 chain_end(u64 sp, u64 fp)
{
	for (u32 i = 0; i < MAX_FRAMES; i++) {
		u64 next = 0;

		if (fp & 7 || bpf_probe_read_user(&next, 8, (void *)fp) || next <= fp ||
		    next - sp >= RAW_LONGEST)
			break;
		fp = next;
	}
	return fp;
}

/*
 * Returns the frame pointer with which the chain that ends at chain goes on, on a
 * goroutine's stack: Go's systemstack() keeps it while the thread is on its own stack. 0: it
 * does not.
 */
static __always_inline u64 goroutine_frame(u64 control, u64 sp, u64 chain)
{
	u64 next = 0;

	if (!go_stack_end(control, sp))
		return 0;
	if (chain - sp < RAW_LONGEST)
		bpf_probe_read_user(&next, 8, (void *)chain);
	else
		next = chain; /* already there */
	return next - sp < RAW_LONGEST || next < LOWEST_ADDRESS || next & 7 ? 0 : next;
}

/* Writes the memory of the stack on which the walk's frame pointers lead on, if any. */
static __always_inline void put_goroutine(struct hit_context *c, u64 sp, u64 hash, u64 chain)
{
	u64 fp = goroutine_frame(c->task->thread.fsbase, sp, chain);

	if (fp)
		c->at = put_memory(c->slot, c->at, hash, fp, chain_end(fp, fp) + 2 * RED_ZONE);
}

/*
 * Writes the memory of the stack at sp, and of the stacks from which it was entered: the one
 * that the walk has found, the one that a signal interrupted, and a goroutine's.
 */
static __always_inline void put_stacks(struct hit_context *c, u64 sp, u64 hash, u64 beyond)
{
	struct task_struct *task = c->task;
	u64 walked = c->s->walk.sp, landed = c->s->walk.landed, interrupted = 0;
	u64 base = task->sas_ss_sp, size = task->sas_ss_size, end;
	u64 chain = chain_end(sp, c->s->walk.fp);

	if (sp - base < size)
		interrupted = interrupted_stack(c->slot, base, size);
	if (landed - sp < RAW_LONGEST / 2)
		landed = 0; /* near enough to be in the first piece */
	if (!landed && chain - sp < RAW_LONGEST && chain > walked)
		walked = chain;
	end = raw_end(task, sp, landed ? sp : walked, landed ? RAW_BEYOND : beyond);
	if (interrupted) { /* all of the alternate stack */
		end = base + size;
		if (end > sp + RAW_LONGEST / 2)
			end = sp + RAW_LONGEST / 2;
	}
	c->at = put_memory(c->slot, c->at, hash, sp - RED_ZONE, end);
	if (interrupted && interrupted != landed)
		c->at = put_memory(c->slot, c->at, hash, interrupted - RED_ZONE,
				   raw_end(task, interrupted, interrupted, RAW_BEYOND));
	if (landed)
		c->at = put_memory(c->slot, c->at, hash, landed - RED_ZONE,
				   raw_end(task, landed, walked, beyond));
	else if (!interrupted)
		put_goroutine(c, sp, hash, chain);
}

/*
 * Writes the raw stack to the ring: up to where the walk ended and a part beyond or, to
 * verify a walk, up to its end.
 */
static __always_inline void put_raw(struct hit_context *c, void *regs, u64 hash, u8 flags)
{
	struct task_struct *task = c->task;
	struct scratch *s = c->s;
	u32 frames = s->walk.frames;
	void *to;

	if (bpf_probe_read_kernel(s->raw.regs, sizeof(s->raw.regs), regs))
		return;
	s->raw.regs[REGS_IP / 8] = program_counter(task, s->raw.regs[REGS_IP / 8]);
	s->raw.kind = EVENT_RAW_STACK;
	s->raw.flags = flags;
	s->raw.frames = frames;
	s->raw.hash = hash;
	s->raw.space = s->space;
	s->raw.time = c->time;
	s->raw.pid = task->tgid;
	s->raw.tid = task->pid;
	s->raw.last = (struct user_frame){};
	if (frames - 1 < MAX_FRAMES) {
		locate_frame(c->slot, frames - 1);
		s->raw.last = s->user.frames[frames - 1];
	}
	put_stacks(c, s->raw.regs[REGS_SP / 8], hash, flags & STACK_VERIFY ? 256 : RAW_BEYOND);
	to = event_at(c->ring, c->at);
	if (to && !bpf_probe_read_kernel(to, sizeof(s->raw), &s->raw))
		c->at = event_end(c->at, sizeof(s->raw));
}
#endif

#endif
