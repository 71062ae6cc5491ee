/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of processes and of their address spaces, and versions of their mappings.
 * Called by user_stack.h once for each user stack, and by the program on_mapping, which
 * counts the changes of mappings where the kernel does not.
 */
#ifndef TRAPLINE_ADDRESS_SPACE_H
#define TRAPLINE_ADDRESS_SPACE_H

#include "hash.h"

/* The same process and program, whatever it maps: fork and exec change it. */
static __always_inline u64 process_key(struct task_struct *task)
{
	return mix(mix(task->tgid, task->group_leader->start_time), task->self_exec_id);
}

/*
 * Changes of address spaces, counted by on_mapping where Linux itself does not; by
 * mm, of which several may share a place: the mappings of one are then looked up
 * again when another's have changed.
 */
#define CHANGE_BITS 12
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << CHANGE_BITS);
	__type(key, u32);
	__type(value, u64);
} mapping_changes SEC(".maps");

volatile const u32 count_mappings = 0; /* on_mapping is attached */

static __always_inline u64 *changes_of(u64 mm)
{
	u32 at = mix(0, mm) >> (64 - CHANGE_BITS);

	return bpf_map_lookup_elem(&mapping_changes, &at);
}

/* A mapping is stored in an address space's tree, the argument: vma_mas_store in mm/mmap.c of Linux 6.1. */
static __always_inline int count_mapping(u64 *args)
{
	u64 tree, *n;

	if (bpf_probe_read_kernel(&tree, sizeof(tree), args)) /* as a number, not a pointer */
		return 0;
	n = changes_of(tree - bpf_core_field_offset(struct mm_struct, mm_mt));
	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

/*
 * The version of an address space's mappings. Linux counts the changes since 6.4,
 * for the locks of single mappings; since 6.13 the count is odd while one is
 * being made, and what is on the stack is then mapped as it was before. Kernels
 * from 6.1 on have a tracepoint there instead. Older ones have neither: there, one
 * library that takes another's place with the same sizes in pages goes unnoticed.
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
 * A user stack's addresses mean something only in their address space. This
 * names one, for as long as its executable mappings stay as they are.
 */
static __always_inline u64 address_space(struct task_struct *task, u64 epoch)
{
	u64 h = mix(epoch, task->tgid);

	h = mix(h, task->group_leader->start_time);
	/* grows with every exec */
	h = mix(h, task->self_exec_id);
	/* pages of executable mappings: changes with dlopen and dlclose */
	return mix(h, task->mm->exec_vm);
}

#endif
