//go:build linux

package main

import (
	"fmt"
	"slices"
)

// loopCost is what one traced iteration of a loop around getppid costs more than
// an untraced one, below a call chain of 12 functions. Buffers are large, since a
// hit that finds no room costs less than one that does.
func loopCost(b *bench) ([]row, error) {
	target := []string{b.target("counter"), "-c", "p", "-d", "8", "-T", "1000000"}
	const event = "raw_syscalls:sys_enter"
	perf := func(args ...string) []string {
		return slices.Concat([]string{"perf", "record", "-q", "-m", "64M", "-c", "1", "-e", event, "-o", b.file("perf.data")}, args, []string{"--"}, target)
	}
	ours := func(args ...string) []string {
		return slices.Concat([]string{b.record(), "-q", "-m", "64M", "-e", event, "-o", b.file("trapline.data")}, args, []string{"--"}, target)
	}
	ways := [][]string{target, ours("-g"), perf("-g"), ours("--no-stacks"), perf()}
	ns := make([][]float64, len(ways))
	for range b.runs {
		for i, way := range ways {
			out, err := run(way[0], way[1:]...)
			if err != nil {
				return nil, err
			}
			v, err := firstNumber(out.stdout)
			if err != nil {
				return nil, err
			}
			ns[i] = append(ns[i], v)
			if way[0] != b.record() {
				continue
			}
			if a, err := b.account(b.file("trapline.data")); err != nil || a.lost > 0 {
				return nil, fmt.Errorf("%.0f hits lost, which makes the loop's time mean nothing (%v)", a.lost, err)
			}
		}
	}
	base := median(ns[0])
	over := func(i int) float64 { return median(ns[i]) - base }
	return []row{
		{"untraced loop", base, base, "ns", ""},
		{"traced loop, kernel and user stacks", over(1), over(2), "ns more", "≤ 1"},
		{"traced loop, no stacks", over(3), over(4), "ns more", "≤ 0.5"},
	}, nil
}
