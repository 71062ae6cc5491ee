/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The core: takes one hit, from the hook to the ring.
 * Called by the entry function of every hook in hooks.bpf.c.
 * The order is scope, predicate, sampling and rates, stacks, arguments.
 */
#ifndef TRAPLINE_TAKE_HIT_H
#define TRAPLINE_TAKE_HIT_H

#include "account.h"
#include "filter.h"
#include "hash.h"
#include "rate.h"
#include "ring.h"
#include "scope.h"
#include "site.h"
#include "stacks/kernel_stack.h"
#include "stacks/user_stack.h"

struct control {
	u64 epoch;   /* part of every stack hash: a new epoch makes every stack new */
	u32 enabled; /* 0: ignore all hits */
	u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct control);
} controls SEC(".maps");

/* Builds the hit and its stacks in the ring; returns false if the hit is lost. */
static __always_inline bool build_hit(struct hit_context *c)
{
	struct taken kernel = {}, user = {};
	struct hit *hit;
	u32 size;

	c->ring = ring_of(c->cpu, c->slot);
	if (!c->ring || c->ring->produced - *(volatile u64 *)&c->ring->consumed > c->ring->full) {
		count(c->probe, COUNT_RING_FULL);
		return false;
	}
	c->at = c->ring->produced;
	c->time = bpf_ktime_get_ns();
	c->verify = verify_every && (spread(c->time) >> 32) % verify_every == 0;
	if (with_kernel_stack)
		kernel = kernel_stack(c);
	if (with_user_stack)
		user = user_stack(c);

	hit = event_at(c->ring, c->at);
	if (!hit) {
		count(c->probe, COUNT_RING_FULL);
		return false;
	}
	hit->kind = EVENT_HIT;
	hit->flags = 0;
	hit->probe = c->probe;
	hit->time = c->time;
	set_task(hit, c->task);
	hit->kernel_stack = kernel.hash;
	hit->user_stack = user.hash;

	if (with_filter)
		size = filtered_record(c->slot, (u8 *)(hit + 1), hit);
	else
		size = take_return(c, (u8 *)(hit + 1), hit);
	if (size == ~0U) {
		count(c->probe, COUNT_UNREADABLE);
		return false;
	}
	if (size > MAX_RECORD)
		size = MAX_RECORD;
	hit->size = size;
	publish(c->ring, event_end(c->at, sizeof(struct hit) + size));
	count(c->probe, COUNT_RECORDED);
	/* only now: no other CPU's hit may refer to a stack before it is published */
	if (kernel.put)
		mark_sent(kernel.hash);
	if (user.put)
		mark_sent(user.hash);
	return true;
}

/* Records a hit in scope, or counts why not. */
static __always_inline void keep_or_drop(struct hit_context *c)
{
	c->duration = duration_at ? call_ends(c) : 0;

	if (with_filter) {
		switch (filter_hit(c)) {
		case HIT_WANTED:
			break;
		case HIT_UNWANTED:
			count(c->probe, COUNT_FILTERED);
			return;
		default:
			count(c->probe, COUNT_UNREADABLE);
			return;
		}
	}
	switch (keep_hit(c->probe)) {
	case KEEP_HIT:
		if (!build_hit(c))
			kept_hit_lost(c->probe);
		break;
	case SAMPLE_OUT:
		count(c->probe, COUNT_SAMPLED);
		break;
	case RECORDING_FULL:
		break;
	}
}

/* Takes a hit. Returns 0, for entry functions to return. */
static __always_inline int take_hit(void *ctx, enum hook hook)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct hit_context c = {.ctx = ctx, .hook = hook, .task = task};
	u32 zero = 0, slot;

	c.cpu = bpf_get_smp_processor_id();
	if (!in_scope(task->tgid, c.cpu))
		return 0;
	struct control *control = bpf_map_lookup_elem(&controls, &zero);
	if (!control || !control->enabled || recording_full())
		return 0;
	c.probe = probe_of(ctx, hook);
	slot = exclusive ? 0 : take_slot();
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	if (!s) {
		if (listed(task->tgid, task->pid))
			count(c.probe, COUNT_RECURSION);
		return 0;
	}
	c.s = s;
	c.slot = slot;
	c.epoch = control->epoch;
	if (in_listed_scope(s, task->tgid, task->pid))
		keep_or_drop(&c);
	if (!exclusive)
		*(volatile u64 *)&s->busy = 0; /* only this CPU reads it */
	return 0;
}

#endif
