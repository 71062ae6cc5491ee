/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A hit's user stack. */
#ifndef TRAPLINE_USER_STACK_H
#define TRAPLINE_USER_STACK_H

#include "frames.h"
#include "raw.h"
#include "stack.h"
#include "user_walk.h"

/*
 * A user stack's addresses mean something only in their address space. This
 * names one, for as long as its executable mappings stay as they are.
 */
static __always_inline u64 address_space(struct task_struct *task, u64 epoch)
{
	u64 h = mix(epoch, task->tgid);

	h = mix(h, task->group_leader->start_time);
	/* grows with every exec */
	h = mix(h, task->self_exec_id);
	/* pages of executable mappings: changes with dlopen and dlclose */
	return mix(h, task->mm->exec_vm);
}

/* Writes what is mapped at a frame of the user stack in s->ip. */
__noinline int locate_frame(u32 slot, u32 i)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	if (!s || i >= MAX_FRAMES)
		return 0;
	struct user_frame *f = &s->user.frames[i];
	u64 address = s->ip[i] & ~(IP_EXACT | IP_GUESSED);
	u16 how = (s->ip[i] & IP_EXACT ? FRAME_EXACT : 0) |
		  (s->ip[i] & IP_GUESSED ? FRAME_GUESSED : 0);
	u64 at = address - !(how & FRAME_EXACT);

	f->address = address;
	f->how = how;
	f->known = MAPPING_CODE;
	f->image = f->inode = f->offset = f->device = 0;
	if (!have_find_vma) {
		f->known = MAPPING_UNKNOWN;
		return 0;
	}
	if (at - s->at.start >= s->at.size)
		f->known = find_mapping(slot, at);
	if (f->known == MAPPING_CODE) {
		f->image = s->at.image;
		f->inode = s->at.inode;
		f->device = s->at.device;
		if (!(s->at.image & IMAGE_ANONYMOUS))
			f->offset = address + s->at.delta;
	}
	return 0;
}

__noinline int locate_frames(u32 slot, u32 frames)
{
	for (u32 i = 0; i < MAX_FRAMES; i++) {
		if (i >= frames)
			break;
		locate_frame(slot, i);
	}
	return 0;
}

#if defined(__TARGET_ARCH_x86)
/*
 * Puts the raw stack at the position *at: where the walk ended for want of a
 * rule, or, to verify one that did not, up to its end.
 */
static __always_inline void put_raw(struct scratch *s, u32 slot, struct ring *ring, u64 *at,
				    struct task_struct *task, void *regs, u64 hash, u64 time,
				    u8 flags)
{
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
	s->raw.time = time;
	s->raw.pid = task->tgid;
	s->raw.tid = task->pid;
	s->raw.last = (struct user_frame){};
	if (frames - 1 < MAX_FRAMES) {
		locate_frame(slot, frames - 1);
		s->raw.last = s->user.frames[frames - 1];
	}
	u64 sp = s->raw.regs[REGS_SP / 8], walked = s->walk.sp, landed = s->walk.landed;
	u64 beyond = flags & STACK_VERIFY ? 256 : RAW_BEYOND;

	if (landed - sp < RAW_LONGEST / 2)
		landed = 0; /* in the same piece */
	*at = put_memory(slot, *at, hash, sp,
			 raw_end(task, sp, landed ? sp : walked, landed ? RAW_BEYOND : beyond));
	if (landed) /* and from where the walk went over to another stack */
		*at = put_memory(slot, *at, hash, landed, raw_end(task, landed, walked, beyond));
	to = event_at(ring, *at);
	if (to && !bpf_probe_read_kernel(to, sizeof(s->raw), &s->raw))
		*at = event_end(*at, sizeof(s->raw));
}

/*
 * Is the task between two programs? Its registers are then still those of the
 * one before, whose memory is gone.
 */
static __always_inline bool between_programs(struct scratch *s, struct task_struct *task)
{
	return s->walk.frames <= 1 && (s->walk.missing || s->walk.cut) &&
	       bpf_core_field_exists(task->in_execve) && BPF_CORE_READ_BITFIELD(task, in_execve);
}

/* The registers with which the current task left user mode; NULL: it has none, or is not a 64-bit one. */
static __always_inline void *user_registers(void *ctx, enum hook hook, struct scratch *s,
					    struct task_struct *task)
{
	struct pt_regs *regs = ctx;

	if (task->flags & (PF_IO_WORKER | PF_USER_WORKER))
		return NULL;
	if (hook == HOOK_REGISTERS && regs->cs & 3) {
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

static __always_inline struct taken user_stack(void *ctx, enum hook hook, struct scratch *s,
					       u32 slot, struct ring *ring, u64 *at, u64 time,
					       struct task_struct *task, u64 epoch, bool verify)
{
	struct taken t = {};
	u8 cut = CUT_NONE, flags = 0;
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
		regs = user_registers(ctx, hook, s, task);
	if (regs) {
		u64 seed = mix(epoch, 2), remembered = 0;

		if (find_memo(s, slot, mix(seed, max_frames)))
			remembered = remembered_walk(slot);
		if (remembered && !verify && !sent_again(time)) {
			t.hash = remembered | 1;
			if (sent_before(t.hash))
				return t;
		}
		walk_user(s, slot, seed);
		if (remembered) /* so that it is verified as well */
			s->walk.hash = remembered;
		cut = s->walk.cut;
		frames = s->walk.frames;
		space = s->space;
		flags = STACK_RELATIVE;
		t.hash = s->walk.hash | 1;
		if (between_programs(s, task)) {
			cut = CUT_UNREADABLE;
			frames = 0;
			t.hash = mix(seed, cut) | 1;
			verify = false;
		} else if (s->walk.missing) {
			if (raw_allowed(s, ring, time)) {
				t.hash = mix(mix(time, slot), bpf_get_smp_processor_id()) | 1;
				put_raw(s, slot, ring, at, task, regs, t.hash, time, 0);
				return t;
			}
			cut = CUT_BUDGET;
			t.hash = mix(t.hash, cut) | 1;
			verify = false;
		}
	} else
#endif
	{
		frames = user_frames(ctx, hook, s, slot, task);
		if (!frames)
			cut = CUT_UNREADABLE;
		if (frames >= max_frames)
			cut = CUT_DEPTH;
		space = address_space(task, epoch);
		t.hash = hash_frames(slot, 1, frames, space) | 1;
		s->ip[0] |= IP_EXACT;
		verify = false;
	}
	bool again = sent_before(t.hash);

	if (again && !verify && !sent_again(time))
		return t;
	s->at.size = 0;
	locate_frames(slot, frames);
	s->user.head = (struct stack){
		.kind = EVENT_USER_STACK,
		.flags = flags | (again ? STACK_AGAIN : 0),
		.cut = cut,
		.frames = frames,
		.hash = t.hash,
		.space = space,
		.time = time,
		.pid = task->tgid,
	};
	put_stack(&t, ring, at, &s->user,
		  sizeof(struct stack) + frames * sizeof(struct user_frame));
#if defined(__TARGET_ARCH_x86)
	if (verify && t.put && raw_allowed(s, ring, time))
		put_raw(s, slot, ring, at, task, regs, t.hash, time, STACK_VERIFY);
#endif
	return t;
}

#endif
