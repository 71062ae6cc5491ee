/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Matches task names against patterns.
 * Called by scope.h. internal/glob compiles all patterns of a set into one automaton.
 * Its states are the bits of a word, so matching takes the same few instructions per
 * character for any patterns.
 */
#ifndef TRAPLINE_COMM_H
#define TRAPLINE_COMM_H

#include "event.h"

/* A set of patterns: glob.Automaton. */
struct comm_patterns {
	struct {
		u64 advance; /* states that this byte moves to the next bit */
		u64 stay;    /* states that this byte leaves set */
	} steps[256];
	u64 start;  /* the states before the first byte */
	u64 accept; /* after a name that matches, one of these is set */
};
/* The sets: keys of scope_comms. */
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

/* Reports whether the current task's name matches a pattern of the set. */
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
		states = (states & p->steps[c].advance) << 1 | (states & p->steps[c].stay);
	}
	return (states & p->accept) != 0;
}

#endif
