package probe

import (
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/format"
)

// tracepointsIn maps well-known functions to static tracepoints that hit in them,
// according to the calls of trace_… in the kernel source. Tracepoints named like their
// function need no entry.
var tracepointsIn = map[string]string{
	"tcp_set_state":               "sock:inet_sock_set_state", // net/ipv4/tcp.c
	"tcp_rcv_established":         "tcp:tcp_probe",            // net/ipv4/tcp_input.c
	"tcp_reset":                   "tcp:tcp_receive_reset",    // net/ipv4/tcp_input.c
	"tcp_v4_send_reset":           "tcp:tcp_send_reset",       // net/ipv4/tcp_ipv4.c
	"tcp_v4_destroy_sock":         "tcp:tcp_destroy_sock",     // net/ipv4/tcp_ipv4.c
	"kfree_skb_reason":            "skb:kfree_skb",            // net/core/skbuff.c
	"sk_skb_reason_drop":          "skb:kfree_skb",            // net/core/skbuff.c
	"__dev_queue_xmit":            "net:net_dev_queue",        // net/core/dev.c
	"dev_hard_start_xmit":         "net:net_dev_xmit",         // net/core/dev.c
	"__netif_receive_skb_core":    "net:netif_receive_skb",    // net/core/dev.c
	"__napi_poll":                 "napi:napi_poll",           // net/core/dev.c
	"__schedule":                  "sched:sched_switch",       // kernel/sched/core.c
	"schedule":                    "sched:sched_switch",       // kernel/sched/core.c
	"ttwu_do_wakeup":              "sched:sched_wakeup",       // kernel/sched/core.c
	"try_to_wake_up":              "sched:sched_waking",       // kernel/sched/core.c
	"wake_up_new_task":            "sched:sched_wakeup_new",   // kernel/sched/core.c
	"set_task_cpu":                "sched:sched_migrate_task", // kernel/sched/core.c
	"kernel_clone":                "sched:sched_process_fork", // kernel/fork.c
	"exec_binprm":                 "sched:sched_process_exec", // fs/exec.c
	"do_exit":                     "sched:sched_process_exit", // kernel/exit.c
	"__send_signal_locked":        "signal:signal_generate",   // kernel/signal.c
	"get_signal":                  "signal:signal_deliver",    // kernel/signal.c
	"process_one_work":            "workqueue:workqueue_execute_start",
	"__queue_work":                "workqueue:workqueue_queue_work",
	"handle_softirqs":             "irq:softirq_entry", // kernel/softirq.c
	"__do_softirq":                "irq:softirq_entry", // kernel/softirq.c
	"__handle_irq_event_percpu":   "irq:irq_handler_entry",
	"call_timer_fn":               "timer:timer_expire_entry",
	"__run_hrtimer":               "timer:hrtimer_expire_entry",
	"submit_bio":                  "block:block_bio_queue", // block/blk-core.c
	"submit_bio_noacct_nocheck":   "block:block_bio_queue", // block/blk-core.c
	"blk_mq_start_request":        "block:block_rq_issue",  // block/blk-mq.c
	"blk_update_request":          "block:block_rq_complete",
	"__alloc_pages":               "kmem:mm_page_alloc", // mm/page_alloc.c
	"__alloc_pages_noprof":        "kmem:mm_page_alloc", // mm/page_alloc.c, from 6.10
	"__alloc_frozen_pages_noprof": "kmem:mm_page_alloc", // mm/page_alloc.c, from 6.15
	"try_to_free_pages":           "vmscan:mm_vmscan_direct_reclaim_begin",
	"mark_oom_victim":             "oom:mark_victim",
	"ext4_sync_file":              "ext4:ext4_sync_file_enter",
	"cpuidle_enter_state":         "power:cpu_idle",
}

// syscallPrefixes are the prefixes of the kernel's system call functions.
var syscallPrefixes = []string{"__x64_sys_", "__arm64_sys_", "__se_sys_", "__do_sys_", "ksys_"}

// StaticTracepoints returns the tracepoints of this kernel that hit in a kernel function:
// those with its name, those of its system call, and well-known ones. It returns nil for
// kinds that do not probe kernel functions.
func (r *Resolver) StaticTracepoints(kind format.ProbeKind, function string) []string {
	k := KindOf(kind)
	if k == nil || k.Form != event.FormKernelFunction {
		return nil
	}
	returns := k.AtReturn()
	var found []string
	for _, prefix := range syscallPrefixes {
		if call, ok := strings.CutPrefix(function, prefix); ok {
			direction := "sys_enter_"
			if returns {
				direction = "sys_exit_"
			}
			found = append(found, "syscalls:"+direction+call)
		}
	}
	if !returns { // a tracepoint inside the function does not know the result
		for _, system := range r.tracepointNames()[function] {
			found = append(found, system+":"+function)
		}
		if name, ok := tracepointsIn[function]; ok {
			found = append(found, name)
		}
	}
	return slices.DeleteFunc(found, func(name string) bool {
		system, event, _ := strings.Cut(name, ":")
		return !slices.Contains(r.tracepointNames()[event], system)
	})
}
