// Package captures holds what report and convert share: opening captures and
// explaining what is none, filters on hits, and warnings of what is missing.
package captures

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"trapline/analysis"
	"trapline/cmd/internal/cli"
)

// Default is the capture that is read when none is named.
const Default = "trapline.data"

// Inputs are open captures.
type Inputs struct {
	List     []analysis.Input
	Files    []*os.File    // those of List that are files
	Progress *cli.Progress // how far reading got; clear it before printing
}

// Open opens the captures with these names, - for standard input. Reading them
// ends when ctx is done. What is no capture, but easily taken for one, is an error
// here; others come from reading.
func Open(ctx context.Context, env cli.Env, names []string, quiet bool) (*Inputs, error) {
	in := &Inputs{Progress: &cli.Progress{}}
	if !quiet {
		in.Progress = env.NewProgress()
	}
	if len(names) == 0 {
		names = []string{Default}
	}
	if first := slices.Index(names, "-"); first >= 0 && slices.Contains(names[first+1:], "-") {
		return nil, errors.New("-i - is given twice: standard input can be read once")
	}
	for _, name := range names {
		if err := in.add(ctx, env, name); err != nil {
			in.Close()
			return nil, err
		}
	}
	return in, nil
}

// Close closes the files.
func (in *Inputs) Close() {
	for _, f := range in.Files {
		f.Close()
	}
}

func (in *Inputs) add(ctx context.Context, env cli.Env, name string) error {
	r := &reader{ctx: ctx, name: name, progress: in.Progress}
	if name == "-" {
		r.name, r.r = "standard input", env.Stdin
		if env.StdinTerminal {
			return errors.New("standard input is a terminal: pipe a capture into it")
		}
	} else {
		f, size, err := openFile(name)
		if err != nil {
			return err
		}
		in.Files = append(in.Files, f)
		r.r, r.size = f, size
	}
	buffered := bufio.NewReaderSize(r, 256<<10)
	if err := checkKind(buffered); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	in.List = append(in.List, analysis.Input{Name: r.name, Reader: buffered})
	return nil
}

// openFile returns the file and its size in bytes, 0 if it has none.
func openFile(name string) (*os.File, int64, error) {
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == Default:
		return nil, 0, fmt.Errorf("%s: no such file; record makes it, or name a capture with -i", name)
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, fmt.Errorf("%s: no such file", name)
	case errors.Is(err, fs.ErrPermission):
		return nil, 0, fmt.Errorf("%s: permission denied; captures belong to the user that recorded them", name)
	case err != nil:
		return nil, 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		f.Close()
		return nil, 0, err
	case info.IsDir():
		f.Close()
		return nil, 0, fmt.Errorf("%s: is a directory, not a capture", name)
	case info.Mode().IsRegular():
		return f, info.Size(), nil
	}
	return f, 0, nil
}

// checkKind refuses what is easily mistaken for a capture with a hint that helps.
// Everything else is for the format's reader to judge.
func checkKind(r *bufio.Reader) error {
	start, err := r.Peek(8)
	switch {
	case len(start) == 0 && errors.Is(err, io.EOF):
		return errors.New("not a capture: it is empty")
	case len(start) == 0:
		return err
	case string(start) == "PERFILE2" || string(start) == "2ELIFREP":
		return errors.New("not a capture (it is a perf.data file: use perf)")
	case start[0] == 0x1f && len(start) > 1 && start[1] == 0x8b:
		return errors.New("not a capture (it is gzip: decompress it first)")
	}
	return nil
}

// A reader shows how far reading got, and ends it when the command is
// interrupted.
type reader struct {
	ctx               context.Context
	r                 io.Reader
	name              string
	done, size, shown int64 // bytes
	progress          *cli.Progress
}

// progressStep is how many bytes are read between updates of the line.
const progressStep = 4 << 20

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	r.done += int64(n)
	if r.progress.Enabled() && r.done-r.shown >= progressStep {
		r.shown = r.done
		text := fmt.Sprintf("%s: %d MiB", r.name, r.done>>20)
		if r.size > 0 {
			text = fmt.Sprintf("%s: %d%%", r.name, 100*min(r.done, r.size)/r.size)
		}
		r.progress.Update(text)
	}
	return n, err
}
