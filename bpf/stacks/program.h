/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the code of the current program is mapped, known without looking up its mapping.
 * Called by mappings.h. It helps hits while the mappings are locked, such as hits in
 * mmap(), in processes whose mappings are not known yet.
 */
#ifndef TRAPLINE_PROGRAM_H
#define TRAPLINE_PROGRAM_H

#include "image.h"
#include "scratch.h"

/*
 * The file offsets at which the code of programs starts: mm->start_code, which execve()
 * sets, as an offset. It is the same in every process of a program.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, u64); /* image key */
	__type(value, u64);
} program_code SEC(".maps");

/* Notes where the current program's code starts, if s->at is a mapping of that program. */
__noinline int note_program(u32 slot)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct mm_struct *mm = bpf_get_current_task_btf()->mm;
	u64 image, code;

	if (!s || !mm || !mm->exe_file)
		return 0;
	code = mm->start_code;
	image = s->at.image;
	if (code - s->at.start >= s->at.size || image_key(mm->exe_file->f_inode) != image)
		return 0;
	code += s->at.delta;
	bpf_map_update_elem(&program_code, &image, &code, BPF_ANY);
	return 0;
}

/*
 * If the address is in the code of the current program, describes its mapping in s->at
 * and returns 1. execve() notes in the mm where that code is and what file it is from.
 */
__noinline int in_program(u32 slot, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct mm_struct *mm = bpf_get_current_task_btf()->mm;
	u64 *code, image;

	if (!s || !mm || !mm->exe_file || address - mm->start_code >= mm->end_code - mm->start_code)
		return 0;
	image = image_key(mm->exe_file->f_inode);
	code = bpf_map_lookup_elem(&program_code, &image);
	if (!code)
		return 0;
	s->at.start = mm->start_code;
	s->at.size = mm->end_code - mm->start_code;
	s->at.image = image;
	s->at.delta = *code - s->at.start;
	s->at.inode = mm->exe_file->f_inode->i_ino;
	s->at.device = mm->exe_file->f_inode->i_sb->s_dev;
	return 1;
}

#endif
