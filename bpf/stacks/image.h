/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys of images, the files that code is mapped from: they name a file's content.
 * Called by mappings.h and program.h. Rules belong to a place in an image, so user space
 * makes the same keys (contentKey in capture).
 */
#ifndef TRAPLINE_IMAGE_H
#define TRAPLINE_IMAGE_H

#include "hash.h"

/* Keys of images that are no files: bit 0 is set for memory without a name. */
#define IMAGE_ANONYMOUS 1
#define VDSO_IMAGE 4

/* What stands for the kernel and its modules where images have their keys. */
#define KERNEL_IMAGE 2

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

#endif
