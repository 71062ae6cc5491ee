package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"trapline/cmd/internal/cli"
)

// An output is standard output, or a file that appears complete or not at all. It
// remembers its first error, which the error of a format may wrap or hide.
type output struct {
	w    io.Writer
	name string
	file *os.File // nil for standard output
	temp string   // name of the file until it is renamed; "" if written in place
	err  error
}

// createOutput creates a temporary file next to the requested one. Devices and
// pipes are written in place.
func createOutput(env cli.Env, name string, inputs []*os.File) (*output, error) {
	if name == "-" {
		return &output{w: env.Stdout, name: "standard output"}, nil
	}
	// Replace the target of a symbolic link, not the link.
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	mode := os.FileMode(0o666)
	info, err := os.Stat(name)
	switch {
	case err != nil: // create it below, which reports other errors
	case info.IsDir():
		return nil, fmt.Errorf("write %s: is a directory; name a file with -o", name)
	case !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, writeError(name, err)
		}
		return &output{w: f, name: name, file: f}, nil
	default:
		for _, in := range inputs {
			if i, err := in.Stat(); err == nil && os.SameFile(i, info) {
				return nil, fmt.Errorf("write %s: is an input; name another file with -o", name)
			}
		}
		mode = info.Mode().Perm()
	}
	temp := fmt.Sprintf("%s.%d.tmp", name, os.Getpid())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, writeError(name, err)
	}
	return &output{w: f, name: name, file: f, temp: temp}, nil
}

// writeError names the requested file. The error of the system may name the
// temporary one.
func writeError(name string, err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return fmt.Errorf("write %s: %w", name, err)
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// commit renames the file to its final name.
func (o *output) commit() error {
	if o.file == nil {
		return nil
	}
	if err := o.file.Close(); err != nil {
		return err
	}
	if o.temp != "" {
		if err := os.Rename(o.temp, o.name); err != nil {
			return err
		}
		o.temp = ""
	}
	return nil
}

// discard removes an output that was not committed.
func (o *output) discard() {
	if o.temp != "" {
		o.file.Close()
		os.Remove(o.temp)
	}
}
