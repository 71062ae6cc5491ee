/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is mapped at a user address: asked of the kernel once a page of code. */
#ifndef TRAPLINE_MAPPINGS_H
#define TRAPLINE_MAPPINGS_H

#include "maps.h"

/*
 * Mappings found before, direct-mapped by process and region, and, as small ones
 * share a region, by page. tag is the key ^ all other words, as in struct rule.
 */
#define REGION_SHIFT 21
#define MAPPING_BITS 15
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << MAPPING_BITS);
	__type(key, u32);
	__type(value, struct mapping);
} mappings SEC(".maps");

/* The same process and program, whatever it maps: fork and exec change it. */
static __always_inline u64 process_key(struct task_struct *task)
{
	return mix(mix(task->tgid, task->group_leader->start_time), task->self_exec_id);
}

/*
 * Changes of address spaces, counted by on_mapping where Linux itself does not; by
 * mm, of which several may share a place: the mappings of one are then looked up
 * again when another's have changed.
 */
#define CHANGE_BITS 12
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << CHANGE_BITS);
	__type(key, u32);
	__type(value, u64);
} mapping_changes SEC(".maps");

volatile const u32 count_mappings = 0; /* on_mapping is attached */

static __always_inline u64 *changes_of(u64 mm)
{
	u32 at = mix(0, mm) >> (64 - CHANGE_BITS);

	return bpf_map_lookup_elem(&mapping_changes, &at);
}

/* A mapping is stored in an address space's tree, the argument: vma_mas_store in mm/mmap.c of Linux 6.1. */
static __always_inline int count_mapping(u64 *args)
{
	u64 tree, *n;

	if (bpf_probe_read_kernel(&tree, sizeof(tree), args)) /* as a number, not a pointer */
		return 0;
	n = changes_of(tree - bpf_core_field_offset(struct mm_struct, mm_mt));
	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}

/*
 * The version of an address space's mappings. Linux counts the changes since 6.4,
 * for the locks of single mappings; since 6.13 the count is odd while one is
 * being made, and what is on the stack is then mapped as it was before. Kernels
 * from 6.1 on have a tracepoint there instead. Older ones have neither: there, one
 * library that takes another's place with the same sizes in pages goes unnoticed.
 */
static __always_inline u64 mappings_version(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;
	struct mm_struct___seqcount *counted = (void *)mm;
	struct mm_struct___counter *counter = (void *)mm;

	if (bpf_core_field_exists(counted->mm_lock_seq.sequence))
		return counted->mm_lock_seq.sequence & ~1U;
	if (bpf_core_field_exists(counter->mm_lock_seq))
		return (u32)counter->mm_lock_seq;
	if (count_mappings) {
		u64 *n = changes_of((u64)BPF_CORE_READ(task, mm));

		return n ? *(volatile u64 *)n : 0;
	}
	return mm->exec_vm << 40 ^ mm->total_vm << 16 ^ (u32)mm->map_count;
}

/* Names the content of a file for as long as the machine runs: a file written anew is another image. */
static __always_inline u64 image_key(struct inode *inode)
{
	struct inode___old *old = (void *)inode;
	struct inode___renamed *renamed = (void *)inode;
	u64 h = mix(inode->i_sb->s_dev, inode->i_ino);

	h = mix(h, inode->i_size);
	if (bpf_core_field_exists(inode->i_mtime_sec)) /* 6.11 */
		h = mix(h, (u64)inode->i_mtime_sec << 32 ^ inode->i_mtime_nsec);
	else if (bpf_core_field_exists(renamed->__i_mtime)) /* 6.7 */
		h = mix(h, (u64)renamed->__i_mtime.tv_sec << 32 ^ renamed->__i_mtime.tv_nsec);
	else
		h = mix(h, (u64)old->i_mtime.tv_sec << 32 ^ old->i_mtime.tv_nsec);
	return h & ~(u64)IMAGE_ANONYMOUS;
}

/*
 * When a mapping was last changed, by the version then: whoever changes or removes
 * one locks it first (vma_start_write), which notes the version in it. ~0: not kept.
 */
static __always_inline u64 vma_changed(u64 vma)
{
	struct vm_area_struct___locked *locked = (void *)vma;
	struct vm_area_struct___signed *counter = (void *)vma;

	if (bpf_core_field_exists(locked->vm_lock_seq))
		return BPF_CORE_READ(locked, vm_lock_seq);
	if (bpf_core_field_exists(counter->vm_lock_seq))
		return (u32)BPF_CORE_READ(counter, vm_lock_seq);
	return ~0ULL;
}

