/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * User stacks by step rules. One piece of stack is copied with a single call and
 * walked in the copy; each place in an image that the walk passes is looked up
 * in the rules. A place without a rule ends the walk: the caller then sends the
 * stack as it is, user space unwinds it and writes the rules that were missing.
 */
#ifndef TRAPLINE_USER_WALK_H
#define TRAPLINE_USER_WALK_H

#include "mappings.h"
#include "memo.h"

/*
 * Where a function returns to whose return address a uretprobe has replaced by
 * its trampoline: the kernel keeps it by the place where it lay on the stack
 * (struct return_instance, include/linux/uprobes.h). 0: nothing was replaced there.
 */
#define MAX_RETURN_INSTANCES 64 /* MAX_URETPROBE_DEPTH, kernel/events/uprobes.c */
__noinline u64 replaced_return(u64 place)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!bpf_core_field_exists(task->utask) || !task->utask)
		return 0;
	struct return_instance *r = task->utask->return_instances;
	for (u32 i = 0; i < MAX_RETURN_INSTANCES; i++) {
		if (!r)
			break;
		if (r->stack == place)
			return r->orig_ret_vaddr;
		r = r->next;
	}
	return 0;
}

/*
 * Where in its program the current task is, if it has left it at ip: an instruction
 * that a uprobe has displaced runs out of line, on a page of the kernel's (struct
 * uprobe_task, include/linux/uprobes.h). It may enter the kernel there by itself.
 */
static __always_inline u64 program_counter(struct task_struct *task, u64 ip)
{
	if (!bpf_core_field_exists(task->utask) || !task->utask || !task->utask->active_uprobe)
		return ip;
	u64 at = ip - task->utask->xol_vaddr;

	return at <= 15 ? task->utask->vaddr + at : ip; /* the longest instruction */
}

/* Offsets in the structures of Go's runtime that have not changed since 1.17. */
#define GO_TLS_G (-8)	/* of the goroutine, from the thread's FS base */
#define GO_G_STACK_HI 8 /* runtime.g.stack.hi */

#if defined(__TARGET_ARCH_x86)
static __always_inline u64 user_word(u64 address)
{
	u64 value = 0;

	bpf_probe_read_user(&value, 8, (void *)address);
	return value;
}

/* Where struct pt_regs has the registers, by their DWARF numbers (psABI, figure 3.36). */
static const u8 register_offsets[] = {80, 96, 88, 40, 112, 104, 32, 152,
				      72, 64, 56, 48, 24,  16,	8,  0};

/*
 * Steps that need more than a rule's two distances. They take s->walk.pc, sp and
 * fp on; an error ends the walk.
 */
__noinline int special_step(u32 slot, u64 body)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 sp, place = 0, value;

	if (!s)
		return CUT_UNREADABLE;
	sp = s->walk.sp;
	switch (RULE_KIND(body)) {
	case RULE_SIGNAL:
		/* struct ucontext's uc_mcontext: arch/x86/include/uapi/asm/sigcontext.h */
		if (stack_word(s, slot, sp + 120, &value))
			return CUT_UNREADABLE;
		s->walk.fp = value;
		if (stack_word(s, slot, sp + 168, &value))
			return CUT_UNREADABLE;
		s->walk.pc = value;
		if (stack_word(s, slot, sp + 160, &value))
			return CUT_UNREADABLE;
		s->walk.sp = value;
		s->walk.back = 0;
		return 0;
	case RULE_GO_ASMCGOCALL: {
		u64 depth;

		sp += RULE_CFA(body);
		if (stack_word(s, slot, sp, &depth) || stack_word(s, slot, sp + 8, &value))
			return CUT_UNREADABLE;
		place = user_word(value + GO_G_STACK_HI) - depth;
		if (stack_word(s, slot, place, &value))
			return CUT_UNREADABLE;
		s->walk.fp = value;
		place += 8;
		break;
	}
	case RULE_LINK_REGISTER:
		/* of the innermost frame alone: these are its registers */
		if (bpf_probe_read_kernel(&value, 8,
					  (void *)bpf_task_pt_regs(bpf_get_current_task_btf()) +
						  register_offsets[RULE_BASE(body) & 15]))
			return CUT_UNREADABLE;
		s->walk.pc = value;
		s->walk.sp = sp + RULE_CFA(body);
		s->walk.back = 1;
		return 0;
	default:
		return CUT_NO_RULE;
	}
	if (place < LOWEST_ADDRESS || stack_word(s, slot, place, &value))
		return CUT_UNREADABLE;
	s->walk.pc = value;
	s->walk.sp = place + 8;
	s->walk.back = 1;
	return 0;
}

/* The index of the near mapping that holds an address, NEAR_MAPPINGS if none does. */
__noinline u32 near_mapping(u32 slot, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	if (!s)
		return NEAR_MAPPINGS;
#pragma unroll
	for (u32 i = 0; i < NEAR_MAPPINGS; i++) {
		if (address - s->near[i].start < s->near[i].size)
			return i;
	}
	return NEAR_MAPPINGS;
}

/*
 * Finds the mapping of an address that is none of the near ones, and makes it one;
 * returns its index there, NEAR_MAPPINGS if nothing that can be executed is mapped.
 * What is not known has image 0. place is where the return address lay, 0 if it is none.
 */
__noinline u32 far_mapping(u32 slot, u64 *address, u64 place)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u32 known, next;

	if (!s || !address)
		return NEAR_MAPPINGS;
	known = find_mapping(slot, *address);
	/* The trampoline is the first byte of its page: the byte before may be anything. */
	if (place && (known == MAPPING_NO_CODE ||
		      (known == MAPPING_CODE && s->at.image & IMAGE_ANONYMOUS))) {
		u64 replaced = replaced_return(place);

		note_word(slot, 0, 0); /* depends on more than the stack */
		if (replaced) {
			*address = replaced - 1;
			known = find_mapping(slot, *address);
		}
	}
	if (known == MAPPING_NO_CODE)
		return NEAR_MAPPINGS;
	next = s->near_next++ % NEAR_MAPPINGS;
	s->near[next].start = s->at.start;
	/* trampolines may lie where there is no file, and what is not known may be known soon */
	s->near[next].size = known == MAPPING_CODE && !(s->at.image & IMAGE_ANONYMOUS) ? s->at.size
										       : 0;
	s->near[next].image = known == MAPPING_CODE ? s->at.image : 0;
	s->near[next].delta = known == MAPPING_CODE ? s->at.delta : 0;
	return next;
}

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
