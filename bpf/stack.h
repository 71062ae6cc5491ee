/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Stacks: taken, hashed, and sent when user space does not know them. */
#ifndef TRAPLINE_STACK_H
#define TRAPLINE_STACK_H

#include "frames.h"

static __always_inline u64 mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9FB21C651E98DF25ULL;
	return h ^ (h >> 29);
}

/*
 * hash_frames is a global function so that the verifier checks its loop once,
 * not once for every state of its callers.
 */
__noinline u64 hash_frames(u32 slot, u32 user, u32 frames, u64 seed)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u64 h = seed;

	if (!s)
		return 0;
	u64 *ip = user ? s->ip : s->kernel.ip;
	for (u32 i = 0; i < MAX_FRAMES; i++) {
		if (i >= frames)
			break;
		h = mix(h, ip[i]);
	}
	return h;
}

/*
 * A user stack's addresses mean something only in their address space. This
 * names one, for as long as its executable mappings stay as they are.
 */
static __always_inline u64 address_space(struct task_struct *task, u64 epoch)
{
	u64 h = mix(epoch, task->tgid);

	h = mix(h, task->group_leader->start_time);
	/* grows with every exec */
	h = mix(h, task->self_exec_id);
	/* pages of executable mappings: changes with dlopen and dlclose */
	return mix(h, task->mm->exec_vm);
}

/* Is the stack known to user space? */
static __always_inline bool sent_before(u64 hash)
{
	u32 at = hash >> (64 - SENT_BITS);
	u64 *known = bpf_map_lookup_elem(&sent, &at);

	return known && *(volatile u64 *)known == hash;
}

static __always_inline void mark_sent(u64 hash)
{
	u32 at = hash >> (64 - SENT_BITS);
	u64 *known = bpf_map_lookup_elem(&sent, &at);

	if (known)
		*(volatile u64 *)known = hash;
}

/* One hit in 1,024 sends its stack again, to be compared with the first. */
static __always_inline bool sent_again(u64 time)
{
	return ((time * 0x9E3779B97F4A7C15ULL) >> 54) == 0;
}

struct mapping_walk {
	struct scratch *s;
	struct task_struct *task;
	u64 start, end; /* of the mapping found last */
	u64 inode, offset;
	u64 address;
	u32 device;
	u32 frames;
	u32 found;
};

static long found_mapping(struct task_struct *task, struct vm_area_struct *vma,
			  struct mapping_walk *w)
{
	struct inode *inode;

	w->start = vma->vm_start;
	w->end = vma->vm_end;
	w->inode = 0;
	w->device = 0;
	w->offset = 0;
	w->found = vma->vm_flags & VM_EXEC ? MAPPING_CODE : MAPPING_NO_CODE;
	if (vma->vm_file) {
		inode = vma->vm_file->f_inode;
		w->inode = inode->i_ino;
		w->device = inode->i_sb->s_dev;
		w->offset = vma->vm_pgoff << 12;
	} else if ((u64)vma->vm_mm->context.vdso == w->start) {
		w->device = VDSO_DEVICE;
	}
	return 0;
}

static long locate_frame(u32 i, struct mapping_walk *w)
{
	struct scratch *s = w->s;

	if (i >= w->frames || i >= MAX_FRAMES)
		return 1;
	u64 address = s->ip[i];
	struct user_frame *f = &s->user.frames[i];

	if (address < w->start || address >= w->end) {
		w->found = MAPPING_UNKNOWN;
		w->start = w->end = 0;
		if (bpf_find_vma(w->task, address, found_mapping, w, 0) == -ENOENT)
			w->found = MAPPING_NO_CODE;
	}
	f->address = address;
	f->known = w->found;
	f->inode = f->offset = f->device = 0;
	if (w->found == MAPPING_CODE) {
		f->inode = w->inode;
		f->device = w->device;
		if (w->inode || w->device == VDSO_DEVICE)
			f->offset = address - w->start + w->offset;
	}
	return 0;
}

/* Writes what is mapped at each frame of the user stack in s->ip. */
__noinline int locate_frames(u32 slot, u32 frames)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	if (!s)
		return 0;
	if (have_find_vma) {
		struct mapping_walk w = {
			.s = s,
			.task = bpf_get_current_task_btf(),
			.frames = frames,
		};
		bpf_loop(MAX_FRAMES, locate_frame, &w, 0);
		return 0;
	}
	for (u32 i = 0; i < MAX_FRAMES; i++) {
		if (i >= frames)
			break;
		s->user.frames[i] = (struct user_frame){ .address = s->ip[i] };
	}
	return 0;
}

/*
 * A stack of a hit. kernel_stack and user_stack take it and, if user space may
 * not know it, put its event at the position *at, which they move on. To be
 * marked as sent once it has been published.
 */
struct taken {
	u64 hash; /* 0: none */
	bool put;
};

static __always_inline void put_stack(struct taken *t, struct ring *ring, u64 *at,
				      void *event, u64 size)
{
	void *to = event_at(ring, *at);

	barrier_var(size); /* the verifier has lost the bound that the compiler knows */
	if (size > LONGEST_EVENT)
		size = LONGEST_EVENT;
	if (!to || bpf_probe_read_kernel(to, size, event)) {
		t->hash = 0;
		return;
	}
	*at = event_end(*at, size);
	t->put = true;
}

static __always_inline struct taken kernel_stack(void *ctx, struct scratch *s, u32 slot,
						 struct ring *ring, u64 *at,
						 u64 time, u64 epoch)
{
	struct taken t = {};
	u32 size = max_frames * 8;
	if (size > MAX_FRAMES * 8)
		size = MAX_FRAMES * 8;
	long n = bpf_get_stack(ctx, s->kernel.ip, size, 0);
	if (n <= 0)
		return t;
	u32 frames = frame_count(n);
	t.hash = hash_frames(slot, 0, frames, mix(epoch, 1)) | 1;
	bool again = sent_before(t.hash);

	if (again && !sent_again(time))
		return t;
	s->kernel.head = (struct stack){
		.kind = EVENT_KERNEL_STACK,
		.flags = again ? STACK_AGAIN : 0,
		.cut = frames >= max_frames ? CUT_DEPTH : CUT_NONE,
		.frames = frames,
		.hash = t.hash,
	};
	put_stack(&t, ring, at, &s->kernel, sizeof(struct stack) + frames * 8);
	return t;
}

static __always_inline struct taken user_stack(void *ctx, enum hook hook,
					       struct scratch *s, u32 slot,
					       struct ring *ring, u64 *at, u64 time,
					       struct task_struct *task, u64 epoch)
{
	struct taken t = {};
	u8 cut = CUT_NONE;

	if (task->flags & PF_KTHREAD || !task->mm)
		return t;
	u32 frames = user_frames(ctx, hook, s, slot, task);
	if (!frames)
		cut = CUT_UNREADABLE;
	if (frames >= max_frames)
		cut = CUT_DEPTH;
	u64 space = address_space(task, epoch);
	t.hash = hash_frames(slot, 1, frames, space) | 1;
	bool again = sent_before(t.hash);

	if (again && !sent_again(time))
		return t;
	locate_frames(slot, frames);
	s->user.head = (struct stack){
		.kind = EVENT_USER_STACK,
		.flags = again ? STACK_AGAIN : 0,
		.cut = cut,
		.frames = frames,
		.hash = t.hash,
		.space = space,
		.pid = task->tgid,
	};
	put_stack(&t, ring, at, &s->user,
		  sizeof(struct stack) + frames * sizeof(struct user_frame));
	return t;
}

#endif
