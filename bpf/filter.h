/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Predicates: which hits in scope are wanted, by what they carry.
 * Called by take_hit(): the record is taken first and decided by, and copied to the ring
 * if the hit is kept.
 */
#ifndef TRAPLINE_FILTER_H
#define TRAPLINE_FILTER_H

#include "calls.h"

/* How many bytes of a text are compared: expr.MaxText. */
#define MAX_TEXT 1024

/*
 * What a predicate looks at. Of the hit flags, pid, tid, comm and size are set.
 * The space behind the record lets texts in it be read up to MAX_TEXT bytes
 * without a check for each.
 */
struct subject {
	struct hit hit;
	u32 uid;
	u32 cpu;
	u8 record[MAX_RECORD + MAX_TEXT];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, u32);
	__type(value, struct subject);
} subjects SEC(".maps");

volatile const u32 with_filter = 0;

enum verdict {
	HIT_UNWANTED = 0,
	HIT_WANTED = 1,
	HIT_UNREADABLE = 2, /* an argument that the predicate looks at could not be read */
};

/*
 * Is the hit wanted? The instructions of this function are replaced by those of
 * the predicate when a program is loaded (capture/filter_linux.go). It is a global
 * function so that the verifier checks them by themselves.
 */
__noinline u32 predicate(struct subject *s)
{
	u32 verdict = HIT_WANTED;

	asm volatile("" : "+r"(verdict) : "r"(s)); /* not for the compiler to foresee */
	return verdict;
}

/* Takes the record, and decides by it. */
static __always_inline u32 filter_hit(struct hit_context *c)
{
	u32 slot = c->slot, size;
	struct subject *s = bpf_map_lookup_elem(&subjects, &slot);

	if (!s)
		return HIT_UNREADABLE;
	s->hit.flags = 0;
	size = take_return(c, s->record, &s->hit);
	if (size == ~0U)
		return HIT_UNREADABLE;
	if (size > MAX_RECORD)
		size = MAX_RECORD;
	s->hit.size = size;
	s->hit.pid = c->task->tgid;
	s->hit.tid = c->task->pid;
	((u64 *)s->hit.comm)[0] = ((u64 *)c->task->comm)[0];
	((u64 *)s->hit.comm)[1] = ((u64 *)c->task->comm)[1];
	s->uid = bpf_get_current_uid_gid();
	s->cpu = c->cpu;
	return predicate(s);
}

/* The record that filter_hit has taken, for a hit that is kept. */
static __always_inline u32 filtered_record(u32 slot, u8 *record, struct hit *hit)
{
	struct subject *s = bpf_map_lookup_elem(&subjects, &slot);
	u32 size;

	if (!s)
		return ~0U;
	hit->flags = s->hit.flags;
	size = s->hit.size;
	/* not clamped: the verifier of 6.1 would check a copy of it */
	if (size > MAX_RECORD)
		return ~0U;
	if (size && bpf_probe_read_kernel(record, size, s->record))
		return ~0U;
	return size;
}

#endif
