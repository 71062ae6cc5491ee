/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory that a program works with: a slot of per-CPU scratch for each program that
 * may run on a CPU at a time. take_hit() takes a slot; the global functions, which the
 * verifier checks one by one, look it up by its number.
 */
#ifndef TRAPLINE_SCRATCH_H
#define TRAPLINE_SCRATCH_H

#include "event.h"

/* Programs nest: an interrupt's, or for uprobes another task's, can run on the
 * CPU before the first has ended. Each takes a free slot and gives it back. */
#define SLOTS 4

/* A mapping that code was found in; offset in the file: address + delta. */
struct mapping {
	u64 start, size; /* bytes */
	u64 image;	 /* its key */
	u64 delta;
	u64 inode;
	u64 device;
	u64 version;	 /* of the address space when it was last known to be right */
	u64 vma;	 /* the kernel's struct vm_area_struct */
	u64 vma_changed; /* when that was last changed, in versions */
	u64 tag;
};

/* What a walk needs of a mapping. */
struct near_mapping {
	u64 start, size, image, delta;
};
#define NEAR_MAPPINGS 4

/* Walks go on by so many frames at a time, so that the verifier has less to follow. */
#define WALK_STEPS 8
/* A walk: where it is, and when it has ended, what came of it. */
struct walk {
	u64 pc, sp, fp;
	u64 base, limit; /* words from base to base + limit can be read from the copied stack */
	u64 landed; /* the stack pointer on the last stack that the walk went over to; 0: none */
	u64 hash;
	u32 frames;
	u32 back;    /* 1: pc is a return address */
	u32 missing; /* there is no rule for the last frame */
	u32 cut;
	u32 memo; /* where in memos it is noted */
	u32 note; /* 1: it is */
};

/* In s->ip, above all addresses of user space: FRAME_EXACT and FRAME_GUESSED. */
#define IP_EXACT (1ULL << 62)
#define IP_GUESSED (1ULL << 63)

/* What a program works with, for each slot. */
#define STACK_COPY 1024
struct scratch {
	u64 busy;
	/* the scope's last answer on this CPU; see in_listed_scope */
	u64 scope_key;
	u32 scope_generation;
	u32 scope_answer;
	struct {
		struct stack head;
		u64 ip[MAX_FRAMES + 1];
	} kernel;
	u64 ip[MAX_FRAMES + 1]; /* of the user stack, with IP_… */
	struct walk walk;
	struct mapping at;
	/* the last ones, in the address space as it was in near_space */
	struct near_mapping near[NEAR_MAPPINGS];
	u64 near_space;
	u32 near_next;		   /* to be replaced */
	u64 process, space;	   /* see process_key() and mappings_version() */
	u64 raw_second, raw_bytes; /* sent in this second */
	u64 taught;		   /* when a kernel stack was last sent for its rules alone, ns */
	struct raw_stack raw;
	u64 teacher[MAX_FRAMES + 1]; /* what bpf_get_stack says, when stacks are verified */
	u8 stack[STACK_COPY];	     /* a part of it */
	struct {
		struct stack head;
		struct user_frame frames[MAX_FRAMES + 1];
	} user;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

/* A free scratch slot of this CPU, or SLOTS when programs are nested too deeply. */
__noinline u32 take_slot(void)
{
	for (u32 i = 0; i < SLOTS; i++) {
		u32 slot = i;
		struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

		if (s && !__sync_lock_test_and_set(&s->busy, 1))
			return i;
	}
	return SLOTS;
}

#endif
