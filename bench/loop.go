//go:build linux

package main

import (
	"fmt"
	"slices"
)

// loopCost measures the extra time of a traced iteration of a loop around getppid, below a
// chain of 12 functions, 16 frames in all. Buffers are large, because a hit that finds no
// room costs less. trapline on the program without frame pointers is compared with perf on
// the one with them, because perf has complete stacks only of the latter.
func loopCost(b *bench) ([]row, error) {
	const event = "raw_syscalls:sys_enter"
	target := func(name string) []string { return []string{b.target(name), "-c", "p", "-d", "8", "-T", "1000000"} }
	ours := func(name, stacks string) []string {
		return slices.Concat([]string{b.record(), "-q", "-m", "64M", "-e", event, "-o", b.file("trapline.data"), stacks, "--"}, target(name))
	}
	perf := func(args ...string) []string {
		return slices.Concat([]string{"perf", "record", "-q", "-m", "64M", "-c", "1", "-e", event, "-o", b.file("perf.data")}, args, []string{"--"}, target("counter"))
	}
	const with, without = "counter", "counter-nofp"
	ns, err := b.times([][]string{target(with), ours(with, "-g"), perf("-g"), ours(with, "--no-stacks"), perf(),
		target(without), ours(without, "-g")})
	if err != nil {
		return nil, err
	}
	return []row{
		{"untraced loop", ns[0], ns[0], "ns", ""},
		{"traced loop, kernel and user stacks", ns[1] - ns[0], ns[2] - ns[0], "ns more", "≤ 0.25"},
		{"  built without frame pointers (perf: with them)", ns[6] - ns[5], ns[2] - ns[0], "ns more", "≤ 0.25"},
		{"traced loop, no stacks", ns[3] - ns[0], ns[4] - ns[0], "ns more", "≤ 0.5"},
	}, nil
}

// times runs commands alternately and returns the medians of the ns that the counter prints.
// Recordings must lose nothing and have complete stacks.
func (b *bench) times(ways [][]string) ([]float64, error) {
	ns := make([][]float64, len(ways))
	for range b.runs {
		for i, way := range ways {
			v, err := timed(way)
			if err != nil {
				return nil, err
			}
			ns[i] = append(ns[i], v)
			if way[0] != b.record() {
				continue
			}
			a, err := b.account(b.file("trapline.data"))
			if err != nil {
				return nil, err
			}
			if a.lost > 0 || a.cut > a.recorded/1000 {
				return nil, fmt.Errorf("%.0f hits lost and %.0f stacks cut, which makes the loop's time meaningless", a.lost, a.cut)
			}
		}
	}
	medians := make([]float64, len(ways))
	for i := range ns {
		medians[i] = median(ns[i])
	}
	return medians, nil
}

// uprobeCost measures what a user stack adds to a uprobe at the first instruction of a
// function without frame pointers, below 11 callers.
func uprobeCost(b *bench) ([]row, error) {
	target := b.target("counter-nofp")
	command := []string{target, "-c", "-", "-d", "8", "-T", "300000"}
	way := func(stacks string) []string {
		return slices.Concat([]string{b.record(), "-q", "-m", "64M", "-e", "uprobe:" + target + ":leaf",
			"-o", b.file("trapline.data"), stacks, "--"}, command)
	}
	ns, err := b.times([][]string{command, way("--no-stacks"), way("-U")})
	if err != nil {
		return nil, err
	}
	return []row{
		{"uprobe, no stack", ns[1] - ns[0], -1, "ns more", ""},
		{"  a complete user stack with it", ns[2] - ns[1], -1, "ns more", "≤ 500 ns"},
	}, nil
}
