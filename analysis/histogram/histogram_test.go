package histogram_test

import (
	"slices"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/analysis/histogram"
	"trapline/format"
)

func parseKeys(t testing.TB, s string) []histogram.Key {
	t.Helper()
	keys, err := histogram.ParseKeys(s)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func aggregate(t testing.TB, q analysis.Query, captures ...[]byte) *analysis.Result {
	t.Helper()
	r, err := analysis.Aggregate(analysistest.Inputs(captures...), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHistogramShares(t *testing.T) {
	capture := analysistest.Busy(20000, 300)
	for _, sort := range []string{"symbol", "comm,dso", "srcline,cpu", "pid,size"} {
		keys := parseKeys(t, sort)
		r := aggregate(t, histogram.QueryFor(keys, analysis.Filter{}, true), capture)
		for _, caller := range []bool{true, false} {
			sections := histogram.Sections(r, histogram.Options{
				Keys: keys, Children: true, Tree: &histogram.TreeOptions{Caller: caller},
			})
			for _, s := range sections {
				var self uint64
				for _, e := range s.Entries {
					self += e.Self
					if e.Total < e.Self || e.Total > s.Sum {
						t.Fatalf("-s %s: %v has self %d, total %d of %d", sort, e.Cells, e.Self, e.Total, s.Sum)
					}
					if roots := analysistest.CheckTree(t, e.Tree); roots != e.Total {
						t.Fatalf("-s %s: the tree of %v has %d of %d", sort, e.Cells, roots, e.Total)
					}
				}
				if self != s.Sum || s.Sum != s.Weight {
					t.Errorf("-s %s, %s: entries have %d, samples %d, the probe %d", sort, s.Probe, self, s.Sum, s.Weight)
				}
			}
		}
	}
}

func TestRecursionCountsOnce(t *testing.T) {
	b := analysistest.New()
	b.Add(3, 1e9, format.Hit{
		Task:      b.TaskOf(1, 1, "a"),
		Probe:     b.ProbeOf(format.ProbeUprobe, "uprobe:a:leaf"),
		UserStack: b.UserStack("/a", format.CutNone, "leaf", "walk", "walk", "walk", "main"),
	})
	keys := parseKeys(t, "symbol")
	r := aggregate(t, histogram.QueryFor(keys, analysis.Filter{}, true), b.Bytes())
	s := histogram.Sections(r, histogram.Options{Keys: keys, Children: true, Tree: &histogram.TreeOptions{Caller: true}})[0]
	for _, e := range s.Entries {
		if e.Total != 3 {
			t.Errorf("%s has %d hits, want 3", e.Cells[0].Text, e.Total)
		}
		if e.Cells[0].Text == "walk" {
			var path []string
			for n := e.Tree.Nodes[0]; n.First != 0; n = e.Tree.Nodes[n.First] {
				path = append(path, e.Tree.Nodes[n.First].Name())
			}
			if want := []string{"walk", "walk", "walk", "leaf"}; !slices.Equal(path, want) {
				t.Errorf("the tree of walk is %v, want %v", path, want)
			}
		}
	}
}

func TestPeriodWeighs(t *testing.T) {
	b := analysistest.New()
	probe := b.Probe(format.Probe{Kind: format.ProbeKprobe, Name: b.String("kprobe:f"), Shape: b.Shape(format.Shape{}), Period: 100})
	b.Add(7, 1e9, format.Hit{Task: b.TaskOf(1, 1, "a"), Probe: probe})
	keys := parseKeys(t, "dso,symbol")
	s := histogram.Sections(aggregate(t, histogram.QueryFor(keys, analysis.Filter{}, true), b.Bytes()),
		histogram.Options{Keys: keys})[0]
	if e := s.Entries[0]; s.Sum != 700 || e.Self != 700 || e.SelfHits != 7 ||
		e.Cells[0].Text != "[kernel.kallsyms]" || e.Cells[1].Text != "f" {
		t.Errorf("got %+v of %d", *e, s.Sum)
	}
}
