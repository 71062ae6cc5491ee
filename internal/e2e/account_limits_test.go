//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"trapline/internal/testenv"
)

// Each CPU records one hit in n and counts the others. A recorded hit counts n times.
func TestOneOfN(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const n, every, workers = 10007, 10, 4
	target := testenv.Target(t, "counter")
	for _, event := range []string{getppid, "uprobe:" + target + ":leaf"} {
		path := recordOK(t, "-c", strconv.Itoa(every), "-e", event, "--", target, "-c", "p", "-t", "2", "-f", "1", strconv.Itoa(n))
		q := qualityOf(t, path)
		if q.total() != n*workers {
			t.Errorf("%s: the account is %v, want %d in all", event, q.Account, n*workers)
		}
		if len(hits(t, path)) != int(q.Account["recorded"]) {
			t.Errorf("%s: %d hits in the capture, %d in the account", event, len(hits(t, path)), q.Account["recorded"])
		}
		for _, a := range q.Accounts {
			all := a.Counts["recorded"] + a.Counts["sampled out"]
			if a.Counts["recorded"] != all/every {
				t.Errorf("%s, CPU %d: %v: want one of %d recorded", event, a.CPU, a.Counts, every)
			}
		}
		r := run(t, exec.Command(command(t, "report"), "-i", path, "-s", "symbol"))
		if want := "Event count (approx.): " + strconv.Itoa(every*int(q.Account["recorded"])) + "  (a sample counts for 10)"; !strings.Contains(r.stdout, want) {
			t.Errorf("%s: the report has no %q:\n%s", event, want, r.stdout)
		}
	}
}

func TestMaxHitsIsExact(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter-static")
	const most = 1234
	path := recordOK(t, "-M", strconv.Itoa(most), "-e", getppid, "-e", "syscalls:sys_exit_getppid", "--", target, "-c", "p", "-t", "4", "100000000")
	checkWhole(t, path, most)
}

// The rate holds over any period, except for a burst of a tenth of a second's hits.
func TestMaxRate(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const rate, n = 2000, 400000
	target := testenv.Target(t, "counter-static")
	path := recordOK(t, "--max-rate", strconv.Itoa(rate), "-e", getppid, "--", target, "-c", "p", "-t", "2", "-r", "200000", strconv.Itoa(n))
	if q := qualityOf(t, path); q.total() != 2*n || q.Account["recorded"] == 0 {
		t.Errorf("the account is %v, want %d in all", q.Account, 2*n)
	}
	all := hits(t, path)
	for first := range all {
		for last := first + rate/10 + 1; last < len(all); last += rate / 4 {
			// plus one for the hit at each end
			if most := float64(all[last].Time-all[first].Time)/1e9*rate + rate/10 + 2; float64(last-first+1) > most {
				t.Fatalf("%d hits in %d ns", last-first+1, all[last].Time-all[first].Time)
			}
		}
	}
}

// Recording starts after the delay: earlier hits are not recorded, and all hits after
// --ready-fd is notified are.
func TestDelay(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	const before, after = 100, 600
	target := testenv.Target(t, "counter")
	fifo := filepath.Join(t.TempDir(), "proceed")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`"$0" -c p %d; read line <"$1"; "$0" -c p %d`, before, after)
	r := startRecord(t, "-D", "1500", "-e", "uprobe:"+target+":leaf i=arg0:s32", "--", "sh", "-c", script, target, fifo)
	if err := os.WriteFile(fifo, []byte("go\n"), 0); err != nil {
		t.Fatal(err)
	}
	if code, messages := r.wait(t); code != 0 {
		t.Fatalf("exit code %d\n%s", code, messages)
	}
	checkWhole(t, r.path, after)
	for i, h := range hits(t, r.path) {
		if got := h.number(t, "i"); got != int64(i) {
			t.Fatalf("hit %d is of call %d", i, got)
		}
	}
}

// Every hit after --ready-fd is notified is recorded.
func TestReadyDescriptor(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter-static")
	r := startRecord(t, "-q", "-a", "-u", strconv.Itoa(otherUser), "-M", "1000", "-e", getppid)
	runOK(t, asOtherUser(exec.Command(target, "-c", "p", "1000")))
	if code, messages := r.wait(t); code != 0 {
		t.Fatalf("exit code %d\n%s", code, messages)
	}
	checkWhole(t, r.path, 1000)
}
