package analysis

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrReadOnce is returned for a second pass over a pipe that is not kept.
var ErrReadOnce = errors.New("a pipe can be read only once")

// A SpoolError reports that a pipe could not be copied to a temporary file.
type SpoolError struct {
	Dir string // for temporary files
	Err error
}

func (e *SpoolError) Error() string {
	return fmt.Sprintf("cannot keep the piped capture in %s: %v; set TMPDIR to a directory with more room, or read the capture from a file", e.Dir, e.Err)
}

func (e *SpoolError) Unwrap() error { return e.Err }

// A spool reads a pipe and copies it to a temporary file.
type spool struct {
	pipe io.Reader
	file *os.File
	name string // of the file; "" once it is removed
	size int64
	err  error // that ended the pipe (usually io.EOF) or the copy
}

func newSpool(pipe io.Reader) (*spool, error) {
	f, err := os.CreateTemp("", "trapline-input-")
	if err != nil {
		return nil, spoolError(err)
	}
	s := &spool{pipe: pipe, file: f, name: f.Name()}
	// On Unix the name can go at once. Then no file survives, even if the process
	// is killed. On Windows close removes it.
	if os.Remove(s.name) == nil {
		s.name = ""
	}
	return s, nil
}

func spoolError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &SpoolError{Dir: os.TempDir(), Err: err}
}

// Read reads the pipe for the first pass.
func (s *spool) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.pipe.Read(p)
	if _, failed := s.file.WriteAt(p[:n], s.size); failed != nil {
		s.err = spoolError(failed)
		return 0, s.err
	}
	s.size += int64(n)
	s.err = err
	return n, err
}

// again copies the rest of the pipe and starts another pass. The pass ends with the
// error that ended the pipe.
func (s *spool) again() (io.Reader, error) {
	_, err := io.Copy(io.Discard, s)
	var failed *SpoolError
	if errors.As(err, &failed) {
		return nil, failed
	}
	return io.MultiReader(io.NewSectionReader(s.file, 0, s.size), ending{s.err}), nil
}

func (s *spool) close() error {
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	return err
}

// An ending is a reader that only returns an error.
type ending struct{ err error }

func (e ending) Read([]byte) (int, error) { return 0, e.err }
