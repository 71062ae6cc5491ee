//go:build linux

package main

import (
	"math"
	"os"
	"os/exec"
	"slices"
)

// bytesPerHit measures the size of a system-wide recording of three busy tracepoints, with
// stacks and symbols, while Go builds its standard library from scratch. perf's files have
// no symbols.
func bytesPerHit(b *bench) ([]row, error) {
	var events []string
	for _, e := range []string{"sched:sched_switch", "kmem:kmem_cache_alloc", "syscalls:sys_enter_openat"} {
		events = append(events, "-e", e)
	}
	build := func(record ...string) error {
		cache, err := os.MkdirTemp(b.dir, "gocache")
		if err != nil {
			return err
		}
		defer os.RemoveAll(cache)
		args := append(record[1:], "--", "go", "build", "std")
		cmd := exec.Command(record[0], args...)
		cmd.Env = append(os.Environ(), "GOCACHE="+cache)
		_, err = runCommand(cmd)
		return err
	}
	path, rounded, perfData := b.file("trapline.data"), b.file("rounded.data"), b.file("perf.data")
	if err := build(append([]string{b.record(), "-q", "-a", "-o", path}, events...)...); err != nil {
		return nil, err
	}
	if err := build(append([]string{b.record(), "-q", "-a", "--time-resolution", "1us", "-o", rounded}, events...)...); err != nil {
		return nil, err
	}
	if err := build(append([]string{"perf", "record", "-q", "-z", "-a", "-g", "-c", "1", "-m", "16M", "-o", perfData}, events...)...); err != nil {
		return nil, err
	}
	a, size, err := b.measured(path)
	if err != nil {
		return nil, err
	}
	r, roundedSize, err := b.measured(rounded)
	if err != nil {
		return nil, err
	}
	recorded, err := perfRecorded(perfData)
	if err != nil {
		return nil, err
	}
	perfSize, err := sizeOf(perfData)
	if err != nil {
		return nil, err
	}
	rows := []row{
		{"system-wide, during a Go build", size / a.recorded, perfSize / recorded, "bytes per hit", "≤ 4 bytes"},
		{"  with times in microseconds", roundedSize / r.recorded, -1, "bytes per hit", ""},
		{"  hits recorded", a.recorded, recorded, "", ""},
		{"  hits lost", a.lost + r.lost, -1, "", "0"},
	}
	reports, err := b.reportsOfAll(path, size)
	return append(rows, reports...), err
}

// reportsOfAll measures the reports that show no hits, on 100 MB of repetitions of the
// capture.
func (b *bench) reportsOfAll(path string, size float64) (rows []row, err error) {
	const large = 100e6
	names := slices.Repeat([]string{path}, int(math.Ceil(large/size)))
	joined := b.file("joined.data")
	if _, err := run("sh", append([]string{"-c", `out=$1; shift; cat "$@" >"$out"`, "sh", joined}, names...)...); err != nil {
		return nil, err
	}
	for _, kind := range []string{"--stats", "--header-only"} {
		var ms []float64
		for range b.runs {
			out, err := discard(b.report(), "-q", "-i", joined, kind)
			if err != nil {
				return nil, err
			}
			ms = append(ms, out.wall.Seconds()*1000)
		}
		rows = append(rows, row{"report " + kind + " of 100 MB", median(ms), -1, "ms", ""})
	}
	return rows, nil
}
