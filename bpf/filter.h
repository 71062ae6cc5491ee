/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Predicates: which hits in scope are wanted, by their arguments and task.
 * Called by take_hit(). With a predicate, the record is taken first, and copied to the ring
 * if the hit is kept.
 */
#ifndef TRAPLINE_FILTER_H
#define TRAPLINE_FILTER_H

#include "calls.h"

/* The number of bytes of a text that are compared: expr.MaxText. */
#define MAX_TEXT 1024

/*
 * The input of a predicate. Of the hit, flags, pid, tid, comm and size are set. The
 * space after the record lets a predicate read MAX_TEXT bytes of any text without a
 * check per text.
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
	HIT_UNREADABLE = 2, /* the predicate needs an argument that could not be read */
};

/*
 * Decides whether a hit is wanted. When a program is loaded, the instructions of the
 * predicate replace those of this function (capture/predicate). It is a global function,
 * so the verifier checks it on its own.
 */
__noinline u32 predicate(struct subject *s)
{
	u32 verdict = HIT_WANTED;

	asm volatile("" : "+r"(verdict) : "r"(s)); /* hides the value from the compiler */
	return verdict;
}

/* Takes the record and runs the predicate on it. */
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
	set_task(&s->hit, c->task);
	s->uid = bpf_get_current_uid_gid();
	s->cpu = c->cpu;
	return predicate(s);
}

/* Copies the record that filter_hit() has taken to the ring; returns its size, ~0 on failure. */
static __always_inline u32 filtered_record(u32 slot, u8 *record, struct hit *hit)
{
	struct subject *s = bpf_map_lookup_elem(&subjects, &slot);
	u32 size;

	if (!s)
		return ~0U;
	hit->flags = s->hit.flags;
	size = s->hit.size;
	/* not clamped: Linux 6.1's verifier would then check a copy of the value */
	if (size > MAX_RECORD)
		return ~0U;
	if (size && bpf_probe_read_kernel(record, size, s->record))
		return ~0U;
	return size;
}

#endif
