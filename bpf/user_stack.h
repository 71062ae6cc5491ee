/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A hit's user stack: walked, remembered, or sent as it is.
 * Called by take_hit() for each hit of a probe with user stacks. By step rules if the
 * recording has them and the task allows it, else by frame pointers.
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
 * Is the task between two programs? Its registers are then still those of the
 * one before, whose memory is gone.
 */
static __always_inline bool between_programs(struct hit_context *c)
{
	struct task_struct *task = c->task;
	struct scratch *s = c->s;

	return s->walk.frames <= 1 && (s->walk.missing || s->walk.cut) &&
	       bpf_core_field_exists(task->in_execve) && BPF_CORE_READ_BITFIELD(task, in_execve);
}

/* The registers with which the current task left user mode; NULL: it has none, or is not a 64-bit one. */
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
		/* keeps the loads apart from those below: the verifier wants one kind of pointer an instruction */
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

static __always_inline struct taken user_stack(struct hit_context *c)
{
	struct task_struct *task = c->task;
	struct scratch *s = c->s;
	struct taken t = {};
	u8 cut = CUT_NONE, flags = 0;
	bool verify = c->verify;
	u32 frames;
	u64 space;

	if (task->flags & PF_KTHREAD || !task->mm)
		return t;
	if (have_find_vma) {
		s->process = process_key(task);
		s->space = mix(s->process, mappings_version(task));
		s->at.size = 0;
		if (s->near_space != s->space) {
			s->near_space = s->space;
#pragma unroll
			for (u32 i = 0; i < NEAR_MAPPINGS; i++)
				s->near[i].size = 0;
		}
	}
#if defined(__TARGET_ARCH_x86)
	void *regs = NULL;

	if (with_rules)
		regs = user_registers(c);
	if (regs) {
		u64 seed = mix(c->epoch, 2), remembered = 0;

		if (find_memo(s, c->slot, mix(seed, max_frames)))
			remembered = remembered_walk(c->slot);
		if (remembered && !verify && !sent_again(c->time)) {
			t.hash = remembered | 1;
			if (sent_before(t.hash))
				return t;
		}
		walk_user(s, c->slot, seed);
		if (remembered) /* so that it is verified as well */
			s->walk.hash = remembered;
		cut = s->walk.cut;
		frames = s->walk.frames;
		space = s->space;
		flags = STACK_RELATIVE;
		t.hash = s->walk.hash | 1;
		if (between_programs(c)) {
			cut = CUT_UNREADABLE;
			frames = 0;
			t.hash = mix(seed, cut) | 1;
			verify = false;
		} else if (s->walk.missing) {
			if (raw_allowed(c)) {
				t.hash = mix(mix(c->time, c->slot), bpf_get_smp_processor_id()) | 1;
				put_raw(c, regs, t.hash, 0);
				return t;
			}
			cut = CUT_BUDGET;
			t.hash = mix(t.hash, cut) | 1;
			verify = false;
		}
	} else
#endif
	{
		frames = user_frames(c);
		if (!frames)
			cut = CUT_UNREADABLE;
		if (frames >= max_frames)
			cut = CUT_DEPTH;
		space = address_space(task, c->epoch);
		t.hash = hash_frames(c->slot, 1, frames, space) | 1;
		s->ip[0] |= IP_EXACT;
		verify = false;
	}
	bool again = sent_before(t.hash);

	if (again && !verify && !sent_again(c->time))
		return t;
	s->at.size = 0;
	locate_frames(c->slot, frames);
	s->user.head = (struct stack){
		.kind = EVENT_USER_STACK,
		.flags = flags | (again ? STACK_AGAIN : 0),
		.cut = cut,
		.frames = frames,
		.hash = t.hash,
		.space = space,
		.time = c->time,
		.pid = task->tgid,
	};
	put_stack(c, &t, &s->user, sizeof(struct stack) + frames * sizeof(struct user_frame));
#if defined(__TARGET_ARCH_x86)
	if (verify && t.put && raw_allowed(c))
		put_raw(c, regs, t.hash, STACK_VERIFY);
#endif
	return t;
}

#endif
