package event_test

import (
	"os"
	"strings"
	"testing"

	"trapline/capture/event"
	"trapline/capture/probe"
)

// Each entry gives the same events as its spelling on the command line.
func TestParseFile(t *testing.T) {
	const text = `# what the shop's database does
probes:
  - event: sched:sched_switch
  - event: uprobe:libc:malloc
    name: allocations
    args: [size=arg0:u64]
    filter: size > 4096
    modifiers: {every: 100, stack: u}
  - binary: /bin/sh
    event: main
  - event: kprobe:vfs_read,kprobe:vfs_write
    filter: pid == 7
`
	want := []string{
		"sched:sched_switch",
		"allocations=uprobe:libc:malloc/size > 4096/ size=arg0:u64 [every=100,stack=u]",
		"uprobe:/bin/sh:main",
		"kprobe:vfs_read/pid == 7/",
		"kprobe:vfs_write/pid == 7/",
	}
	lines := []string{"p.yaml:3", "p.yaml:4", "p.yaml:9", "p.yaml:11", "p.yaml:11"}
	events, err := probe.ParseFile("p.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d", len(events), len(want))
	}
	for i, e := range events {
		expected, err := probe.Parse(event.Context{}, want[i])
		if err != nil {
			t.Fatal(err)
		}
		if e.String() != expected[0].String() || e.Origin != lines[i] {
			t.Errorf("event %d is %s from %s, want %s from %s", i, e, e.Origin, expected[0], lines[i])
		}
	}
}

func TestParseFileRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "p.yaml: empty",
		"# nothing\n":                        "p.yaml: empty",
		"probes:\n":                          "p.yaml:1: probes: expected a list",
		"- event: a:b\n":                     "p.yaml:1: expected probes:",
		"probes:\n  - event: a:b\nsome: 1\n": "p.yaml:3: no such key: some",
		"probes:\n  - evnt: a:b\n":           "p.yaml:2: no such key: evnt (nearest: event)",
		"probes:\n  - event: a:b\n    event: c:d\n":                     "p.yaml:3: event is given twice",
		"probes:\n  - name: x\n":                                        "p.yaml:2: an entry needs an event",
		"probes:\n  - event: [a]\n":                                     "p.yaml:2: event: expected text",
		"probes:\n  - event: k:f\n    args: arg0\n":                     "p.yaml:3: args: expected a list",
		"probes:\n  - event: a:b\n  - event: 'k:'\n":                    "p.yaml:3: event \"k:\"",
		"probes:\n  - event: a:b,c:d\n    name: x\n":                    "p.yaml:2: 2 events",
		"probes:\n  - event: a:b\n    modifiers:\n      evry: 3\n":      "p.yaml:4: no such key: evry (nearest: every)",
		"probes:\n  - event: a:b\n    modifiers:\n      every: often\n": "p.yaml:2: event",
		"probes:\n  - event: a:b\n---\nprobes: []\n":                    "more than one YAML document",
		"probes:\n  - event: {\n":                                       "line 3",
		"probes: &a\n  - *a\n":                                          "expected event:, name:",
		strings.Repeat("#", event.MaxProbeFile+1):                       "longer than 1048576 bytes",
	} {
		if _, err := probe.ParseFile("p.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: error %v, want one with %q", text, err, want)
		}
	}
}

// The example in the documentation can be parsed.
func TestExampleProbeFile(t *testing.T) {
	const path = "../../examples/probes.yaml"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if events, err := probe.ParseFile(path, text); err != nil || len(events) < 3 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte("probes:\n  - event: k:f\n    args: [a=arg0]\n    modifiers: {every: 3}\n"))
	f.Add([]byte("probes: &a\n  - *a\n"))
	f.Add([]byte("probes:\n- {event: 'a:b,c:d', name: x}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := probe.ParseFile("f", text)
		if err == nil && len(events) == 0 {
			t.Error("neither events nor an error")
		}
	})
}
