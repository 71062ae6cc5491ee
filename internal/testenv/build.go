package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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

// Target returns the path of a program of testdata/targets and builds it if necessary.
// It needs the compiler of that program. Virtual machines get all programs, in the
// directory TRAPLINE_TARGETS, but for those of the compilers in TRAPLINE_LACKS.
func Target(t testing.TB, name string) string {
	t.Helper()
	if dir := os.Getenv("TRAPLINE_TARGETS"); dir != "" {
		for _, tool := range compilers(name) {
			if slices.Contains(strings.Fields(os.Getenv("TRAPLINE_LACKS")), tool) {
				Missing(t, program(tool))
			}
		}
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("TRAPLINE_TARGETS: %v", err)
		}
		return path
	}
	Tool(t, "make")
	for _, tool := range compilers(name) {
		Tool(t, tool)
	}
	root := RepoRoot(t)
	dir := filepath.Join(root, ".cache", "targets")
	out, err := exec.Command("make", "-s", "-C", filepath.Join(root, "testdata", "targets"), "OUT="+dir, name).CombinedOutput()
	if err != nil {
		t.Fatalf("building the target %s: %v\n%s", name, err, out)
	}
	return filepath.Join(dir, name)
}

// compilers returns the programs that build a target. The Makefile of the targets
// names them after these.
func compilers(target string) []string {
	switch {
	case strings.HasPrefix(target, "cgo"):
		return []string{"go", "gcc"}
	case strings.HasPrefix(target, "go"):
		return []string{"go"}
	case strings.HasPrefix(target, "rust-"):
		return []string{"rustc"}
	case strings.HasPrefix(target, "cxx-clang-"):
		return []string{"clang++-19"}
	case strings.HasPrefix(target, "cxx-"):
		return []string{"g++"}
	case strings.Contains(target, "-clang-"):
		return []string{"clang-19"}
	}
	return []string{"gcc"}
}

// Command returns the path of record, report or convert: in TRAPLINE_BIN, or built into
// dir without cgo, as it is released.
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
