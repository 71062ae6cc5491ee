package probe_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trapline/capture/event"
	"trapline/capture/probe"
	"trapline/format"
)

var update = flag.Bool("update", false, "write the golden files anew")

var typeNames = map[format.FieldType]string{
	format.FieldUint: "uint", format.FieldInt: "int", format.FieldHex: "hex", format.FieldPointer: "pointer", format.FieldBool: "bool",
	format.FieldChar: "char", format.FieldString: "string", format.FieldBytes: "bytes", format.FieldSymbol: "symbol",
}

func describe(p *probe.Probe) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s record %d", p.Kind, p.Name, p.RecordSize)
	if len(p.DataLocs) > 0 {
		fmt.Fprintf(&b, " locs %#x", p.DataLocs)
	}
	b.WriteByte('\n')
	for i, f := range p.Fields {
		fmt.Fprintf(&b, "  %-14s %-7s at %d size %d", f.Name, typeNames[f.Type], f.Offset, f.Size)
		if f.Count != 1 {
			fmt.Fprintf(&b, " x %d", f.Count)
		}
		if f.Dynamic {
			b.WriteString(" dynamic")
		}
		if f.Relative {
			b.WriteString(" relative")
		}
		if i < len(p.Fetch) {
			fmt.Fprintf(&b, " from %s", &p.Fetch[i])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s\nwant:\n%s", name, got, want)
	}
}

func resolve(t *testing.T, r *probe.Resolver, text string) ([]probe.Probe, error) {
	t.Helper()
	events, err := probe.Parse(event.Context{}, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r.Resolve(events[0])
}

func describeAll(probes []probe.Probe) string {
	var b strings.Builder
	for i := range probes {
		b.WriteString(describe(&probes[i]))
	}
	return b.String()
}

// The format files in testdata are from Linux 6.18, except for sample:rel_loc, which is
// modelled on samples/trace_events.
func TestTracepointFields(t *testing.T) {
	r := probe.NewResolver(probe.Options{TraceFS: "../tracefs/testdata"})
	probes, err := resolve(t, r, "*:*")
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, filepath.Join("testdata", "tracepoints.golden"), describeAll(probes))
}

func TestTracepointErrors(t *testing.T) {
	r := probe.NewResolver(probe.Options{TraceFS: "../tracefs/testdata"})
	for text, want := range map[string]string{
		"sched:sched_swicth": "sched:sched_swicth: no such tracepoint (nearest: sched:sched_switch)",
		"shed:sched_wakeup":  "shed:sched_wakeup: no such tracepoint (nearest: sched:sched_wakeup)",
		"foo:sched_wakeup":   "foo:sched_wakeup: no such tracepoint (nearest: sched:sched_wakeup)",
		"ftrace:print":       "ftrace:print: no such tracepoint",
		"sched:x*":           "sched:x*: no tracepoint matches",
	} {
		_, err := resolve(t, r, text)
		var missing *event.NotFoundError
		if !errors.As(err, &missing) || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	_, err := resolve(t, r, "all=sched:*")
	var invalid *event.InvalidError
	if !errors.As(err, &invalid) {
		t.Errorf("one name for several probes: got %v", err)
	}
	_, err = resolve(t, probe.NewResolver(probe.Options{}), "sched:sched_switch")
	var unsupported *event.UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Errorf("no tracefs: got %v", err)
	}
}

func TestTracepointAlias(t *testing.T) {
	r := probe.NewResolver(probe.Options{TraceFS: "../tracefs/testdata"})
	probes, err := resolve(t, r, "sw=sched:sched_switch")
	if err != nil || len(probes) != 1 || probes[0].Name != "sw" || probes[0].Group != "sched" || probes[0].Event != "sw=sched:sched_switch" {
		t.Errorf("got %+v, %v", probes, err)
	}
}
