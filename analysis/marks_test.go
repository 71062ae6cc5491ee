package analysis_test

import (
	"fmt"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/format"
)

// Values that could not be read, and text that was cut, are shown as such, both in
// lists and as keys. Numbers have names. The columns with the marks are not
// arguments.
func TestMarks(t *testing.T) {
	b := analysistest.New()
	state := b.FieldOf("state", format.FieldInt, 4)
	state.Names = b.String("0=RUNNING -2=-ENOENT nonsense x=y")
	probe := b.ProbeOf(format.ProbeKprobe, "kprobe:f", state, b.FieldOf("", format.FieldUnread, 4),
		b.FieldOf("path", format.FieldString, 0), b.FieldOf("", format.FieldCut, 4))
	text := uint64(b.String("text"))
	minus2 := ^uint64(1)
	task := b.TaskOf(1, 1, "a")
	for i, args := range [][]uint64{
		{0, 0, text, 0}, {minus2, 0, text, 1 << 2}, {7, 1 << 2, 0, 0}, {0, 1, text, 0}, {0, 1<<2 | 1, 0, 1 << 2},
	} {
		b.Add(1, uint64(1e9+i), format.Hit{Task: task, Probe: probe, Args: args})
	}
	inputs := func() []*analysis.Input {
		return analysistest.Inputs(b.Bytes())
	}
	want := []string{"[RUNNING text]", "[-ENOENT text…]", "[7 (fault)]", "[(fault) text]", "[(fault) (fault)]"}
	var got []string
	var json []any
	_, err := analysis.Each(inputs(), analysis.Query{}, func(e *analysis.Event) bool {
		got = append(got, fmt.Sprint(e.Args))
		json = append(json, e.Args[0].JSON(), e.Args[1].JSON())
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("hits have %v, want %v", got, want)
	}
	if fmt.Sprint(json) != "[0 text -2 text… 7 <nil> <nil> text <nil> <nil>]" {
		t.Errorf("as JSON they are %v", json)
	}
	r := aggregate(t, analysis.Query{Args: []string{"state", "path"}}, b.Bytes())
	keys := make(map[string]uint64)
	for _, s := range r.Samples {
		keys[fmt.Sprint(s.Args)] += s.Hits
	}
	for _, w := range want {
		if keys[w] != 1 {
			t.Errorf("%d hits have the key %s, want 1; all: %v", keys[w], w, keys)
		}
	}
	if names := r.Args(); fmt.Sprint(names) != "[f.path f.state]" {
		t.Errorf("the arguments are called %v", names)
	}
}
