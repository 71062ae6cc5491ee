/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hash behind all keys: of rules, mappings, images and stacks.
 * Called wherever a key is made. User space makes the same keys of rules and images
 * with the same function.
 */
#ifndef TRAPLINE_HASH_H
#define TRAPLINE_HASH_H

static __always_inline u64 mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9FB21C651E98DF25ULL;
	return h ^ (h >> 29);
}

#endif
