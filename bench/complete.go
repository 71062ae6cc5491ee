//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// lossOfCompleteStacks measures the share of hits lost at 500,000 per second on one CPU, with
// complete stacks of a program without frame pointers and each tool's default buffers. perf
// writes 8 KiB per hit, so it gets only a fifth of the hits.
func lossOfCompleteStacks(b *bench) ([]row, error) {
	const n, perfN = 2_500_000, 500_000
	const event = "raw_syscalls:sys_enter"
	counter := func(n int) []string {
		return []string{"--", b.target("counter-nofp"), "-c", "p", "-d", "8", "-r", "500000", strconv.Itoa(n)}
	}
	path, perfData := b.file("trapline.data"), b.file("perf.data")
	if _, err := run(b.record(), append([]string{"-q", "-g", "-e", event, "-o", path}, counter(n)...)...); err != nil {
		return nil, err
	}
	if _, err := run("perf", append([]string{"record", "-q", "-c", "1", "--call-graph", "dwarf", "-e", event, "-o", perfData}, counter(perfN)...)...); err != nil {
		return nil, err
	}
	a, size, err := b.measured(path)
	if err != nil {
		return nil, err
	}
	if a.recorded+a.lost < n {
		return nil, fmt.Errorf("%.0f hits recorded + %.0f lost are less than %d", a.recorded, a.lost, n)
	}
	recorded, err := perfRecorded(perfData)
	if err != nil {
		return nil, err
	}
	perfSize, err := sizeOf(perfData)
	if err != nil {
		return nil, err
	}
	return []row{
		{"lost at 500,000/s, complete stacks (perf: dwarf)", 100 * a.lost / n, 100 * max(0, perfN-recorded) / perfN, "%", "0"},
		{"  stacks cut short", 100 * a.cut / a.recorded, -1, "%", ""},
		{"  size", size / a.recorded, perfSize / recorded, "bytes per hit", ""},
	}, nil
}

// learningInBuild measures how many stacks are still sent raw while Go builds its standard
// library from scratch and record records the machine's context switches and page faults.
func learningInBuild(b *bench) ([]row, error) {
	cache, err := os.MkdirTemp(b.dir, "gocache")
	if err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "std")
	build.Env = append(os.Environ(), "GOCACHE="+cache)
	path := b.file("trapline.data")
	used, err := b.watchCommand(path, []string{"-e", "sched:sched_switch", "-e", "exceptions:page_fault_user"}, build)
	if err != nil {
		return nil, err
	}
	later, err := parseSentLate(used.output)
	if err != nil {
		return nil, err
	}
	a, err := b.account(path)
	if err != nil {
		return nil, err
	}
	return []row{
		{"switches and page faults during a Go build", a.recorded, -1, "hits", ""},
		{"  sent raw after the first second", 100 * later / a.recorded, -1, "%", "≤ 2"},
		{"  stacks cut short", 100 * a.cut / a.recorded, -1, "%", ""},
		{"  lost", a.lost, -1, "hits", "0"},
		{"  record's own CPU time", 100 * used.cpu.Seconds() / used.wall.Seconds(), -1, "% of a CPU", ""},
		{"  record's memory", used.maxRSS, -1, "MiB", ""},
	}, nil
}
