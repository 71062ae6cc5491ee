/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keys of images: the files that code is mapped from, named by their content.
 * Called by mappings.h and program.h. Rules belong to places in images, so user space
 * makes the same keys.
 */
#ifndef TRAPLINE_IMAGE_H
#define TRAPLINE_IMAGE_H

#include "hash.h"

/* Keys that do not name a file. Memory without a file has a key with bit 0 set. */
#define IMAGE_ANONYMOUS 1
#define VDSO_IMAGE 4

#define KERNEL_IMAGE 2 /* the kernel and its modules */

/*
 * Names the content of a file until the machine reboots. A file that is rewritten becomes
 * another image.
 */
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
