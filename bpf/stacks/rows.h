/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows: the rules of whole images, for places that no walk has passed yet.
 * Called by user_walk.h where the table of single rules has none. User space writes an
 * image's rows when it first sees the image.
 */
#ifndef TRAPLINE_ROWS_H
#define TRAPLINE_ROWS_H

#include "event.h"

/*
 * The rows of an image are ordered by offset. Each applies up to the next. Rows do not
 * change once their image is in image_rows, and image_rows never loses an image.
 */
struct row {
	u64 offset; /* in the file, bytes */
	u64 body;   /* 0: none */
};
#define ROW_BITS 22
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << ROW_BITS);
	__type(key, u32);
	__type(value, struct row);
} rows SEC(".maps");

/* The rows of an image. */
struct row_span {
	u32 first, count;
};
#define MAX_IMAGES 4096
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_IMAGES);
	__type(key, u64); /* of the image */
	__type(value, struct row_span);
} image_rows SEC(".maps");

/* Returns the body of the row at an offset in an image, 0 if there is none. */
__noinline u64 row_rule(u64 image, u64 offset)
{
	struct row_span *r = bpf_map_lookup_elem(&image_rows, &image);
	struct row *row;
	u32 first, count;

	if (!r)
		return 0;
	first = r->first;
	count = r->count;
	for (u32 i = 0; i < ROW_BITS + 1; i++) {
		u32 middle = first + count / 2;

		if (count <= 1)
			break;
		row = bpf_map_lookup_elem(&rows, &middle);
		if (!row)
			return 0;
		if (row->offset <= offset) {
			first = middle;
			count -= count / 2;
		} else {
			count /= 2;
		}
	}
	row = bpf_map_lookup_elem(&rows, &first);
	return row && row->offset <= offset ? row->body : 0;
}

#endif
