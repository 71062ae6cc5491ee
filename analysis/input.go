package analysis

import (
	"fmt"
	"io"
	"math"
)

// An Input is one capture to read. Each call of Open starts a pass over the whole
// capture.
//
// A file can be read any number of times, even by several passes at once. A pipe
// can be read only once, unless Keep is called before its first pass. That pass
// then copies the pipe to a temporary file, which later passes read.
type Input struct {
	Name string // for messages
	// Watch, if not nil, is called before each read with the number of bytes that
	// the pass has read so far. An error ends the pass. Concurrent passes call it
	// concurrently.
	Watch func(done int64) error

	file   io.ReaderAt // nil for a pipe
	pipe   io.Reader
	keep   bool
	opened bool   // the pipe has been opened
	spool  *spool // of a kept pipe, once opened
}

// NewFile returns an input that reads a file or memory.
func NewFile(name string, f io.ReaderAt) *Input { return &Input{Name: name, file: f} }

// NewPipe returns an input whose bytes can be read only once.
func NewPipe(name string, r io.Reader) *Input { return &Input{Name: name, pipe: r} }

// Keep allows the input to be opened more than once. Call it before the first Open.
// It costs nothing for a file.
func (in *Input) Keep() { in.keep = true }

// Open starts a pass from the beginning of the capture. The previous pass over a
// pipe must have ended; Open copies what that pass left unread. It returns
// [ErrReadOnce] for a second pass over a pipe that is not kept, and a [*SpoolError]
// if a pipe cannot be copied.
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

// Close removes the temporary file, if there is one. It does not close the
// underlying file or pipe.
func (in *Input) Close() error {
	if in.spool == nil {
		return nil
	}
	return in.spool.close()
}

// A watched reader reports how far it has read.
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
