package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"trapline/capture"
	"trapline/cmd/internal/cli"
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
	cli.TextVar(g, &s.method, "call-graph", "", "unwind user stacks by `METHOD`: dwarf (unwind information, the default), fp (frame pointers) or none")
	cli.NumberVar(g, &s.verifyEvery, "verify-stacks", "", 1, math.MaxInt32, "unwind the stacks of one hit in `N` a second way and compare")
	s.maxFrames = capture.MaxFrames
	cli.NumberVar(g, &s.maxFrames, "max-stack", "", 1, capture.MaxFrames, "keep at most `N` frames per stack")
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
	method, dump, ok := strings.Cut(s.method, ",")
	if _, err := strconv.ParseUint(dump, 10, 32); ok && (err != nil || method != "dwarf") {
		return fmt.Errorf("--call-graph %s: must be dwarf, fp or none; only dwarf takes a number of bytes, as in dwarf,8192", s.method)
	}
	switch method {
	case "", "dwarf":
	case "fp":
		opt.FramePointers = true
	case "none":
		opt.KernelStacks, opt.UserStacks = false, false
	default:
		return fmt.Errorf("--call-graph %s: must be dwarf, fp or none", method)
	}
	opt.MaxStack, opt.VerifyEvery = s.maxFrames, s.verifyEvery
	return nil
}
