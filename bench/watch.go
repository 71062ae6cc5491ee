//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// watchedUser is the user that the counter runs as and that record watches. So the counter
// is not a child of record, and the CPU time that the kernel reports is record's own.
const watchedUser = 54321

// watch records the counter while it runs and returns what record used.
func (b *bench) watch(path string, recordArgs, counterArgs []string) (finished, error) {
	counter := exec.Command(b.target("counter"), counterArgs...)
	counter.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: watchedUser, Gid: watchedUser}}
	return b.watchCommand(path, append([]string{"-u", strconv.Itoa(watchedUser)}, recordArgs...), counter)
}

// watchCommand records the machine while a command runs, not as a child of record. It
// returns what record used and said.
func (b *bench) watchCommand(path string, recordArgs []string, cmd *exec.Cmd) (finished, error) {
	start := time.Now()
	rec, said, err := b.startRecord(append([]string{"-v", "-a", "-o", path}, recordArgs...)...)
	if err != nil {
		return finished{}, err
	}
	_, cmdErr := runCommand(cmd)
	if err := stopRecord(rec, said); err != nil {
		return finished{}, err
	}
	return finish(rec, time.Since(start), said.String()), cmdErr
}

// userSpace measures the CPU time that record itself spends on a hit, from the ring to the
// file: the difference between a long and a short recording, whose start-up and symbol
// lookup cost the same. The memory is that of the long one.
func userSpace(b *bench) ([]row, error) {
	const short, long = 200_000, 3_200_000
	event := []string{"-e", "raw_syscalls:sys_enter", "-m", "32M"}
	var ns, rss []float64
	for range max(1, b.runs/2+1) {
		var cpu [2]time.Duration
		var hits [2]float64
		for i, n := range []int{short, long} {
			path := b.file("trapline.data")
			used, err := b.watch(path, event, []string{"-c", "p", "-d", "8", strconv.Itoa(n)})
			if err != nil {
				return nil, err
			}
			a, err := b.account(path)
			if err != nil {
				return nil, err
			}
			cpu[i], hits[i] = used.cpu, a.recorded
			if n == long {
				rss = append(rss, used.maxRSS)
			}
		}
		ns = append(ns, float64(cpu[1]-cpu[0])/(hits[1]-hits[0]))
	}
	return []row{
		{"record's own CPU time", median(ns), -1, "ns per hit", "≤ 350"},
		{"record's memory, 3.2 M hits", median(rss), -1, "MiB", "< 256"},
	}, nil
}

// lossAtRate measures the hits lost at 300,000 per second on one CPU, with stacks and the
// default buffers.
func lossAtRate(b *bench) ([]row, error) {
	const n = 3_000_000
	const event = "syscalls:sys_enter_getppid"
	counter := []string{"-c", "p", "-d", "8", "-r", "300000", strconv.Itoa(n)}
	path := b.file("trapline.data")
	if _, err := b.watch(path, []string{"-g", "-e", event}, counter); err != nil {
		return nil, err
	}
	a, err := b.account(path)
	if err != nil {
		return nil, err
	}
	if a.recorded+a.lost != n {
		return nil, fmt.Errorf("%.0f hits recorded + %.0f lost are not %d", a.recorded, a.lost, n)
	}
	perfData := b.file("perf.data")
	args := append([]string{"record", "-q", "-c", "1", "-g", "-e", event, "-o", perfData, "--", b.target("counter")}, counter...)
	if _, err := run("perf", args...); err != nil {
		return nil, err
	}
	recorded, err := perfRecorded(perfData)
	if err != nil {
		return nil, err
	}
	return []row{{"lost of 3 M hits at 300,000/s, stacks", a.lost, n - recorded, "hits", "0"}}, nil
}
