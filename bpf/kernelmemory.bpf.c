//go:build ignore

// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads the kernel's memory for user space, which needs its ORC tables (capture/teach).
 * /proc/kcore would need more privileges than recording. It is a separate object,
 * because a running recording does not need it.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define KERNEL_CHUNK 65536
struct kernel_chunk {
	u8 bytes[KERNEL_CHUNK];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kernel_chunk);
} kernel_chunks SEC(".maps");

struct kernel_range {
	u64 address;
	u64 size; /* at most KERNEL_CHUNK */
};

/* Copies a range to kernel_chunks; returns 0 or the error of bpf_probe_read_kernel(). */
SEC("syscall")
int read_kernel(struct kernel_range *range)
{
	u32 zero = 0;
	struct kernel_chunk *c = bpf_map_lookup_elem(&kernel_chunks, &zero);
	u64 size = range->size;

	if (!c || size > KERNEL_CHUNK)
		return -1;
	return bpf_probe_read_kernel(c->bytes, size, (void *)range->address);
}
