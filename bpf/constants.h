/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The constants of a program that several headers look at. Headers have those that are
 * theirs alone. User space sets them before it loads the program, so the verifier drops
 * the code that they rule out: they must stay constants, and are never copied.
 */
#ifndef TRAPLINE_CONSTANTS_H
#define TRAPLINE_CONSTANTS_H

#include "event.h"

/*
 * No two programs of the recording ever run at once on a CPU: the kernel runs
 * tracepoint, kprobe and perf event programs with preemption off and keeps
 * them apart (bpf_prog_active in trace_call_bpf). One slot will do then, and
 * counting needs no atomics.
 */
volatile const u32 exclusive = 0;

volatile const u32 with_kernel_stack = 0;
volatile const u32 with_user_stack = 0;
volatile const u32 with_rules = 0; /* user stacks by step rules, else by frame pointers */
volatile const u32 with_kernel_rules = 0;
volatile const u32 verify_every = 0; /* one hit in so many is unwound by user space as well */
volatile const u64 raw_budget = 0;   /* bytes of raw stacks a second and CPU */
volatile const u32 max_frames = MAX_FRAMES;
volatile const u32 have_find_vma = 0;  /* bpf_find_vma and bpf_loop: 5.17 */
volatile const u32 have_task_regs = 0; /* bpf_task_pt_regs: 5.15 */

#endif
