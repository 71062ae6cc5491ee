/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kinds of hooks: what a program's argument, the context, leads to.
 * Used by everything that reads the context: arguments, stacks, and durations of calls.
 * Each entry function in hooks.bpf.c passes its kind on as a constant.
 */
#ifndef TRAPLINE_CONTEXT_H
#define TRAPLINE_CONTEXT_H

#include "scratch.h"

enum hook {
	HOOK_TRACEPOINT, /* context: the trace record */
	HOOK_CONTEXT,	 /* context: u64 args[]: raw tracepoints, fentry, fexit */
	HOOK_REGISTERS,	 /* context: struct pt_regs: kprobes, uprobes */
	HOOK_NONE,	 /* no arguments: timed events */
};

/*
 * A hit while a program takes it, passed by pointer to everything that has a part in
 * that. It lies on the program's stack rather than in scratch memory, since the verifier
 * forgets what a pointer points to when it is put into a map. All functions with a
 * hit_context are inlined and none hands the address of a member to a helper, so the
 * compiler keeps the members in registers, and knows what hook is.
 */
struct hit_context {
	void *ctx; /* what the kernel gives the program: its context */
	enum hook hook;
	u32 probe; /* index in the recorder's list of probes */
	struct task_struct *task;
	u32 cpu;
	u32 slot;
	struct scratch *s; /* of the slot */
	struct ring *ring; /* of the CPU and slot */
	u64 at;		   /* position in the ring of the next event to be built */
	u64 time;	   /* of the hit: ns, CLOCK_MONOTONIC */
	u64 epoch;	   /* mixed into the hashes of stacks */
	u64 duration;	   /* of the call that returns, ns; see calls.h */
	bool verify;	   /* the stacks are taken in two ways and compared */
};

#endif
