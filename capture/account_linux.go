package capture

import (
	"time"

	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/format"
)

// An accountRow is one figure of the account, as format.Count but by the probe's index.
type accountRow struct {
	probe int
	cpu   uint32
	cause format.Cause
	n     uint64
}

// accounts reads the whole account. What a program says it put into a ring but
// was not decoded counts as unreadable; that is known only when the rings are empty (final).
func (r *Recorder) accounts(final bool) []accountRow {
	var rows []accountRow
	add := func(probe int, cpu uint32, cause format.Cause, n uint64) {
		if n > 0 {
			rows = append(rows, accountRow{probe, cpu, cause, n})
		}
	}
	var counts []bpf.HooksCounts
	for i := range r.a.probes {
		if err := r.programs.Maps[bpf.HooksMapAccounts].Lookup(uint32(i), &counts); err != nil {
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
	for _, a := range r.attachments {
		if a.Group.EntryProgram != "" {
			continue // its hits are nobody's
		}
		recursion, missed := a.Recursion, a.Missed
		if len(a.Links) > 0 { // still attached
			recursion, missed = a.Since()
		}
		// The kernel counts these by program: of several probes, the first one gets all.
		add(a.Group.Index, format.AnyCPU, format.CauseRecursion, recursion)
		add(a.Group.Index, format.AnyCPU, format.CauseMissed, missed)
	}
	return rows
}

func (r *Recorder) formatCounts(rows []accountRow) []format.Count {
	counts := make([]format.Count, len(rows))
	for i, row := range rows {
		counts[i] = format.Count{Probe: r.a.probes[row.probe].id, CPU: row.cpu, Cause: row.cause, N: row.n}
	}
	return counts
}

func (r *Recorder) summary() *Summary {
	s := &Summary{
		Progress:        r.progress(),
		StacksLost:      r.a.counts.StacksLost,
		StacksDifferent: r.a.counts.StacksDifferent,
		StacksCompared:  r.a.counts.StacksCompared,
		Undecodable:     r.a.counts.Undecodable,
		RecordsCut:      r.a.counts.RecordsCut,
		MappingsLost:    r.sideband.Lost,
	}
	s.Stacks = r.stackCounts()
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
		UserVerified: r.a.counts.Verified, UserDifferent: r.a.counts.Unverified, Differences: r.a.differences}
	if r.rules != nil {
		c.Rules, c.Evicted = r.rules.Written, r.rules.Evicted
	}
	var verified []bpf.HooksComparison
	if m := r.programs.Maps[bpf.HooksMapVerified]; m != nil && m.Lookup(uint32(0), &verified) == nil {
		for _, v := range verified {
			c.KernelVerified += v.Compared
			c.KernelDifferent += v.Different
		}
	}
	return c
}
