package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trapline/analysis/analysistest"
	"trapline/format"
)

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	newer := analysistest.Sample()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("empty", "")
	write("perf.data", "PERFILE2"+strings.Repeat("\x00", 200))
	write("text", strings.Repeat("some text\n", 20))
	write("good", string(newer))
	for _, test := range []struct{ args, want string }{
		{"", "report: trapline.data: no such file; create it with record, or name a capture with -i\n"},
		{"-i missing", "report: missing: no such file\n"},
		{"-i " + dir, "report: " + dir + ": is a directory, not a capture\n"},
		{"-i empty", "report: empty: not a capture: it is empty\n"},
		{"-i perf.data", "report: perf.data: not a capture (it is a perf.data file: use perf)\n"},
		{"-i text", "report: text: not a trapline capture\n"},
		{"-i good -s simbol", `report: sort key "simbol" is unknown; arguments of the hits are sched_switch.next_comm, sched_switch.next_prio, sys_enter.args, sys_enter.id` + "\nreport: hint: see report --help\n"},
		{"-i good -s comm,,dso", `report: sort keys "comm,,dso": an empty key; write them like comm,dso,symbol` + "\nreport: hint: see report --help\n"},
		{"-i good -g=tree", `report: -g tree: "tree" is not one of graph, fractal, flat, folded, none, a percentage, caller, callee, percent, period and count` + "\nreport: hint: see report --help\n"},
		{"good", `report: unexpected argument "good"; name captures with -i` + "\nreport: hint: see report --help\n"},
		{"-i good --events --json", "report: --events has no JSON form; use convert -t ndjson\nreport: hint: see report --help\n"},
		{"-i good --cpu 3-1", `report: CPU list "3-1": "3-1" is neither a CPU nor a range such as 0-3` + "\nreport: hint: see report --help\n"},
	} {
		out := runReport(nil, strings.Fields(test.args)...)
		if out.code != 1 || out.stderr != test.want || out.stdout != "" {
			t.Errorf("report %s: exit code %d\n%swant\n%s", test.args, out.code, out.stderr+out.stdout, test.want)
		}
	}
}

// Damage is reported, and complete parts are shown.
func TestDamageIsWarnedOf(t *testing.T) {
	capture := analysistest.Sample()
	for name, test := range map[string]struct {
		capture []byte
		want    string
	}{
		"truncated": {capture[:len(capture)-200], "the capture ends early"},
		"flipped":   {append(append(append([]byte{}, capture[:1500]...), capture[1500]^0x40), capture[1501:]...), "damaged at offset"},
		"whole":     {capture, "9 hits were lost while recording"},
	} {
		out := runReport(test.capture, "-i", "-", "-g", "none")
		if out.code != 0 || !strings.Contains(out.stderr, test.want) {
			t.Errorf("%s: exit code %d, %q; want %q", name, out.code, out.stderr, test.want)
		}
		if !strings.Contains(out.stdout, "# Samples: ") {
			t.Errorf("%s: no histogram:\n%s", name, out.stdout)
		}
	}
}

// Recorded names must not reach a terminal as control sequences.
func TestNamesAreMadeSafe(t *testing.T) {
	b := analysistest.New()
	b.Add(1, 1e9, format.Hit{
		Task:      b.TaskOf(1, 1, "\x1b[2Jevil\n"),
		Probe:     b.ProbeOf(format.ProbeUprobe, "uprobe:a:\x9b31m", b.FieldOf("s", format.FieldString, 0)),
		UserStack: b.UserStack("/tmp/\x07bell", format.CutNone, "\u202ereversed", "main"),
		Args:      []uint64{uint64(b.String("\x1b]0;title\x07"))},
	})
	for _, args := range []string{"-s comm,pid,tid,dso,symbol,srcline,probe,s", "--events", "--stats", "--header-only"} {
		out := runReport(b.Bytes(), append([]string{"-i", "-"}, strings.Fields(args)...)...)
		for _, r := range strings.NewReplacer("\n", "", "\t", "").Replace(out.stdout + out.stderr) {
			if r < 0x20 || r >= 0x7f {
				t.Errorf("report %s prints %q", args, r)
			}
		}
	}
}

// Optional values can be written as users of perf write them.
func TestGraphFlagSpellings(t *testing.T) {
	sample := analysistest.Sample()
	want := runReport(sample, "-i", "-", "--call-graph=callee,10", "-n")
	for _, args := range []string{"-g callee,10 -n", "-ng callee,10", "-gcallee,10 -n", "-g=10,callee -n", "--call-graph callee,10 -n", "-n -g graph,10,callee"} {
		if got := runReport(sample, append([]string{"-i", "-"}, strings.Fields(args)...)...); got != want {
			t.Errorf("report %s: exit code %d, %s differs from --call-graph=callee,10", args, got.code, got.stderr)
		}
	}
	if got := runReport(sample, "-g", "-i", "-"); got != runReport(sample, "-i", "-") {
		t.Errorf("-g alone: exit code %d, %s", got.code, got.stderr)
	}
}
