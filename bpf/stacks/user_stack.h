/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The user stack of a hit: remembered, walked, or sent raw.
 * Called by take_hit() for probes with user stacks. It walks by step rules if the recording
 * has them and the task allows it, otherwise by frame pointers.
 */
#ifndef TRAPLINE_USER_STACK_H
#define TRAPLINE_USER_STACK_H

#include "address_space.h"
#include "constants.h"
#include "context.h"
#include "frames.h"
#include "memo.h"
#include "raw.h"
#include "stack.h"
#include "user_walk.h"

#if defined(__TARGET_ARCH_x86)
/*
 * Reports whether the task is between two programs, in execve(). Its registers are then
 * those of the old program, whose memory is gone.
 */
static __always_inline bool between_programs(struct hit_context *c)
{
	struct task_struct *task = c->task;
	struct scratch *s = c->s;

	return s->walk.frames <= 1 && (s->walk.missing || s->walk.cut) &&
	       bpf_core_field_exists(task->in_execve) && BPF_CORE_READ_BITFIELD(task, in_execve);
}

/*
 * Returns the registers with which the current task left user mode, and starts the walk
 * there. Returns NULL if it has none or runs in 32-bit mode.
 */
static __always_inline void *user_registers(struct hit_context *c)
{
	struct task_struct *task = c->task;
	struct pt_regs *regs = c->ctx;
	struct scratch *s = c->s;

	if (task->flags & (PF_IO_WORKER | PF_USER_WORKER))
		return NULL;
	if (c->hook == HOOK_REGISTERS && regs->cs & 3) {
		if ((u16)regs->cs != USER_CS)
			return NULL;
		s->walk.pc = regs->ip;
		s->walk.sp = regs->sp;
		s->walk.fp = regs->bp;
		/* keeps these loads apart from those below: an instruction loads by one kind of pointer */
		asm volatile("");
		return regs;
	}
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (*(u16 *)&regs->cs != USER_CS)
		return NULL;
	s->walk.pc = program_counter(task, regs->ip);
	s->walk.sp = regs->sp;
	s->walk.fp = regs->bp;
	return regs;
}
#endif

/* A user stack that has been found. Its frames are in s->ip. */
struct found_stack {
	u64 hash;
	u64 space; /* its address space */
	u32 frames;
	u8 flags;
	u8 cut;
	bool verify; /* send the stack raw as well, for user space to compare */
};

/* Sets the keys of the task's address space, and forgets the near mappings of any other. */
static __always_inline void enter_address_space(struct hit_context *c)
{
	struct scratch *s = c->s;

	s->process = process_key(c->task);
	s->space = mix(s->process, mappings_version(c->task));
	s->at.size = 0;
	if (s->near_space == s->space)
		return;
	s->near_space = s->space;
#pragma unroll
	for (u32 i = 0; i < NEAR_MAPPINGS; i++)
		s->near[i].size = 0;
}

#if defined(__TARGET_ARCH_x86)
/*
 * Finds the user stack by step rules. Returns true if nothing is left to do: the stack is
 * remembered and user space knows it, or it has been sent raw.
 */
static __always_inline bool find_by_rules(struct hit_context *c, void *regs, struct found_stack *f)
{
	u64 seed = mix(c->epoch, 2), remembered = 0;
	struct scratch *s = c->s;

	if (find_memo(s, c->slot, mix(seed, max_frames)))
		remembered = remembered_walk(c->slot);
	if (remembered && !c->verify && !sent_again(c->time)) {
		f->hash = remembered | 1;
		if (sent_before(f->hash))
			return true;
	}
	walk_user(s, c->slot, seed);
	if (remembered) /* verifies the memo as well */
		s->walk.hash = remembered;
	f->hash = s->walk.hash | 1;
	f->space = s->space;
	f->frames = s->walk.frames;
	f->flags = STACK_RELATIVE;
	f->cut = s->walk.cut;
	f->verify = c->verify;
	if (between_programs(c)) {
		f->frames = 0;
		f->cut = CUT_UNREADABLE;
		f->hash = mix(seed, f->cut) | 1;
		f->verify = false;
	} else if (s->walk.missing) {
		if (raw_allowed(c)) {
			f->hash = mix(mix(c->time, c->slot), bpf_get_smp_processor_id()) | 1;
			put_raw(c, regs, f->hash, 0);
			return true;
		}
		guess_on(s, c->slot);
		f->cut = s->walk.cut;
		f->frames = s->walk.frames;
		f->hash = s->walk.hash | 1;
		f->verify = false;
	}
	return false;
}
#endif

/* Finds the user stack by frame pointers. */
static __always_inline void find_by_frame_pointers(struct hit_context *c, struct found_stack *f)
{
	f->frames = user_frames(c);
	if (!f->frames)
		f->cut = CUT_UNREADABLE;
	if (f->frames >= max_frames)
		f->cut = CUT_DEPTH;
	f->space = address_space(c->task, c->epoch);
	f->hash = hash_frames(c->slot, 1, f->frames, f->space) | 1;
	c->s->ip[0] |= IP_EXACT;
}

/* Writes a user stack to the ring, unless user space knows it. */
static __always_inline struct taken put_user_stack(struct hit_context *c, struct found_stack *f)
{
	struct taken t = {.hash = f->hash};
	bool again = sent_before(t.hash);
	struct scratch *s = c->s;

	if (again && !f->verify && !sent_again(c->time))
		return t;
	s->at.size = 0;
	locate_frames(c->slot, f->frames);
	s->user.head = (struct stack){
		.kind = EVENT_USER_STACK,
		.flags = f->flags | (again ? STACK_AGAIN : 0),
		.cut = f->cut,
		.frames = f->frames,
		.hash = t.hash,
		.space = f->space,
		.time = c->time,
		.pid = c->task->tgid,
	};
	put_stack(c, &t, &s->user, sizeof(struct stack) + f->frames * sizeof(struct user_frame));
	return t;
}

/* Takes the user stack of a hit. */
static __always_inline struct taken user_stack(struct hit_context *c)
{
	struct task_struct *task = c->task;
	struct found_stack f = {};
	struct taken t = {};
	void *regs = NULL;

	if (task->flags & PF_KTHREAD || !task->mm)
		return t;
	if (have_find_vma)
		enter_address_space(c);
#if defined(__TARGET_ARCH_x86)
	if (with_rules)
		regs = user_registers(c);
	if (regs && find_by_rules(c, regs, &f)) {
		t.hash = f.hash;
		return t;
	}
#endif
	if (!regs)
		find_by_frame_pointers(c, &f);
	t = put_user_stack(c, &f);
#if defined(__TARGET_ARCH_x86)
	if (f.verify && t.put && raw_allowed(c))
		put_raw(c, regs, t.hash, STACK_VERIFY);
#endif
	return t;
}

#endif
