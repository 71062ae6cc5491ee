/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The mappings used last: few enough to compare an address with each.
 * Called by user_walk.h whenever a walk leaves its mapping. mappings.h looks up what is not
 * among them.
 */
#ifndef TRAPLINE_NEAR_MAPPING_H
#define TRAPLINE_NEAR_MAPPING_H

#include "mappings.h"
#include "memo.h"
#include "uprobes.h"

#if defined(__TARGET_ARCH_x86)
/* Returns the index of the near mapping with an address, NEAR_MAPPINGS if there is none. */
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
 * Looks up the mapping of an address and makes it a near one. Returns its index, or
 * NEAR_MAPPINGS if nothing executable is mapped there. An unknown mapping has image 0.
 * place is where the return address was read, 0 if it is not a return address; if a
 * uretprobe has replaced it there, *address becomes that of the original one.
 */
__noinline u32 far_mapping(u32 slot, u64 *address, u64 place)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	u32 known, next;

	if (!s || !address)
		return NEAR_MAPPINGS;
	known = find_mapping(slot, *address);
	/* The trampoline starts its page, so the byte before it may be anything. */
	if (place && (known == MAPPING_NO_CODE ||
		      (known == MAPPING_CODE && s->at.image & IMAGE_ANONYMOUS))) {
		u64 replaced = replaced_return(place);

		note_word(slot, 0, 0); /* the walk depends on more than the stack */
		if (replaced) {
			*address = replaced - 1;
			known = find_mapping(slot, *address);
		}
	}
	if (known == MAPPING_NO_CODE)
		return NEAR_MAPPINGS;
	next = s->near_next++ % NEAR_MAPPINGS;
	s->near[next].start = s->at.start;
	/* size 0 if it must be looked up again: trampolines, and what may become known */
	s->near[next].size = known == MAPPING_CODE && !(s->at.image & IMAGE_ANONYMOUS) ? s->at.size
										       : 0;
	s->near[next].image = known == MAPPING_CODE ? s->at.image : 0;
	s->near[next].delta = known == MAPPING_CODE ? s->at.delta : 0;
	return next;
}
#endif

#endif
