/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The events that programs send through the rings: the one definition of their layout.
 * Used by everything that builds one. bpf/event.go mirrors it for decoders, and a test
 * there compares the two through BTF. Every event begins at a multiple of 8 bytes.
 */
#ifndef TRAPLINE_EVENT_H
#define TRAPLINE_EVENT_H

#define MAX_FRAMES 127	/* the kernel's default of perf_event_max_stack */
#define MAX_RECORD 3072 /* bytes of arguments a hit; longer ones are cut */
#define MAX_DATA_LOCS 8 /* dynamic fields of a tracepoint */
#define COMM_LEN 16

enum event_kind {
	EVENT_HIT = 1,
	EVENT_KERNEL_STACK = 2,
	EVENT_USER_STACK = 3,
	EVENT_MEMORY = 4,
	EVENT_RAW_STACK = 5,
};

/* hit.flags */
enum {
	HIT_RECORD_CUT = 1, /* arguments beyond MAX_RECORD are missing */
};

/* One hit. The record follows: the trace record without its first 8 bytes. */
struct hit {
	u8 kind;
	u8 flags;
	u16 size;  /* bytes of record */
	u32 probe; /* index in the recorder's list of probes */
	u64 time;  /* ns, CLOCK_MONOTONIC */
	u32 pid, tid;
	u64 kernel_stack, user_stack; /* hash of the stack; 0: none */
	char comm[COMM_LEN];
};

/* stack.flags */
enum {
	STACK_AGAIN = 1,    /* sent before: user space compares the two */
	STACK_VERIFY = 2,   /* of a raw stack: the stack with this hash is to be compared with it */
	STACK_RELATIVE = 4, /* the hash is of places in images, not of addresses */
};
/* stack.cut, as format.StackCut */
enum {
	CUT_NONE = 0,
	CUT_DEPTH = 1,
	CUT_UNREADABLE = 2,
	CUT_NO_RULE = 3,
	CUT_BUDGET = 4,
};

/*
 * A stack, sent before the first hit that refers to it by its hash. Addresses
 * follow for a kernel stack, struct user_frame for a user stack; innermost
 * first.
 */
struct stack {
	u8 kind;
	u8 flags;
	u8 cut;
	u8 pad;
	u32 frames;
	u64 hash;
	u64 space; /* of a user stack: the address space, see address_space() */
	u64 time;  /* ns, CLOCK_MONOTONIC */
	u32 pid;
	u32 pad2;
};

/*
 * What was mapped at a user address when the stack was taken. inode 0: not a
 * file (device VDSO_DEVICE: the vdso) or not known; offset is then the
 * distance from the start of the vdso, or 0.
 */
#define VDSO_DEVICE 0xffffffff
struct user_frame {
	u64 address;
	u64 image; /* key of the file's content, see image_key(); 0: not known */
	u64 inode;
	u64 offset; /* in the file, bytes */
	u32 device; /* dev_t: major << 20 | minor */
	u16 known;  /* enum mapping_known */
	u16 how;    /* FRAME_… */
};
enum mapping_known {
	MAPPING_UNKNOWN = 0, /* could not be looked up: the lock was held */
	MAPPING_CODE = 1,
	MAPPING_NO_CODE = 2, /* nothing that can be executed lies there */
};
enum {
	FRAME_EXACT = 1,   /* the address is where the task was interrupted, not a return address */
	FRAME_GUESSED = 2, /* the next frame was found by the frame pointer for want of a rule */
};

/*
 * A user stack that is to be unwound by user space: registers and, in events
 * before it with the same hash, a copy of the memory from the stack pointer on.
 * The frame is where the walk came to an end for want of a rule.
 */
struct raw_stack {
	u8 kind;
	u8 flags;
	u8 pad[2];
	u32 frames; /* that the walk has passed */
	u64 hash;
	u64 space;
	u64 time; /* ns, CLOCK_MONOTONIC */
	u32 pid, tid;
	u64 regs[21]; /* struct pt_regs, arch/x86/include/asm/ptrace.h */
	struct user_frame last;
};
struct memory {
	u8 kind;
	u8 pad[3];
	u32 size;
	u64 hash;
	u64 address;
};

#endif
