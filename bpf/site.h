/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of the recorder's probes a hit belongs to.
 * Called by take_hit() and, at the entries of measured calls, by calls.h.
 * User space sets the index before loading, or a cookie for each place.
 */
#ifndef TRAPLINE_SITE_H
#define TRAPLINE_SITE_H

#include "context.h"

volatile const u32 probe_index = 0;

/*
 * One program serves several probes: those of a pattern over functions or
 * tracepoints, when they differ in nothing else. The index of the probe is then
 * the cookie that the kernel keeps for each place that the program is attached
 * to (5.15).
 */
volatile const u32 many_probes = 0;

static __always_inline u32 probe_of(void *ctx, enum hook hook)
{
	if (many_probes && (hook == HOOK_REGISTERS || hook == HOOK_TRACEPOINT))
		return bpf_get_attach_cookie(ctx);
	return probe_index;
}

#endif
