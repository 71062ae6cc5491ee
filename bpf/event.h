/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The events that programs write to the rings: the only definition of their layout.
 * Used by the code that builds events. bpf/event.go mirrors it for decoders, and tests
 * there compare the two. Every event starts at a multiple of 8 bytes.
 */
#ifndef TRAPLINE_EVENT_H
#define TRAPLINE_EVENT_H

#define MAX_FRAMES 127	/* the kernel's default of perf_event_max_stack */
#define MAX_RECORD 3072 /* bytes of arguments per hit; the rest is cut */
#define MAX_DATA_LOCS 8 /* dynamic fields per tracepoint */
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

/* A hit. Its record follows: the arguments, as a trace record without its first 8 bytes. */
struct hit {
	u8 kind;
	u8 flags;
	u16 size;  /* of the record, bytes */
	u32 probe; /* index in record's list of probes */
	u64 time;  /* ns, CLOCK_MONOTONIC */
	u32 pid, tid;
	u64 kernel_stack, user_stack; /* hashes of the stacks; 0: none */
	char comm[COMM_LEN];
};

/* stack.flags */
enum {
	STACK_AGAIN = 1,    /* sent before; user space compares the two */
	STACK_VERIFY = 2,   /* a raw stack to compare with the walked stack of this hash */
	STACK_RELATIVE = 4, /* the hash is over places in images, not over addresses */
};
/* stack.cut: why a stack is incomplete, as format.StackCut */
enum {
	CUT_NONE = 0,
	CUT_DEPTH = 1,
	CUT_UNREADABLE = 2,
	CUT_NO_RULE = 3,
	CUT_BUDGET = 4,
};

/*
 * A stack, sent before the first hit that refers to it by its hash. Its frames
 * follow, innermost first: addresses for a kernel stack, struct user_frame for a
 * user stack.
 */
struct stack {
	u8 kind;
	u8 flags;
	u8 cut;
	u8 pad;
	u32 frames;
	u64 hash;
	u64 space; /* of a user stack: its address space */
	u64 time;  /* ns, CLOCK_MONOTONIC */
	u32 pid;
	u32 pad2;
};

/*
 * A frame of a user stack, with what was mapped at its address at that moment.
 * inode 0 means no file, or unknown; the vdso has device VDSO_DEVICE. Then offset
 * is the distance from the start of the vdso, or 0.
 */
#define VDSO_DEVICE 0xffffffff
struct user_frame {
	u64 address;
	u64 image; /* names the file's content, see image_key(); 0: unknown */
	u64 inode;
	u64 offset; /* in the file, bytes */
	u32 device; /* dev_t: major << 20 | minor */
	u16 known;  /* enum mapping_known */
	u16 how;    /* FRAME_… */
};
enum mapping_known {
	MAPPING_UNKNOWN = 0, /* not looked up: the lock was held */
	MAPPING_CODE = 1,
	MAPPING_NO_CODE = 2, /* nothing executable is mapped there */
};
enum {
	FRAME_EXACT = 1,   /* the address is that of an instruction, not a return address */
	FRAME_GUESSED = 2, /* the caller was found by frame pointer: there was no rule */
};

/*
 * A raw stack: a user stack for user space to unwind. It has the registers, and
 * the memory events before it that have the same hash hold copies of the stack.
 * last is the frame where the walk ended.
 */
struct raw_stack {
	u8 kind;
	u8 flags;
	u8 pad[2];
	u32 frames; /* passed by the walk */
	u64 hash;
	u64 space;
	u64 time; /* ns, CLOCK_MONOTONIC */
	u32 pid, tid;
	u64 regs[21]; /* struct pt_regs, arch/x86/include/asm/ptrace.h */
	struct user_frame last;
};
/* A piece of a raw stack's memory. The bytes follow. */
struct memory {
	u8 kind;
	u8 pad[3];
	u32 size;
	u64 hash;
	u64 address;
};

#endif
