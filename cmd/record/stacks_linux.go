package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"trapline/capture"
)

// stackFlags say which stacks are recorded and how they are found.
type stackFlags struct {
	both, none, kernelOnly, userOnly bool
	method                           string
	verifyEvery, maxFrames           int
}

func (s *stackFlags) add(g *pflag.FlagSet) {
	g.BoolVarP(&s.both, "stacks", "g", false, "kernel and user stacks")
	g.BoolVar(&s.none, "no-stacks", false, "no stacks")
	g.BoolVarP(&s.kernelOnly, "kernel-callchains", "K", false, "kernel stacks only")
	g.BoolVarP(&s.userOnly, "user-callchains", "U", false, "user stacks only")
	g.StringVar(&s.method, "call-graph", "", "how user stacks are found, `METHOD`: dwarf (by unwind information, the default), fp (frame pointers) or none")
	g.IntVar(&s.verifyEvery, "verify-stacks", 0, "find the stacks of one hit in `N` in two ways and compare")
	g.IntVar(&s.maxFrames, "max-stack", capture.MaxFrames, "keep at most `N` frames of a stack")
}

// fill sets the options about stacks.
func (s *stackFlags) fill(opt *capture.Options) error {
	if s.both && s.none {
		return errors.New("-g and --no-stacks exclude each other")
	}
	opt.KernelStacks, opt.UserStacks = !s.none, !s.none
	if s.kernelOnly != s.userOnly {
		opt.KernelStacks, opt.UserStacks = s.kernelOnly, s.userOnly
	}
	// perf takes the size of its stack dumps behind a comma: dwarf,8192.
	switch method, _, _ := strings.Cut(s.method, ","); method {
	case "", "dwarf":
	case "fp":
		opt.FramePointers = true
	case "none":
		opt.KernelStacks, opt.UserStacks = false, false
	default:
		return fmt.Errorf("--call-graph %s: dwarf, fp or none", method)
	}
	if s.maxFrames == 0 {
		return fmt.Errorf("--max-stack 0: must be 1 to %d", capture.MaxFrames)
	}
	opt.MaxStack, opt.VerifyEvery = s.maxFrames, s.verifyEvery
	return nil
}
