/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks user stacks by step rules.
 * Called by user_stack.h. The walk copies a piece of the stack with a single call and looks
 * up the rule of each place that it passes.
 *
 * A place without a rule ends the walk. The caller then sends the stack raw; user space
 * unwinds it and writes the missing rules.
 */
#ifndef TRAPLINE_USER_WALK_H
#define TRAPLINE_USER_WALK_H

#include "constants.h"
#include "hash.h"
#include "near_mapping.h"
#include "rows.h"
#include "special_step.h"

#if defined(__TARGET_ARCH_x86)
/*
 * The state of walk_on(). Like struct hit_context, it is only passed to inlined functions
 * and so kept in registers.
 */
struct user_walker {
	struct scratch *s;
	u32 slot;
	u64 pc, sp, fp;
	u64 place; /* where pc was read from, if it is a return address */
	u64 hash;
	u32 back; /* 1: pc is a return address */
	u32 n;	  /* frames */
	u8 cut;
	u64 start, size, image, delta; /* the mapping of the last frame */
};

/* Ends the walk with a reason; returns false, for steps to return. */
static __always_inline bool cut_walk(struct user_walker *w, u8 cut)
{
	w->cut = cut;
	return false;
}

/*
 * Finds the mapping of the frame. Returns the address to look up its rule by: pc or, if
 * pc is a return address, pc - 1. Returns 0 if nothing executable is mapped there.
 */
static __always_inline u64 enter_mapping(struct user_walker *w)
{
	u64 at = w->pc - w->back;

	if (at - w->start >= w->size) {
		u32 found = near_mapping(w->slot, at);

		if (found >= NEAR_MAPPINGS)
			found = far_mapping(w->slot, &at, w->back ? w->place : 0);
		if (found >= NEAR_MAPPINGS)
			return 0;
		w->pc = at + w->back;
		w->start = w->s->near[found].start;
		w->size = w->s->near[found].size;
		w->image = w->s->near[found].image;
		w->delta = w->s->near[found].delta;
	}
	return at;
}

/* Returns the rule at an offset in the image, 0 if there is none. Adds the place to the hash. */
static __always_inline u64 place_rule(struct user_walker *w, u64 offset)
{
	u64 key = mix(w->image, offset), body;

	w->hash = (w->hash ^ key) * MIX_FACTOR; /* no mix(): keys are mixed already */
	if (w->image & IMAGE_ANONYMOUS)
		return FRAME_POINTER_RULE;
	body = rule_of(key);
	if (!body) {
		body = row_rule(w->image, offset);
		if (body)
			keep_rule(key, body);
	}
	return body;
}

/* Steps to the caller by a rule's two distances; returns false if the walk ends. */
static __always_inline bool plain_step(struct user_walker *w, u64 body)
{
	u32 base = RULE_BASE(body);
	u64 cfa = base == BASE_FP ? w->fp : w->sp, value;

	if (base != BASE_FP && base != BASE_SP) { /* only user space has these registers */
		w->s->walk.missing = 1;
		return false;
	}
	/* the end of the chain of frame pointers, 0, is no known outermost frame either */
	if (body & RULE_GUESSED && (!w->fp || w->fp < w->sp || w->fp & 7))
		return cut_walk(w, CUT_NO_RULE);
	cfa += RULE_CFA(body);
	if (body & RULE_DEREF) {
		if (noted_word(w->s, w->slot, cfa, &value))
			return cut_walk(w, CUT_UNREADABLE);
		cfa = body & RULE_BEHIND_WORD ? value + 8 : value;
	}
	if (cfa <= w->sp && !(body & RULE_SWITCH)) /* stacks grow down */
		return cut_walk(w, CUT_NO_RULE);
	if (body & RULE_SAVES_FP) {
		u64 saved = (body & RULE_FP_FROM_FP ? w->fp : cfa) + RULE_FP(body);

		if (noted_word(w->s, w->slot, saved, &value))
			return cut_walk(w, CUT_UNREADABLE);
		w->fp = value;
	}
	w->place = cfa - 8;
	if (noted_word(w->s, w->slot, w->place, &value))
		return cut_walk(w, CUT_UNREADABLE);
	if (!value && body & RULE_GUESSED)
		return cut_walk(w, CUT_NO_RULE);
	w->pc = value;
	w->sp = cfa;
	if (body & RULE_SWITCH)
		w->s->walk.landed = w->place;
	w->back = !(body & RULE_INTERRUPTED);
	return true;
}

