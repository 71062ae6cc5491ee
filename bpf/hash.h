/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hash behind all keys: of rules, mappings, images and stacks.
 * Called wherever a key is made. User space makes the same keys of rules and images
 * with the same function.
 */
#ifndef TRAPLINE_HASH_H
#define TRAPLINE_HASH_H

#define MIX_FACTOR 0x9FB21C651E98DF25ULL

/* Adds a word to a hash. */
static __always_inline u64 mix(u64 h, u64 v)
{
	h = (h ^ v) * MIX_FACTOR;
	return h ^ (h >> 29);
}

/* Spreads a time over 64 bits, to choose one hit in N by its high bits (Fibonacci hashing). */
static __always_inline u64 spread(u64 time)
{
	return time * 0x9E3779B97F4A7C15ULL;
}

#endif
