/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys of processes and address spaces, and versions of their mappings.
 * user_stack.h calls this once per user stack. The program on_mapping calls
 * count_mapping() on kernels that do not count changes of mappings themselves.
 */
#ifndef TRAPLINE_ADDRESS_SPACE_H
#define TRAPLINE_ADDRESS_SPACE_H

#include "hash.h"

/* Names a process and its program, whatever it maps. Fork and exec change the key. */
static __always_inline u64 process_key(struct task_struct *task)
{
	return mix(mix(task->tgid, task->group_leader->start_time), task->self_exec_id);
}

/*
 * How often mappings have changed, by hash of the mm, where Linux itself does not count.
 * Several address spaces may share a counter: then a change in one also invalidates the
 * remembered mappings of the others.
 */
#define CHANGE_BITS 12
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << CHANGE_BITS);
	__type(key, u32);
	__type(value, u64);
} mapping_changes SEC(".maps");

volatile const u32 count_mappings = 0; /* 1: on_mapping is attached */

static __always_inline u64 *changes_of(u64 mm)
{
	u32 at = mix(0, mm) >> (64 - CHANGE_BITS);

	return bpf_map_lookup_elem(&mapping_changes, &at);
}

/*
 * Counts a change of mappings. The tracepoint's argument is the tree that a mapping is
 * stored in: vma_mas_store() in mm/mmap.c of Linux 6.1.
 */
static __always_inline int count_mapping(u64 *args)
{
	u64 tree, *n;

	if (bpf_probe_read_kernel(&tree, sizeof(tree), args)) /* reads a number, not a pointer */
		return 0;
	n = changes_of(tree - bpf_core_field_offset(struct mm_struct, mm_mt));
	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

/*
 * Returns the version of an address space's mappings. Since 6.4, Linux counts their
 * changes for per-VMA locks. Since 6.13 the count is odd during a change; code on the
 * stack is then still mapped as before. Linux 6.1 to 6.3 have a tracepoint instead. Older
 * kernels have neither: a library that replaces another one with the same sizes in pages
 * goes unnoticed.
 */
static __always_inline u64 mappings_version(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;
	struct mm_struct___seqcount *counted = (void *)mm;
	struct mm_struct___counter *counter = (void *)mm;

	if (bpf_core_field_exists(counted->mm_lock_seq.sequence))
		return counted->mm_lock_seq.sequence & ~1U;
	if (bpf_core_field_exists(counter->mm_lock_seq))
		return (u32)counter->mm_lock_seq;
	if (count_mappings) {
		u64 *n = changes_of((u64)BPF_CORE_READ(task, mm));

		return n ? *(volatile u64 *)n : 0;
	}
	return mm->exec_vm << 40 ^ mm->total_vm << 16 ^ (u32)mm->map_count;
}

/*
 * Names an address space for stacks of plain addresses, which mean nothing without it.
 * The key changes with the executable mappings.
 */
static __always_inline u64 address_space(struct task_struct *task, u64 epoch)
{
	u64 h = mix(epoch, task->tgid);

	h = mix(h, task->group_leader->start_time);
	/* changes with every exec */
	h = mix(h, task->self_exec_id);
	/* pages of executable mappings: change with dlopen and dlclose */
	return mix(h, task->mm->exec_vm);
}

#endif
