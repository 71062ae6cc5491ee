/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Durations of calls: at a return, the entry of the same call is looked up.
 * At entries, the programs on_call_… call call_begins(). At returns, take_hit() calls
 * call_ends(), and take_return() adds the duration to the record.
 */
#ifndef TRAPLINE_CALLS_H
#define TRAPLINE_CALLS_H

#include "record.h"
#include "scope.h"
#include "site.h"

/*
 * Identifies a call. The frame distinguishes the open calls of one task, in whatever
 * order they return:
 * - with registers, it is the stack pointer at the entry;
 * - with trampolines, it is the address of the arguments, which the entry and the exit
 *   of a call share (arch_prepare_bpf_trampoline, arch/x86/net/bpf_jit_comp.c);
 * - of system calls it is 0, because a task makes one at a time.
 * A goroutine may continue in another thread and on a moved stack. Then the owner is the
 * process, and the frame is the distance from the stack's upper end.
 */
struct call {
	u64 owner; /* task_struct; for goroutines, mm_struct */
	u64 goroutine;
	u64 frame;
	u32 probe;
	u32 pad;
};
struct call_start {
	u64 time; /* ns, CLOCK_MONOTONIC */
	u64 task; /* its start time: the kernel reuses the memory of a task_struct */
};

/* Drops the least recently used entries: those of calls that never return. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct call);
	__type(value, struct call_start);
} calls SEC(".maps");

volatile const u32 duration_at = 0;   /* offset in the record; 0: not measured */
volatile const u32 duration_mark = 0; /* the duration's bit in the marks */
/* bytes popped before the return is hit: the return address */
volatile const u32 popped_at_return = 0;
volatile const u32 goroutine_calls = 0;

#define DURATION_UNKNOWN (~0ULL)

/* Identifies the current call; returns false if its memory cannot be read. */
static __always_inline bool call_of(struct hit_context *c, u32 popped, struct call *call)
{
	call->owner = bpf_get_current_task();
	call->probe = c->probe;
	if (c->hook == HOOK_CONTEXT)
		call->frame = (u64)c->ctx;
	if (c->hook != HOOK_REGISTERS)
		return true;
	call->frame = PT_REGS_SP((struct pt_regs *)c->ctx) - popped;
#if defined(__TARGET_ARCH_x86)
	if (goroutine_calls) {
		u64 upper;

		/* g is in R14 (ABIInternal); it starts with stack.lo and stack.hi (runtime2.go) */
		call->goroutine = ((struct pt_regs *)c->ctx)->r14;
		if (bpf_probe_read_user(&upper, sizeof(upper), (void *)(call->goroutine + 8)) ||
		    bpf_probe_read_kernel(&call->owner, sizeof(call->owner), &c->task->mm))
			return false;
		call->frame = upper - call->frame;
	}
#endif
	return true;
}

/* Notes the entry of a call. CPU and task name are not checked: they may change by the return. */
static __always_inline int call_begins(void *ctx, enum hook hook)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct hit_context c = {.ctx = ctx, .hook = hook, .task = task};
	struct call_start start = {};
	struct call call = {};

	if (task->tgid == self_pid || !listed(task->tgid, task->pid))
		return 0;
	c.probe = probe_of(ctx, hook);
	if (!call_of(&c, 0, &call))
		return 0;
	if (!goroutine_calls)
		start.task = task->start_time;
	start.time = bpf_ktime_get_ns();
	bpf_map_update_elem(&calls, &call, &start, BPF_ANY);
	return 0;
}

/* Returns the duration of the call that returns here, in ns. Call it once per return. */
static __always_inline u64 call_ends(struct hit_context *c)
{
	u64 now = bpf_ktime_get_ns(), duration = DURATION_UNKNOWN;
	struct call call = {};

	if (!call_of(c, popped_at_return, &call))
		return duration;
	struct call_start *start = bpf_map_lookup_elem(&calls, &call);

	if (!start)
		return duration;
	if (goroutine_calls || start->task == c->task->start_time)
		duration = now - start->time;
	bpf_map_delete_elem(&calls, &call);
	return duration;
}

/* Takes the record and adds the duration; returns the size, ~0 if it cannot be read. */
static __always_inline u32 take_return(struct hit_context *c, u8 *record, struct hit *hit)
{
	u32 size = take_record(c, record, hit);
	u32 at = duration_at - 8, marks = marks_at - 8;
	u64 duration = c->duration;

	if (!duration_at || size == ~0U || at > MAX_RECORD - 8 || marks > MAX_RECORD - 8)
		return size;
	if (c->hook == HOOK_TRACEPOINT) { /* both follow the trace record */
		*(u64 *)(record + marks) = 0;
		size = marks + 8;
	}
	if (duration == DURATION_UNKNOWN) {
		duration = 0;
		*(u64 *)(record + marks) |= 1U << (duration_mark & 31);
	}
	*(u64 *)(record + at) = duration;
	return size;
}

#endif
