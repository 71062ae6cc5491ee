package main

import (
	"fmt"
	"strings"

	"trapline/capture"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

// A status shows how the recording is doing: on a terminal, one line that is written over.
type status struct {
	line *cli.Progress
	last capture.Progress
}

func (s *status) update(p capture.Progress) {
	if !s.line.Enabled() {
		return
	}
	if p.Symbolizing {
		s.line.Update(fmt.Sprintf("resolving symbols: %d of %d images", p.Done, p.Total))
		return
	}
	rate := 0.0
	if dt := (p.Elapsed - s.last.Elapsed).Seconds(); dt > 0 {
		rate = float64(p.Hits-s.last.Hits) / dt
	}
	s.last = p
	s.line.Update(fmt.Sprintf("%.1fs  %s hits  %s/s  %s lost  %s", p.Elapsed.Seconds(), grouped(p.Hits),
		grouped(uint64(rate)), grouped(p.Lost), size(p.Bytes)))
}

// summarize prints the account of the recording: one line, and one for each
// probe that lost hits.
func summarize(env cli.Env, c *config, s *capture.Summary) {
	var hits, filtered, sampled uint64
	for i := range s.Accounts {
		a := &s.Accounts[i]
		hits += a.Hits()
		filtered += a.N[format.CauseFiltered]
		sampled += a.N[format.CauseSampled]
	}
	sum := fmt.Sprintf("%s hits = %s recorded", grouped(hits), grouped(s.Hits))
	if filtered > 0 {
		sum += fmt.Sprintf(" + %s filtered", grouped(filtered))
	}
	if sampled > 0 {
		sum += fmt.Sprintf(" + %s sampled out", grouped(sampled))
	}
	sum += fmt.Sprintf(" + %s lost", grouped(s.Lost))
	perHit := ""
	if s.Hits > 0 {
		perHit = fmt.Sprintf(" (%.1f bytes a hit)", float64(s.Bytes)/float64(s.Hits))
	}
	where := c.output
	if where == "-" {
		where = "standard output"
	}
	env.Infof("%s in %.1fs; %s%s in %s", sum, s.Elapsed.Seconds(), size(s.Bytes), perHit, where)
	for i := range s.Accounts {
		if a := &s.Accounts[i]; a.Lost() > 0 {
			env.Warningf("%s: %s", a.Probe, lossLine(a))
		}
	}
	if s.StacksLost > 0 {
		env.Warningf("%s hits have no stack: it found no room in the buffer", grouped(s.StacksLost))
	}
	if s.RecordsCut > 0 {
		env.Warningf("%s hits have arguments that are cut: they are longer than 3,072 bytes", grouped(s.RecordsCut))
	}
	if s.StacksDifferent > 0 {
		env.Warningf("%s of %s stacks that were sent twice differ", grouped(s.StacksDifferent), grouped(s.StacksCompared))
	}
	verifiedStacks(env, &s.Stacks)
	if s.MappingsLost > 0 {
		env.Warningf("%s reports of mapped files were lost: some images have no name", grouped(s.MappingsLost))
	}
	for i := range s.Accounts {
		if n := s.Accounts[i].N[format.CauseRingFull]; n > 0 {
			env.Hintf("larger buffers lose less: -m 32M")
			break
		}
	}
	if c.verbose > 0 {
		k := &s.Stacks
		env.Infof("user stacks: %s sent raw (%s), %s of them after the first second; %s rules taught, %s displaced",
			grouped(k.RawStacks), size(k.RawBytes), grouped(k.RawLater), grouped(k.Rules), grouped(k.Evicted))
		for i := range s.Accounts {
			env.Infof("%s: %s recorded", s.Accounts[i].Probe, grouped(s.Accounts[i].N[format.CauseRecorded]))
		}
		if s.Hits > 0 {
			cost := s.UserTime + s.SystemTime
			env.Infof("cost of this program: %.2fs of CPU, %d ns a hit; %s stacks compared, %s different",
				cost.Seconds(), cost.Nanoseconds()/int64(s.Hits), grouped(s.StacksCompared), grouped(s.StacksDifferent))
		}
	}
}

// verifiedStacks says what --verify-stacks found.
func verifiedStacks(env cli.Env, k *capture.StackCounts) {
	if k.UserVerified+k.KernelVerified == 0 {
		return
	}
	env.Infof("stacks verified: %s user, %s different; %s kernel, %s different",
		grouped(k.UserVerified), grouped(k.UserDifferent), grouped(k.KernelVerified), grouped(k.KernelDifferent))
	for _, d := range k.Differences {
		env.Warningf("stacks differ: %s", d)
	}
}

// lossLine lists a probe's losses by cause.
func lossLine(a *capture.Account) string {
	var parts []string
	for cause := format.CauseRecorded; cause < capture.CausesEnd; cause++ {
		if n := a.N[cause]; cause.Lost() && n > 0 {
			parts = append(parts, fmt.Sprintf("%s lost (%s)", grouped(n), cause))
		}
	}
	return strings.Join(parts, ", ")
}

// grouped writes 1234567 as 1,234,567.
func grouped(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes a number of bytes with its unit.
func size(n uint64) string {
	v, unit := float64(n), 0
	for v >= 1024 && unit < 4 {
		v, unit = v/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %ciB", v, " KMGT"[unit])
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%s %s", grouped(uint64(n)), noun)
}
