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

// outputFlags say where the capture goes and how it is encoded.
type outputFlags struct {
	name       string
	level      int
	resolution time.Duration
}

// defaultResolution is what times are rounded to unless asked otherwise. A hit takes
// about this long itself, so that hits of one CPU seldom get the same time; digits
// below it are noise, and would be a fifth of a capture's bytes.
const defaultResolution = 100 * time.Nanosecond

func (o *outputFlags) add(g *pflag.FlagSet) {
	g.StringVarP(&o.name, "output", "o", "trapline.data", "capture `FILE`; - for standard output")
	g.IntVarP(&o.level, "compress", "z", 1, "compression `LEVEL`, 0 for none")
	g.Lookup("compress").NoOptDefVal = "1"
	o.resolution = defaultResolution
	cli.DurationVar(g, &o.resolution, "time-resolution", "", "round times to this `TIME`, at most 65us, for smaller captures")
}

// fill sets the options about the encoding.
func (o *outputFlags) fill(opt *capture.Options) error {
	if o.resolution < time.Nanosecond || o.resolution > capture.MaxResolution {
		return fmt.Errorf("--time-resolution %v: must be 1ns to %v", o.resolution, capture.MaxResolution)
	}
	opt.Level, opt.Resolution = o.level, uint16(o.resolution)
	return nil
}

// openOutput creates the capture file. A file of that name is kept as NAME.old,
// as perf does. Captures tell what the machine does and what strings its
// programs handle, so only the owner may read them; behind sudo, the owner is
// the user who called it.
func openOutput(env cli.Env, name string) (io.WriteCloser, error) {
	if name == "-" {
		if env.Terminal {
			return nil, fmt.Errorf("a capture is binary: send it to a file or a pipe, not to the terminal")
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

// caller returns the user behind sudo.
func caller() (uid, gid int, ok bool) {
	uid, err1 := strconv.Atoi(os.Getenv("SUDO_UID"))
	gid, err2 := strconv.Atoi(os.Getenv("SUDO_GID"))
	return uid, gid, err1 == nil && err2 == nil && os.Geteuid() == 0
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
