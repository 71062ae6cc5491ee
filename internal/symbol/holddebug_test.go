package symbol_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"trapline/internal/symbol"
)

// Held debug files are read after their directories have been deleted. A held file
// that belongs to another program is not.
func TestHeldDebugFiles(t *testing.T) {
	for _, place := range []string{"beside", ".debug", "debug directory", "build id"} {
		for _, matches := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%t", place, matches), func(t *testing.T) {
				flag := "-Wl,--build-id=none"
				if place == "build id" {
					flag = "-Wl,--build-id=sha1"
				}
				program := build(t, "inlined.c", "gcc", "-O2", "-g", flag)
				debug, root := program+".debug", t.TempDir()
				opt := symbol.Options{Root: root, Path: "/opt/program", DebugDirs: []string{"/debug"}}
				id := fmt.Sprintf("%x", open(t, program, opt).BuildID())
				run(t, filepath.Dir(program), "objcopy", "--only-keep-debug", program, debug)
				run(t, filepath.Dir(program), "objcopy", "--strip-all", "--add-gnu-debuglink="+debug, program)
				to := map[string]string{
					"beside": "opt/program.debug", ".debug": "opt/.debug/program.debug",
					"debug directory": "debug/opt/program.debug",
				}[place]
				if place == "build id" {
					to = "debug/.build-id/" + id[:2] + "/" + id[2:] + ".debug"
				}
				to = filepath.Join(root, to)
				if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
					t.Fatal(err)
				}
				if !matches {
					debug = build(t, "inlined.c", "gcc", "-O1", "-g", flag)
				}
				run(t, root, "cp", debug, to)
				f, err := os.Open(program)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				opt.Held = symbol.OpenDebugFiles(f, opt)
				defer func() {
					for _, h := range opt.Held {
						if err := h.Close(); err != nil { // NewELF must not close it
							t.Error(err)
						}
					}
				}()
				if err := os.RemoveAll(root); err != nil {
					t.Fatal(err)
				}
				if e := open(t, program, opt); e.HasDebugFile() != matches {
					t.Errorf("HasDebugFile is %t", !matches)
				} else if matches {
					checkChain(t, e, "inlined.c", "innermost middle outer")
				}
			})
		}
	}
}

// A debug file with the image's build ID is the right one, even if it was changed after
// its checksum was taken, as by compressing its sections.
func TestBuildIDOutweighsChecksum(t *testing.T) {
	program := build(t, "inlined.c", "gcc", "-O2", "-g", "-Wl,--build-id=sha1")
	dir, debug := filepath.Dir(program), program+".debug"
	run(t, dir, "objcopy", "--only-keep-debug", program, debug)
	run(t, dir, "objcopy", "--strip-all", "--add-gnu-debuglink="+debug, program)
	run(t, dir, "objcopy", "--compress-debug-sections", debug)
	checkChain(t, open(t, program, symbol.Options{DebugDirs: []string{}}), "inlined.c", "innermost middle outer")
}
