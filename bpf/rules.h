/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Step rules: how to get from a frame to its caller. User space derives them
 * from the images' unwind information (capture/unwind) and writes them here, for
 * the places that stacks were seen to go through. They belong to a place in an
 * image, not in a process, so that a new process of a known program needs none.
 */
#ifndef TRAPLINE_RULES_H
#define TRAPLINE_RULES_H

#include "event.h"

static __always_inline u64 mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9FB21C651E98DF25ULL;
	return h ^ (h >> 29);
}

/*
 * One rule; body 0 is none. Reader and writer share no lock: tag is the rule's
 * key ^ body, so that a rule half written, or somebody else's, does not match.
 */
struct rule {
	u64 body;
	u64 tag;
};

/* A rule lies anywhere in the set that its key selects: one cache line. */
#define RULE_WAYS 4
#define RULE_SET_BITS 16
struct rule_set {
	struct rule way[RULE_WAYS];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << RULE_SET_BITS);
	__type(key, u32);
	__type(value, struct rule_set);
} rules SEC(".maps");

/*
 * A body: bits 0-3 kind, 4-8 base, 9-15 flags, 16-31 where the frame pointer was
 * saved, 32-63 where the CFA is. What they mean is in capture/unwind/rule.go.
 */
enum rule_kind {
	RULE_STEP = 1,
	RULE_END = 2,
	RULE_EXACT = 3,
	RULE_SIGNAL = 4,
	RULE_GO_ASMCGOCALL = 5,
	RULE_REGISTERS = 6,
	RULE_STACK_SWITCH = 7,
	RULE_LINK_REGISTER = 8,
};
#define RULE_KIND(body) ((u32)(body) & 15)
#define RULE_BASE(body) (((u32)(body) >> 4) & 31)
enum {
	RULE_DEREF = 1 << 9,
	RULE_SAVES_FP = 1 << 10,
	RULE_FP_FROM_FP = 1 << 11,
	RULE_GUESSED = 1 << 12,
	RULE_INTERRUPTED = 1 << 13,
	RULE_SWITCH = 1 << 14,
	RULE_BEHIND_WORD = 1 << 15,
};
#define RULE_FP(body) ((s64)(s16)((body) >> 16))
#define RULE_CFA(body) ((s64)(body) >> 32)

#define BASE_FP 6 /* DWARF register numbers */
#define BASE_SP 7
/* for code without unwind information: CFA = fp + 16, the caller's fp at CFA - 16 */
#define FRAME_POINTER_RULE \
	(16ULL << 32 | 0xfff0ULL << 16 | RULE_GUESSED | RULE_SAVES_FP | BASE_FP << 4 | RULE_STEP)

/* What stands for the kernel and its modules where images have their keys. */
#define KERNEL_IMAGE 2

/* Offsets in struct pt_regs, bytes: arch/x86/include/asm/ptrace.h */
#define REGS_BP 32
#define REGS_IP 128
#define REGS_CS 136
#define REGS_SP 152

/*
 * The rules of whole images, for places that no walk has passed yet: rows ordered
 * by offset, each holding up to the next. Rows never change once their image is
 * in image_rows; image_rows never forgets one.
 */
struct row {
	u64 offset; /* in the file, bytes */
	u64 body;   /* 0: none */
};
#define ROW_BITS 22
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << ROW_BITS);
	__type(key, u32);
	__type(value, struct row);
} rows SEC(".maps");

struct row_span {
	u32 first, count;
};
#define MAX_IMAGES 4096
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_IMAGES);
	__type(key, u64); /* of the image */
	__type(value, struct row_span);
} image_rows SEC(".maps");

/* The rule at an offset in an image by its rows; 0: none. */
__noinline u64 row_rule(u64 image, u64 offset)
{
	struct row_span *r = bpf_map_lookup_elem(&image_rows, &image);
	struct row *row;
	u32 first, count;

	if (!r)
		return 0;
	first = r->first;
	count = r->count;
	for (u32 i = 0; i < ROW_BITS + 1; i++) {
		u32 middle = first + count / 2;

		if (count <= 1)
			break;
		row = bpf_map_lookup_elem(&rows, &middle);
		if (!row)
			return 0;
		if (row->offset <= offset) {
			first = middle;
			count -= count / 2;
		} else {
			count /= 2;
		}
	}
	row = bpf_map_lookup_elem(&rows, &first);
	return row && row->offset <= offset ? row->body : 0;
}

/* Keeps a rule for the next walk: where there is room, else over another. */
static __always_inline void keep_rule(u64 key, u64 body)
{
	u32 at = key >> (64 - RULE_SET_BITS);
	struct rule_set *set = bpf_map_lookup_elem(&rules, &at);
	u32 way = (key >> 8) % RULE_WAYS;

	if (!set)
		return;
#pragma unroll
	for (u32 i = 0; i < RULE_WAYS; i++) {
		if (!*(volatile u64 *)&set->way[i].body) {
			way = i;
			break;
		}
	}
	*(volatile u64 *)&set->way[way % RULE_WAYS].body = body;
	*(volatile u64 *)&set->way[way % RULE_WAYS].tag = body ^ key;
}

/* The rule with a key, 0: none. */
static __always_inline u64 rule_of(u64 key)
{
	u32 at = key >> (64 - RULE_SET_BITS);
	struct rule_set *set = bpf_map_lookup_elem(&rules, &at);

	if (!set)
		return 0;
#pragma unroll
	for (u32 i = 0; i < RULE_WAYS; i++) {
		u64 body = *(volatile u64 *)&set->way[i].body;

		if ((body ^ *(volatile u64 *)&set->way[i].tag) == key)
			return body;
	}
	return 0;
}

#endif
