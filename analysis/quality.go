package analysis

import (
	"errors"

	"trapline/format"
)

// Quality says how complete the captures are. It does not depend on filters.
type Quality struct {
	Accounts []Account // by probe name, then CPU
	Hits     uint64    // found in the captures

	// Hits by the state of their stacks.
	KernelStacks, UserStacks uint64
	Cut                      map[format.StackCut]uint64 // hits whose stack was cut, by reason
	Guessed                  uint64                     // hits with guessed frames, see [Call.Guessed]

	Frames, Unnamed uint64 // frames of all hits, and those without a function name

	Damage    []Damage
	Truncated []string // names of the inputs that end within a block or segment
}

// An Account counts the hits of one probe on one CPU by cause ([format.AnyCPU] for
// counts of all CPUs together). Counts of several recordings of the same probe add
// up.
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

// Sum returns the hits of all probes and CPUs by cause.
func (q *Quality) Sum() map[format.Cause]uint64 {
	sum := make(map[format.Cause]uint64)
	for _, a := range q.Accounts {
		for c, n := range a.Counts {
			sum[c] += n
		}
	}
	return sum
}

// Total returns the hits of an account, whatever their cause.
func (a *Account) Total() uint64 {
	var n uint64
	for _, c := range a.Counts {
		n += c
	}
	return n
}
