package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/analysis/export"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

// capture returns 5 hits of one probe with a user stack.
func capture() []byte {
	b := analysistest.New()
	probe := b.ProbeOf(format.ProbeTracepoint, "sched:sched_switch")
	h := format.Hit{Probe: probe, Task: b.TaskOf(10, 11, "worker")}
	h.UserStack = b.UserStack("/bin/worker", format.CutNone, "leaf", "main")
	b.Add(5, 2e9, h)
	return b.Bytes()
}

const folded = "worker;main;leaf 5\n"

// env is a directory with a capture, and the output streams of the command.
type env struct {
	t      *testing.T
	ctx    context.Context // nil: the test's
	dir    string
	stdin  []byte
	stdout io.Writer // nil: kept in out
	tty    bool
	out    bytes.Buffer
	errors bytes.Buffer
}

func newEnv(t *testing.T) *env {
	e := &env{t: t, dir: t.TempDir()}
	e.write("trapline.data", capture())
	return e
}

func (e *env) path(name string) string { return filepath.Join(e.dir, name) }

func (e *env) write(name string, data []byte) {
	e.t.Helper()
	if err := os.WriteFile(e.path(name), data, 0o600); err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) read(name string) string {
	e.t.Helper()
	data, err := os.ReadFile(e.path(name))
	if err != nil {
		e.t.Fatal(err)
	}
	return string(data)
}

// run runs the command. @NAME in arguments stands for a file in the directory.
func (e *env) run(args string) int {
	e.t.Helper()
	e.out.Reset()
	e.errors.Reset()
	c := cli.Env{Name: "convert", Stdin: bytes.NewReader(e.stdin), Stdout: &e.out, Stderr: &e.errors, Terminal: e.tty}
	if e.stdout != nil {
		c.Stdout = e.stdout
	}
	for _, a := range strings.Fields(args) {
		if rest, ok := strings.CutPrefix(a, "@"); ok {
			a = e.path(rest)
		}
		c.Args = append(c.Args, a)
	}
	ctx := e.ctx
	if ctx == nil {
		ctx = e.t.Context()
	}
	return run(ctx, c)
}

