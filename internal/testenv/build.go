package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// RepoRoot returns the directory of the module.
func RepoRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			return dir
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		break
	}
	t.Fatalf("no go.mod above the working directory (%v)", err)
	return ""
}

// Target returns the path of one of the programs of testdata/targets, built if
// need be. In a virtual machine they have to be in TRAPLINE_TARGETS.
func Target(t testing.TB, name string) string {
	t.Helper()
	if dir := os.Getenv("TRAPLINE_TARGETS"); dir != "" {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("TRAPLINE_TARGETS: %v", err)
		}
		return path
	}
	Tool(t, "make")
	Tool(t, "gcc")
	root := RepoRoot(t)
	dir := filepath.Join(root, ".cache", "targets")
	out, err := exec.Command("make", "-s", "-C", filepath.Join(root, "testdata", "targets"), "OUT="+dir, name).CombinedOutput()
	if err != nil {
		t.Fatalf("building the target %s: %v\n%s", name, err, out)
	}
	return filepath.Join(dir, name)
}

// Command returns the path of one of the project's commands: record, report or
// convert, from TRAPLINE_BIN or built into dir without cgo, as it is shipped.
func Command(t testing.TB, dir, name string) string {
	t.Helper()
	if bin := os.Getenv("TRAPLINE_BIN"); bin != "" {
		return filepath.Join(bin, name)
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.Command(Tool(t, "go"), "build", "-buildvcs=false", "-o", path, "./cmd/"+name)
	cmd.Dir = RepoRoot(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, out)
	}
	return path
}
