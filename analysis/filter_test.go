package analysis_test

import (
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/format"
)

// Patterns match the names of probes, which may contain slashes, and the part after
// the last colon.
func TestProbePatterns(t *testing.T) {
	b := analysistest.New()
	names := []string{"uprobe:/opt/app/server:net/http.(*conn).serve", "sched:sched_switch"}
	for _, name := range names {
		b.Add(1, 1e9, format.Hit{Task: b.TaskOf(1, 1, "a"), Probe: b.ProbeOf(format.ProbeUprobe, name)})
	}
	capture := b.Bytes()
	for pattern, want := range map[string]string{
		"uprobe:*":            names[0],
		"uprobe:*/server:*":   names[0],
		"net/http.*":          names[0],
		names[0]:              names[0],
		"sched_*":             names[1],
		"sched_[!p]*":         names[1],
		"sched_{wake,sw}*":    names[1],
		"sched:*":             names[1],
		"sched_[^s]*":         "",
		"server:*":            "",
		"{not,a,probe":        "",
		"sched:sched_switch?": "",
	} {
		q := analysis.Query{Probe: true, Filter: analysis.Filter{Probes: []string{pattern}}}
		got := ""
		for _, s := range aggregate(t, q, capture).Samples {
			got += s.Probe.Name
		}
		if got != want {
			t.Errorf("%s finds %q, want %q", pattern, got, want)
		}
	}
}
