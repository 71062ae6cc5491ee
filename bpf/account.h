/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The account: what became of the hits of each probe, by CPU.
 * Called by take_hit() for every hit in scope. User space sums up the counters and adds
 * what the kernel has skipped.
 */
#ifndef TRAPLINE_ACCOUNT_H
#define TRAPLINE_ACCOUNT_H

#include "constants.h"

/* What became of a hit. The values are those of format.Cause minus 1. */
enum count {
	COUNT_RECORDED,
	COUNT_FILTERED,
	COUNT_SAMPLED,
	COUNT_RING_FULL,
	COUNT_RECURSION,
	COUNT_UNREADABLE,
	COUNTS,
};
/* The account of a probe on one CPU. */
struct counts {
	u64 n[COUNTS];
	u64 passed; /* hits that sampling chose from, see rate.h */
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
	else /* a program in an interrupt may count here too */
		__sync_fetch_and_add(&c->n[what], 1);
}

#endif
