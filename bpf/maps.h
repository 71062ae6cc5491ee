/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Maps shared by all programs of a recording, and the constants of each one. */
#ifndef TRAPLINE_MAPS_H
#define TRAPLINE_MAPS_H

#include "ring.h"
#include "rules.h"

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

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1); /* set to the number of probes */
	__type(key, u32);
	__type(value, struct counts);
} accounts SEC(".maps");

/*
 * Hashes of stacks that user space has been sent, direct-mapped. A slot holds
 * nothing but the hash, so that CPUs that race on it can at worst send a stack
 * twice.
 */
#define SENT_BITS 17
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << SENT_BITS);
	__type(key, u32);
	__type(value, u64);
} sent SEC(".maps");

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

/* Changed whenever a task joins or leaves the scope. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} scope_generation SEC(".maps");

/* Processes and threads in scope; children are added as they are forked. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u32);
	__type(value, u8);
} scope_pids SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u32);
	__type(value, u8);
} scope_tids SEC(".maps");

/* Cgroups in scope, with what is below them. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 16); /* MAX_CGROUPS */
	__type(key, u32);
	__type(value, u32);
} scope_cgroups SEC(".maps");

/* Where the stack begins for programs without registers, see kernel_walk.h. */
struct anchor {
	s32 place; /* of the first return address, bytes from the arguments */
	s32 fp;	   /* of the frame pointer that goes with it; -8: not found */
	u32 agreed;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1); /* set to the number of probes */
	__type(key, u32);
	__type(value, struct anchor);
} anchors SEC(".maps");

/* Kernel stacks walked and taken by bpf_get_stack as well. */
struct comparison {
	u64 compared, different;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct comparison);
} verified SEC(".maps");

/* Constants, set before a program is loaded: the verifier drops what they rule out. */
enum {
	SCOPE_PIDS = 1,
	SCOPE_TIDS = 2,
	SCOPE_UIDS = 4,
	SCOPE_CPUS = 8,
	SCOPE_COMMS = 16,	 /* only these names of tasks */
	SCOPE_EXCEPT_COMMS = 32, /* not these */
	SCOPE_CGROUPS = 64,
};
#define MAX_UIDS 8
#define MAX_CPUS 1024
#define MAX_CGROUPS 16
volatile const u32 scope = 0;
volatile const u32 scope_uids[MAX_UIDS] = {};
volatile const u32 scope_uid_count = 0;
volatile const u64 scope_cpus[MAX_CPUS / 64] = {};
volatile const u32 scope_cgroup_count = 0;
volatile const u32 self_pid = 0;
volatile const u32 follow = 0; /* children inherit the scope */

/*
 * No two programs of the recording ever run at once on a CPU: the kernel runs
 * tracepoint, kprobe and perf event programs with preemption off and keeps
 * them apart (bpf_prog_active in trace_call_bpf). One slot will do then, and
 * counting needs no atomics.
 */
volatile const u32 exclusive = 0;

volatile const u32 probe_index = 0;
volatile const u32 with_kernel_stack = 0;
volatile const u32 with_user_stack = 0;
volatile const u32 with_rules = 0; /* user stacks by step rules, else by frame pointers */
volatile const u32 with_kernel_rules = 0;
volatile const u32 verify_every = 0; /* one hit in so many is unwound by user space as well */
volatile const u64 raw_budget = 0;   /* bytes of raw stacks a second and CPU */
volatile const u32 max_frames = MAX_FRAMES;
volatile const u32 have_find_vma = 0;  /* bpf_find_vma and bpf_loop: 5.17 */
volatile const u32 have_task_regs = 0; /* bpf_task_pt_regs: 5.15 */

volatile const u32 record_size = 8; /* fixed part, with the 8 common bytes */
volatile const u32 data_loc_count = 0;
volatile const u16 data_locs[MAX_DATA_LOCS] = {};
/* data_locs: the offset counts from the end of the word itself (__rel_loc) */
#define DATA_LOC_RELATIVE 0x8000

enum hook {
	HOOK_TRACEPOINT, /* context: the trace record */
	HOOK_CONTEXT,	 /* context: u64 args[]: raw tracepoints, fentry, fexit */
	HOOK_REGISTERS,	 /* context: struct pt_regs: kprobes, uprobes */
	HOOK_NONE,	 /* no arguments: timed events */
};

#endif
