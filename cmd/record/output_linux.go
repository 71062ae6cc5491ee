package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"trapline/capture"
	"trapline/cmd/internal/cli"
)

// outputFlags select the capture file and its encoding.
type outputFlags struct {
	name       string
	level      int
	resolution time.Duration
}

// defaultResolution is the default of --time-resolution. A hit itself takes about this
// long, so hits on one CPU rarely share a time. Finer digits are noise and would take up
// a fifth of a capture.
const defaultResolution = 100 * time.Nanosecond

// maxLevel is the highest level of -z in perf. Those above 4 mean 4.
const maxLevel = 22

func (o *outputFlags) add(g *pflag.FlagSet) {
	o.name, o.level = "trapline.data", 1
	cli.TextVar(g, &o.name, "output", "o", "write the capture to `FILE`; - for standard output")
	cli.NumberVar(g, &o.level, "compress", "z", 0, maxLevel, "compress at `LEVEL`, from 1 (fast) to 4 (small), as in -z3; 0 for none")
	g.Lookup("compress").NoOptDefVal = "1"
	o.resolution = defaultResolution
	cli.DurationVar(g, &o.resolution, "time-resolution", "", "round times down to a multiple of `TIME` (at most 65us); coarser times make smaller captures")
}

// fill sets the encoding options.
func (o *outputFlags) fill(opt *capture.Options) error {
	if o.resolution < time.Nanosecond || o.resolution > capture.MaxResolution {
		return fmt.Errorf("--time-resolution %v: must be 1ns to %v", o.resolution, capture.MaxResolution)
	}
	opt.Level, opt.Resolution = o.level, uint16(o.resolution)
	return nil
}

// openOutput creates the capture file. Like perf, it renames an existing file to
// NAME.old. Captures reveal what the machine does and which strings its programs handle,
// so only the owner may read them. Under sudo the owner is the user who ran sudo.
func openOutput(env cli.Env, name string) (io.WriteCloser, error) {
	if name == "-" {
		if env.Terminal {
			return nil, fmt.Errorf("captures are binary: write to a file or a pipe, not to a terminal")
		}
		return nopCloser{env.Stdout}, nil
	}
	if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() && st.Size() > 0 {
		if err := os.Rename(name, name+".old"); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if uid, gid, ok := caller(); ok {
		f.Chown(uid, gid)
	}
	return f, nil
}

// caller returns the user who ran sudo. ok is false without sudo.
func caller() (uid, gid int, ok bool) {
	uid, err1 := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, err2 := strconv.Atoi(os.Getenv("SUDO_GID"))
	return uid, gid, err1 == nil && err2 == nil && os.Geteuid() == 0
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
