package main

import (
	"strings"
	"testing"
	"time"

	"trapline/capture"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

func account(name string, counts map[format.Cause]uint64) capture.Account {
	a := capture.Account{Probe: name}
	for cause, n := range counts {
		a.N[cause] = n
	}
	return a
}

func TestAccount(t *testing.T) {
	for _, c := range []struct {
		summary capture.Summary
		output  string
		want    string
	}{
		{capture.Summary{}, "trapline.data", "record: 0 hits = 0 recorded + 0 lost in 0.0s; 0 bytes in trapline.data\n"},
		{capture.Summary{
			Progress: capture.Progress{Elapsed: 1500 * time.Millisecond, Hits: 1_234_567, Bytes: 2 << 20},
			Accounts: []capture.Account{account("a:b", map[format.Cause]uint64{format.CauseRecorded: 1_234_567, format.CauseSampled: 3})},
		}, "-", "record: 1,234,570 hits = 1,234,567 recorded + 3 sampled out + 0 lost in 1.5s; 2.0 MiB (1.7 bytes per hit) in standard output\n"},
		{capture.Summary{
			Progress: capture.Progress{Elapsed: time.Second, Hits: 10, Lost: 7, Bytes: 100},
			Accounts: []capture.Account{
				account("a:b", map[format.Cause]uint64{format.CauseRecorded: 4, format.CauseFiltered: 2000}),
				account("c:d", map[format.Cause]uint64{format.CauseRecorded: 6, format.CauseRingFull: 5, format.CauseMissed: 2}),
			},
			StacksLost: 1000, RecordsCut: 2, StacksCompared: 9, StacksDifferent: 1, MappingsLost: 4,
			Stacks: capture.StackCounts{UserVerified: 12, UserDifferent: 1, KernelVerified: 11, Differences: []string{"main ≠ start"}},
		}, "x", `record: 2,017 hits = 10 recorded + 2,000 filtered + 7 lost in 1.0s; 100 bytes (10.0 bytes per hit) in x
record: warning: c:d: 5 lost (ring full), 2 lost (missed)
record: warning: 1,000 hits have no stack: the buffer was full
record: warning: 2 hits have truncated arguments: more than 3,072 bytes
record: warning: 1 of 9 stacks sent twice differ
record: stacks verified: 12 user, 1 different; 11 kernel, 0 different
record: warning: stacks differ: main ≠ start
record: warning: 4 mapping events were lost: some images have no name
record: hint: a larger buffer loses fewer hits: -m 32M
`},
	} {
		var b strings.Builder
		printAccount(cli.Env{Name: "record", Stderr: &b}, &c.summary, c.output)
		if b.String() != c.want {
			t.Errorf("got\n%swant\n%s", &b, c.want)
		}
	}
}

func TestDetails(t *testing.T) {
	var b strings.Builder
	printDetails(cli.Env{Name: "record", Stderr: &b}, &capture.Summary{
		Progress:   capture.Progress{Hits: 1000},
		Accounts:   []capture.Account{account("a:b", map[format.Cause]uint64{format.CauseRecorded: 1000})},
		Stacks:     capture.StackCounts{RawStacks: 7, RawBytes: 4096, RawLater: 1, Rules: 30, Evicted: 2},
		UserTime:   2 * time.Millisecond,
		SystemTime: time.Millisecond,
	})
	const want = `record: user stacks: 7 sent raw (4.0 KiB), 1 of them after the first second; 30 rules taught, 2 displaced
record: a:b: 1,000 recorded
record: record used 0.00s of CPU, 3000 ns per hit; 0 stacks compared, 0 different
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", &b, want)
	}
}

func TestProgress(t *testing.T) {
	var b strings.Builder
	s := status{line: cli.Env{Name: "record", Stderr: &b, StderrTerminal: true, Columns: 100}.NewProgress()}
	s.update(capture.Progress{Elapsed: time.Second, Hits: 1000, Bytes: 2048})
	s.update(capture.Progress{Elapsed: 2 * time.Second, Hits: 4000, Lost: 5, Bytes: 4096})
	s.update(capture.Progress{Symbolizing: true, Done: 1, Total: 3})
	const want = "\r1.0s  1,000 hits  1,000/s  0 lost  2.0 KiB\x1b[K\r2.0s  4,000 hits  3,000/s  5 lost  4.0 KiB\x1b[K\rresolving symbols: 1 of 3 images\x1b[K"
	if b.String() != want {
		t.Errorf("got %q\nwant %q", b.String(), want)
	}
}
