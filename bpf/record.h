/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The record: the arguments of a hit, copied from a trace record or fetched.
 * Called by take_return(). The record goes to the ring or, if there is a predicate, to the
 * memory that the predicate reads.
 */
#ifndef TRAPLINE_RECORD_H
#define TRAPLINE_RECORD_H

#include "context.h"
#include "fetch.h"

volatile const u32 record_size = 8; /* of the fixed part, including the 8 common bytes */
volatile const u32 data_loc_count = 0;
volatile const u16 data_locs[MAX_DATA_LOCS] = {};
/* in data_locs: the offset counts from the end of the word (__rel_loc) */
#define DATA_LOC_RELATIVE 0x8000

#define DIRECT_WORDS 16

/*
 * Copies the fixed part of a trace record. If it is short and of whole words, it is
 * loaded from the context, which saves a call. The verifier removes the loads beyond it.
 */
static __always_inline long fixed_part(u64 *ctx, u64 *record, u32 fixed)
{
	if (fixed % 8 || fixed > 8 + 8 * DIRECT_WORDS)
		return bpf_probe_read_kernel(record, fixed - 8, ctx + 1);
#pragma unroll
	for (u32 i = 0; i < DIRECT_WORDS; i++) {
		if (16 + 8 * i <= fixed)
			*(volatile u64 *)(record + i) = *(volatile u64 *)(ctx + 1 + i);
	}
	return 0;
}

/*
 * Copies a trace record: first the fixed part, which says where the dynamic data end,
 * then the dynamic data. A __data_loc word holds length << 16 | offset (see
 * include/trace/stages/). Returns the size without the 8 common bytes, ~0 if the record
 * cannot be read.
 */
static __always_inline u32 tracepoint_record(void *ctx, u8 *record, struct hit *hit)
{
	u32 fixed = record_size;
	u32 end;

	if (fixed <= 8)
		return 0;
	if (fixed > MAX_RECORD)
		fixed = MAX_RECORD;
	if (fixed_part(ctx, (u64 *)record, fixed))
		return ~0U;
	end = fixed;
	for (u32 i = 0; i < MAX_DATA_LOCS; i++) {
		if (i >= data_loc_count)
			break;
		u32 at = data_locs[i] & ~DATA_LOC_RELATIVE;
		u32 word, last;

		if (at < 8 || at > MAX_RECORD - 8)
			break;
		word = *(u32 *)(record + at - 8);
		last = (word & 0xffff) + (word >> 16);
		if (data_locs[i] & DATA_LOC_RELATIVE)
			last += at + 4;
		if (last > end)
			end = last;
	}
	if (end > MAX_RECORD) {
		end = MAX_RECORD;
		hit->flags |= HIT_RECORD_CUT;
	}
	if (end > fixed) {
		if (bpf_probe_read_kernel(record + fixed - 8, end - fixed, ctx + fixed))
			return ~0U;
	}
	return end - 8;
}

/* Takes the record of a hit; returns its size, ~0 if it cannot be read. */
static __always_inline u32 take_record(struct hit_context *c, u8 *record, struct hit *hit)
{
	if (fetch_count)
		return fetched_record(c->ctx, record, hit);
	if (c->hook == HOOK_TRACEPOINT)
		return tracepoint_record(c->ctx, record, hit);
	return 0;
}

#endif
