/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is mapped at a user address: asked of the kernel once per page of code, then
 * remembered. Called by near_mapping.h for the places that a walk passes, and by locate.h
 * for the frames that are sent.
 */
#ifndef TRAPLINE_MAPPINGS_H
#define TRAPLINE_MAPPINGS_H

#include "program.h"

/*
 * The mappings found before, in a direct-mapped table. Each is entered twice: by process
 * and region, and by process and page, because small mappings share a region. tag is
 * key ^ all other words, as in struct rule.
 */
#define REGION_SHIFT 21
#define MAPPING_BITS 15
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << MAPPING_BITS);
	__type(key, u32);
	__type(value, struct mapping);
} mappings SEC(".maps");

/*
 * Returns the version at which a mapping last changed, ~0 if the kernel does not keep it.
 * Whoever changes or removes a mapping locks it first, which notes the version in it
 * (vma_start_write).
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

/* Reports, without a lock, whether a mapping found before is unchanged. */
static __always_inline bool unchanged(struct mapping *m)
{
	struct vm_area_struct *vma = (void *)m->vma;

	return m->vma_changed != ~0ULL && vma_changed(m->vma) == m->vma_changed &&
	       BPF_CORE_READ(vma, vm_start) == m->start &&
	       BPF_CORE_READ(vma, vm_end) == m->start + m->size &&
	       BPF_CORE_READ(vma, vm_mm) == bpf_get_current_task_btf()->mm;
}

/* The argument of found_mapping(). */
struct mapping_search {
	struct mapping *found;
	u64 process;
	u64 known; /* enum mapping_known */
};

/* Describes a mapping that bpf_find_vma() has found. */
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

/* Returns 1, with the mapping in s->at, if it was found before and is unchanged. */
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

/* Finds the mapping of an address and stores it in s->at; returns enum mapping_known. */
__noinline u32 find_mapping(u32 slot, u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	if (!s)
		return MAPPING_UNKNOWN;
	if (known_mapping(slot, region_key(s, address), address) ||
	    known_mapping(slot, page_key(s, address), address))
		return MAPPING_CODE;
	/* recomputes the keys below, because the stack has no room to keep them */
	barrier_var(address);
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
