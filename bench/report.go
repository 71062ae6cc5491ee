//go:build linux

package main

import (
	"fmt"
	"strconv"
)

// reportTime measures the time and memory of a report of 3 million hits with stacks, and the
// memory of a report of a tenth of them.
func reportTime(b *bench) ([]row, error) {
	const event = "syscalls:sys_enter_getppid"
	const n = 3_000_000
	capture := func(n int) (path string, err error) {
		path = b.file(fmt.Sprintf("trapline-%d.data", n))
		_, err = run(b.record(), "-q", "-m", "64M", "-e", event, "-o", path, "--", b.target("counter"), "-c", "p", "-d", "8", strconv.Itoa(n))
		return path, err
	}
	path, err := capture(n)
	if err != nil {
		return nil, err
	}
	small, err := capture(n / 10)
	if err != nil {
		return nil, err
	}
	perfData := b.file("perf.data")
	if _, err := run("perf", "record", "-q", "-c", "1", "-g", "-m", "64M", "-e", event, "-o", perfData, "--",
		b.target("counter"), "-c", "p", "-d", "8", strconv.Itoa(n)); err != nil {
		return nil, err
	}
	a, err := b.account(path)
	if err != nil {
		return nil, err
	}
	recorded, err := perfRecorded(perfData)
	if err != nil {
		return nil, err
	}
	var ours, theirs, rss, perfRSS, smallRSS []float64
	for range max(1, b.runs/2+1) {
		for _, m := range []struct {
			command   []string
			time, rss *[]float64
		}{
			{[]string{b.report(), "-i", path, "--stdio", "--no-children", "-g", "caller"}, &ours, &rss},
			{[]string{"perf", "report", "-i", perfData, "--stdio", "--no-children", "-g", "caller"}, &theirs, &perfRSS},
			{[]string{b.report(), "-i", small, "--stdio", "--no-children", "-g", "caller"}, nil, &smallRSS},
		} {
			out, err := discard(m.command[0], m.command[1:]...)
			if err != nil {
				return nil, err
			}
			if m.time != nil {
				*m.time = append(*m.time, out.wall.Seconds()*1000)
			}
			*m.rss = append(*m.rss, out.maxRSS)
		}
	}
	// perf loses hits at this rate, so its time is scaled to our number of hits.
	scale := a.recorded / recorded
	return []row{
		{"report of 3 M hits", median(ours), median(theirs) * scale, "ms", "≤ 0.05"},
		{"  its memory", median(rss), median(perfRSS), "MiB", ""},
		{"  memory for a tenth of the hits", median(smallRSS), -1, "MiB", "about the same"},
	}, nil
}
