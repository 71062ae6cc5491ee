/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fetches: arguments that a program reads from registers and the memory they lead to.
 * Called by take_record(). Constants describe what to read, one struct fetch per value,
 * and the verifier removes the code that the descriptions do not use.
 */
#ifndef TRAPLINE_FETCH_H
#define TRAPLINE_FETCH_H

#include "event.h"

#define MAX_FETCHES 16
#define MAX_STEPS 6
/* bytes read beyond a string's limit: its NUL, and one more to see that it is longer */
#define STRING_ENDS 2

/* What a value starts from. */
enum fetch_base {
	BASE_CONTEXT = 0,  /* an 8-byte word of the context: a register or an argument */
	BASE_CONSTANT = 1, /* 0 */
	BASE_TASK = 2,	   /* the address of the current task_struct */
	BASE_RECORD = 3,   /* the address of the context */
};
/* Where an address points to. */
enum fetch_space {
	SPACE_NONE = 0, /* it is a value, not an address */
	SPACE_KERNEL = 1,
	SPACE_USER = 2,
};
/* What is recorded. */
enum fetch_as {
	FETCH_NUMBER = 0,
	FETCH_BLOCK = 1,  /* max bytes of memory, in place */
	FETCH_STRING = 2, /* text in memory up to its NUL, at most max bytes */
	FETCH_BYTES = 3,  /* memory of a given length, at most max bytes */
};
enum {
	FETCH_SWAP = 1,	   /* big-endian: swap all 8 bytes before shifting */
	FETCH_SIGNED = 2,  /* shift right with the sign */
	FETCH_INDEXED = 4, /* add the context's word index, shifted left by scale */
};

/* value += add; with a space, value is then read from memory there */
struct fetch_step {
	s32 add;
	u8 space;
	u8 size; /* bytes to read */
	u16 pad;
};

struct fetch {
	u64 constant; /* added to the base */
	u8 base;
	u8 word; /* of the context */
	u8 steps;
	u8 as;
	u8 space; /* where the address points to, unless it is fetched as a number */
	u8 flags;
	u8 left, right; /* shifts that cut out a number's bits and extend its sign */
	u16 at;		/* offset of its slot in the record, as Field.Offset */
	u16 max;	/* size of a block; limit of text and bytes */
	u16 length_at;	/* slot of an earlier fetch: the length of bytes; 0: max */
	u8 mark;	/* bit in the marks */
	u8 index, scale;
	u8 pad[3];
	struct fetch_step step[MAX_STEPS];
};
volatile const u32 fetch_count = 0;
volatile const u32 fetch_end = 8; /* where the slots end and texts begin */
/* slot of the marks: values not read and, shifted left by 32, values cut; 0: none */
volatile const u32 marks_at = 0;
volatile const struct fetch fetches[MAX_FETCHES] = {};

/*
 * The barrier keeps the compiler from merging the loads into one from a computed
 * address, which the verifier rejects for contexts.
 */
#define CONTEXT_WORD(n)                         \
	case n:                                 \
		value = ((u64 *)ctx)[n];        \
		asm volatile("" : "+r"(value)); \
		break

static __always_inline u64 context_word(void *ctx, u32 index)
{
	u64 value = 0;

	/* clang-format off */
	switch (index) {
	CONTEXT_WORD(0);
	CONTEXT_WORD(1);
	CONTEXT_WORD(2);
	CONTEXT_WORD(3);
	CONTEXT_WORD(4);
	CONTEXT_WORD(5);
	CONTEXT_WORD(6);
	CONTEXT_WORD(7);
	CONTEXT_WORD(8);
	CONTEXT_WORD(9);
	CONTEXT_WORD(10);
	CONTEXT_WORD(11);
	CONTEXT_WORD(12);
	CONTEXT_WORD(13);
	CONTEXT_WORD(14);
	CONTEXT_WORD(15);
	CONTEXT_WORD(16);
	CONTEXT_WORD(17);
	CONTEXT_WORD(18);
	CONTEXT_WORD(19);
	CONTEXT_WORD(20);
#if !defined(__TARGET_ARCH_x86) /* struct user_pt_regs is longer than x86's pt_regs */
	CONTEXT_WORD(21);
	CONTEXT_WORD(22);
	CONTEXT_WORD(23);
	CONTEXT_WORD(24);
	CONTEXT_WORD(25);
	CONTEXT_WORD(26);
	CONTEXT_WORD(27);
	CONTEXT_WORD(28);
	CONTEXT_WORD(29);
	CONTEXT_WORD(30);
	CONTEXT_WORD(31);
	CONTEXT_WORD(32);
	CONTEXT_WORD(33);
#endif
	}
	/* clang-format on */
	return value;
}

static __always_inline long read_memory(u32 space, void *to, u32 size, u64 from)
{
	if (space == SPACE_USER)
		return bpf_probe_read_user(to, size, (void *)from);
	return bpf_probe_read_kernel(to, size, (void *)from);
}

