package main

import (
	"fmt"
	"slices"
	"strings"

	"trapline/capture"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

// printAccount prints the account of a recording: one line that sums up all hits, and
// warnings about everything that is missing from the capture.
func printAccount(env cli.Env, s *capture.Summary, output string) {
	perHit := ""
	if s.Hits > 0 {
		perHit = fmt.Sprintf(" (%.1f bytes per hit)", float64(s.Bytes)/float64(s.Hits))
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
		env.Warningf("%s hits have no stack: the buffer was full", grouped(s.StacksLost))
	}
	if s.RecordsCut > 0 {
		env.Warningf("%s hits have truncated arguments: more than 3,072 bytes", grouped(s.RecordsCut))
	}
	if s.StacksDifferent > 0 {
		env.Warningf("%s of %s stacks sent twice differ", grouped(s.StacksDifferent), grouped(s.StacksCompared))
	}
	printVerified(env, &s.Stacks)
	if s.MappingsLost > 0 {
		env.Warningf("%s mapping events were lost: some images have no name", grouped(s.MappingsLost))
	}
	ringFull := func(a capture.Account) bool { return a.N[format.CauseRingFull] > 0 }
	if slices.ContainsFunc(s.Accounts, ringFull) {
		env.Hintf("a larger buffer loses fewer hits: -m 32M")
	}
}

// accountLine returns the sum: hits = recorded + filtered + sampled out + lost.
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

// lossLine returns the losses of a probe by cause.
func lossLine(a *capture.Account) string {
	var parts []string
	for cause := format.CauseRecorded; cause < capture.CausesEnd; cause++ {
		if n := a.N[cause]; cause.Lost() && n > 0 {
			parts = append(parts, fmt.Sprintf("%s lost (%s)", grouped(n), cause))
		}
	}
	return strings.Join(parts, ", ")
}

// printVerified prints the result of --verify-stacks.
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

// printDetails prints the additions of -v to the account.
func printDetails(env cli.Env, s *capture.Summary) {
	k := &s.Stacks
	env.Infof("user stacks: %s sent raw (%s), %s of them after the first second; %s rules taught, %s displaced",
		grouped(k.RawStacks), size(k.RawBytes), grouped(k.RawLater), grouped(k.Rules), grouped(k.Evicted))
	for i := range s.Accounts {
		env.Infof("%s: %s recorded", s.Accounts[i].Probe, grouped(s.Accounts[i].N[format.CauseRecorded]))
	}
	if s.Hits > 0 {
		cost := s.UserTime + s.SystemTime
		env.Infof("record used %.2fs of CPU, %d ns per hit; %s stacks compared, %s different",
			cost.Seconds(), cost.Nanoseconds()/int64(s.Hits), grouped(s.StacksCompared), grouped(s.StacksDifferent))
	}
}
