/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of tasks against globs.
 * Called by scope.h. All patterns of a set are one automaton, made by capture/comm.go.
 * Its states are the bits of a word, so that matching a name takes the same few
 * instructions a character, whatever the patterns are.
 */
#ifndef TRAPLINE_COMM_H
#define TRAPLINE_COMM_H

#include "event.h"

/* Bit i of a class: position i of the patterns accepts the character. */
struct comm_patterns {
	u64 class[256];
	u64 start;  /* positions before the first character */
	u64 star;   /* positions that also stay as they are */
	u64 accept; /* positions behind the last one of a pattern */
};
enum {
	COMM_ONLY,
	COMM_EXCEPT,
	COMM_SETS,
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COMM_SETS);
	__type(key, u32);
	__type(value, struct comm_patterns);
} scope_comms SEC(".maps");

/* Does the current task's name match a pattern of the set? */
__noinline u32 comm_matches(u32 set)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct comm_patterns *p = bpf_map_lookup_elem(&scope_comms, &set);
	u64 states, word = 0;

	if (!p)
		return 0;
	states = p->start;
#pragma unroll
	for (u32 i = 0; i < COMM_LEN; i++) {
		if (i % 8 == 0)
			word = ((u64 *)task->comm)[i / 8];
		u8 c = word;

		word >>= 8;
		if (!c)
			break;
		states = (states & p->class[c]) << 1 | (states & p->star);
		states |= (states & p->star) << 1;
	}
	return (states & p->accept) != 0;
}

#endif
