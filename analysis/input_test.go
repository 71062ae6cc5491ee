package analysis_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"trapline/analysis"
	"trapline/analysis/analysistest"
)

// tempDir directs temporary files to a directory of the test.
func tempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir) // Windows
	return dir
}

// openFiles returns the number of files in dir that this process has open, even
// removed ones. Without /proc it returns the number of files in dir.
func openFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(links) == 0 {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, dir+string(filepath.Separator)) {
			n++
		}
	}
	return n
}

func readPass(t *testing.T, in *analysis.Input) []byte {
	t.Helper()
	r, err := in.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFileInputIsReadAgain(t *testing.T) {
	dir := tempDir(t)
	capture := analysistest.Sample()
	path := filepath.Join(t.TempDir(), "capture")
	if err := os.WriteFile(path, capture, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := analysis.NewFile(path, f)
	in.Keep()
	first, err := in.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, first, 10); err != nil {
		t.Fatal(err)
	}
	if got := readPass(t, in); !bytes.Equal(got, capture) {
		t.Error("a second pass, while the first is under way, does not read the whole file")
	}
	if rest, err := io.ReadAll(first); err != nil || !bytes.Equal(rest, capture[10:]) {
		t.Errorf("the first pass goes on with %d bytes and error %v", len(rest), err)
	}
	if n := openFiles(t, dir); n != 0 {
		t.Errorf("%d temporary files for a file", n)
	}
}

func TestPipeInputIsReadOnce(t *testing.T) {
	dir := tempDir(t)
	in := analysis.NewPipe("standard input", bytes.NewReader(analysistest.Sample()))
	if _, err := analysis.Aggregate([]*analysis.Input{in}, analysis.Query{}); err != nil {
		t.Fatal(err)
	}
	if n := openFiles(t, dir); n != 0 {
		t.Errorf("one pass over a pipe makes %d temporary files", n)
	}
	_, err := analysis.Aggregate([]*analysis.Input{in}, analysis.Query{})
	if !errors.Is(err, analysis.ErrReadOnce) || !strings.HasPrefix(err.Error(), "standard input: ") {
		t.Errorf("a second pass: error %v, want ErrReadOnce with the input's name", err)
	}
}

func TestKeptPipeIsReadAgain(t *testing.T) {
	capture := analysistest.Sample()
	for name, pipe := range map[string]io.Reader{
		"whole": bytes.NewReader(capture), "by bytes": iotest.OneByteReader(bytes.NewReader(capture)),
		"end with data": iotest.DataErrReader(bytes.NewReader(capture)),
	} {
		t.Run(name, func(t *testing.T) {
			dir := tempDir(t)
			in := analysis.NewPipe("pipe", pipe)
			in.Keep()
			// The first question stops after three hits. The rest of the pipe must
			// not be lost.
			hits := 0
			if _, err := analysis.Each([]*analysis.Input{in}, analysis.Query{}, func(*analysis.Event) bool { hits++; return hits < 3 }); err != nil {
				t.Fatal(err)
			}
			if n := openFiles(t, dir); n != 1 {
				t.Errorf("%d temporary files while the pipe is kept, want 1", n)
			}
			for range 2 {
				r, err := analysis.Aggregate([]*analysis.Input{in}, analysis.Query{})
				if err != nil {
					t.Fatal(err)
				}
				if sum(r) != analysistest.SampleHits {
					t.Errorf("another pass has %d hits, want %d", sum(r), analysistest.SampleHits)
				}
			}
			if got := readPass(t, in); !bytes.Equal(got, capture) {
				t.Error("another pass does not read what came through the pipe")
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
			if n := openFiles(t, dir); n != 0 {
				t.Errorf("%d temporary files are left open", n)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("temporary files are left: %v, %v", left, err)
			}
		})
	}
}

// A pipe that breaks does so at the same place in every pass.
func TestKeptPipeBreaksAgain(t *testing.T) {
	tempDir(t)
	broken := errors.New("broken pipe")
	capture := analysistest.Sample()
	in := analysis.NewPipe("pipe", io.MultiReader(bytes.NewReader(capture[:2000]), iotest.ErrReader(broken)))
	in.Keep()
	defer in.Close()
	for range 2 {
		r, err := in.Open()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); !errors.Is(err, broken) || !bytes.Equal(b, capture[:2000]) {
			t.Errorf("%d bytes and error %v, want 2000 and %v", len(b), err, broken)
		}
	}
}

func TestNoRoomToKeepAPipe(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	t.Setenv("TMP", filepath.Join(t.TempDir(), "missing"))
	in := analysis.NewPipe("standard input", bytes.NewReader(analysistest.Sample()))
	in.Keep()
	_, err := analysis.Aggregate([]*analysis.Input{in}, analysis.Query{})
	var spool *analysis.SpoolError
	if !errors.As(err, &spool) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "set TMPDIR") {
		t.Errorf("error %v, want a SpoolError that says what to do", err)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
}

func TestWatchEndsAPass(t *testing.T) {
	stop := errors.New("interrupted")
	in := analysis.NewFile("file", bytes.NewReader(analysistest.Sample()))
	var seen []int64
	in.Watch = func(done int64) error {
		seen = append(seen, done)
		if done >= 20 {
			return stop
		}
		return nil
	}
	r, err := in.Open()
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, struct{ io.Reader }{iotest.OneByteReader(r)})
	if n != 20 || !errors.Is(err, stop) || len(seen) != 21 {
		t.Errorf("%d bytes, error %v, watched %d times; want 20, %v and 21", n, err, len(seen), stop)
	}
}
