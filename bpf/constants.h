/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The constants that several headers use. Other constants are defined where they are used.
 * User space sets them before it loads a program, so the verifier removes the code that
 * they rule out. They must stay constants: copied into memory, they would lose this.
 */
#ifndef TRAPLINE_CONSTANTS_H
#define TRAPLINE_CONSTANTS_H

#include "event.h"

/*
 * Programs of this recording never nest on a CPU: the kernel runs tracepoint,
 * kprobe and perf event programs without preemption, one at a time
 * (bpf_prog_active in trace_call_bpf). One slot is then enough, and counting needs
 * no atomics.
 */
volatile const u32 exclusive = 0;

volatile const u32 with_kernel_stack = 0;
volatile const u32 with_user_stack = 0;
volatile const u32 with_rules = 0; /* walk user stacks by step rules, else by frame pointers */
volatile const u32 with_kernel_rules = 0; /* walk kernel stacks by step rules */
volatile const u32 verify_every = 0;	  /* find the stacks of one hit in N twice; 0: of none */
volatile const u64 raw_budget = 0;	  /* bytes of raw stacks per second and CPU */
volatile const u32 max_frames = MAX_FRAMES;
volatile const u32 have_find_vma = 0;  /* bpf_find_vma and bpf_loop: Linux 5.17 */
volatile const u32 have_task_regs = 0; /* bpf_task_pt_regs: Linux 5.15 */

#endif