// names lists the directory, to check that nothing is left behind.
func (e *env) names() string {
	e.t.Helper()
	entries, err := os.ReadDir(e.dir)
	if err != nil {
		e.t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

func TestConvert(t *testing.T) {
	e := newEnv(t)
	if code := e.run("-i @trapline.data -o @out.folded"); code != cli.ExitOK || e.errors.Len() > 0 || e.out.Len() > 0 {
		t.Fatalf("exit %d, stdout %q, stderr %q", code, &e.out, &e.errors)
	}
	if got := e.read("out.folded"); got != folded {
		t.Errorf("out.folded: %q, want %q", got, folded)
	}
	if got := e.names(); got != "out.folded trapline.data" {
		t.Errorf("files left: %s", got)
	}

	e.stdin = capture()
	if code := e.run("-i - -i @trapline.data -t folded -o -"); code != cli.ExitOK || e.out.String() != "worker;main;leaf 10\n" {
		t.Errorf("merged with standard input: exit %d, %q, %s", code, &e.out, &e.errors)
	}

	if code := e.run("-i @trapline.data -t folded --comms other"); code != cli.ExitOK || e.out.Len() > 0 ||
		!strings.Contains(e.errors.String(), "warning: none of the 5 hits pass the filters") {
		t.Errorf("a filter that leaves nothing: exit %d, %q, %s", code, &e.out, &e.errors)
	}
}

// An existing file is replaced as a whole, keeping its permissions and links to it,
// or not touched at all.
func TestReplace(t *testing.T) {
	e := newEnv(t)
	e.write("target.folded", []byte("old"))
	if err := os.Chmod(e.path("target.folded"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target.folded", e.path("link.folded")); err != nil {
		t.Skip(err) // not everyone may make links on Windows
	}
	e.write("cut.data", []byte("not a capture"))
	if code := e.run("-i @cut.data -o @link.folded"); code != cli.ExitUsage || e.read("target.folded") != "old" {
		t.Errorf("after a failure: exit %d, target %q", code, e.read("target.folded"))
	}
	if code := e.run("-i @trapline.data -o @link.folded"); code != cli.ExitOK || e.read("target.folded") != folded {
		t.Errorf("exit %d, target %q, %s", code, e.read("target.folded"), &e.errors)
	}
	if info, err := os.Stat(e.path("target.folded")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions of the target: %v, %v", info.Mode(), err)
	}
	if got := e.names(); got != "cut.data link.folded target.folded trapline.data" {
		t.Errorf("files left: %s", got)
	}
}

// A truncated capture yields its complete parts and a warning.
func TestTruncated(t *testing.T) {
	e := newEnv(t)
	whole := capture()
	e.write("cut.data", whole[:len(whole)-1])
	code := e.run("-i @cut.data -t folded")
	if code != cli.ExitOK || e.out.String() != folded || !strings.Contains(e.errors.String(), "cut.data: the capture ends early") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, &e.out, &e.errors)
	}
	if e.run("-q -i @cut.data -t folded"); e.errors.Len() > 0 {
		t.Errorf("with -q: %s", &e.errors)
	}
}

// An interrupted conversion leaves nothing behind.
func TestInterrupted(t *testing.T) {
	e := newEnv(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.ctx = ctx
	if code := e.run("-i @trapline.data -o @out.folded"); code != cli.ExitSignal+2 || e.names() != "trapline.data" {
		t.Errorf("exit %d, files %s, stderr %q", code, e.names(), &e.errors)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		args string
		tty  bool
		full bool
		code int
		want string
	}{
		{args: "-i @trapline.data", tty: true, code: cli.ExitUsage, want: "no output: name a file with -o or a format with -t"},
		{args: "-i @trapline.data -o @x.foo", code: cli.ExitUsage, want: "x.foo: choose one with -t (pprof, folded,"},
		{args: "-i @trapline.data -t zip", code: cli.ExitUsage, want: `unknown format "zip"; choose one of pprof,`},
		{args: "-i @trapline.data -o -", code: cli.ExitUsage, want: "-o - needs a format"},
		{args: "-i @trapline.data -t folded", tty: true, code: cli.ExitUsage, want: "folded is not printed on a terminal"},
		{args: "-i @trapline.data -t pprof -o -", tty: true, code: cli.ExitUsage, want: "pprof is binary and not printed on a terminal"},
		{args: "-i @trapline.data -t folded -o - extra", code: cli.ExitUsage, want: `unexpected argument "extra"`},
		{args: "-i @trapline.data -o @x.svg --min-width 101", code: cli.ExitUsage, want: "101 is not a percentage"},
		{args: "-i @trapline.data -o @x.svg --min-width NaN", code: cli.ExitUsage, want: "NaN is not a percentage"},
		{args: "-i @trapline.data -o @x.svg --pid x", code: cli.ExitUsage, want: `"x" is not a number`},
		{args: "-i @trapline.data -o @x.svg --weight a --weight b", code: cli.ExitUsage, want: "flamegraph takes only one"},
		{args: "-i @trapline.data -o @x.svg --weight bytes", code: cli.ExitUsage, want: `weight "bytes": no probe`},
		{args: "-i @none.data -o @x.svg", code: cli.ExitUsage, want: "none.data: no such file"},
		{args: "-i @. -o @x.svg", code: cli.ExitUsage, want: "is a directory"},
		{args: "-i @text.data -o @x.svg", code: cli.ExitUsage, want: "text.data: not a trapline capture"},
		{args: "-i @perf.data -o @x.svg", code: cli.ExitUsage, want: "perf.data: not a capture (it is a perf.data file: use perf)"},
		{args: "-i - -i - -o @x.svg", code: cli.ExitUsage, want: "-i - is given twice"},
		{args: "-i @trapline.data -t csv -o @trapline.data", code: cli.ExitOutput, want: "is an input; name another file with -o"},
		{args: "-i @trapline.data -o @none/x.svg", code: cli.ExitOutput, want: "none/x.svg: no such file or directory"},
		{args: "-i @trapline.data -t folded -o @.", code: cli.ExitOutput, want: "is a directory; name a file with -o"},
		{args: "-i @trapline.data -t folded -o -", full: true, code: cli.ExitOutput, want: "write standard output: no space left on device"},
	} {
		e := newEnv(t)
		e.write("text.data", []byte("some text that is no capture of any kind"))
		e.write("perf.data", []byte("PERFILE2\x68\x00\x00\x00\x00\x00\x00\x00"))
		e.tty = c.tty
		if c.full {
			e.stdout = fullDisk{}
		}
		before := e.names()
		if code := e.run(c.args); code != c.code || !strings.Contains(e.errors.String(), c.want) {
			t.Errorf("convert %s: exit %d, %q; want %d and %q", c.args, code, &e.errors, c.code, c.want)
		}
		if e.out.Len() > 0 {
			t.Errorf("convert %s: prints %q", c.args, &e.out)
		}
		if after := e.names(); after != before {
			t.Errorf("convert %s: leaves %s", c.args, after)
		}
	}
}

func TestList(t *testing.T) {
	e := newEnv(t)
	code := e.run("--list")
	for _, want := range []string{"pprof       .pb.gz", "flamegraph  .svg", "csv         .csv"} {
		if code != cli.ExitOK || !strings.Contains(e.out.String(), want) {
			t.Errorf("--list: exit %d, %q does not have %q", code, &e.out, want)
		}
	}
}

// A new format takes one row. Its name, its suffix and the list follow.
func TestNewFormat(t *testing.T) {
	defer func(all []export.Format) { export.Formats = all }(export.Formats)
	export.Formats = append(slices.Clone(export.Formats), export.Format{
		Name: "count", Suffixes: []string{".count"}, Help: "the number of hits",
		Write: func(w io.Writer, r *export.Request) (*export.Summary, error) {
			result, err := analysis.Aggregate(r.Inputs, analysis.Query{Filter: r.Filter})
			if err != nil {
				return nil, err
			}
			s := &export.Summary{Result: result}
			for _, sample := range result.Samples {
				s.Hits += sample.Hits
			}
			_, err = fmt.Fprintln(w, s.Hits)
			return s, err
		},
	})
	e := newEnv(t)
	if code := e.run("-i @trapline.data -o @out.count"); code != cli.ExitOK || e.read("out.count") != "5\n" {
		t.Errorf("by suffix: exit %d, %s", code, &e.errors)
	}
	if code := e.run("-i @trapline.data -t count --comms other"); code != cli.ExitOK || e.out.String() != "0\n" {
		t.Errorf("by name: exit %d, %q, %s", code, &e.out, &e.errors)
	}
	if code := e.run("--list"); code != cli.ExitOK || !strings.Contains(e.out.String(), "count       .count                 the number of hits\n") {
		t.Errorf("--list: exit %d, %q", code, &e.out)
	}
	if code := e.run("-t none"); code != cli.ExitUsage || !strings.Contains(e.errors.String(), ", csv, count\n") {
		t.Errorf("an unknown format: exit %d, %s", code, &e.errors)
	}
}

// Every format has a section and a table row in docs/formats.md.
func TestFormatsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range export.Formats {
		for _, want := range []string{"\n## " + f.Name + "\n", "\n| [" + f.Name + "](#" + f.Name + ") |"} {
			if !strings.Contains(string(doc), want) {
				t.Errorf("docs/formats.md has no %q", want)
			}
		}
	}
}

// A format that reads captures twice accepts pipes. Other formats do not copy a
// pipe.
func TestPipe(t *testing.T) {
	e := newEnv(t)
	if err := os.Mkdir(e.path("tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", e.path("tmp"))
	t.Setenv("TMP", e.path("tmp"))
	e.stdin = capture()
	if code := e.run("-i - -i @trapline.data -t csv"); code != cli.ExitOK || strings.Count(e.out.String(), "\n") != 11 {
		t.Errorf("csv of a pipe: exit %d, %q, %s", code, &e.out, &e.errors)
	}
	if left, err := os.ReadDir(e.path("tmp")); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
	if err := os.Remove(e.path("tmp")); err != nil {
		t.Fatal(err)
	}
	if code := e.run("-i - -t folded"); code != cli.ExitOK || e.out.String() != folded {
		t.Errorf("folded without a temporary directory: exit %d, %q, %s", code, &e.out, &e.errors)
	}
	if code := e.run("-i - -t csv"); code != cli.ExitUsage || !strings.Contains(e.errors.String(), "standard input: cannot keep the piped capture in "+e.path("tmp")+": no such file or directory; set TMPDIR") {
		t.Errorf("csv without a temporary directory: exit %d, %s", code, &e.errors)
	}
}
