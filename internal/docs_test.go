package internal

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "update the imports in docs/architecture.md")

// packages returns the imports of each package of this module, without tests. It lists only
// packages of this module, without the module's name.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{if .GoFiles}}{{.ImportPath}} {{join .Imports " "}}{{end}}`, "./...")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	imports := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		var ours []string
		for _, path := range strings.Fields(line) {
			if name, ok := strings.CutPrefix(path, "trapline/"); ok {
				ours = append(ours, name)
			}
		}
		imports[ours[0]] = ours[1:]
	}
	return imports
}

// packageRow matches a line of the table of packages: name, contents, imports.
var packageRow = regexp.MustCompile("(?m)^\\| `([a-z0-9/]+)` \\| ([^|]+) \\|([^|]*)\\|$")

// The table of packages in docs/architecture.md has a line for each package with what it
// imports, and packages import only those above them.
func TestArchitectureTable(t *testing.T) {
	const file = "../docs/architecture.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	imports := packages(t)
	listed := make(map[string]bool)
	anew := packageRow.ReplaceAllStringFunc(string(text), func(row string) string {
		cells := packageRow.FindStringSubmatch(row)
		name := cells[1]
		want, ok := imports[name]
		if !ok {
			t.Errorf("%s: there is no package %s", file, name)
			return row
		}
		if listed[name] {
			t.Errorf("%s: %s has two lines", file, name)
		}
		for _, path := range want {
			if !listed[path] {
				t.Errorf("%s: %s imports %s, which is not above it", file, name, path)
			}
		}
		column := " "
		if len(want) > 0 {
			column = " `" + strings.Join(want, "` `") + "` "
		}
		if column != cells[3] && !*update {
			t.Errorf("%s: %s imports%s, not%s", file, name, column, cells[3])
		}
		listed[name] = true
		return "| `" + name + "` | " + cells[2] + " |" + column + "|"
	})
	for name := range imports {
		if !listed[name] {
			t.Errorf("%s: %s has no line", file, name)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(anew), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	link        = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	placeholder = regexp.MustCompile(`/[A-Z]+\.go$`) // stands for any name
	path        = regexp.MustCompile("`([a-zA-Z0-9_.-]+(?:/[a-zA-Z0-9_.*-]+)+)`")
)

// Links and file names in the documents refer to existing files.
func TestDocumentsNameFiles(t *testing.T) {
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	documents = append(documents, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md", "../format/FORMAT.md")
	for _, file := range documents {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			}
		}
		for _, m := range path.FindAllStringSubmatch(string(text), -1) {
			name := m[1]
			first, _, _ := strings.Cut(name, "/")
			if !slices.Contains(tops(t), first) || first == "bin" || placeholder.MatchString(name) {
				continue
			}
			if found, _ := filepath.Glob(filepath.Join("..", name)); len(found) == 0 {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
}

// tops returns the files and directories at the top of this tree.
func tops(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
