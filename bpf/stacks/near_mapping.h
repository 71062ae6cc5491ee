/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The mappings that the last walks went through, few enough to be compared one by one.
 * Called by user_walk.h, whenever a walk leaves the mapping that it was in; what is not
 * among them is looked up by mappings.h.
 */
#ifndef TRAPLINE_NEAR_MAPPING_H
#define TRAPLINE_NEAR_MAPPING_H

#include "mappings.h"
#include "memo.h"
#include "uprobes.h"

#if defined(__TARGET_ARCH_x86)
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
#endif

#endif
