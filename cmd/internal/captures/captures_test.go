package captures_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/cmd/internal/captures"
	"trapline/cmd/internal/cli"
	"trapline/format"
)

func read(t *testing.T, in *analysis.Input) []byte {
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

func TestOpen(t *testing.T) {
	t.Chdir(t.TempDir())
	capture, piped := analysistest.Sample(), analysistest.Incomplete()
	if err := os.WriteFile(captures.Default, capture, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := captures.Open(t.Context(), cli.Env{Stdin: bytes.NewReader(piped)}, []string{captures.Default, "-"}, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(in.List) != 2 || len(in.Files) != 1 {
		t.Fatalf("%d inputs and %d files, want 2 and 1", len(in.List), len(in.Files))
	}
	in.List[1].Keep()
	for range 2 {
		if !bytes.Equal(read(t, in.List[0]), capture) || !bytes.Equal(read(t, in.List[1]), piped) {
			t.Error("the inputs are not what was written")
		}
	}
	if name := in.List[1].Name; name != "standard input" {
		t.Errorf("- is called %q", name)
	}
	in.Close()
	if _, err := in.Files[0].Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file is still open: %v", err)
	}
	byDefault, err := captures.Open(t.Context(), cli.Env{}, nil, true)
	if err != nil || byDefault.List[0].Name != captures.Default {
		t.Errorf("without names: %v, %v", byDefault, err)
	}
	byDefault.Close()
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, content := range map[string]string{"empty": "", "perf": "PERFILE2xxxxxxxx", "gzip": "\x1f\x8b\x08\x00\x00\x00\x00\x00"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		names []string
		env   cli.Env
		want  string
	}{
		{names: nil, want: captures.Default + ": no such file; create it with record, or name a capture with -i"},
		{names: []string{"none"}, want: "none: no such file"},
		{names: []string{dir}, want: dir + ": is a directory, not a capture"},
		{names: []string{"empty"}, want: "empty: not a capture: it is empty"},
		{names: []string{"perf"}, want: "perf: not a capture (it is a perf.data file: use perf)"},
		{names: []string{"gzip"}, want: "gzip: not a capture (it is gzip: decompress it first)"},
		{names: []string{"-"}, env: cli.Env{Stdin: strings.NewReader("")}, want: "standard input: not a capture: it is empty"},
		{names: []string{"-"}, env: cli.Env{StdinTerminal: true}, want: "standard input is a terminal: pipe a capture into it"},
		{names: []string{"-", "-"}, want: "-i - is given twice, but standard input can be read only once"},
	} {
		if in, err := captures.Open(t.Context(), c.env, c.names, true); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v, error %v, want %s", c.names, in, err, c.want)
		}
	}
}

// Reading shows its progress, starts over with each pass, and ends when the command
// is interrupted.
func TestWatch(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(name, append(analysistest.Sample(), make([]byte, 20<<20)...), 0o600); err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	in, err := captures.Open(ctx, cli.Env{Stderr: &shown, StderrTerminal: true}, []string{name}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for pass := range 2 {
		shown.Reset()
		r, err := in.List[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"large: 19%", "large: 39%", "large: 99%"} {
			if got := shown.String(); strings.Count(got, want) != 1 {
				t.Errorf("pass %d shows %q, not %q", pass, got, want)
			}
		}
	}
	cancel()
	r, err := in.List[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: error %v", err)
	}
}

func parse(t *testing.T, args ...string) (analysis.Filter, error) {
	t.Helper()
	var f captures.Filter
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.Flags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f.Parse()
}

func TestFilter(t *testing.T) {
	got, err := parse(t, "-c", "a,b", "-d", "libc.so.6", "-S", "f(int, char),g", "--pid", "3,1", "--tid", "7", "-C", "0,2-3", "--probe", "sched:*")
	want := analysis.Filter{
		Comms: []string{"a", "b"}, DSOs: []string{"libc.so.6"},
		// A C++ name may contain commas.
		Symbols: []string{"f(int, char),g", "f(int", " char)", "g"},
		PIDs:    []uint32{1, 3}, TIDs: []uint32{7}, CPUs: []int{0, 2, 3}, Probes: []string{"sched:*"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v and error %v, want %+v", got, err, want)
	}
	for _, c := range []struct{ flag, value, want string }{
		{"--pid", "1,x", `process "x" is not a number`},
		{"--tid", "", ""},
		{"--tid", "-1", `thread "-1" is not a number`},
		{"--cpu", "4-2", "neither a CPU nor a range"},
	} {
		_, err := parse(t, c.flag+"="+c.value)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s: error %v, want %q", c.flag, c.value, err, c.want)
		}
	}
}

func TestWarn(t *testing.T) {
	var out bytes.Buffer
	q := analysis.Quality{Truncated: []string{"a.data"}}
	for i := range 7 {
		q.Damage = append(q.Damage, analysis.Damage{Input: "b.data", Offset: int64(i), Length: 10, Reason: "wrong checksum"})
	}
	q.Accounts = []analysis.Account{{Counts: map[format.Cause]uint64{format.CauseRecorded: 1, format.CauseFiltered: 2, format.CauseRingFull: 3}}}
	captures.Warn(cli.Env{Name: "report", Stderr: &out}, &q)
	want := []string{
		"b.data: damaged at offset 0 (10 bytes skipped): wrong checksum", "offset 1", "offset 2", "offset 3", "offset 4",
		"2 more places are damaged", "a.data: the capture ends early", "3 hits were lost while recording",
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), &out)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "report: warning: ") || !strings.Contains(line, want[i]) {
			t.Errorf("line %q, want %q", line, want[i])
		}
	}
	out.Reset()
	if captures.Warn(cli.Env{Stderr: &out}, &analysis.Quality{}); out.Len() > 0 {
		t.Errorf("a whole capture: %s", &out)
	}
}
