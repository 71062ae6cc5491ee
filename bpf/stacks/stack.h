/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hashes of stacks, and the table of stacks that user space knows.
 * Called by kernel_stack.h and user_stack.h for each stack. take_hit() marks stacks as sent
 * once they are published.
 */
#ifndef TRAPLINE_STACK_H
#define TRAPLINE_STACK_H

#include "context.h"
#include "hash.h"
#include "ring.h"

/*
 * The hashes of stacks sent to user space, in a direct-mapped table. A slot holds only a
 * hash, so CPUs that race for it at worst send a stack twice.
 */
#define SENT_BITS 17
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << SENT_BITS);
	__type(key, u32);
	__type(value, u64);
} sent SEC(".maps");

/*
 * Hashes plain addresses: the user or the kernel stack in scratch. It is a global
 * function, so the verifier checks the loop once, not for every state of its callers.
 */
__noinline u64 hash_frames(u32 slot, u32 user, u32 frames, u64 seed)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 h = seed;

	if (!s)
		return 0;
	u64 *ip = user ? s->ip : s->kernel.ip;
	for (u32 i = 0; i < MAX_FRAMES; i++) {
		if (i >= frames)
			break;
		h = mix(h, ip[i]);
	}
	return h;
}

/* Reports whether user space knows the stack. */
static __always_inline bool sent_before(u64 hash)
{
	u32 at = hash >> (64 - SENT_BITS);
	u64 *known = bpf_map_lookup_elem(&sent, &at);

	return known && *(volatile u64 *)known == hash;
}

static __always_inline void mark_sent(u64 hash)
{
	u32 at = hash >> (64 - SENT_BITS);
	u64 *known = bpf_map_lookup_elem(&sent, &at);

	if (known)
		*(volatile u64 *)known = hash;
}

/* Chooses one hit in 1,024, to send its stack again for comparison with the first. */
static __always_inline bool sent_again(u64 time)
{
	return spread(time) >> 54 == 0;
}

/* Converts bytes to frames, bounded for the verifier. */
static __always_inline u32 frame_count(long bytes)
{
	u32 n = (u32)bytes / 8;

	return n > MAX_FRAMES ? MAX_FRAMES : n;
}

/*
 * A stack of a hit, as kernel_stack() and user_stack() return it. If user space may not
 * know the stack, they write its event to the ring at c->at and advance c->at. The caller
 * marks it as sent once it is published.
 */
struct taken {
	u64 hash; /* 0: none */
	bool put; /* its event is in the ring */
};

/* Writes a stack's event to the ring; without room, the hit has no stack. */
static __always_inline void put_stack(struct hit_context *c, struct taken *t, void *event, u64 size)
{
	void *to = event_at(c->ring, c->at);

	barrier_var(size); /* the compiler knows the bound, the verifier has lost it */
	if (size > LONGEST_EVENT)
		size = LONGEST_EVENT;
	if (!to || bpf_probe_read_kernel(to, size, event)) {
		t->hash = 0;
		return;
	}
	c->at = event_end(c->at, size);
	t->put = true;
}

#endif
