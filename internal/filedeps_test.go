package internal

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cyclic are packages whose files may depend on each other in cycles.
var cyclic = map[string]bool{
	// Its files are being sorted at the same time: delete this line once they are.
	"trapline/internal/symbol": true,
}

// Files of a package depend on each other in one direction, as packages do, so that each
// can be understood from the files below it.
func TestNoFileCycles(t *testing.T) {
	fset := token.NewFileSet()
	packages, exports := listPackages(t)
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	for _, p := range packages {
		if cyclic[p.ImportPath] {
			continue
		}
		var files []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		uses, err := fileUses(fset, p.ImportPath, files, imports)
		if err != nil {
			t.Fatal(err)
		}
		if cycles := uses.inCycles(); len(cycles) > 0 {
			t.Errorf("%s: files depend on each other in cycles:\n\t%s\nMove what several files share, such as data types, constants and helpers, to a file that uses none of them, or merge files that are one thing.",
				p.ImportPath, strings.Join(cycles, "\n\t"))
		}
	}
}

// A listedPackage is what go list prints of a package.
type listedPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string // without tests, for this operating system
	Module                  *struct{ Main bool }
}

// listPackages returns the packages of this module, and the files with export data of
// these packages and of all that they import.
func listPackages(t *testing.T) (ours []listedPackage, exports map[string]string) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles,Module", "trapline/...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	exports = make(map[string]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listedPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main {
			ours = append(ours, p)
		}
	}
	if len(ours) == 0 {
		t.Fatalf("%s lists no package of this module", cmd)
	}
	return ours, exports
}

// fileGraph has, for each file, the files it uses and one identifier it uses them by.
type fileGraph map[string]map[string]string

// fileUses returns which files of a package use types, functions, variables, constants,
// fields and methods that other files of it declare.
func fileUses(fset *token.FileSet, path string, files []*ast.File, imports types.Importer) (fileGraph, error) {
	info := types.Info{Uses: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: imports}
	pkg, err := config.Check(path, fset, files, &info)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	uses := make(fileGraph)
	for ident, object := range info.Uses {
		if object.Pkg() != pkg || !object.Pos().IsValid() {
			continue
		}
		from, to := fset.File(ident.Pos()).Name(), fset.File(object.Pos()).Name()
		if from == to {
			continue
		}
		if uses[from] == nil {
			uses[from] = make(map[string]string)
		}
		if by := uses[from][to]; by == "" || ident.Name < by {
			uses[from][to] = ident.Name
		}
	}
	return uses, nil
}

// reaches reports whether a file uses another one, possibly through others.
func (g fileGraph) reaches(from, to string, seen map[string]bool) bool {
	for next := range g[from] {
		if next == to {
			return true
		}
		if !seen[next] {
			seen[next] = true
			if g.reaches(next, to, seen) {
				return true
			}
		}
	}
	return false
}

// inCycles describes the uses that are part of a cycle, in order.
func (g fileGraph) inCycles() []string {
	var edges []string
	for from, used := range g {
		for to, by := range used {
			if g.reaches(to, from, map[string]bool{}) {
				edges = append(edges, fmt.Sprintf("%s -> %s (%s)", filepath.Base(from), filepath.Base(to), by))
			}
		}
	}
	slices.Sort(edges)
	return edges
}

// Cycles through functions, types, fields and methods are found, and nothing else is.
func TestFileCyclesAreFound(t *testing.T) {
	sources := map[string]string{
		"types.go":  "package p; type T struct{ n int }; func (t T) Twice() int { return 2 * t.n }",
		"top.go":    "package p; func Top() int { return a() + T{}.Twice() }",
		"a.go":      "package p; func a() int { return b(T{}) }",
		"b.go":      "package p; func b(t T) int { return t.n + C{}.field }",
		"c.go":      "package p; type C struct{ field int }; func (c C) method() int { var other int; return other + a() }",
		"island.go": "package p; const island = 1",
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for name, source := range sources {
		file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	uses, err := fileUses(fset, "p", files, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.go -> b.go (b)", "b.go -> c.go (C)", "c.go -> a.go (a)"}
	if got := uses.inCycles(); !slices.Equal(got, want) {
		t.Errorf("cycles %q, want %q", got, want)
	}
}
