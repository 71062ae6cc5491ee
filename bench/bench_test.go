//go:build linux

package main

import (
	"reflect"
	"strings"
	"testing"

	"trapline/internal/cost"
)

func TestList(t *testing.T) {
	var l list
	if !l.has("loop") || l.among("measure", measureNames()) != nil {
		t.Error("an empty list does not have all names")
	}
	if err := l.Set("loop, uprobe"); err != nil {
		t.Fatal(err)
	}
	if !l.has("loop") || !l.has("uprobe") || l.has("kinds") || l.has("") {
		t.Errorf("list %q", l)
	}
	if err := l.among("measure", measureNames()); err != nil {
		t.Error(err)
	}
	err := (&list{"loop", "lop"}).among("measure", []string{"loop", "uprobe"})
	if err == nil || err.Error() != `"lop" is not a measure; use loop, uprobe` {
		t.Errorf("error %v", err)
	}
}

func TestOptions(t *testing.T) {
	good := options{runs: 1, calls: 1}
	for name, change := range map[string]func(*options){
		"none of":               func(*options) {},
		"kinds":                 func(o *options) { o.only, o.kinds = list{"kinds"}, list{"tracepoint", "uprobes by a pattern"} },
		"write":                 func(o *options) { o.write = "native" },
		"from":                  func(o *options) { o.write, o.from, o.only = "emulated", "file", list{"loop"} },
		"unknown measure":       func(o *options) { o.only = list{"loops"} },
		"unknown kind":          func(o *options) { o.kinds = list{"tracepoints"} },
		"unknown table":         func(o *options) { o.write = "mine" },
		"from without write":    func(o *options) { o.from = "file" },
		"write without kinds":   func(o *options) { o.write, o.only = "native", list{"loop"} },
		"JSON without kinds":    func(o *options) { o.json, o.only = true, list{"loop"} },
		"runs that are no runs": func(o *options) { o.runs = 0 },
	} {
		o := good
		change(&o)
		bad := strings.Contains(name, "unknown") || strings.Contains(name, "without") || strings.Contains(name, "no runs")
		if err := o.check(); (err != nil) != bad {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Names of kinds can be listed with commas. At most one row states the cost of a kind of
// probe.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range kindTable {
		if seen[k.name] || strings.Contains(k.name, ",") {
			t.Errorf("kind %q cannot be chosen", k.name)
		}
		if probe := k.probe.String(); k.probe != 0 && seen[probe+" probe"] {
			t.Errorf("two rows state what a hit of %s costs", probe)
		} else {
			seen[probe+" probe"] = true
		}
		seen[k.name] = true
		if k.hits < 1 {
			t.Errorf("%s: %g hits a call", k.name, k.hits)
		}
	}
	for _, table := range cost.Tables() {
		for _, r := range table.Rows {
			if !seen[r.Kind] {
				t.Errorf("table %s has the kind %q, which is not measured", table.Name, r.Kind)
			}
		}
	}
}

func TestPrintRows(t *testing.T) {
	var out strings.Builder
	err := printRows(&out, []row{
		{"traced loop", 853.4, 4498, "ns more", "≤ 0.25"},
		{"  size", 0.286, 8554, "bytes per hit", ""},
		{"memory", 216, -1, "MiB", "< 256"},
		{"lost", 0, 0, "hits", "0"},
	})
	const want = `
             trapline  perf                 trapline/perf  wanted
traced loop  853       4498  ns more        0.190          ≤ 0.25
  size       0.29      8554  bytes per hit  0.000          
memory       216       -     MiB            -              < 256
lost         0.00      0.00  hits           -              0
`
	if err != nil || "\n"+out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// The output of -json can be read back from between other lines of a console.
func TestCosts(t *testing.T) {
	table := cost.Table{Machine: "m", Date: "2026-01-02", Command: "bench -json", Runs: 3, Calls: 10, Rows: []cost.Row{
		{Kind: "tracepoint", Probe: "tracepoint", NS: map[cost.Way]int{cost.Plain: 254, cost.Perf: 782}},
		{Kind: "uprobes by a pattern", NS: map[cost.Way]int{cost.Plain: 692}},
	}}
	var out strings.Builder
	if err := printCosts(&out, &table, true); err != nil {
		t.Fatal(err)
	}
	const shown = `
ns per hit            trapline  trapline with arguments  trapline with stacks  perf  perf with stacks  bpftrace  bpftrace by stacks  
tracepoint            254       –                        –                     782   –                 –         –                   
uprobes by a pattern  692       –                        –                     –     –                 –         –                   
`
	if got := "\n" + out.String(); !strings.HasPrefix(got, shown) {
		t.Errorf("printed%s", got)
	}
	got, err := parseCosts("[    0.5] {console}\r\n" + strings.ReplaceAll(out.String(), "\n", "\r\n") + "bench: done\r\n")
	if err != nil || !reflect.DeepEqual(got, table) {
		t.Errorf("%v, %+v", err, got)
	}
	if got, err := parseCosts("{}\nnothing\n"); err == nil {
		t.Errorf("a table from nothing: %+v", got)
	}
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, text string
		parse      func(string) (float64, error)
		want       float64 // negative for an error
	}{
		{"time", "219.4 ns\n", parseNanoseconds, 219.4},
		{"time after lines of other programs", "Attaching 1 probe...\n\n  218\n@: 200000\n", parseNanoseconds, 218},
		{"no time", "Attaching 1 probe...\n", parseNanoseconds, -1},
		{"nothing", "", parseNanoseconds, -1},
		{"perf's samples", "Aggregated stats:\n  TOTAL events: 12\n  SAMPLE events:      828895\n", parsePerfStats, 828895},
		{"no samples of perf", "Aggregated stats:\n  TOTAL events: 12\n", parsePerfStats, -1},
		{"stacks sent late", "record: user stacks: 12,345 sent raw (0.5%), 1,234 of them after the first second\n", parseSentLate, 1234},
		{"no stacks sent", "record: attached\n", parseSentLate, -1},
	} {
		got, err := test.parse(test.text)
		if (err != nil) != (test.want < 0) || err == nil && got != test.want {
			t.Errorf("%s: %g, %v", test.name, got, err)
		}
	}
}

func TestParseAccount(t *testing.T) {
	got, err := parseAccount([]byte(`{"quality": {"account": {"recorded": 140, "filtered": 11, "sampled out": 5, "ring full": 7, "recursion": 2}, "cut": {"no unwind rule": 10, "depth limit reached": 1}}}`))
	if want := (account{recorded: 140, lost: 9, cut: 11}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, text := range []string{"", "{}", "[]", `{"quality": {}}`} {
		if got, err := parseAccount([]byte(text)); err == nil {
			t.Errorf("account of %q is %+v", text, got)
		}
	}
}

func TestParseCPU(t *testing.T) {
	for text, want := range map[string]string{
		"processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu hypervisor\n\nmodel name\t: AMD EPYC\n": "AMD EPYC in a virtual machine",
		"model name\t: Intel(R) Xeon(R)\nflags\t\t: fpu vme hypervisors\n":                              "Intel(R) Xeon(R)",
		"BogoMIPS\t: 50.00\n": "unknown processor",
	} {
		if got := parseCPU(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{3: {9, 3, 1}, 4: {4}, 5: {5, 2, 5, 1}} {
		if got := median(values); got != want {
			t.Errorf("median %g, want %g", got, want)
		}
	}
}
