/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types that the programs read. Included by hooks.bpf.c and
 * kernelmemory.bpf.c. A full dump of a kernel's BTF would have 120,000 lines. Loading a
 * program relocates field offsets (CO-RE), so only names and types must be right.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef signed short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };

/* include/uapi/linux/bpf.h */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_CGROUP_ARRAY = 8,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_ANY = 0 };
enum { BPF_F_USER_STACK = 1ULL << 8 };
enum { BPF_F_MMAPABLE = 1U << 10 };

/* include/linux/mm.h, include/uapi/asm-generic/errno-base.h */
enum { VM_EXEC = 0x4, ENOENT = 2 };

/* include/linux/sched.h */
enum { PF_IO_WORKER = 0x10, PF_USER_WORKER = 0x4000, PF_KTHREAD = 0x00200000 };
/* arch/x86/include/asm/segment.h: __USER_CS */
enum { USER_CS = 0x33 };

/* arch/x86/include/asm/ptrace.h, as a kprobe program's context lays it out */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
/* arch/arm64/include/uapi/asm/ptrace.h */
struct user_pt_regs {
	__u64 regs[31];
	__u64 sp, pc, pstate;
};
struct pt_regs {
	struct user_pt_regs user_regs;
};
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct super_block {
	u32 s_dev;
};
struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};
struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
	s64 i_size;
	s64 i_mtime_sec;
	u32 i_mtime_nsec;
};
struct inode___renamed { /* 6.7 to 6.10 */
	struct timespec64 __i_mtime;
};
struct inode___old {
	struct timespec64 i_mtime;
};
struct file {
	struct inode *f_inode;
};
typedef struct {
	void *vdso;
} mm_context_t;
struct return_instance {
	unsigned long stack, orig_ret_vaddr;
	struct return_instance *next;
};
struct uprobe_task {
	struct return_instance *return_instances;
	struct uprobe *active_uprobe;
	unsigned long vaddr, xol_vaddr;
};
typedef struct {
	u32 sequence;
} seqcount_t;
struct maple_tree {
	void *ma_root;
};
struct mm_struct {
	unsigned long exec_vm, total_vm, start_code, end_code, start_stack;
	int map_count;
	struct file *exe_file;
	mm_context_t context;
	struct maple_tree mm_mt; /* since 6.1 */
};
struct mm_struct___seqcount { /* since 6.13 */
	seqcount_t mm_lock_seq;
};
struct mm_struct___counter { /* 6.4 to 6.12 */
	int mm_lock_seq;
};
struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_pgoff, vm_flags;
	struct file *vm_file;
	struct mm_struct *vm_mm;
};
#if defined(__TARGET_ARCH_x86)
struct thread_struct {
	unsigned long fsbase;
};
#endif
struct vm_area_struct___locked { /* since 6.4, with CONFIG_PER_VMA_LOCK */
	unsigned int vm_lock_seq;
};
struct vm_area_struct___signed { /* up to 6.12 */
	int vm_lock_seq;
};
struct signal_struct {
	atomic_t live;
};
struct task_struct {
	unsigned int flags;
	unsigned in_execve : 1;
	int pid, tgid;
	u64 start_time;
	u64 self_exec_id;
	struct mm_struct *mm;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	struct uprobe_task *utask;
	unsigned long sas_ss_sp, sas_ss_size;
	char comm[16];
#if defined(__TARGET_ARCH_x86)
	struct thread_struct thread;
#endif
};

#pragma clang attribute pop

#endif
