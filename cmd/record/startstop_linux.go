package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"trapline/capture"
	"trapline/cmd/internal/cli"
)

// runFlags select when recording starts and stops.
type runFlags struct {
	duration time.Duration
	maxHits  uint64
	delay    string
	readyFD  int
}

func (r *runFlags) add(g *pflag.FlagSet) {
	cli.PositiveDurationVar(g, &r.duration, "duration", "", "stop after `TIME`, such as 10s or 500ms")
	cli.NumberVar(g, &r.maxHits, "max-hits", "M", 1, math.MaxInt64, "stop after `N` hits")
	cli.TextVar(g, &r.delay, "delay", "D", "wait `MS` milliseconds before recording, or a time such as 2s")
	r.readyFD = -1
	cli.NumberVar(g, &r.readyFD, "ready-fd", "", 0, math.MaxInt32, "write a line to file descriptor `N` once recording has started")
	g.Lookup("ready-fd").DefValue = "0" // which --help does not print
}

// fill sets the options for starting and stopping.
func (r *runFlags) fill(opt *capture.Options) (err error) {
	opt.MaxHits = r.maxHits
	opt.Delay, err = parseDelay(r.delay)
	return err
}

// parseDelay parses milliseconds, as perf does, or a duration with a unit.
func parseDelay(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if ms, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(ms) * time.Millisecond, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("-D %s: must be a number of milliseconds from 0 to %d, or a time such as 2s", s, math.MaxInt32)
	}
	return d, nil
}

// openReady returns the file of --ready-fd, or nil if the flag is not set.
func (r *runFlags) openReady() (*os.File, error) {
	if r.readyFD < 0 {
		return nil, nil
	}
	fd := r.readyFD
	if fd <= 2 {
		// An os.File closes its descriptor at the latest when it is garbage. The standard
		// streams must stay open.
		var err error
		if fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return nil, fmt.Errorf("--ready-fd %d: not open: %w", r.readyFD, err)
		}
	}
	f := os.NewFile(uintptr(fd), "ready")
	if f == nil {
		return nil, fmt.Errorf("--ready-fd %d: no such file descriptor", r.readyFD)
	}
	if _, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("--ready-fd %d: not open: %w", r.readyFD, errors.Unwrap(err))
	}
	return f, nil
}

// notifyReady tells the reader of --ready-fd that recording has started.
func notifyReady(env cli.Env, ready *os.File) {
	if ready == nil {
		return
	}
	if _, err := ready.WriteString("ready\n"); err != nil {
		env.Warningf("--ready-fd: %v", err)
	}
	ready.Close()
}
