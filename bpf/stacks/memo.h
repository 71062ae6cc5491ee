/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memos: recent walks, with the words of the stack that they read.
 * user_stack.h looks a walk up before it starts and keeps it when it has ended.
 * user_walk.h notes every word read.
 *
 * A walk depends only on its starting registers, the mappings and the stack words it reads.
 * If a later hit has the same ones, it has the same stack. Comparing the words takes a
 * quarter of the time of looking up their rules, and loops hit with the same stack again
 * and again.
 */
#ifndef TRAPLINE_MEMO_H
#define TRAPLINE_MEMO_H

#include "hash.h"
#include "user_copy.h"

#define MEMO_WORDS 96
#define MEMO_BITS 4 /* log2 of the memos per CPU and slot */
struct memo {
	u64 pc, sp, fp, space, seed; /* at the start of the walk; seed includes its depth limit */
	u64 hash;		     /* the result */
	u32 frames;		     /* of the result; 0: not known yet */
	u32 words;		     /* MEMO_NONE: it depends on more, or on too many words */
	u64 value[MEMO_WORDS];
	u16 at[MEMO_WORDS]; /* distance from sp, bytes */
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS << MEMO_BITS);
	__type(key, u32);
	__type(value, struct memo);
} memos SEC(".maps");

#define MEMO_NONE (MEMO_WORDS + 1)

/* Returns the memo that find_memo() has chosen. */
static __always_inline struct memo *memo_of(struct scratch *s)
{
	u32 index = s->walk.memo;

	return bpf_map_lookup_elem(&memos, &index);
}

/*
 * Notes a word that the walk has read. An address below the stack pointer, such as 0, says
 * that the walk depends on more than words of the stack.
 */
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

/* Reads a word of the stack, and notes it if the walk is being noted. */
static __always_inline int noted_word(struct scratch *s, u32 slot, u64 address, u64 *value)
{
	if (stack_word(s, slot, address, value))
		return 1;
	if (__builtin_expect(s->walk.note, 0))
		note_word(slot, address, *value);
	return 0;
}

/*
 * Finds the memo of the walk that starts at s->walk.pc, sp and fp. Returns true if it has
 * a result. A walk that is met for the second time is noted.
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

/* Keeps the result of a walk that was noted. */
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

/*
 * Returns the hash of the remembered walk if the words on the stack are the same. If not,
 * forgets the walk and returns 0.
 */
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
