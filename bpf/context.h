/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kinds of hooks: what a program's argument, the context, leads to.
 * Used by everything that reads the context: arguments, stacks, and durations of calls.
 * Each entry function in hooks.bpf.c passes its kind on as a constant.
 */
#ifndef TRAPLINE_CONTEXT_H
#define TRAPLINE_CONTEXT_H

enum hook {
	HOOK_TRACEPOINT, /* context: the trace record */
	HOOK_CONTEXT,	 /* context: u64 args[]: raw tracepoints, fentry, fexit */
	HOOK_REGISTERS,	 /* context: struct pt_regs: kprobes, uprobes */
	HOOK_NONE,	 /* no arguments: timed events */
};

#endif
