//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The entry functions: one per hook, and three that follow tasks and mappings.
 * User space loads one program per probe, or one for a group of probes, and sets its
 * constants first. All programs share the maps.
 *
 * To add a hook:
 * - Add an entry function below that passes its context to take_hit(). Name it in the
 *   descriptor of the probe kind (capture/probe) and in TestProgramsLoad.
 * - If the context is unlike the others, add a value to enum hook (context.h). Then
 *   go through the uses of enum hook: they read arguments from the context, find the
 *   registers that stacks start from, and tell calls apart.
 * - Run make generate.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "calls.h"
#include "scope.h"
#include "stacks/address_space.h"
#include "take_hit.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Tracepoints. The result is 1: if it were 0, the kernel would hide the event from all
 * other readers of the tracepoint, such as perf (perf_trace_run_bpf_submit in
 * kernel/events/core.c).
 */
SEC("tracepoint")
int on_tracepoint(void *ctx)
{
	take_hit(ctx, HOOK_TRACEPOINT);
	return 1;
}

/* Raw tracepoints with arguments typed by BTF. */
SEC("tp_btf")
int on_raw_tracepoint(void *ctx)
{
	return take_hit(ctx, HOOK_CONTEXT);
}

/* Entries of kernel functions, by trampoline. */
SEC("fentry")
int on_fentry(void *ctx)
{
	return take_hit(ctx, HOOK_CONTEXT);
}

/* Returns of kernel functions, by trampoline. */
SEC("fexit")
int on_fexit(void *ctx)
{
	return take_hit(ctx, HOOK_CONTEXT);
}

/* Kprobes and uprobes, at entries, returns and offsets. */
SEC("kprobe")
int on_registers(void *ctx)
{
	return take_hit(ctx, HOOK_REGISTERS);
}

/* Perf events: timed samples, counters and hardware breakpoints. */
SEC("perf_event")
int on_timed(void *ctx)
{
	return take_hit(ctx, HOOK_NONE);
}

/* The entries of calls whose duration is recorded when they return, by kind of hook. */
SEC("tracepoint")
int on_call_tracepoint(void *ctx)
{
	call_begins(ctx, HOOK_TRACEPOINT);
	return 1;
}

SEC("fentry")
int on_call_fentry(void *ctx)
{
	return call_begins(ctx, HOOK_CONTEXT);
}

SEC("kprobe")
int on_call_registers(void *ctx)
{
	return call_begins(ctx, HOOK_REGISTERS);
}

/* Child processes and threads join the scope. */
SEC("tp_btf/sched_process_fork")
int on_fork(u64 *ctx)
{
	return scope_fork((void *)ctx[0], (void *)ctx[1]);
}

/* Tasks that end leave the scope. */
SEC("tp_btf/sched_process_exit")
int on_exit(u64 *ctx)
{
	return scope_exit((void *)ctx[0]);
}

/* Changes of mappings, on Linux 6.1 to 6.3, which do not count them. */
SEC("tp_btf/vma_store")
int on_mapping(u64 *ctx)
{
	return count_mapping(ctx);
}
