/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rings that events go through: one for each CPU and scratch slot. Called by
 * take_hit() and by everything that puts an event into a ring: stack.h and raw.h.
 * Who holds the slot is the ring's only producer, and record its only consumer, so neither
 * a lock nor a reservation is needed: events are built in place, and one store
 * publishes all that a hit has to say.
 */
#ifndef TRAPLINE_RING_H
#define TRAPLINE_RING_H

#include "scratch.h"

/*
 * A ring's memory is a run of blocks, since before Linux 6.10 a map's value
 * cannot exceed 4 MiB. An event starts anywhere in a block and ends in the slack
 * behind it at worst: it never wraps. The next event starts in the next block at
 * the place where this one would have ended.
 */
#define BLOCK_BITS 16
#define BLOCK_SIZE (1 << BLOCK_BITS)
#define LONGEST_EVENT 5120 /* a user stack of MAX_FRAMES */
struct block {
	union {
		u8 data[BLOCK_SIZE + LONGEST_EVENT];
		/* keep the types in the BTF */
		struct hit hit;
		struct memory memory;
	};
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set to the number of all rings' blocks */
	__type(key, u32);
	__type(value, struct block);
} blocks SEC(".maps");

/* Positions count bytes since the recording began. */
struct ring {
	u64 produced; /* written by programs */
	u64 consumed; /* written by record */
	u64 full;     /* bytes in the ring that leave too little room for a hit with new stacks */
	u32 first_block;
	u32 block_mask; /* number of blocks, a power of two, less 1 */
	u64 pad[4];	/* to a cache line */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SLOTS); /* set to SLOTS for each CPU */
	__type(key, u32);
	__type(value, struct ring);
} rings SEC(".maps");

static __always_inline struct ring *ring_of(u32 cpu, u32 slot)
{
	u32 index = cpu * SLOTS + slot;

	return bpf_map_lookup_elem(&rings, &index);
}

/* Where the event at a position is to be built: LONGEST_EVENT bytes. */
static __always_inline void *event_at(struct ring *ring, u64 position)
{
	u32 index = ring->first_block + ((position >> BLOCK_BITS) & ring->block_mask);
	struct block *block = bpf_map_lookup_elem(&blocks, &index);

	return block ? block->data + (position & (BLOCK_SIZE - 8)) : NULL;
}

/* Events take whole words. */
static __always_inline u64 event_end(u64 position, u32 size)
{
	return position + ((size + 7) & ~7U);
}

/* Hands everything before a position to record: a store with release semantics. */
static __always_inline void publish(struct ring *ring, u64 position)
{
#if defined(__TARGET_ARCH_x86)
	barrier(); /* the processor keeps stores in order by itself */
	*(volatile u64 *)&ring->produced = position;
	barrier();
#else
	/* an exchange is fully ordered; release stores came with Linux 6.15 */
	__sync_lock_test_and_set(&ring->produced, position);
#endif
}

#endif
