/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What uprobes change in a task: return addresses and the program counter.
 * Called by near_mapping.h, user_stack.h and raw.h, which need the values that the
 * program itself would see.
 */
#ifndef TRAPLINE_UPROBES_H
#define TRAPLINE_UPROBES_H

/*
 * Returns the return address that a uretprobe has replaced by its trampoline at a place on
 * the stack, 0 if none was replaced there. The kernel keeps them in a list (struct
 * return_instance, include/linux/uprobes.h).
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
 * Returns the place in the program that corresponds to ip. An instruction displaced by a
 * uprobe runs out of line, on a page that the kernel maps (struct uprobe_task,
 * include/linux/uprobes.h), and may enter the kernel from there.
 */
static __always_inline u64 program_counter(struct task_struct *task, u64 ip)
{
	if (!bpf_core_field_exists(task->utask) || !task->utask || !task->utask->active_uprobe)
		return ip;
	u64 at = ip - task->utask->xol_vaddr;

	return at <= 15 ? task->utask->vaddr + at : ip; /* the length of the longest instruction */
}

#endif
