package symbol_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/internal/symbol"
	"trapline/internal/testenv"
)

// run runs a tool in a directory.
func run(t *testing.T, dir, tool string, args ...string) string {
	t.Helper()
	cmd := exec.Command(testenv.Tool(t, tool), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// build compiles a program of testdata and returns its path.
func build(t *testing.T, source string, tool string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	run(t, "testdata", tool, append(args, "-o", out, source)...)
	return out
}

func open(t *testing.T, path string, opt symbol.Options) *symbol.ELF {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if opt.Path == "" {
		opt.Path = path
	}
	e, err := symbol.NewELF(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		f.Close()
	})
	return e
}

// function returns the image's function with a linkage name or demangled name.
func function(t *testing.T, e *symbol.ELF, name string) symbol.Function {
	t.Helper()
	fns, err := e.Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fns {
		if plainName(f.Name) == name {
			return f
		}
	}
	t.Fatalf("no function %s among %d", name, len(fns))
	return symbol.Function{}
}

// plainName demangles a name and removes the parameters and Rust's hash.
func plainName(linkage string) string {
	name := symbol.Demangle(linkage)
	if name == linkage {
		return name
	}
	name, _, _ = strings.Cut(name, "(")
	if i := strings.Index(name, "::h"); i > 0 && len(name) == i+19 {
		name = name[:i]
	}
	return name
}

// markedLines finds the lines that a source file marks with "line:NAME".
func markedLines(t *testing.T, source string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", source))
	if err != nil {
		t.Fatal(err)
	}
	lines := make(map[string]int)
	for i, line := range strings.Split(string(text), "\n") {
		if _, mark, ok := strings.Cut(line, "line:"); ok {
			lines[strings.Fields(mark)[0]] = i + 1
		}
	}
	return lines
}
