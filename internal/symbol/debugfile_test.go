package symbol_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"trapline/internal/symbol"
)

// splitDebug builds a program and moves its debug information to a file beside it.
// buildID is the argument of the linker's --build-id.
func splitDebug(t *testing.T, buildID string) (program, debug string) {
	t.Helper()
	program = build(t, "inlined.c", "gcc", "-O2", "-g", "-Wl,--build-id="+buildID)
	debug = program + ".debug"
	dir := filepath.Dir(program)
	run(t, dir, "objcopy", "--only-keep-debug", program, debug)
	run(t, dir, "objcopy", "--strip-all", program)
	return program, debug
}

// linkDebug is like splitDebug, but names the debug file in .gnu_debuglink.
func linkDebug(t *testing.T) (program, debug string) {
	t.Helper()
	program, debug = splitDebug(t, "none")
	run(t, filepath.Dir(program), "objcopy", "--add-gnu-debuglink="+debug, program)
	return program, debug
}

// move renames a file and creates the directories of its new path.
func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// checkSplit checks that the debug file of a program from splitDebug is found.
func checkSplit(t *testing.T, program string, opt symbol.Options) {
	t.Helper()
	checkChain(t, open(t, program, opt), "inlined.c", "innermost middle outer")
}

func TestDebugFileByBuildID(t *testing.T) {
	program, debug := splitDebug(t, "sha1")
	dirs := t.TempDir()
	id := fmt.Sprintf("%x", open(t, program, symbol.Options{DebugDirs: []string{}}).BuildID())
	move(t, debug, filepath.Join(dirs, ".build-id", id[:2], id[2:]+".debug"))
	checkSplit(t, program, symbol.Options{DebugDirs: []string{dirs}})
}

func TestDebugFileByLink(t *testing.T) {
	for _, place := range []string{"beside", ".debug", "debug directory"} {
		t.Run(place, func(t *testing.T) {
			program, debug := linkDebug(t)
			dir, dirs := filepath.Dir(program), t.TempDir()
			switch place {
			case ".debug":
				move(t, debug, filepath.Join(dir, ".debug", filepath.Base(debug)))
			case "debug directory":
				move(t, debug, filepath.Join(dirs, dir, filepath.Base(debug)))
			}
			checkSplit(t, program, symbol.Options{DebugDirs: []string{dirs}})
		})
	}
}

func TestDebugFileInAnotherRoot(t *testing.T) {
	program, debug := linkDebug(t)
	root := t.TempDir()
	move(t, debug, filepath.Join(root, "opt", "app", filepath.Base(debug)))
	checkSplit(t, program, symbol.Options{Root: root, Path: "/opt/app/program", DebugDirs: []string{}})
}

// TestDebugFileChanged expects that a debug file with another checksum is not used.
func TestDebugFileChanged(t *testing.T) {
	program, debug := linkDebug(t)
	f, err := os.OpenFile(debug, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	fns, err := open(t, program, symbol.Options{DebugDirs: []string{}}).Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fns {
		if f.Name == "outer" {
			t.Error("a debug file with another checksum was used")
		}
	}
}
