/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks that are remembered with the words of the stack that they read.
 * Called by user_stack.h before and after a walk, and by user_walk.h for every word read.
 * What a walk finds follows from where it begins, from what is mapped, and from the words
 * of the stack that it reads: a hit with the same ones has the same stack, and comparing
 * the words takes a quarter of the time that looking up their rules takes. Loops hit with
 * the same stack time and again.
 */
#ifndef TRAPLINE_MEMO_H
#define TRAPLINE_MEMO_H

#include "hash.h"
#include "user_copy.h"

#define MEMO_WORDS 96
#define MEMO_BITS 4 /* of each CPU and slot */
struct memo {
	u64 pc, sp, fp, space, seed; /* as the walk began; seed: and how deep it may go */
	u64 hash;		     /* what it came to */
	u32 frames;		     /* 0: it is not known yet */
	u32 words; /* MEMO_NONE: it does not follow from words alone, or from too many */
	u64 value[MEMO_WORDS];
	u16 at[MEMO_WORDS]; /* bytes from sp */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS << MEMO_BITS);
	__type(key, u32);
	__type(value, struct memo);
} memos SEC(".maps");

#define MEMO_NONE (MEMO_WORDS + 1)

/* Where the walk is remembered, once find_memo has said which place that is. */
static __always_inline struct memo *memo_of(struct scratch *s)
{
	u32 index = s->walk.memo;

	return bpf_map_lookup_elem(&memos, &index);
}

/* Notes that the walk has read a word; a value at no address: that it does not follow from words alone. */
__noinline int note_word(u32 slot, u64 address, u64 value)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct memo *m;
	u32 n;
	u64 at;

	if (!s)
		return 0;
	m = memo_of(s);
	if (!m)
		return 0;
	at = address - m->sp;
	n = m->words;
	barrier_var(n);
	if (n < MEMO_WORDS && at < 1 << 16) {
		m->value[n] = value;
		m->at[n] = at;
		m->words = n + 1;
	} else {
		m->words = MEMO_NONE;
	}
	return 0;
}

/* Reads a word in a walk that may have to be remembered. */
static __always_inline int noted_word(struct scratch *s, u32 slot, u64 address, u64 *value)
{
	if (stack_word(s, slot, address, value))
		return 1;
	if (__builtin_expect(s->walk.note, 0))
		note_word(slot, address, *value);
	return 0;
}

/*
 * Finds where the walk that begins at s->walk.pc, sp and fp is remembered. One
 * that is met for the second time is to be noted; returns whether one was.
 */
static __always_inline bool find_memo(struct scratch *s, u32 slot, u64 seed)
{
	u64 pc = s->walk.pc, sp = s->walk.sp, fp = s->walk.fp;
	struct memo *m;

	s->walk.memo = slot << MEMO_BITS | mix(pc, sp) >> (64 - MEMO_BITS);
	s->walk.note = 0;
	m = memo_of(s);
	if (!m)
		return false;
	if (m->pc == pc && m->sp == sp && m->fp == fp && m->space == s->space && m->seed == seed) {
		if (m->frames)
			return true;
		if (m->words == MEMO_NONE)
			return false;
		m->words = 0;
		s->walk.note = 1;
		return false;
	}
	m->pc = pc;
	m->sp = sp;
	m->fp = fp;
	m->space = s->space;
	m->seed = seed;
	m->frames = 0;
	m->words = 0;
	return false;
}

/* Keeps what the walk that was noted has come to. */
static __always_inline void keep_memo(struct scratch *s)
{
	struct memo *m;

	if (!s->walk.note)
		return;
	m = memo_of(s);
	if (!m || m->words > MEMO_WORDS || s->walk.missing || s->walk.cut == CUT_UNREADABLE)
		return;
	m->hash = s->walk.hash;
	m->frames = s->walk.frames;
}

/* The hash of the walk that is remembered, if the stack is as it was then; else 0, and it is forgotten. */
__noinline u64 remembered_walk(u32 slot)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct memo *m;
	u32 words;
	u64 sp;

	if (!s)
		return 0;
	m = memo_of(s);
	if (!m)
		return 0;
	words = m->words;
	sp = m->sp;
	s->walk.limit = 0;
	for (u32 i = 0; i < MEMO_WORDS; i++) {
		u64 value;

		if (i >= words)
			return m->hash;
		if (stack_word(s, slot, sp + m->at[i], &value) || value != m->value[i]) {
			m->frames = 0;
			m->words = 0;
			return 0;
		}
	}
	return m->hash;
}

#endif
