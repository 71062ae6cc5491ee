//go:build linux

package main

import (
	"os"
	"os/exec"
)

// bytesPerHit is the size of a system-wide recording of three busy tracepoints,
// with stacks and symbols, while Go builds its standard library from nothing.
// perf's files have no symbols.
func bytesPerHit(b *bench) ([]row, error) {
	var events []string
	for _, e := range []string{"sched:sched_switch", "kmem:kmem_cache_alloc", "syscalls:sys_enter_openat"} {
		events = append(events, "-e", e)
	}
	build := func(record ...string) error {
		cache, err := os.MkdirTemp(b.tmp, "gocache")
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
	a, size, err := b.measure(path)
	if err != nil {
		return nil, err
	}
	r, roundedSize, err := b.measure(rounded)
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
	return []row{
		{"system-wide, during a Go build", size / a.recorded, perfSize / recorded, "bytes a hit", "≤ 4 bytes"},
		{"  with times in microseconds", roundedSize / r.recorded, -1, "bytes a hit", ""},
		{"  hits recorded", a.recorded, recorded, "", ""},
		{"  hits lost", a.lost + r.lost, -1, "", "0"},
	}, nil
}

// measure returns the account and the size of a capture.
func (b *bench) measure(path string) (a account, size float64, err error) {
	if a, err = b.account(path); err != nil {
		return a, 0, err
	}
	size, err = sizeOf(path)
	return a, size, err
}
