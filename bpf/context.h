/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The context of a hit: what a program knows about the hit that it takes.
 * Used by take_hit() and by everything that it calls for arguments, durations and stacks.
 * Each entry function in hooks.bpf.c passes its kind of hook as a constant.
 */
#ifndef TRAPLINE_CONTEXT_H
#define TRAPLINE_CONTEXT_H

#include "scratch.h"

/* What a program's argument points to. */
enum hook {
	HOOK_TRACEPOINT, /* the trace record */
	HOOK_CONTEXT,	 /* u64 args[]: raw tracepoints, fentry, fexit */
	HOOK_REGISTERS,	 /* struct pt_regs: kprobes, uprobes */
	HOOK_NONE,	 /* struct pt_regs without arguments: perf events */
};

/*
 * The hit that a program is taking. It is on the program's stack, not in scratch
 * memory: the verifier no longer knows what a pointer points to after it has been
 * stored in a map. Functions that take a hit_context must be inlined, and must not pass
 * the address of a member to a helper. Then the compiler keeps the members in registers
 * and hook is a constant, so the context costs nothing.
 */
struct hit_context {
	void *ctx; /* the program's argument, as hook says */
	enum hook hook;
	u32 probe; /* index in record's list of probes */
	struct task_struct *task;
	u32 cpu;
	u32 slot;
	struct scratch *s; /* the slot's memory */
	struct ring *ring; /* of this CPU and slot */
	u64 at;		   /* the position in the ring of the next event */
	u64 time;	   /* ns, CLOCK_MONOTONIC */
	u64 epoch;	   /* see struct control */
	u64 duration;	   /* ns, of a call that returns, see calls.h */
	bool verify;	   /* find the stacks twice, to compare them */
};

/* Sets the task of a hit. */
static __always_inline void set_task(struct hit *hit, struct task_struct *task)
{
	hit->pid = task->tgid;
	hit->tid = task->pid;
	/* a direct read: bpf_get_current_comm() takes ten times as long */
	((u64 *)hit->comm)[0] = ((u64 *)task->comm)[0];
	((u64 *)hit->comm)[1] = ((u64 *)task->comm)[1];
}

#endif
