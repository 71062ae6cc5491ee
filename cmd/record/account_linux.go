package main

import (
	"fmt"
	"slices"
	"strings"

	"trapline/capture"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

// printAccount prints what became of all hits: one line, and a warning for everything
// that the capture lacks.
func printAccount(env cli.Env, s *capture.Summary, output string) {
	perHit := ""
	if s.Hits > 0 {
		perHit = fmt.Sprintf(" (%.1f bytes a hit)", float64(s.Bytes)/float64(s.Hits))
	}
	if output == "-" {
		output = "standard output"
	}
	env.Infof("%s in %.1fs; %s%s in %s", accountLine(s), s.Elapsed.Seconds(), size(s.Bytes), perHit, output)
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
	printVerified(env, &s.Stacks)
	if s.MappingsLost > 0 {
		env.Warningf("%s reports of mapped files were lost: some images have no name", grouped(s.MappingsLost))
	}
	ringFull := func(a capture.Account) bool { return a.N[format.CauseRingFull] > 0 }
	if slices.ContainsFunc(s.Accounts, ringFull) {
		env.Hintf("larger buffers lose less: -m 32M")
	}
}

// accountLine is the sum that every recording ends with.
func accountLine(s *capture.Summary) string {
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
	return sum + fmt.Sprintf(" + %s lost", grouped(s.Lost))
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

// printVerified says what --verify-stacks found.
func printVerified(env cli.Env, k *capture.StackCounts) {
	if k.UserVerified+k.KernelVerified == 0 {
		return
	}
	env.Infof("stacks verified: %s user, %s different; %s kernel, %s different",
		grouped(k.UserVerified), grouped(k.UserDifferent), grouped(k.KernelVerified), grouped(k.KernelDifferent))
	for _, d := range k.Differences {
		env.Warningf("stacks differ: %s", d)
	}
}

// printDetails prints what -v adds to the account.
func printDetails(env cli.Env, s *capture.Summary) {
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
