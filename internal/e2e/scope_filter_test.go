//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// A predicate keeps exactly the hits that satisfy it, and the account counts the others.
// The program calls leaf with i from 0 up.
func TestFilterByArguments(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 5000
	target := testenv.Target(t, "counter")
	cpu := usableCPUs(t)[0]
	for predicate, keeps := range map[string]func(i int) bool{
		`i % 7 == 3 && i >= 1K`:                                                   func(i int) bool { return i%7 == 3 && i >= 1024 },
		`$arg1 < 100 || arg0 == 4999`:                                             func(i int) bool { return i < 100 || i == 4999 },
		`comm == counter && (i & 0x3f0) == 0x10`:                                  func(i int) bool { return i&0x3f0 == 0x10 },
		`name == "leaf-name" && x - 1000 == i && -i <= -10`:                       func(i int) bool { return i >= 10 },
		`name ~ "*-n[a-b]*e" && i < 5 || name !~ "leaf-????"`:                     func(i int) bool { return i < 5 },
		fmt.Sprintf(`comm ~ "c?un*" && uid == 0 && pid == tid && cpu == %d`, cpu): func(i int) bool { return true },
		fmt.Sprintf(`cpu != %d || x > 5999`, cpu):                                 func(i int) bool { return false },
	} {
		event := "uprobe:" + target + ":leaf i=arg0:s32 name=arg1:string x=arg2:s64 /" + predicate + "/"
		var path string
		onCPU(t, cpu, func() { path = recordOK(t, "--no-stacks", "-e", event, "--", target, "-c", "p", fmt.Sprint(n)) })
		q := qualityOf(t, path)
		all := hits(t, path)
		if q.total() != n || int(q.Account["recorded"]) != len(all) || int(q.Account["filtered"]) != n-len(all) {
			t.Errorf("%s: %d hits in the capture, the account is %v, want %d in all", predicate, len(all), q.Account, n)
		}
		next := 0
		for i := range n {
			if !keeps(i) {
				continue
			}
			if next == len(all) || all[next].Args["i"] != float64(i) {
				t.Errorf("%s: the hit with i = %d is missing", predicate, i)
				break
			}
			next++
		}
		if next < len(all) {
			t.Errorf("%s: %d hits too many, the first with i = %v", predicate, len(all)-next, all[next].Args["i"])
		}
	}
}

// A tracepoint is recorded twice, once with a predicate, which must keep exactly those
// hits of the other that satisfy it.
func TestFilterByFields(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter")
	for _, test := range []struct {
		event, predicate string
		keeps            func(h *hit) bool
	}{
		{"raw_syscalls:sys_enter", `id == 110`, func(h *hit) bool { return h.Args["id"] == 110.0 }},
		{"raw_syscalls:sys_exit", `ret < 0 || ret == 7`, func(h *hit) bool { ret := h.Args["ret"].(float64); return ret < 0 || ret == 7 }},
		{"sched:sched_switch", `next_comm ~ "[!s]*" && prev_prio >= 100`, func(h *hit) bool {
			return !strings.HasPrefix(h.Args["next_comm"].(string), "s") && h.Args["next_comm"] != ""
		}},
		{"sched:sched_process_exec", `filename ~ "/proc/*/exe"`, func(h *hit) bool { return strings.HasSuffix(h.Args["filename"].(string), "/exe") }},
	} {
		filtered := "some=" + test.event
		path := recordOK(t, "--no-stacks", "-e", test.event, "-e", filtered+" /"+test.predicate+"/", "--", target, "-c", "pr", "-x", "-f", "2", "-r", "2000", "1000")
		q := qualityOf(t, path)
		var want, got []uint64
		for _, h := range hits(t, path) {
			if h.Probe == "some" {
				got = append(got, h.Time)
			} else if test.keeps(&h) {
				want = append(want, h.Time)
			}
		}
		if len(want) == 0 || len(got) != len(want) {
			t.Errorf("%s /%s/: kept %d hits, want %d", test.event, test.predicate, len(got), len(want))
		}
		all := map[string]uint64{}
		for _, a := range q.Accounts {
			for _, n := range a.Counts {
				all[a.Probe] += n
			}
		}
		if all["some"] != all[test.event] || all["some"] == 0 {
			t.Errorf("%s: %v hits, with and without a predicate", test.event, all)
		}
	}
}