/* Steps to the caller by a rule of another kind; returns false if the walk ends. */
static __always_inline bool other_step(struct user_walker *w, u64 body)
{
	struct scratch *s = w->s;

	s->walk.sp = w->sp;
	s->walk.fp = w->fp;
	note_word(w->slot, 0, 0); /* the step may read more than the stack */
	w->cut = special_step(w->slot, body);
	if (w->cut)
		return false;
	w->pc = s->walk.pc;
	w->sp = s->walk.sp;
	w->fp = s->walk.fp;
	w->back = s->walk.back;
	w->place = w->sp - 8;
	s->walk.landed = w->sp;
	return true;
}

/* Reports whether only user space can step from the frame after the n innermost ones. */
static __always_inline bool for_user_space(u64 body, u32 n)
{
	u32 kind = RULE_KIND(body);

	return kind == 0 || kind == RULE_EXACT || (kind == RULE_LINK_REGISTER && n);
}

/* Steps to the caller by a rule; returns false if the walk ends. */
static __always_inline bool step(struct user_walker *w, u64 body)
{
	u32 kind = RULE_KIND(body);

	if (kind == RULE_STEP)
		return plain_step(w, body);
	if (kind == RULE_END)
		return false;
	if (for_user_space(body, w->n - 1)) {
		w->s->walk.missing = 1;
		return false;
	}
	return other_step(w, body);
}

/*
 * Walks the next WALK_STEPS frames, from s->walk, and stores them in s->ip. Returns 0 if
 * there are more.
 */
__noinline int walk_on(u32 slot, u32 max)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct user_walker w = {.s = s, .slot = slot};
	u32 ended = 0;

	if (!s)
		return 1;
	w.pc = s->walk.pc;
	w.sp = s->walk.sp;
	w.fp = s->walk.fp;
	w.back = s->walk.back;
	w.n = s->walk.frames;
	w.hash = s->walk.hash;
	w.place = w.sp - 8;
	for (u32 i = 0; i < WALK_STEPS; i++) {
		u64 at, body, value;

		barrier_var(w.n);
		if (w.n >= MAX_FRAMES)
			break;
		u64 *ip = &s->ip[w.n];

		/* before Linux 6.2, a pointer keeps its bound when it is spilled, but n does not */
		barrier_var(ip);
		ended = 1; /* unless a step succeeds */
		at = enter_mapping(&w);
		if (!at) {
			w.cut = CUT_NO_RULE;
			break;
		}
		body = place_rule(&w, at + w.delta);
		if (RULE_KIND(body) != RULE_STEP && for_user_space(body, w.n) && s->walk.guess)
			body = FRAME_POINTER_RULE;
		value = w.pc;
		if (!w.back || RULE_KIND(body) == RULE_SIGNAL)
			value |= IP_EXACT;
		if (body & RULE_GUESSED)
			value |= IP_GUESSED;
		*ip = value;
		w.n++;
		if (!step(&w, body))
			break;
		if (!w.pc) {
			w.cut = CUT_NO_RULE;
			break;
		}
		if (w.n >= max) {
			w.cut = CUT_DEPTH;
			break;
		}
		ended = 0;
	}
	s->walk.pc = w.pc;
	s->walk.sp = w.sp;
	s->walk.fp = w.fp;
	s->walk.back = w.back;
	s->walk.frames = w.n;
	s->walk.hash = w.hash;
	s->walk.cut = w.cut;
	return ended;
}

/*
 * Takes up a walk that has ended for want of a rule, by frame pointer. Code for which there
 * is no rule yet, such as Go's, often has them. Leaves the same results.
 */
static __always_inline void guess_on(struct scratch *s, u32 slot)
{
	s->walk.guess = 1;
	s->walk.missing = 0;
	s->walk.frames--; /* the walk resumes at its last frame */
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < (MAX_FRAMES + WALK_STEPS - 1) / WALK_STEPS; i++) {
		if (walk_on(slot, max_frames))
			break;
	}
	if (s->walk.missing || (s->walk.cut && s->walk.cut != CUT_DEPTH))
		s->walk.cut = CUT_BUDGET;
	s->walk.hash = mix(s->walk.hash ^ s->walk.hash >> 32, s->walk.cut);
}

/*
 * Walks the current task's user stack from s->walk.pc, sp and fp. Leaves the number of
 * frames, their hash and the reason why the walk ended in s->walk.
 */
static __always_inline void walk_user(struct scratch *s, u32 slot, u64 hash)
{
	s->walk.back = 0;
	s->walk.frames = 0;
	s->walk.hash = hash;
	s->walk.limit = 0;
	s->walk.missing = 0;
	s->walk.guess = 0;
	s->walk.landed = 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < (MAX_FRAMES + WALK_STEPS - 1) / WALK_STEPS; i++) {
		if (walk_on(slot, max_frames))
			break;
	}
	s->walk.hash = mix(s->walk.hash ^ s->walk.hash >> 32, s->walk.cut);
	keep_memo(s);
}
#endif

#endif
