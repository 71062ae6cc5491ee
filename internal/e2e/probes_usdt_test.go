//go:build linux

package e2e

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// See testdata/targets/usdt.c for the arguments.
func TestUSDT(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n = 3000
	target := testenv.Target(t, "usdt")
	path := recordOK(t, "-e", "usdt:"+target+":trapline:*", "--", target, strconv.Itoa(n))
	all := hits(t, path)
	for name, want := range map[string]int{"values": n, "narrow": n, "twice": n, "inlined": 2 * n, "guarded": n, "float": n} {
		probe := of(all, "usdt", name)
		if len(probe) != want {
			t.Errorf("%d hits of %s, want %d", len(probe), name, want)
			continue
		}
		each := int64(want / n)
		for k := range probe {
			i := int64(k) / each
			checkUSDT(t, name, &probe[k], i)
		}
	}
	checkWhole(t, path, len(all))
}

func checkUSDT(t *testing.T, name string, h *hit, i int64) {
	t.Helper()
	var want []int64
	switch name {
	case "values":
		// table[1] holds the last of 1, 9, 17, …
		want = []int64{i, -i, -7, i, i, max(0, i-(i+7)%8)}
	case "narrow":
		want = []int64{int64(uint8(i)), int64(int8(i)), int64(uint8(i >> 8)), int64(uint16(i)), int64(int16(i)),
			int64(uint32(i)), int64(int32(i)), i, int64(int32(i))}
	default:
		want = []int64{i}
	}
	if len(h.Args) != len(want) {
		t.Fatalf("%s has arguments %v, want %d", h.Probe, h.Args, len(want))
	}
	for k, w := range want {
		if got := h.number(t, "arg"+strconv.Itoa(k)); got != w {
			t.Fatalf("%s at %d: arg%d is %d, want %d", h.Probe, i, k, got, w)
		}
	}
}

// The semaphore of a probe is set during a recording only.
func TestUSDTSemaphore(t *testing.T) {
	testenv.Root(t)
	target := testenv.Target(t, "usdt")
	const n = 10
	path := recordOK(t, "-e", "usdt:"+target+":guarded", "--", target, strconv.Itoa(n))
	checkWhole(t, path, n)
	if r := run(t, exec.Command(target, strconv.Itoa(n))); strings.TrimSpace(r.stdout) != "0" {
		t.Errorf("the semaphore is set after the recording: seen %s times", strings.TrimSpace(r.stdout))
	}
}
