//go:build linux

package e2e

import (
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"trapline/internal/testenv"
)

// While record is stopped, its buffers overflow. Recorded and lost hits add up exactly,
// on each CPU.
func TestLossIsCounted(t *testing.T) {
	testenv.Root(t)
	const n, threads = 20000, 4
	target := testenv.Target(t, "counter-static")
	r := startRecord(t, "-a", "-m", "64K", "-u", strconv.Itoa(otherUser), "-e", getppid)
	r.signal(t, syscall.SIGSTOP)
	runOK(t, asOtherUser(exec.Command(target, "-c", "p", "-t", strconv.Itoa(threads), strconv.Itoa(n))))
	r.signal(t, syscall.SIGCONT)
	r.stopOK(t)

	q := qualityOf(t, r.path)
	lost := q.Account["ring full"]
	if lost == 0 {
		t.Error("no hits were lost in an unread buffer of 64 KiB")
	}
	if q.total() != n*threads || q.Account["recorded"]+lost != n*threads {
		t.Errorf("account %v, want %d in all", q.Account, n*threads)
	}
	all := hits(t, r.path)
	if uint64(len(all)) != q.Account["recorded"] {
		t.Errorf("%d hits in the capture, but %d in its account", len(all), q.Account["recorded"])
	}
	byCPU := map[int]uint64{}
	for _, h := range all {
		byCPU[h.CPU]++
	}
	for _, a := range q.Accounts {
		if a.CPU >= 0 && a.Counts["recorded"] != byCPU[a.CPU] {
			t.Errorf("CPU %d: %d hits in the capture, but %d in its account", a.CPU, byCPU[a.CPU], a.Counts["recorded"])
		}
	}
}