/* Follows a fetch's steps to its value; returns false if memory cannot be read. */
static __always_inline bool follow_steps(void *ctx, const volatile struct fetch *f, u64 *result)
{
	u64 value = f->constant;

	if (f->base == BASE_CONTEXT)
		value += context_word(ctx, f->word);
	else if (f->base == BASE_TASK)
		value += (u64)bpf_get_current_task();
	else if (f->base == BASE_RECORD)
		value += (u64)ctx;
	if (f->flags & FETCH_INDEXED)
		value += context_word(ctx, f->index) << (f->scale & 3);
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < MAX_STEPS; i++) {
		if (i >= f->steps)
			break;
		value += f->step[i].add;
		if (f->step[i].space != SPACE_NONE) {
			u64 word = 0;
			u32 size = f->step[i].size;

			if (size > sizeof(word))
				return false;
			if (read_memory(f->step[i].space, &word, size, value))
				return false;
			value = word;
		}
	}
	*result = value;
	return true;
}

/*
 * Returns where the record ends so far. This is kept in memory, which the verifier does
 * not track: otherwise each text, read or not, would double the states it checks.
 */
static __always_inline u32 record_end(struct hit *hit)
{
	return *(volatile u16 *)&hit->size;
}

/* Marks a value in a word of the marks: 0 for values not read, 1 for values cut. */
static __always_inline void mark_value(u8 *record, u32 word, const volatile struct fetch *f)
{
	if (marks_at >= 8 && marks_at <= MAX_RECORD)
		*(volatile u32 *)(record + marks_at - 8 + 4 * word) |= 1U << (f->mark & 31);
}

/*
 * Appends text or bytes from memory to the record. Returns the word for the slot, which
 * says where they are, or 0 if the memory cannot be read.
 */
static __always_inline u64 fetch_dynamic(const volatile struct fetch *f, u64 from, u8 *record,
					 struct hit *hit, bool *cut)
{
	u32 at = record_end(hit), max = f->max;
	long n;

	if (max > MAX_RECORD - 16 - STRING_ENDS)
		return 0;
	/* no room left: keep nothing */
	if (at > MAX_RECORD - 16 - STRING_ENDS - max) {
		*cut = true;
		return at + 8;
	}
	if (f->as == FETCH_STRING) {
		if (f->space == SPACE_USER)
			n = bpf_probe_read_user_str(record + at, max + STRING_ENDS, (void *)from);
		else
			n = bpf_probe_read_kernel_str(record + at, max + STRING_ENDS, (void *)from);
		if (n < 0)
			return 0;
		if (n > max + 1) {
			*cut = true;
			n = max;
		}
	} else {
		u64 length = max;

		if (f->length_at >= 8 && f->length_at <= MAX_FETCHES * 8)
			length = *(u64 *)(record + f->length_at - 8);
		barrier_var(length);
		if (length > max) {
			*cut = true;
			length = max;
		}
		n = length;
		if (read_memory(f->space, record + at, length, from))
			return 0;
	}
	hit->size = at + (u32)n;
	return (u64)n << 16 | (at + 8);
}

/*
 * Fetches all values, each into its slot; text and bytes follow the slots. Returns the
 * record's size. The loops are not unrolled, which would take a hundred kilobytes: the
 * verifier knows the constants in every iteration anyway.
 */
static __noinline u32 fetched_record(void *ctx, u8 *record, struct hit *hit)
{
	u32 end = fetch_end - 8;

	if (end > MAX_RECORD - 8)
		return 0;
	hit->size = end;
	if (marks_at >= 8 && marks_at <= MAX_RECORD)
		*(volatile u64 *)(record + marks_at - 8) = 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < MAX_FETCHES; i++) {
		const volatile struct fetch *f = &fetches[i];
		u32 at = f->at - 8;
		bool is_cut = false, ok;
		u64 value = 0;

		if (i >= fetch_count)
			break;
		if (at > MAX_RECORD - 8)
			return 0;
		ok = follow_steps(ctx, f, &value);
		if (f->as == FETCH_NUMBER) {
			/* through memory: the verifier does not let a pointer be shifted */
			*(volatile u64 *)(record + at) = value;
			value = *(volatile u64 *)(record + at);
			if (f->flags & FETCH_SWAP)
				value = __builtin_bswap64(value);
			value <<= f->left & 63;
			if (f->flags & FETCH_SIGNED)
				value = (s64)value >> (f->right & 63);
			else
				value >>= f->right & 63;
		} else if (f->as == FETCH_BLOCK) {
			u32 size = f->max;

			if (size > MAX_RECORD || at > MAX_RECORD - size)
				return 0;
			ok = ok && !read_memory(f->space, record + at, size, value);
			if (!ok)
				mark_value(record, 0, f);
			continue; /* the slot has the bytes read, or zeros */
		} else if (ok) {
			value = fetch_dynamic(f, value, record, hit, &is_cut);
			ok = value;
		}
		if (!ok) {
			mark_value(record, 0, f);
			value = 0;
		}
		if (is_cut)
			mark_value(record, 1, f);
		*(u64 *)(record + at) = value;
	}
	return record_end(hit);
}

#endif
