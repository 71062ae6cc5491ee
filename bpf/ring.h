/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rings that carry events to record: one per CPU and scratch slot.
 * Called by take_hit(), and by stacks/stack.h and stacks/raw.h, which add events.
 * A ring has one producer, the owner of the slot, and one consumer, record.
 *
 * So neither a lock nor a reservation is needed: events are built in place, and one store
 * publishes a hit together with its stacks.
 */
#ifndef TRAPLINE_RING_H
#define TRAPLINE_RING_H

#include "scratch.h"

/*
 * A ring is a run of blocks, because a map's value cannot exceed 4 MiB before Linux
 * 6.10. An event may start anywhere in a block. It never wraps: at worst it ends in
 * the slack after the block. The next event then starts in the next block, where
 * this one would have ended.
 */
#define BLOCK_BITS 16
#define BLOCK_SIZE (1 << BLOCK_BITS)
#define LONGEST_EVENT 5120 /* a user stack of MAX_FRAMES */
struct block {
	union {
		u8 data[BLOCK_SIZE + LONGEST_EVENT];
		/* these keep the types in the BTF */
		struct hit hit;
		struct memory memory;
	};
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set to the number of blocks of all rings */
	__type(key, u32);
	__type(value, struct block);
} blocks SEC(".maps");

/* Positions count the bytes since the start of the recording. */
struct ring {
	u64 produced; /* written by programs */
	u64 consumed; /* written by record */
	u64 full;     /* with more bytes in the ring, a hit with new stacks may not fit */
	u32 first_block;
	u32 block_mask; /* number of blocks, a power of two, minus 1 */
	u64 pad[4];	/* fills a cache line */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SLOTS); /* set to SLOTS per CPU */
	__type(key, u32);
	__type(value, struct ring);
} rings SEC(".maps");

static __always_inline struct ring *ring_of(u32 cpu, u32 slot)
{
	u32 index = cpu * SLOTS + slot;

	return bpf_map_lookup_elem(&rings, &index);
}

/* Returns the memory for the event at a position: LONGEST_EVENT bytes. */
static __always_inline void *event_at(struct ring *ring, u64 position)
{
	u32 index = ring->first_block + ((position >> BLOCK_BITS) & ring->block_mask);
	struct block *block = bpf_map_lookup_elem(&blocks, &index);

	return block ? block->data + (position & (BLOCK_SIZE - 8)) : NULL;
}

/* Returns the position after an event, which takes whole words. */
static __always_inline u64 event_end(u64 position, u32 size)
{
	return position + ((size + 7) & ~7U);
}

/* Passes everything before a position to record: a store with release semantics. */
static __always_inline void publish(struct ring *ring, u64 position)
{
#if defined(__TARGET_ARCH_x86)
	barrier(); /* x86 keeps stores in order */
	*(volatile u64 *)&ring->produced = position;
	barrier();
#else
	/* an exchange is fully ordered; release stores require Linux 6.15 */
	__sync_lock_test_and_set(&ring->produced, position);
#endif
}

#endif
