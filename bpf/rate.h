/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of the hits in scope that no filter rejects are kept.
 * Called by take_hit(), last of all that may reject a hit: 1 of N, a rate, and maxima.
 * CPUs share the rate and the maxima without a lock.
 */
#ifndef TRAPLINE_RATE_H
#define TRAPLINE_RATE_H

#include "account.h"

volatile const u32 sample_every = 0;	/* one of so many, by probe and CPU; 0: all */
volatile const u64 rate_interval = 0;	/* ns between hits of the probe, on average; 0: any */
volatile const u64 rate_burst = 0;	/* ns that a hit may be ahead of that */
volatile const u64 probe_max = 0;	/* hits of the probe in all; 0: any number */
volatile const u64 recording_max = 0;	/* hits of the recording in all; 0: any number */
volatile const u32 recording_limit = 0; /* index in limits of the recording's own */

/* What all CPUs have kept, by probe; the last one is the recording's. */
struct limit {
	u64 due;   /* ns, CLOCK_MONOTONIC: when the next hit would be on time */
	u64 taken; /* hits, counted only if there is a maximum */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to the number of probes and 1 */
	__type(key, u32);
	__type(value, struct limit);
} limits SEC(".maps");

/* The last of every sample_every hits, as a perf event with that period. */
static __always_inline bool is_sample(u32 probe)
{
	u64 before;

	if (sample_every <= 1)
		return true;
	struct counts *c = bpf_map_lookup_elem(&accounts, &probe);

	if (!c)
		return false;
	if (exclusive)
		before = c->passed++;
	else
		before = __sync_fetch_and_add(&c->passed, 1);
	return (before + 1) % sample_every == 0;
}

/*
 * The generic cell rate algorithm (ITU-T I.371): a token bucket in one word, so
 * that CPUs share it without a lock. Hits that lose a race three times are as
 * good as at the same moment as those that won, and are left out.
 */
static __always_inline bool in_rate(u32 probe)
{
	if (!rate_interval)
		return true;
	struct limit *l = bpf_map_lookup_elem(&limits, &probe);
	u64 now = bpf_ktime_get_ns();

	if (!l)
		return false;
#pragma unroll
	for (u32 i = 0; i < 3; i++) {
		u64 due = *(volatile u64 *)&l->due;
		u64 from = due > now ? due : now;

		if (due > now + rate_burst)
			return false;
		if (__sync_val_compare_and_swap(&l->due, due, from + rate_interval) == due)
			return true;
	}
	return false;
}

static __always_inline bool take_of(u32 index, u64 max)
{
	struct limit *l = bpf_map_lookup_elem(&limits, &index);

	return l && *(volatile u64 *)&l->taken < max && __sync_fetch_and_add(&l->taken, 1) < max;
}

static __always_inline void give_back(u32 index)
{
	struct limit *l = bpf_map_lookup_elem(&limits, &index);

	if (l)
		__sync_fetch_and_add(&l->taken, -1);
}

/* Has the recording all its hits? What comes later is no longer part of it. */
static __always_inline bool recording_full(void)
{
	u32 index = recording_limit;

	if (!recording_max)
		return false;
	struct limit *l = bpf_map_lookup_elem(&limits, &index);

	return !l || *(volatile u64 *)&l->taken >= recording_max;
}

enum keep {
	KEEP_HIT,
	SAMPLE_OUT,
	RECORDING_FULL,
};

/* To be asked once a hit, last of all that may reject it. */
static __always_inline enum keep keep_hit(u32 probe)
{
	if (!is_sample(probe) || !in_rate(probe))
		return SAMPLE_OUT;
	if (probe_max && !take_of(probe, probe_max))
		return SAMPLE_OUT;
	if (recording_max && !take_of(recording_limit, recording_max))
		return RECORDING_FULL;
	return KEEP_HIT;
}

/* A hit that was to be kept has been lost: another one may take its place. */
static __always_inline void kept_hit_lost(u32 probe)
{
	if (probe_max)
		give_back(probe);
	if (recording_max)
		give_back(recording_limit);
}

#endif
