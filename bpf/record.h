/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The arguments of a hit: one record, laid out as a trace record is. */
#ifndef TRAPLINE_RECORD_H
#define TRAPLINE_RECORD_H

#include "maps.h"

#define DIRECT_WORDS 16

/*
 * The fixed part of a tracepoint's record. Short ones of whole words are loaded
 * from the context, which saves a call; the verifier drops the loads beyond.
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
 * A tracepoint's record, dynamic data included: the fixed part first, since it
 * says where the dynamic data end. Layout: include/trace/stages/, __data_loc
 * words hold length << 16 | offset. Returns its size without the 8 common bytes.
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

/*
 * The barrier keeps the compiler from joining loads from the context into one
 * with a computed address, which the verifier refuses.
 */
#define READ_ARGUMENT(n, expr)               \
	case n:                              \
		value = (expr);              \
		asm volatile("" : "+r"(value)); \
		break

/* Function arguments by the calling convention's registers. */
static __always_inline u64 argument(struct pt_regs *regs, u32 index)
{
	u64 value = 0;

	switch (index) {
	READ_ARGUMENT(0, PT_REGS_PARM1(regs));
	READ_ARGUMENT(1, PT_REGS_PARM2(regs));
	READ_ARGUMENT(2, PT_REGS_PARM3(regs));
	READ_ARGUMENT(3, PT_REGS_PARM4(regs));
	READ_ARGUMENT(4, PT_REGS_PARM5(regs));
#if defined(__TARGET_ARCH_x86)
	READ_ARGUMENT(5, regs->r9);
#else
	READ_ARGUMENT(5, regs->user_regs.regs[5]);
	READ_ARGUMENT(6, regs->user_regs.regs[6]);
	READ_ARGUMENT(7, regs->user_regs.regs[7]);
#endif
	}
	return value;
}

/* Argument n of a raw tracepoint, fentry or fexit; the latter's result is behind them. */
static __always_inline u64 context_word(u64 *ctx, u32 index)
{
	u64 value = 0;

	switch (index) {
	READ_ARGUMENT(0, ctx[0]);
	READ_ARGUMENT(1, ctx[1]);
	READ_ARGUMENT(2, ctx[2]);
	READ_ARGUMENT(3, ctx[3]);
	READ_ARGUMENT(4, ctx[4]);
	READ_ARGUMENT(5, ctx[5]);
	READ_ARGUMENT(6, ctx[6]);
	READ_ARGUMENT(7, ctx[7]);
	READ_ARGUMENT(8, ctx[8]);
	READ_ARGUMENT(9, ctx[9]);
	READ_ARGUMENT(10, ctx[10]);
	READ_ARGUMENT(11, ctx[11]);
	READ_ARGUMENT(12, ctx[12]);
	}
	return value;
}

/* Fetched values, one 8-byte slot each; strings follow the slots. */
static __always_inline u32 fetched_record(void *ctx, enum hook hook, u8 *record)
{
	u32 end = fetch_count * 8;

	if (end > MAX_FETCHES * 8)
		end = MAX_FETCHES * 8;
#pragma unroll
	for (u32 i = 0; i < MAX_FETCHES; i++) {
		if (i >= fetch_count)
			break;
		u64 value = 0;

		if (hook == HOOK_CONTEXT) {
			value = context_word(ctx, fetches[i].index);
		} else if (fetches[i].kind == FETCH_RETURN) {
			value = PT_REGS_RC((struct pt_regs *)ctx);
		} else {
			value = argument(ctx, fetches[i].index);
		}
		if (fetches[i].string) {
			u32 at = end;
			long n;

			if (at > MAX_RECORD - MAX_STRING)
				at = MAX_RECORD - MAX_STRING;
			if (fetches[i].string == FETCH_USER_STRING)
				n = bpf_probe_read_user_str(record + at, MAX_STRING, (void *)value);
			else
				n = bpf_probe_read_kernel_str(record + at, MAX_STRING, (void *)value);
			if (n < 0 || n > MAX_STRING) {
				value = 0; /* no such string */
			} else {
				value = (u64)n << 16 | (at + 8);
				end = at + n;
			}
		}
		*(u64 *)(record + i * 8) = value;
	}
	return end;
}

static __always_inline u32 take_record(void *ctx, enum hook hook, u8 *record,
				       struct hit *hit)
{
	if (hook == HOOK_TRACEPOINT)
		return tracepoint_record(ctx, record, hit);
	if (hook == HOOK_NONE || fetch_count == 0)
		return 0;
	return fetched_record(ctx, hook, record);
}

#endif
