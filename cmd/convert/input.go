package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"trapline/analysis"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

// inputs are the captures to read.
type inputs struct {
	inputs   []analysis.Input
	files    []*os.File
	progress *cli.Progress
}

func openInputs(ctx context.Context, env cli.Env, o *options) (in *inputs, err error) {
	in = &inputs{progress: env.NewProgress()}
	if o.quiet {
		in.progress = &cli.Progress{}
	}
	stdin := false
	for _, name := range o.inputs {
		if name == "-" {
			if stdin {
				in.close()
				return nil, errors.New("-i - is given twice: standard input can be read once")
			}
			if env.StdinTerminal {
				in.close()
				return nil, errors.New("-i -: standard input is a terminal: pipe a capture into it")
			}
			stdin = true
			in.add(ctx, "standard input", env.Stdin, 0)
			continue
		}
		if err := in.open(ctx, name); err != nil {
			in.close()
			return nil, err
		}
	}
	return in, nil
}

func (in *inputs) open(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: name a capture with -i, or make one with record", err)
	}
	if err != nil {
		return err
	}
	in.files = append(in.files, f)
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("open %s: is a directory: name a capture file with -i", name)
	case info.Mode().IsRegular():
		in.add(ctx, name, f, info.Size())
	default:
		in.add(ctx, name, f, 0)
	}
	return nil
}

func (in *inputs) add(ctx context.Context, name string, r io.Reader, size int64) {
	in.inputs = append(in.inputs, analysis.Input{
		Name: name, Size: size,
		Reader: &inputReader{ctx: ctx, r: r, name: name, size: size, progress: in.progress},
	})
}

// explain adds what to do about an input that is no capture of ours.
func (in *inputs) explain(err error) error {
	var newer *format.VersionError
	switch {
	case errors.As(err, &newer):
		return fmt.Errorf("%w; convert it with a newer trapline", err)
	case errors.Is(err, format.ErrNotCapture):
		for _, i := range in.inputs {
			if r := i.Reader.(*inputReader); string(r.head) == "PERFILE2" {
				return fmt.Errorf("%w: %s is a perf.data file, which perf script prints", err, r.name)
			}
		}
		return fmt.Errorf("%w; convert reads what record wrote", err)
	}
	return err
}

func (in *inputs) close() {
	for _, f := range in.files {
		f.Close()
	}
}

// An inputReader shows how far reading got, and ends it when the command is
// interrupted.
type inputReader struct {
	ctx        context.Context
	r          io.Reader
	name       string
	head       []byte // the first bytes, at most 8, which tell file formats apart
	done, size int64
	shown      int64
	progress   *cli.Progress
}

// progressStep is how many bytes are read between updates of the line.
const progressStep = 4 << 20

func (r *inputReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	r.done += int64(n)
	if need := 8 - len(r.head); need > 0 {
		r.head = append(r.head, p[:min(n, need)]...)
	}
	if r.progress.Enabled() && r.done-r.shown >= progressStep {
		r.shown = r.done
		text := fmt.Sprintf("%s: %d MiB", r.name, r.done>>20)
		if r.size > 0 {
			text = fmt.Sprintf("%s: %d %%", r.name, 100*min(r.done, r.size)/r.size)
		}
		r.progress.Update(text)
	}
	return n, err
}
