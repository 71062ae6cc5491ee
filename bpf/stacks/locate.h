/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is mapped at the frames of a user stack that is sent.
 * Called by user_stack.h for a stack that user space does not know, and by raw.h for the
 * last frame of the walk.
 */
#ifndef TRAPLINE_LOCATE_H
#define TRAPLINE_LOCATE_H

#include "constants.h"
#include "mappings.h"

/* Stores frame i of the stack in s->ip, with its mapping, in s->user. */
__noinline int locate_frame(u32 slot, u32 i)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	if (!s || i >= MAX_FRAMES)
		return 0;
	struct user_frame *f = &s->user.frames[i];
	u64 address = s->ip[i] & ~(IP_EXACT | IP_GUESSED);
	u16 how = (s->ip[i] & IP_EXACT ? FRAME_EXACT : 0) |
		  (s->ip[i] & IP_GUESSED ? FRAME_GUESSED : 0);
	u64 at = address - !(how & FRAME_EXACT);

	f->address = address;
	f->how = how;
	f->known = MAPPING_CODE;
	f->image = f->inode = f->offset = f->device = 0;
	if (!have_find_vma) {
		f->known = MAPPING_UNKNOWN;
		return 0;
	}
	if (at - s->at.start >= s->at.size)
		f->known = find_mapping(slot, at);
	if (f->known == MAPPING_CODE) {
		f->image = s->at.image;
		f->inode = s->at.inode;
		f->device = s->at.device;
		if (!(s->at.image & IMAGE_ANONYMOUS))
			f->offset = address + s->at.delta;
	}
	return 0;
}

/* Stores all frames of the stack in s->ip in s->user. */
__noinline int locate_frames(u32 slot, u32 frames)
{
	for (u32 i = 0; i < MAX_FRAMES; i++) {
		if (i >= frames)
			break;
		locate_frame(slot, i);
	}
	return 0;
}

#endif
