/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which tasks and CPUs a probe is asked to record. */
#ifndef TRAPLINE_SCOPE_H
#define TRAPLINE_SCOPE_H

#include "maps.h"
#include "comm.h"

static __always_inline bool in_cgroup(void)
{
#pragma unroll
	for (u32 i = 0; i < MAX_CGROUPS; i++) {
		if (i < scope_cgroup_count && bpf_current_task_under_cgroup(&scope_cgroups, i) == 1)
			return true;
	}
	return false;
}

/* The parts of the scope that need no memory. */
static __always_inline bool in_scope(u32 pid, u32 cpu)
{
	if (pid == self_pid)
		return false;
	if (scope & SCOPE_CPUS) {
		if (!(scope_cpus[(cpu / 64) & (MAX_CPUS / 64 - 1)] & (1ULL << (cpu & 63))))
			return false;
	}
	if (scope & SCOPE_UIDS) {
		u32 uid = bpf_get_current_uid_gid();
		bool found = false;

		for (u32 i = 0; i < MAX_UIDS; i++) {
			if (i < scope_uid_count && scope_uids[i] == uid)
				found = true;
		}
		if (!found)
			return false;
	}
	if ((scope & SCOPE_COMMS) && !comm_matches(COMM_ONLY))
		return false;
	if ((scope & SCOPE_EXCEPT_COMMS) && comm_matches(COMM_EXCEPT))
		return false;
	return !(scope & SCOPE_CGROUPS) || in_cgroup();
}

static __always_inline bool listed(u32 pid, u32 tid)
{
	if ((scope & SCOPE_PIDS) && bpf_map_lookup_elem(&scope_pids, &pid))
		return true;
	if ((scope & SCOPE_TIDS) && bpf_map_lookup_elem(&scope_tids, &tid))
		return true;
	return !(scope & (SCOPE_PIDS | SCOPE_TIDS));
}

/*
 * Is the task, or its process, listed? The answer is kept with the CPU's
 * scratch until another task asks or the lists change: a look-up in a hash map
 * is a fifth of what a hit without stacks costs.
 */
static __always_inline bool in_listed_scope(struct scratch *s, u32 pid, u32 tid)
{
	u64 key = (u64)pid << 32 | tid;
	u32 zero = 0;

	if (!(scope & (SCOPE_PIDS | SCOPE_TIDS)))
		return true;
	u32 *generation = bpf_map_lookup_elem(&scope_generation, &zero);
	if (!generation)
		return false;
	u32 now = *(volatile u32 *)generation;
	if (s->scope_key != key || s->scope_generation != now) {
		s->scope_answer = listed(pid, tid);
		s->scope_key = key;
		s->scope_generation = now;
	}
	return s->scope_answer;
}

static __always_inline void scope_changed(void)
{
	u32 zero = 0;
	u32 *generation = bpf_map_lookup_elem(&scope_generation, &zero);

	if (generation)
		__sync_fetch_and_add(generation, 1);
}

/* A child joins its parent's scope before it runs for the first time. */
static __always_inline int scope_fork(struct task_struct *parent, struct task_struct *child)
{
	u8 one = 1;
	u32 id;

	if (!follow)
		return 0;
	if (scope & SCOPE_PIDS) {
		id = parent->tgid;
		if (child->tgid != parent->tgid && bpf_map_lookup_elem(&scope_pids, &id)) {
			id = child->tgid;
			bpf_map_update_elem(&scope_pids, &id, &one, BPF_ANY);
			scope_changed();
		}
	}
	if (scope & SCOPE_TIDS) {
		id = parent->pid;
		if (bpf_map_lookup_elem(&scope_tids, &id)) {
			id = child->pid;
			bpf_map_update_elem(&scope_tids, &id, &one, BPF_ANY);
			scope_changed();
		}
	}
	return 0;
}

/* A dead task leaves, so that the next owner of its number is not recorded. */
static __always_inline int scope_exit(struct task_struct *task)
{
	u32 id;

	if (scope & SCOPE_PIDS) {
		id = task->tgid;
		if (task->signal->live.counter == 0 && !bpf_map_delete_elem(&scope_pids, &id))
			scope_changed();
	}
	if (scope & SCOPE_TIDS) {
		id = task->pid;
		if (!bpf_map_delete_elem(&scope_tids, &id))
			scope_changed();
	}
	return 0;
}

#endif
