/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sampling, rates and maxima: which of the wanted hits are kept.
 * take_hit() calls keep_hit() last, after all other checks, and kept_hit_lost() if the hit
 * is lost after all. All CPUs share rates and maxima, without a lock.
 */
#ifndef TRAPLINE_RATE_H
#define TRAPLINE_RATE_H

#include "account.h"

volatile const u32 sample_every = 0;	/* keep one hit in N, per probe and CPU; 0: all */
volatile const u64 rate_interval = 0;	/* the probe's average ns between hits; 0: any */
volatile const u64 rate_burst = 0;	/* ns that hits may be ahead of that rate */
volatile const u64 probe_max = 0;	/* hits of the probe; 0: any number */
volatile const u64 recording_max = 0;	/* hits of the recording; 0: any number */
volatile const u32 recording_limit = 0; /* the recording's index in limits */

/* What all CPUs together have kept. */
struct limit {
	u64 due;   /* ns, CLOCK_MONOTONIC: when the next hit is due at the given rate */
	u64 taken; /* hits; counted only if there is a maximum */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to the number of probes plus 1 for the recording */
	__type(key, u32);
	__type(value, struct limit);
} limits SEC(".maps");

/* Chooses the last of every sample_every hits, as a perf event of that period does. */
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
 * The generic cell rate algorithm (ITU-T I.371): a token bucket in one word, which CPUs
 * share without a lock. A hit that loses the race three times came at practically the
 * same moment as the winners, and is left out.
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

/* Reports whether the recording has its maximum of hits. Later hits are not part of it. */
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

/* Decides about a hit. Call it once per hit, after everything else that may reject it. */
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

/* Returns the place of a hit that was to be kept, but was lost, to a later hit. */
static __always_inline void kept_hit_lost(u32 probe)
{
	if (probe_max)
		give_back(probe);
	if (recording_max)
		give_back(recording_limit);
}

#endif
