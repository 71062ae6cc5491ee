/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The account: what became of the hits of each probe, counted on each CPU.
 * Called by take_hit() for every hit in scope. User space adds the counters up, and adds
 * what the kernel itself has skipped.
 */
#ifndef TRAPLINE_ACCOUNT_H
#define TRAPLINE_ACCOUNT_H

#include "constants.h"

/* The account of a probe on one CPU; indices as format.Cause - 1. */
enum count {
	COUNT_RECORDED,
	COUNT_FILTERED,
	COUNT_SAMPLED,
	COUNT_RING_FULL,
	COUNT_RECURSION,
	COUNT_UNREADABLE,
	COUNTS,
};
struct counts {
	u64 n[COUNTS];
	u64 passed; /* hits that 1 of N was taken of; see rate.h */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1); /* set to the number of probes */
	__type(key, u32);
	__type(value, struct counts);
} accounts SEC(".maps");

static __always_inline void count(u32 probe, enum count what)
{
	struct counts *c = bpf_map_lookup_elem(&accounts, &probe);

	if (!c)
		return;
	if (exclusive)
		c->n[what]++;
	else /* an interrupt's program may count here too */
		__sync_fetch_and_add(&c->n[what], 1);
}

#endif
