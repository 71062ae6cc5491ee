package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"trapline/capture"
)

// stackFlags select which stacks are recorded and how they are unwound.
type stackFlags struct {
	both, none, kernelOnly, userOnly bool
	method                           string
	verifyEvery, maxFrames           int
}

func (s *stackFlags) add(g *pflag.FlagSet) {
	g.BoolVarP(&s.both, "stacks", "g", false, "record kernel and user stacks")
	g.BoolVar(&s.none, "no-stacks", false, "record no stacks")
	g.BoolVarP(&s.kernelOnly, "kernel-callchains", "K", false, "record only kernel stacks")
	g.BoolVarP(&s.userOnly, "user-callchains", "U", false, "record only user stacks")
	g.StringVar(&s.method, "call-graph", "", "unwind user stacks by `METHOD`: dwarf (unwind information, the default), fp (frame pointers) or none")
	g.IntVar(&s.verifyEvery, "verify-stacks", 0, "unwind the stacks of one hit in `N` a second way and compare")
	g.IntVar(&s.maxFrames, "max-stack", capture.MaxFrames, "keep at most `N` frames per stack")
}

// fill sets the stack options.
func (s *stackFlags) fill(opt *capture.Options) error {
	if s.both && s.none {
		return errors.New("-g and --no-stacks exclude each other")
	}
	opt.KernelStacks, opt.UserStacks = !s.none, !s.none
	if s.kernelOnly != s.userOnly {
		opt.KernelStacks, opt.UserStacks = s.kernelOnly, s.userOnly
	}
	// perf accepts the size of its stack dumps after a comma: dwarf,8192.
	switch method, _, _ := strings.Cut(s.method, ","); method {
	case "", "dwarf":
	case "fp":
		opt.FramePointers = true
	case "none":
		opt.KernelStacks, opt.UserStacks = false, false
	default:
		return fmt.Errorf("--call-graph %s: must be dwarf, fp or none", method)
	}
	if s.maxFrames == 0 {
		return fmt.Errorf("--max-stack 0: must be 1 to %d", capture.MaxFrames)
	}
	opt.MaxStack, opt.VerifyEvery = s.maxFrames, s.verifyEvery
	return nil
}
