//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs: one for each kind of hook, and those that follow tasks and count
 * mappings. Loaded by capture, a program for each probe (or for the probes of a
 * pattern), with constants of its own; the maps are shared by all.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "address_space.h"
#include "take_hit.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Returns 1: with 0 the kernel would keep the event from every other reader of
 * the tracepoint, such as perf (perf_trace_run_bpf_submit, kernel/events/core.c).
 */
SEC("tracepoint")
int on_tracepoint(void *ctx)
{
	take_hit(ctx, HOOK_TRACEPOINT);
	return 1;
}

SEC("tp_btf")
int on_raw_tracepoint(void *ctx)
{
	return take_hit(ctx, HOOK_CONTEXT);
}

SEC("fentry")
int on_fentry(void *ctx)
{
	return take_hit(ctx, HOOK_CONTEXT);
}

SEC("fexit")
int on_fexit(void *ctx)
{
	return take_hit(ctx, HOOK_CONTEXT);
}

SEC("kprobe")
int on_registers(void *ctx) /* kprobes and uprobes, entry and return */
{
	return take_hit(ctx, HOOK_REGISTERS);
}

/* Entries of the calls whose returns are measured. */
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

SEC("perf_event")
int on_timed(void *ctx)
{
	return take_hit(ctx, HOOK_NONE);
}

SEC("tp_btf/sched_process_fork")
int on_fork(u64 *ctx)
{
	return scope_fork((void *)ctx[0], (void *)ctx[1]);
}

SEC("tp_btf/sched_process_exit")
int on_exit(u64 *ctx)
{
	return scope_exit((void *)ctx[0]);
}

/* Attached to Linux 6.1 to 6.3, which do not count the changes of mappings. */
SEC("tp_btf/vma_store")
int on_mapping(u64 *ctx)
{
	return count_mapping(ctx);
}
