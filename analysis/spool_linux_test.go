package analysis_test

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/internal/testenv"
)

// If the file system fills up while a pipe is being kept, the question fails rather
// than answering for half a capture.
func TestFullTemporaryDirectory(t *testing.T) {
	dir := tempDir(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		testenv.Missing(t, "mounting a tmpfs: "+err.Error())
	}
	defer syscall.Unmount(dir, 0)
	in := analysis.NewPipe("standard input", bytes.NewReader(analysistest.Busy(20000, 3000)))
	in.Keep()
	_, err := analysis.Aggregate([]*analysis.Input{in}, analysis.Query{})
	var spool *analysis.SpoolError
	if !errors.As(err, &spool) || !errors.Is(err, syscall.ENOSPC) || spool.Dir != dir {
		t.Errorf("error %v, want a SpoolError of ENOSPC in %s", err, dir)
	}
	if _, err := in.Open(); !errors.As(err, &spool) {
		t.Errorf("another pass: error %v, want the same", err)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}
