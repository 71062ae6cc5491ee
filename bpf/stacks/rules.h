/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Step rules, which lead from a frame to its caller, and the table of single rules.
 * Called by the walks, user_walk.h and kernel_walk.h. User space derives the rules from
 * unwind information (capture/unwind) and writes them here.
 *
 * A rule belongs to a place in an image, not to a process: a new process of a known program
 * needs no new rules.
 */
#ifndef TRAPLINE_RULES_H
#define TRAPLINE_RULES_H

#include "hash.h"

/*
 * A rule; body 0 means none. Readers and writers share no lock: tag is key ^ body, so a
 * half-written rule, or one with another key, does not match.
 */
struct rule {
	u64 body;
	u64 tag;
};

/* The key selects a set of one cache line; the rule is anywhere in it. */
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
 * The body of a rule: bits 0-3 are its kind, 4-8 the base register, 9-15 flags, 16-31 where
 * the frame pointer is saved, 32-63 where the CFA is. capture/unwind says what they mean.
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
/* for code without unwind information: CFA = fp + 16, the caller's fp is at CFA - 16 */
#define FRAME_POINTER_RULE \
	(16ULL << 32 | 0xfff0ULL << 16 | RULE_GUESSED | RULE_SAVES_FP | BASE_FP << 4 | RULE_STEP)

/* Adds a rule for the next walk. If its set is full, it replaces another. */
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

/* Returns the body of the rule with a key, 0 if there is none. */
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
