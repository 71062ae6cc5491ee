/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The scope: which tasks and CPUs a probe records.
 * take_hit() and call_begins() check it for every hit. The programs on_fork and on_exit
 * call scope_fork() and scope_exit() to follow child processes.
 */
#ifndef TRAPLINE_SCOPE_H
#define TRAPLINE_SCOPE_H

#include "comm.h"
#include "scratch.h"

/* What the scope checks. */
enum {
	SCOPE_PIDS = 1,
	SCOPE_TIDS = 2,
	SCOPE_UIDS = 4,
	SCOPE_CPUS = 8,
	SCOPE_COMMS = 16,	 /* the task's name matches */
	SCOPE_EXCEPT_COMMS = 32, /* the task's name does not match */
	SCOPE_CGROUPS = 64,
};
#define MAX_UIDS 8
#define MAX_CPUS 1024
#define MAX_CGROUPS 16
volatile const u32 scope = 0;
volatile const u32 scope_uids[MAX_UIDS] = {};
volatile const u32 scope_uid_count = 0;
volatile const u64 scope_cpus[MAX_CPUS / 64] = {};
volatile const u32 scope_cgroup_count = 0;
volatile const u32 self_pid = 0; /* record itself, which is never in scope */
volatile const u32 follow = 0;	 /* child processes and threads join */

/* Changed whenever a task joins or leaves the scope. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} scope_generation SEC(".maps");

/* Processes and threads in scope; with follow, children are added at fork. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u32);
	__type(value, u8);
} scope_pids SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u32);
	__type(value, u8);
} scope_tids SEC(".maps");

/* Cgroups in scope, including their descendants. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 16); /* MAX_CGROUPS */
	__type(key, u32);
	__type(value, u32);
} scope_cgroups SEC(".maps");

static __always_inline bool in_cgroup(void)
{
#pragma unroll
	for (u32 i = 0; i < MAX_CGROUPS; i++) {
		if (i < scope_cgroup_count && bpf_current_task_under_cgroup(&scope_cgroups, i) == 1)
			return true;
	}
	return false;
}

/* Checks everything but the lists of processes and threads. */
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

/* Reports whether the lists have the process or the thread, or there are no lists. */
static __always_inline bool listed(u32 pid, u32 tid)
{
	if ((scope & SCOPE_PIDS) && bpf_map_lookup_elem(&scope_pids, &pid))
		return true;
	if ((scope & SCOPE_TIDS) && bpf_map_lookup_elem(&scope_tids, &tid))
		return true;
	return !(scope & (SCOPE_PIDS | SCOPE_TIDS));
}

/*
 * Like listed(), but keeps the answer in scratch until another task asks or the lists
 * change: a lookup in a hash map takes a fifth of the time of a hit without stacks.
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

/* Adds a child to its parent's scope before the child first runs. */
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

/* Removes a task that ends, so that the next task with its number is not recorded. */
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
