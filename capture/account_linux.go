package capture

import (
	"time"

	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/format"
)

// An accountRow is a format.Count with the index of the probe.
type accountRow struct {
	probe int
	cpu   uint32
	cause format.Cause
	n     uint64
}

// accounts returns the whole account. Hits that a program sent but that were not decoded
// count as unreadable. They are known only when the rings are empty: final.
func (r *Recorder) accounts(final bool) []accountRow {
	var rows []accountRow
	add := func(probe int, cpu uint32, cause format.Cause, n uint64) {
		if n > 0 {
			rows = append(rows, accountRow{probe, cpu, cause, n})
		}
	}
	for i := range r.a.probes {
		counts, err := r.programs.Counts(i)
		if err != nil {
			continue
		}
		for cpu := range counts {
			n := &counts[cpu].N
			recorded := r.a.probes[i].stats[cpu].recorded
			add(i, uint32(cpu), format.CauseRecorded, recorded)
			add(i, uint32(cpu), format.CauseFiltered, n[bpf.CountFiltered])
			add(i, uint32(cpu), format.CauseSampled, n[bpf.CountSampled])
			add(i, uint32(cpu), format.CauseRingFull, n[bpf.CountRingFull])
			add(i, uint32(cpu), format.CauseRecursion, n[bpf.CountRecursion])
			unreadable := n[bpf.CountUnreadable]
			if sent := n[bpf.CountRecorded]; final && sent > recorded {
				unreadable += sent - recorded
			}
			add(i, uint32(cpu), format.CauseUnreadable, unreadable)
		}
	}
	r.programs.Skipped(func(probe int, recursion, missed uint64) {
		add(probe, format.AnyCPU, format.CauseRecursion, recursion)
		add(probe, format.AnyCPU, format.CauseMissed, missed)
	})
	return rows
}

func (r *Recorder) formatCounts(rows []accountRow) []format.Count {
	counts := make([]format.Count, len(rows))
	for i, row := range rows {
		counts[i] = format.Count{Probe: r.a.probes[row.probe].id, CPU: row.cpu, Cause: row.cause, N: row.n}
	}
	return counts
}

func (r *Recorder) progress() Progress {
	s := r.w.Stats()
	p := Progress{Elapsed: r.phase.elapsed, Hits: r.a.counts.Hits, Bytes: s.Bytes}
	if p.Elapsed == 0 {
		p.Elapsed = time.Since(r.phase.started)
	}
	for _, c := range r.accounts(false) {
		if c.cause.Lost() {
			p.Lost += c.n
		}
	}
	return p
}

func (r *Recorder) summary() *Summary {
	s := &Summary{
		Progress:        r.progress(),
		StacksLost:      r.a.counts.StacksLost,
		StacksDifferent: r.a.counts.StacksDifferent,
		StacksCompared:  r.a.counts.StacksCompared,
		Undecodable:     r.a.counts.Undecodable,
		RecordsCut:      r.a.counts.RecordsCut,
		MappingsLost:    r.code.user.Lost(),
		Stacks:          r.stackCounts(),
	}
	s.Lost = 0
	for i := range r.a.probes {
		s.Accounts = append(s.Accounts, Account{Probe: r.a.probes[i].probe.Name})
	}
	for _, row := range r.accounts(true) {
		s.Accounts[row.probe].N[row.cause] += row.n
		if row.cause.Lost() {
			s.Lost += row.n
		}
	}
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) == nil {
		s.UserTime, s.SystemTime = time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano())
	}
	return s
}

func (r *Recorder) stackCounts() StackCounts {
	c := StackCounts{RawStacks: r.a.counts.RawStacks, RawBytes: r.a.counts.RawBytes, RawLater: r.a.counts.RawLater,
		UserVerified: r.a.counts.Verified, UserDifferent: r.a.counts.Unverified, Differences: r.a.raw.differences}
	if r.teacher != nil {
		c.Rules, c.Evicted = r.teacher.Rules()
	}
	c.KernelVerified, c.KernelDifferent = r.programs.VerifiedKernelStacks()
	return c
}
