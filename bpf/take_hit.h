/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The core: one hit, from the hook to the ring.
 * Called by the entry function of every hook in hooks.bpf.c.
 * Scope, predicate, rate, stacks and arguments, in this order.
 */
#ifndef TRAPLINE_TAKE_HIT_H
#define TRAPLINE_TAKE_HIT_H

#include "account.h"
#include "filter.h"
#include "kernel_stack.h"
#include "rate.h"
#include "ring.h"
#include "scope.h"
#include "site.h"
#include "user_stack.h"

/* epoch: mixed into every stack hash; a new one makes every stack new. */
struct control {
	u64 epoch;
	u32 enabled;
	u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct control);
} controls SEC(".maps");

/* Returns whether the hit was recorded. */
static __always_inline bool build_hit(void *ctx, enum hook hook, struct scratch *s, u32 probe,
				      u32 slot, u32 cpu, struct task_struct *task, u64 epoch,
				      u64 duration)
{
	struct ring *ring = ring_of(cpu, slot);
	struct taken kernel = {}, user = {};
	u64 at, time;
	struct hit *hit;
	u32 size;

	if (!ring || ring->produced - *(volatile u64 *)&ring->consumed > ring->full) {
		count(probe, COUNT_RING_FULL);
		return false;
	}
	at = ring->produced;
	time = bpf_ktime_get_ns();
	bool verify = verify_every && (time * 0x9E3779B97F4A7C15ULL >> 32) % verify_every == 0;
	if (with_kernel_stack)
		kernel = kernel_stack(ctx, hook, s, slot, ring, &at, time, epoch, verify);
	if (with_user_stack)
		user = user_stack(ctx, hook, s, slot, ring, &at, time, task, epoch, verify);

	hit = event_at(ring, at);
	if (!hit) {
		count(probe, COUNT_RING_FULL);
		return false;
	}
	hit->kind = EVENT_HIT;
	hit->flags = 0;
	hit->probe = probe;
	hit->time = time;
	hit->pid = task->tgid;
	hit->tid = task->pid;
	hit->kernel_stack = kernel.hash;
	hit->user_stack = user.hash;
	/* read directly: bpf_get_current_comm takes ten times as long */
	((u64 *)hit->comm)[0] = ((u64 *)task->comm)[0];
	((u64 *)hit->comm)[1] = ((u64 *)task->comm)[1];

	if (with_filter)
		size = filtered_record(slot, (u8 *)(hit + 1), hit);
	else
		size = take_return(ctx, hook, (u8 *)(hit + 1), hit, duration);
	if (size == ~0U) {
		count(probe, COUNT_UNREADABLE);
		return false;
	}
	if (size > MAX_RECORD)
		size = MAX_RECORD;
	hit->size = size;
	publish(ring, event_end(at, sizeof(struct hit) + size));
	count(probe, COUNT_RECORDED);
	/* only now: another CPU's hit must not name a stack that is not on its way */
	if (kernel.put)
		mark_sent(kernel.hash);
	if (user.put)
		mark_sent(user.hash);
	return true;
}

static __always_inline void keep_or_drop(void *ctx, enum hook hook, struct scratch *s, u32 probe,
					 u32 slot, u32 cpu, struct task_struct *task, u64 epoch)
{
	u64 duration = duration_at ? call_ends(ctx, hook, probe, task) : 0;

	if (with_filter) {
		switch (filter_hit(ctx, hook, slot, cpu, task, duration)) {
		case HIT_WANTED:
			break;
		case HIT_UNWANTED:
			count(probe, COUNT_FILTERED);
			return;
		default:
			count(probe, COUNT_UNREADABLE);
			return;
		}
	}
	switch (keep_hit(probe)) {
	case KEEP_HIT:
		if (!build_hit(ctx, hook, s, probe, slot, cpu, task, epoch, duration))
			kept_hit_lost(probe);
		break;
	case SAMPLE_OUT:
		count(probe, COUNT_SAMPLED);
		break;
	case RECORDING_FULL:
		break;
	}
}

static __always_inline int take_hit(void *ctx, enum hook hook)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 cpu = bpf_get_smp_processor_id();
	u32 zero = 0, slot;

	if (!in_scope(task->tgid, cpu))
		return 0;
	struct control *c = bpf_map_lookup_elem(&controls, &zero);
	if (!c || !c->enabled || recording_full())
		return 0;
	u32 probe = probe_of(ctx, hook);
	slot = exclusive ? 0 : take_slot();
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	if (!s) {
		if (listed(task->tgid, task->pid))
			count(probe, COUNT_RECURSION);
		return 0;
	}
	if (in_listed_scope(s, task->tgid, task->pid))
		keep_or_drop(ctx, hook, s, probe, slot, cpu, task, c->epoch);
	if (!exclusive)
		*(volatile u64 *)&s->busy = 0; /* read on this CPU only */
	return 0;
}

#endif
