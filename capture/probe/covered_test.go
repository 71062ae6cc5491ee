package probe_test

import (
	"slices"
	"testing"

	"trapline/capture/probe"
	"trapline/format"
)

func TestStaticTracepoints(t *testing.T) {
	r := probe.NewResolver(probe.Options{TraceFS: "../tracefs/testdata"})
	for _, test := range []struct {
		kind     format.ProbeKind
		function string
		want     []string
	}{
		{format.ProbeKprobe, "tcp_retransmit_skb", []string{"tcp:tcp_retransmit_skb"}},
		{format.ProbeFentry, "kmem_cache_alloc", []string{"kmem:kmem_cache_alloc"}},
		{format.ProbeFentry, "blk_mq_start_request", []string{"block:block_rq_issue"}},
		{format.ProbeKprobe, "__x64_sys_openat", []string{"syscalls:sys_enter_openat"}},
		{format.ProbeKretprobe, "__x64_sys_openat", []string{"syscalls:sys_exit_openat"}},
		{format.ProbeKretprobe, "tcp_retransmit_skb", nil}, // the tracepoint does not hit at the return
		{format.ProbeKprobe, "tcp_set_state", nil},         // this kernel has no such tracepoint
		{format.ProbeKprobe, "print", nil},                 // ftrace:print cannot be enabled
		{format.ProbeKprobe, "vfs_read", nil},
		{format.ProbeUprobe, "tcp_retransmit_skb", nil},
	} {
		if got := r.StaticTracepoints(test.kind, test.function); !slices.Equal(got, test.want) {
			t.Errorf("%s:%s: got %q, want %q", test.kind, test.function, got, test.want)
		}
	}
}
