package cli_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"trapline/cmd/internal/cli"
)

func TestParseSize(t *testing.T) {
	for _, c := range []struct {
		in   string
		unit uint64
		want uint64
		err  string
	}{
		{in: "512", unit: 1, want: 512},
		{in: "512", unit: 4096, want: 2 << 20},
		{in: "8M", unit: 4096, want: 8 << 20},
		{in: "64k", unit: 1, want: 64 << 10},
		{in: "1.5G", unit: 1, want: 3 << 29},
		{in: "10KiB", unit: 4096, want: 10 << 10},
		{in: "7B", unit: 4096, want: 7},
		{in: "", err: "not a number"},
		{in: "M", err: "not a number"},
		{in: "-1", err: "not a number"},
		{in: "1e9", err: "not a number"},
		{in: "1.2.3", err: "not a number"},
		{in: "99999999T", err: "too large"},
	} {
		got, err := cli.ParseSize(c.in, c.unit)
		if checkError(t, c.in, err, c.err) && got != c.want {
			t.Errorf("ParseSize(%q, %d) = %d, want %d", c.in, c.unit, got, c.want)
		}
	}
}

func TestParseCPUs(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []int
		err  string
	}{
		{in: "0", want: []int{0}},
		{in: "8,0-2,1-3", want: []int{0, 1, 2, 3, 8}},
		{in: "", err: "neither a CPU nor a range"},
		{in: "3-1", err: "neither a CPU nor a range"},
		{in: "1-", err: "neither a CPU nor a range"},
		{in: "0-4000000000", err: "there is no CPU 4000000000"},
		{in: strings.Repeat("0-65535,", 1000) + "x", err: "neither a CPU nor a range"},
	} {
		got, err := cli.ParseCPUs(c.in)
		if checkError(t, c.in, err, c.err) && !slices.Equal(got, c.want) {
			t.Errorf("ParseCPUs(%q) = %v, want %v", c.in, got, c.want)
		}
	}
}

func TestParseIDs(t *testing.T) {
	if got, err := cli.ParseIDs("pid", "7,1,7"); err != nil || !slices.Equal(got, []uint32{1, 7}) {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := cli.ParseIDs("pid", "1,nginx")
	checkError(t, "1,nginx", err, `pid "nginx" is not a number`)
}

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		in   string
		want time.Duration
		err  string
	}{
		{in: "30s", want: 30 * time.Second},
		{in: "2", want: 2 * time.Second},
		{in: "0.5", want: 500 * time.Millisecond},
		{in: "1m30s", want: 90 * time.Second},
		{in: "", err: "not a number with a unit"},
		{in: "5 s", err: "not a number with a unit"},
		{in: "-5s", err: "negative"},
	} {
		got, err := cli.ParseDuration(c.in)
		if checkError(t, c.in, err, c.err) && got != c.want {
			t.Errorf("ParseDuration(%q) = %v, want %v", c.in, got, c.want)
		}
	}
}

// checkError checks an error and reports whether none was expected.
func checkError(t *testing.T, in string, err error, want string) bool {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%q: %v", in, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%q: error %v, want one with %q", in, err, want)
	}
	return err == nil && want == ""
}

func TestFlags(t *testing.T) {
	type result struct {
		all      bool
		level    string
		events   []string
		duration time.Duration
		operands []string
	}
	for _, c := range []struct {
		args string
		want result
	}{
		{"-a -z -e x", result{all: true, level: "1", events: []string{"x"}}},
		{"-az3 -ey", result{all: true, level: "3", events: []string{"y"}}},
		{"-z=0 --compress=5", result{level: "5"}},
		{"-e -z3 -d 1m30s", result{events: []string{"-z3"}, duration: 90 * time.Second}},
		{"--event -z3 -d2", result{events: []string{"-z3"}, duration: 2 * time.Second}},
		{"-a cc -z3", result{all: true, operands: []string{"cc", "-z3"}}},
		{"-z2 -- -z3", result{level: "2", operands: []string{"-z3"}}},
	} {
		var got result
		f := cli.NewFlags("record", "record [options] [command]", "", true)
		g := f.Group("Target")
		g.BoolVarP(&got.all, "all", "a", false, "all CPUs")
		g.StringVarP(&got.level, "compress", "z", "", "level")
		g.Lookup("compress").NoOptDefVal = "1"
		g.StringArrayVarP(&got.events, "event", "e", nil, "event")
		cli.DurationVar(g, &got.duration, "duration", "d", "duration")
		var stderr bytes.Buffer
		if done, _ := f.Parse(cli.Env{Name: "record", Args: strings.Fields(c.args), Stderr: &stderr}); done {
			t.Errorf("%q: %s", c.args, &stderr)
			continue
		}
		got.operands = f.Args()
		if got.all != c.want.all || got.level != c.want.level || got.duration != c.want.duration ||
			!slices.Equal(got.events, c.want.events) || !slices.Equal(got.operands, c.want.operands) {
			t.Errorf("%q: got %+v, want %+v", c.args, got, c.want)
		}
	}
}

func TestFlagsThatEndTheCommand(t *testing.T) {
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{args: "--help", stdout: "usage: report [options]\n\nSorting:\n  -s, --sort string   sort keys\n\n" +
			"General:\n  -h, --help      print this help\n      --version   print the version\n"},
		{args: "--version", stdout: "report (trapline) "},
		{args: "--sorted", code: cli.ExitUsage, stderr: "report: unknown flag: --sorted\nreport: hint: see report --help\n"},
		{args: "-s", code: cli.ExitUsage, stderr: "report: flag needs an argument: 's' in -s\n"},
	} {
		f := cli.NewFlags("report", "report [options]", "", false)
		f.Group("Sorting").StringP("sort", "s", "", "sort keys")
		var stdout, stderr bytes.Buffer
		done, code := f.Parse(cli.Env{Name: "report", Args: strings.Fields(c.args), Stdout: &stdout, Stderr: &stderr})
		if !done || code != c.code || !strings.HasPrefix(stdout.String(), c.stdout) || !strings.HasPrefix(stderr.String(), c.stderr) {
			t.Errorf("%s: done %v, code %d, stdout %q, stderr %q", c.args, done, code, &stdout, &stderr)
		}
	}
}

func TestMessages(t *testing.T) {
	var b bytes.Buffer
	env := cli.Env{Name: "record", Stderr: &b, StderrTerminal: true, Columns: 8}
	env.Warningf("two\nlines\n")
	p := env.NewProgress()
	p.Update("0123456789")
	p.Clear()
	p.Clear()
	env.Errorf("last %d", 1)
	want := "record: warning: two\nrecord: warning: lines\n\r0123456\x1b[K\r\x1b[Krecord: last 1\n"
	if b.String() != want {
		t.Errorf("got %q\nwant %q", b.String(), want)
	}
}
