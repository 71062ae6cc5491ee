package analysis

import (
	"errors"

	"trapline/format"
)

// Quality says how much of what happened is in the captures, whatever was asked
// of them: it does not depend on filters.
type Quality struct {
	Accounts []Account // by probe name, then CPU
	Hits     uint64    // found in the captures

	// Hits by what is known of their stacks.
	KernelStacks, UserStacks uint64
	Cut                      map[format.StackCut]uint64 // stacks of hits that were cut so
	Guessed                  uint64                     // stacks of hits with frames that are guessed, see [Call.Guessed]

	Frames, Unnamed uint64 // frames of all hits' stacks, and those of them without a function name

	Damage    []Damage
	Truncated []string // names of inputs that end inside a block or a segment
}

// An Account is the cumulative count of one probe's hits on one CPU
// ([format.AnyCPU]: of all CPUs together) by cause. Recordings of the same probe
// add up.
type Account struct {
	Probe  string
	CPU    uint32
	Counts map[format.Cause]uint64
}

// Damage is a range of an input that could not be read.
type Damage struct {
	Input          string
	Offset, Length int64 // bytes
	Reason         string
}

func damageOf(input string, err error) Damage {
	d := Damage{Input: input, Reason: err.Error()}
	var c *format.CorruptError
	if errors.As(err, &c) {
		d.Offset, d.Reason = c.Offset, c.Reason
	}
	return d
}

// Sum adds up the accounts of all probes and CPUs by cause.
func (q *Quality) Sum() map[format.Cause]uint64 {
	sum := make(map[format.Cause]uint64)
	for _, a := range q.Accounts {
		for c, n := range a.Counts {
			sum[c] += n
		}
	}
	return sum
}

// Total returns the hits of an account: those under all causes.
func (a *Account) Total() uint64 {
	var n uint64
	for _, c := range a.Counts {
		n += c
	}
	return n
}
