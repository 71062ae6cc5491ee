/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* User stacks that the programs cannot walk, sent as they are. */
#ifndef TRAPLINE_RAW_H
#define TRAPLINE_RAW_H

#include "frames.h"
#include "mappings.h"

/* Memory of a raw stack: so much beyond where the walk ended, and in all. */
#define RAW_BEYOND (16 << 10)
#define RAW_LONGEST (64 << 10)
#define RAW_PIECES (RAW_LONGEST / PAGE + 1)

/* Is there a budget, and is the ring empty enough that hits are not lost to it? */
static __always_inline bool raw_allowed(struct scratch *s, struct ring *ring, u64 time)
{
	u64 second = time >> 30;

	if (s->raw_second != second) {
		s->raw_second = second;
		s->raw_bytes = 0;
	}
	return s->raw_bytes < raw_budget &&
	       ring->produced - *(volatile u64 *)&ring->consumed < ring->full / 2;
}

/*
 * Puts copies of the user stack's memory at a position, until it cannot be read.
 * Returns the position behind them.
 */
__noinline u64 put_memory(u32 slot, u64 at, u64 hash, u64 from, u64 to)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct ring *ring = ring_of(bpf_get_smp_processor_id(), slot);

	if (!s || !ring)
		return at;
	for (u32 i = 0; i < RAW_PIECES; i++) {
		u64 size = PAGE - (from & (PAGE - 1));
		struct memory *m = event_at(ring, at);

		if (from >= to || !m)
			break;
		if (size > to - from)
			size = to - from;
		if (size > PAGE)
			size = PAGE;
		if (bpf_probe_read_user(m + 1, size, (void *)from))
			break;
		m->kind = EVENT_MEMORY;
		m->size = size;
		m->hash = hash;
		m->address = from;
		at = event_end(at, sizeof(*m) + size);
		from += size;
		s->raw_bytes += size;
	}
	return at;
}

/* Until where the memory of the current task's stack is worth sending. */
static __always_inline u64 raw_end(struct task_struct *task, u64 sp, u64 walked, u64 beyond)
{
	u64 top = task->mm->start_stack, end = walked + beyond;

	if (walked < sp || end > sp + RAW_LONGEST)
		end = sp + RAW_LONGEST;
	if (sp < top && end > top) /* the first thread's: the arguments lie above */
		end = top;
	return end;
}

#endif