/* Is a mapping found before still as it was? Asks without a lock. */
static __always_inline bool unchanged(struct mapping *m)
{
	struct vm_area_struct *vma = (void *)m->vma;

	return m->vma_changed != ~0ULL && vma_changed(m->vma) == m->vma_changed &&
	       BPF_CORE_READ(vma, vm_start) == m->start &&
	       BPF_CORE_READ(vma, vm_end) == m->start + m->size &&
	       BPF_CORE_READ(vma, vm_mm) == bpf_get_current_task_btf()->mm;
}

struct mapping_search {
	struct mapping *found;
	u64 process;
	u64 known;
};

static long found_mapping(struct task_struct *task, struct vm_area_struct *vma,
			  struct mapping_search *w)
{
	struct mapping *m = w->found;
	struct inode *inode;

	if (!(vma->vm_flags & VM_EXEC)) {
		w->known = MAPPING_NO_CODE;
		return 0;
	}
	w->known = MAPPING_CODE;
	m->vma = (u64)vma;
	m->vma_changed = vma_changed(m->vma);
	m->start = vma->vm_start;
	m->size = vma->vm_end - vma->vm_start;
	if (vma->vm_file) {
		inode = vma->vm_file->f_inode;
		m->inode = inode->i_ino;
		m->device = inode->i_sb->s_dev;
		m->delta = (vma->vm_pgoff << 12) - m->start;
		m->image = image_key(inode);
	} else if ((u64)vma->vm_mm->context.vdso == m->start) {
		m->inode = 0;
		m->device = VDSO_DEVICE;
		m->delta = -m->start;
		m->image = VDSO_IMAGE;
	} else {
		m->inode = 0;
		m->device = 0;
		m->delta = 0;
		m->image = w->process | IMAGE_ANONYMOUS;
	}
	return 0;
}

static __always_inline u64 mapping_words(struct mapping *m)
{
	return m->start ^ m->size * 3 ^ m->image ^ m->delta * 5 ^ m->inode ^ m->device << 7 ^
	       m->version * 7 ^ m->vma ^ m->vma_changed * 9;
}

static __always_inline struct mapping *mapping_place(u64 key)
{
	u32 at = key >> (64 - MAPPING_BITS);

	return bpf_map_lookup_elem(&mappings, &at);
}

static __always_inline void keep_mapping(struct scratch *s, u64 key)
{
	struct mapping *place = mapping_place(key);

	s->at.tag = key ^ mapping_words(&s->at);
	if (place)
		*place = s->at;
}

static __always_inline u64 region_key(struct scratch *s, u64 address)
{
	return mix(s->process, ~(address >> REGION_SHIFT));
}

static __always_inline u64 page_key(struct scratch *s, u64 address)
{
	return mix(s->process, address >> 12);
}

/* Was the mapping of an address found before, and is it still as it was? It is in s->at then. */
__noinline int known_mapping(u32 slot, u64 key, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);
	struct mapping *place = mapping_place(key);

	if (!s || !place)
		return 0;
	s->at = *place;
	if ((s->at.tag ^ mapping_words(&s->at)) != key || address - s->at.start >= s->at.size)
		return 0;
	if (s->at.version == s->space)
		return 1;
	if (!unchanged(&s->at))
		return 0;
	s->at.version = s->space;
	keep_mapping(s, key);
	return 1;
}

/*
 * Where programs' code, as execve notes it in start_code, begins in their files:
 * the same in every process of a program.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, u64); /* of the image */
	__type(value, u64);
} program_code SEC(".maps");

/* Notes where the current program's code begins, if s->at is a mapping of it. */
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
 * Is the address in the code of the current program? The kernel notes where that
 * is, and what file it came from, when the program begins: for hits while the
 * mappings are locked, such as those in mmap, in processes where nothing else is known yet.
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

/* Finds what is mapped at an address into s->at; returns enum mapping_known. */
__noinline u32 find_mapping(u32 slot, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	if (!s)
		return MAPPING_UNKNOWN;
	if (known_mapping(slot, region_key(s, address), address) ||
	    known_mapping(slot, page_key(s, address), address))
		return MAPPING_CODE;
	barrier_var(address); /* the keys are made anew below: there is little room on the stack */
	s->at.size = 0;
	struct mapping_search w = {.found = &s->at, .process = s->process};
	long err = bpf_find_vma(bpf_get_current_task_btf(), address, found_mapping, &w, 0);
	if (err == -ENOENT)
		return MAPPING_NO_CODE;
	if (err)
		return in_program(slot, address) ? MAPPING_CODE : MAPPING_UNKNOWN;
	if (w.known == MAPPING_CODE) {
		s->at.version = s->space;
		keep_mapping(s, region_key(s, address));
		keep_mapping(s, page_key(s, address));
		note_program(slot);
	}
	return w.known;
}

#endif
