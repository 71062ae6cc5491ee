/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The probe that a hit belongs to.
 * Called by take_hit() and call_begins(). User space sets the index of a program's probe
 * before loading it, or one cookie per attachment.
 */
#ifndef TRAPLINE_SITE_H
#define TRAPLINE_SITE_H

#include "context.h"

volatile const u32 probe_index = 0; /* in record's list of probes */

/*
 * One program serves several probes: those of a pattern that differ in nothing but
 * their function or tracepoint. The kernel then keeps the probe's index as the cookie
 * of each attachment. Cookies require Linux 5.15.
 */
volatile const u32 many_probes = 0;

static __always_inline u32 probe_of(void *ctx, enum hook hook)
{
	if (many_probes && (hook == HOOK_REGISTERS || hook == HOOK_TRACEPOINT))
		return bpf_get_attach_cookie(ctx);
	return probe_index;
}

#endif
