/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * User stacks by step rules: the walk.
 * Called by user_stack.h. One piece of stack is copied with a single call and walked in
 * the copy; each place in an image that the walk passes is looked up in the rules.
 * A place without a rule ends the walk: the caller then sends the stack as it is, user
 * space unwinds it and writes the rules that were missing.
 */
#ifndef TRAPLINE_USER_WALK_H
#define TRAPLINE_USER_WALK_H

#include "constants.h"
#include "near_mapping.h"
#include "rows.h"
#include "special_step.h"

#if defined(__TARGET_ARCH_x86)
/*
 * Walks WALK_STEPS frames on from s->walk.pc, sp, fp and back, into
 * s->ip. Returns 0 if there are more.
 */
__noinline int walk_on(u32 slot, u32 max)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 pc, sp, fp, hash, place, start = 0, size = 0, image = 0, delta = 0;
	u32 back, n, ended = 0;
	u8 cut = CUT_NONE;

	if (!s)
		return 1;
	pc = s->walk.pc;
	sp = s->walk.sp;
	fp = s->walk.fp;
	back = s->walk.back;
	n = s->walk.frames;
	hash = s->walk.hash;
	place = sp - 8;
	for (u32 i = 0; i < WALK_STEPS; i++) {
		u64 at = pc - back, key, body, cfa, value;
		u32 kind, base;

		barrier_var(n);
		if (n >= MAX_FRAMES)
			break;
		u64 *ip = &s->ip[n];

		/* a pointer keeps its bound when it is spilled, n does not before Linux 6.2 */
		barrier_var(ip);
		if (at - start >= size) {
			u32 found = near_mapping(slot, at);

			if (found >= NEAR_MAPPINGS)
				found = far_mapping(slot, &at, back ? place : 0);
			if (found >= NEAR_MAPPINGS) { /* nothing that can be executed */
				cut = CUT_NO_RULE;
				ended = 1;
				break;
			}
			pc = at + back;
			start = s->near[found].start;
			size = s->near[found].size;
			image = s->near[found].image;
			delta = s->near[found].delta;
		}
		key = mix(image, at + delta);
		hash = (hash ^ key) * 0x9FB21C651E98DF25ULL; /* keys are mixed well */
		if (image & IMAGE_ANONYMOUS)
			body = FRAME_POINTER_RULE;
		else
			body = rule_of(key);
		if (!body) {
			body = row_rule(image, at + delta);
			if (body)
				keep_rule(key, body);
		}
		kind = RULE_KIND(body);
		value = pc;
		if (!back || kind == RULE_SIGNAL)
			value |= IP_EXACT;
		if (body & RULE_GUESSED)
			value |= IP_GUESSED;
		*ip = value;
		n++;
		ended = 1; /* unless a step succeeds */
		if (kind == RULE_STEP) {
			base = RULE_BASE(body);
			cfa = base == BASE_FP ? fp : sp;
			if (base != BASE_FP && base != BASE_SP) { /* known to user space only */
				s->walk.missing = 1;
				break;
			}
			if (body & RULE_GUESSED) {
				if (!fp) /* that is how a chain of frame pointers ends */
					break;
				if (fp < sp || fp & 7) {
					cut = CUT_NO_RULE;
					break;
				}
			}
			cfa += RULE_CFA(body);
			if (body & RULE_DEREF) {
				if (noted_word(s, slot, cfa, &value)) {
					cut = CUT_UNREADABLE;
					break;
				}
				cfa = body & RULE_BEHIND_WORD ? value + 8 : value;
			}
			if (cfa <= sp && !(body & RULE_SWITCH)) { /* stacks grow down */
				cut = CUT_NO_RULE;
				break;
			}
			if (body & RULE_SAVES_FP) {
				u64 saved = (body & RULE_FP_FROM_FP ? fp : cfa) + RULE_FP(body);

				if (noted_word(s, slot, saved, &value)) {
					cut = CUT_UNREADABLE;
					break;
				}
				fp = value;
			}
			place = cfa - 8;
			if (noted_word(s, slot, place, &value)) {
				cut = CUT_UNREADABLE;
				break;
			}
			if (!value && body & RULE_GUESSED) {
				cut = CUT_NO_RULE;
				break;
			}
			pc = value;
			sp = cfa;
			if (body & RULE_SWITCH)
				s->walk.landed = place;
			back = !(body & RULE_INTERRUPTED);
		} else if (kind == RULE_END) {
			break;
		} else if (kind == 0 || kind == RULE_EXACT ||
			   (kind == RULE_LINK_REGISTER && n > 1)) {
			s->walk.missing = 1;
			break;
		} else {
			s->walk.sp = sp;
			s->walk.fp = fp;
			note_word(slot, 0, 0); /* it may look at more than the stack */
			cut = special_step(slot, body);
			if (cut)
				break;
			pc = s->walk.pc;
			sp = s->walk.sp;
			fp = s->walk.fp;
			back = s->walk.back;
			place = sp - 8;
			s->walk.landed = sp;
		}
		if (!pc)
			break;
		if (n >= max) {
			cut = CUT_DEPTH;
			break;
		}
		ended = 0;
	}
	s->walk.pc = pc;
	s->walk.sp = sp;
	s->walk.fp = fp;
	s->walk.back = back;
	s->walk.frames = n;
	s->walk.hash = hash;
	s->walk.cut = cut;
	return ended;
}

/*
 * Walks the current task's user stack from s->walk.pc, sp and fp. Leaves in
 * s->walk how many frames there are, their hash, and why the walk ended.
 */
static __always_inline void walk_user(struct scratch *s, u32 slot, u64 hash)
{
	s->walk.back = 0;
	s->walk.frames = 0;
	s->walk.hash = hash;
	s->walk.limit = 0;
	s->walk.missing = 0;
	s->walk.landed = 0;
	for (u32 i = 0; i < (MAX_FRAMES + WALK_STEPS - 1) / WALK_STEPS; i++) {
		if (walk_on(slot, max_frames))
			break;
	}
	s->walk.hash = mix(s->walk.hash ^ s->walk.hash >> 32, s->walk.cut);
	keep_memo(s);
}
#endif

#endif
