// Package captures contains what report and convert share: opening captures,
// rejecting other files with a hint, filters on hits, and warnings about incomplete
// captures.
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

// Default is the capture that is read by default.
const Default = "trapline.data"

// Inputs are open captures.
type Inputs struct {
	List     []*analysis.Input
	Files    []*os.File    // the files among List
	Progress *cli.Progress // clear it before printing
}

// Open opens captures by name; "-" is standard input. Reading ends when ctx is
// done. Open rejects files that are easily mistaken for captures; reading rejects
// all others.
func Open(ctx context.Context, env cli.Env, names []string, quiet bool) (*Inputs, error) {
	in := &Inputs{Progress: &cli.Progress{}}
	if !quiet {
		in.Progress = env.NewProgress()
	}
	if len(names) == 0 {
		names = []string{Default}
	}
	if first := slices.Index(names, "-"); first >= 0 && slices.Contains(names[first+1:], "-") {
		return nil, errors.New("-i - is given twice, but standard input can be read only once")
	}
	for _, name := range names {
		if err := in.add(ctx, env, name); err != nil {
			in.Close()
			return nil, err
		}
	}
	return in, nil
}

// Close closes the files and removes temporary ones.
func (in *Inputs) Close() {
	for _, input := range in.List {
		input.Close()
	}
	for _, f := range in.Files {
		f.Close()
	}
}

func (in *Inputs) add(ctx context.Context, env cli.Env, name string) error {
	if name == "-" {
		return in.addStdin(ctx, env)
	}
	f, size, err := openFile(name)
	if err != nil {
		return err
	}
	in.Files = append(in.Files, f)
	if size < 0 {
		return in.addPipe(ctx, name, f)
	}
	start := make([]byte, kindLength)
	n, err := f.ReadAt(start, 0)
	if err := checkKind(start[:n], err); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	in.List = append(in.List, in.watch(ctx, analysis.NewFile(name, f), size))
	return nil
}

func (in *Inputs) addStdin(ctx context.Context, env cli.Env) error {
	if env.StdinTerminal {
		return errors.New("standard input is a terminal: pipe a capture into it")
	}
	return in.addPipe(ctx, "standard input", env.Stdin)
}

func (in *Inputs) addPipe(ctx context.Context, name string, r io.Reader) error {
	buffered := bufio.NewReaderSize(r, 256<<10)
	start, err := buffered.Peek(kindLength)
	if err := checkKind(start, err); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	in.List = append(in.List, in.watch(ctx, analysis.NewPipe(name, buffered), -1))
	return nil
}

// openFile returns the file and its size in bytes, or -1 if it is not a regular
// file and thus may be a pipe.
func openFile(name string) (*os.File, int64, error) {
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == Default:
		return nil, 0, fmt.Errorf("%s: no such file; create it with record, or name a capture with -i", name)
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, fmt.Errorf("%s: no such file", name)
	case errors.Is(err, fs.ErrPermission):
		return nil, 0, fmt.Errorf("%s: permission denied; only the user who recorded a capture can read it", name)
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
	return f, -1, nil
}

// kindLength is the number of bytes that checkKind needs.
const kindLength = 8

// checkKind rejects, with a hint, what is easily mistaken for a capture. It is
// given the first bytes and the error after them. The reader of the format judges
// everything else.
func checkKind(start []byte, err error) error {
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

// progressStep is the number of bytes between updates of the progress line.
const progressStep = 4 << 20

// watch makes the input show its progress, and end reading when the command is
// interrupted.
func (in *Inputs) watch(ctx context.Context, input *analysis.Input, size int64) *analysis.Input {
	shown := int64(0)
	input.Watch = func(done int64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if done < shown {
			shown = 0 // another pass
		}
		if in.Progress.Enabled() && done-shown >= progressStep {
			shown = done
			text := fmt.Sprintf("%s: %d MiB", input.Name, done>>20)
			if size > 0 {
				text = fmt.Sprintf("%s: %d%%", input.Name, 100*min(done, size)/size)
			}
			in.Progress.Update(text)
		}
		return nil
	}
	return input
}
