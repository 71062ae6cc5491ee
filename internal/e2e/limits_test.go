//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"trapline/internal/testenv"
)

// One of n hits of each CPU is kept, the others are in the account, and a hit stands for n.
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

// A rate is kept in every stretch of time, but for the tenth of a second's hits
// that may come at once.
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
			// one more for the hit at each end
			if most := float64(all[last].Time-all[first].Time)/1e9*rate + rate/10 + 2; float64(last-first+1) > most {
				t.Fatalf("%d hits in %d ns", last-first+1, all[last].Time-all[first].Time)
			}
		}
	}
}

// With a delay, the beginning of the command is missing, and only that.
func TestDelay(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter")
	const n = 600
	path := recordOK(t, "-D", "200", "-e", "uprobe:"+target+":leaf i=arg0:s32", "--", target, "-c", "p", "-r", "1000", strconv.Itoa(n))
	all := hits(t, path)
	checkWhole(t, path, len(all))
	if len(all) == 0 || len(all) == n {
		t.Fatalf("%d of %d hits", len(all), n)
	}
	for i := range all {
		if want := int64(n - len(all) + i); all[i].number(t, "i") != want {
			t.Fatalf("hit %d of %d is call %d, want %d", i, len(all), all[i].number(t, "i"), want)
		}
	}
}

func TestReadyDescriptor(t *testing.T) {
	testenv.Root(t)
	testenv.Host(t)
	target := testenv.Target(t, "counter-static")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := filepath.Join(t.TempDir(), "trapline.data")
	cmd := exec.Command(command(t, "record"), "-q", "-o", path, "-a", "-u", strconv.Itoa(otherUser), "-M", "1000", "--ready-fd", "3", "-e", getppid)
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(patience, func() { cmd.Process.Kill() }).Stop()
	w.Close()
	line := make([]byte, 16)
	if n, err := r.Read(line); string(line[:n]) != "ready\n" {
		t.Fatalf("read %q, %v", line[:n], err)
	}
	runOK(t, asOtherUser(exec.Command(target, "-c", "p", "1000")))
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, path, 1000)
}
