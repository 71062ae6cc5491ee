package analysis

import (
	"fmt"
	"io"
	"math"
)

// An Input is one capture to read. Each call of Open starts a pass over all of it.
//
// A file can be read any number of times, by several passes at once. A pipe can be
// read once, unless Keep was called before its first pass: that pass then copies
// the pipe into a temporary file, from which later ones read.
type Input struct {
	Name string // for messages
	// Watch is told before each read how many bytes of its pass have been read. An
	// error ends the pass. nil: nothing watches.
	Watch func(done int64) error

	file   io.ReaderAt // nil: a pipe
	pipe   io.Reader
	keep   bool
	opened bool   // the pipe has been
	spool  *spool // of a pipe that is kept, once it has been opened
}

// NewFile returns an input that reads a file or memory.
func NewFile(name string, f io.ReaderAt) *Input { return &Input{Name: name, file: f} }

// NewPipe returns an input that reads what can be read only once.
func NewPipe(name string, r io.Reader) *Input { return &Input{Name: name, pipe: r} }

// Keep announces that the input will be opened more than once. It must precede the
// first Open, and costs nothing for a file.
func (in *Input) Keep() { in.keep = true }

// Open starts a pass from the beginning of the capture. For a pipe that is kept,
// the pass before must have ended: what it left unread is read and kept now.
func (in *Input) Open() (io.Reader, error) {
	r, err := in.open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name, err)
	}
	if in.Watch != nil {
		r = &watched{r: r, watch: in.Watch}
	}
	return r, nil
}

func (in *Input) open() (io.Reader, error) {
	switch {
	case in.file != nil:
		return io.NewSectionReader(in.file, 0, math.MaxInt64), nil
	case in.spool != nil:
		return in.spool.again()
	case in.opened:
		return nil, ErrReadOnce
	}
	in.opened = true
	if !in.keep {
		return in.pipe, nil
	}
	var err error
	in.spool, err = newSpool(in.pipe)
	return in.spool, err
}

// Close removes the temporary file if there is one. It closes nothing that it was
// given.
func (in *Input) Close() error {
	if in.spool == nil {
		return nil
	}
	return in.spool.close()
}

// A watched reader tells how far it has read.
type watched struct {
	r     io.Reader
	watch func(done int64) error
	done  int64
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.watch(w.done); err != nil {
		return 0, err
	}
	n, err := w.r.Read(p)
	w.done += int64(n)
	return n, err
}
