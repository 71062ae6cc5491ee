/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What uprobes change in a task: return addresses, and the program counter.
 * Called by near_mapping.h, user_stack.h and raw.h, to see the stack as the program would
 * have it.
 */
#ifndef TRAPLINE_UPROBES_H
#define TRAPLINE_UPROBES_H

/*
 * Where a function returns to whose return address a uretprobe has replaced by
 * its trampoline: the kernel keeps it by the place where it lay on the stack
 * (struct return_instance, include/linux/uprobes.h). 0: nothing was replaced there.
 */
#define MAX_RETURN_INSTANCES 64 /* MAX_URETPROBE_DEPTH, kernel/events/uprobes.c */
__noinline u64 replaced_return(u64 place)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!bpf_core_field_exists(task->utask) || !task->utask)
		return 0;
	struct return_instance *r = task->utask->return_instances;
	for (u32 i = 0; i < MAX_RETURN_INSTANCES; i++) {
		if (!r)
			break;
		if (r->stack == place)
			return r->orig_ret_vaddr;
		r = r->next;
	}
	return 0;
}

/*
 * Where in its program the current task is, if it has left it at ip: an instruction
 * that a uprobe has displaced runs out of line, on a page of the kernel's (struct
 * uprobe_task, include/linux/uprobes.h). It may enter the kernel there by itself.
 */
static __always_inline u64 program_counter(struct task_struct *task, u64 ip)
{
	if (!bpf_core_field_exists(task->utask) || !task->utask || !task->utask->active_uprobe)
		return ip;
	u64 at = ip - task->utask->xol_vaddr;

	return at <= 15 ? task->utask->vaddr + at : ip; /* the longest instruction */
}

#endif
