/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory that programs work in: per-CPU scratch, with a slot for each program that can
 * run on a CPU at the same time. take_hit() takes a slot. Global functions, which the
 * verifier checks one by one, look it up by number.
 */
#ifndef TRAPLINE_SCRATCH_H
#define TRAPLINE_SCRATCH_H

#include "event.h"

/*
 * Programs nest: one of an interrupt or, for uprobes, of another task can run on the
 * CPU before the first has ended. Each takes a free slot and gives it back.
 */
#define SLOTS 4

/* A mapping of code. The offset of an address in the file is address + delta. */
struct mapping {
	u64 start, size; /* bytes */
	u64 image;	 /* key, see image.h */
	u64 delta;
	u64 inode;
	u64 device;
	u64 version;	 /* of the address space when the mapping was last confirmed */
	u64 vma;	 /* the kernel's struct vm_area_struct */
	u64 vma_changed; /* the version at its last change */
	u64 tag;	 /* guards against torn reads, see mappings.h */
};

/* The part of a mapping that a walk needs. */
struct near_mapping {
	u64 start, size, image, delta;
};
#define NEAR_MAPPINGS 4

/* Walks take this many frames per function call, which bounds the verifier's work. */
#define WALK_STEPS 8
/* A walk: where it is and, once it has ended, its result. */
struct walk {
	u64 pc, sp, fp;
	u64 base, limit; /* words at base to base + limit - 1 are in the copy of the stack */
	u64 landed;	 /* where the walk entered the last other stack; 0: it did not */
	u64 hash;
	u32 frames;
	u32 back;    /* 1: pc is a return address */
	u32 missing; /* 1: there is no rule for the last frame */
	u32 guess;   /* 1: go on by frame pointer where there is no rule */
	u32 cut;     /* CUT_… */
	u32 memo;    /* index in memos */
	u32 note;    /* 1: the walk is being noted there */
};

/* FRAME_EXACT and FRAME_GUESSED in s->ip: bits that no user address has. */
#define IP_EXACT (1ULL << 62)
#define IP_GUESSED (1ULL << 63)

/* The memory of a slot. */
#define STACK_COPY 1024
struct scratch {
	u64 busy; /* 1: taken */
	/* the last answer of in_listed_scope() */
	u64 scope_key;
	u32 scope_generation;
	u32 scope_answer;
	struct {
		struct stack head;
		u64 ip[MAX_FRAMES + 1];
	} kernel;
	u64 ip[MAX_FRAMES + 1]; /* the user stack, with IP_… */
	struct walk walk;
	struct mapping at; /* the mapping found last */
	/* the mappings used last, valid in the address space near_space */
	struct near_mapping near[NEAR_MAPPINGS];
	u64 near_space;
	u32 near_next;		   /* the one to replace next */
	u64 process, space;	   /* keys of the current process and address space */
	u64 raw_second, raw_bytes; /* raw stacks sent in that second */
	u64 taught;		   /* when a kernel stack was last sent only to teach, ns */
	struct raw_stack raw;
	u64 teacher[MAX_FRAMES + 1]; /* the kernel stack by bpf_get_stack, for comparison */
	u8 stack[STACK_COPY];	     /* the copied piece of the stack */
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

/* Takes a free slot of this CPU; returns SLOTS if programs are nested too deeply. */
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
