package analysis_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/analysis/histogram"
)

// These tests compare answers with those of a simple model: loops over the list of
// hits that the capture was built from.

func TestEachListsTheHits(t *testing.T) {
	analysistest.ForRandom(t, func(t *testing.T, capture []byte, hits []analysistest.Hit) {
		i := 0
		_, err := analysis.Each(analysistest.Inputs(capture), analysis.Query{Kernel: true, User: true}, func(e *analysis.Event) bool {
			h := hits[i]
			i++
			var chain []string
			for _, s := range []*analysis.Stack{e.Kernel, e.User} {
				if s != nil {
					for _, c := range s.Calls {
						chain = append(chain, c.Name())
					}
				}
			}
			var names []string
			for _, c := range h.Calls() {
				names = append(names, c.Name)
			}
			want := fmt.Sprint(h.Time, h.CPU, h.PID, h.TID, h.Comm, h.Probe, names, h.Size, h.Tag)
			tag := ""
			if len(e.Args) > 1 {
				tag = e.Args[1].String()
			}
			if got := fmt.Sprint(e.Time, e.CPU, e.Task.PID, e.Task.TID, e.Task.Comm, e.Probe.Name, chain, int64(e.Args[0].Number), tag); got != want {
				t.Fatalf("hit %d:\n%s, want\n%s", i-1, got, want)
			}
			return true
		})
		if err != nil || i != len(hits) {
			t.Errorf("%d hits and error %v, want %d", i, err, len(hits))
		}
	})
}

var modelFilters = map[string]struct {
	filter analysis.Filter
	keeps  func(h *analysistest.Hit) bool
}{
	"none":   {analysis.Filter{}, func(*analysistest.Hit) bool { return true }},
	"comm":   {analysis.Filter{Comms: []string{"server", "shell"}}, func(h *analysistest.Hit) bool { return h.Comm != "worker" }},
	"pid":    {analysis.Filter{PIDs: []uint32{100, 300}}, func(h *analysistest.Hit) bool { return h.PID != 200 }},
	"tid":    {analysis.Filter{TIDs: []uint32{101}}, func(h *analysistest.Hit) bool { return h.TID == 101 }},
	"cpu":    {analysis.Filter{CPUs: []int{0, 2, 9}}, func(h *analysistest.Hit) bool { return h.CPU != 1 }},
	"probe":  {analysis.Filter{Probes: []string{"sched:sched_switch"}}, func(h *analysistest.Hit) bool { return h.Probe == "sched:sched_switch" }},
	"short":  {analysis.Filter{Probes: []string{"sched_*", "vfs_read"}}, func(h *analysistest.Hit) bool { return !strings.HasPrefix(h.Probe, "uprobe") }},
	"prefix": {analysis.Filter{Probes: []string{"uprobe:*"}}, func(h *analysistest.Hit) bool { return strings.HasPrefix(h.Probe, "uprobe:") }},
	"class":  {analysis.Filter{Probes: []string{"[!s]*"}}, func(h *analysistest.Hit) bool { return h.Probe != "sched:sched_switch" }},
	"dso": {analysis.Filter{DSOs: []string{"app"}}, func(h *analysistest.Hit) bool {
		c := h.Calls()
		return len(c) > 0 && c[0].DSO() == "app"
	}},
	"path": {analysis.Filter{DSOs: []string{"/bin/app", "[kernel.kallsyms]"}}, func(h *analysistest.Hit) bool {
		c := h.Calls()
		return len(c) > 0 && c[0].DSO() != "libc.so.6"
	}},
	"symbol": {analysis.Filter{Symbols: []string{"irq", "walk"}}, func(h *analysistest.Hit) bool {
		c := h.Calls()
		return len(c) > 0 && (c[0].Name == "irq" || c[0].Name == "walk")
	}},
	"all": {analysis.Filter{Comms: []string{"server"}, CPUs: []int{0, 1}, Probes: []string{"uprobe:*"}, Symbols: []string{"main"}}, func(h *analysistest.Hit) bool {
		c := h.Calls()
		return h.Comm == "server" && h.CPU < 2 && strings.HasPrefix(h.Probe, "uprobe:") && len(c) > 0 && c[0].Name == "main"
	}},
}

// Filters keep the same hits when counting, listing and finding probes.
func TestFiltersKeepTheHits(t *testing.T) {
	for name, f := range modelFilters {
		t.Run(name, func(t *testing.T) {
			capture, hits := analysistest.Random(7, 400)
			want, order := map[string]uint64{}, []string(nil)
			for i := range hits {
				if h := &hits[i]; f.keeps(h) {
					if want[h.Probe]++; !slices.Contains(order, h.Probe) {
						order = append(order, h.Probe)
					}
				}
			}
			if len(want) == 0 {
				t.Fatal("the filter keeps nothing: the test is void")
			}
			counted := map[string]uint64{}
			for _, s := range aggregate(t, analysis.Query{Filter: f.filter, Probe: true, Kernel: true, User: true}, capture).Samples {
				counted[s.Probe.Name] += s.Hits
			}
			analysistest.Same(t, "counted", counted, want)
			listed := map[string]uint64{}
			if _, err := analysis.Each(analysistest.Inputs(capture), analysis.Query{Filter: f.filter}, func(e *analysis.Event) bool {
				listed[e.Probe.Name]++
				return true
			}); err != nil {
				t.Fatal(err)
			}
			analysistest.Same(t, "listed", listed, want)
			probes, err := analysis.ProbesHit(analysistest.Inputs(capture), analysis.Query{Filter: f.filter})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range probes {
				got = append(got, p.Name)
			}
			if !slices.Equal(got, order) {
				t.Errorf("the probes hit are %q, want %q", got, order)
			}
		})
	}
}

// A figure holds the counts of a tree node.
type figure struct{ self, total, selfHits, totalHits uint64 }

// treePaths returns the counts of all nodes, keyed by the path of names from the
// root.
func treePaths(tree *analysis.Tree) map[string]figure {
	paths := map[string]figure{}
	names := make([]string, len(tree.Nodes))
	for i := range tree.Nodes {
		n := &tree.Nodes[i]
		if n.Parent >= 0 {
			names[i] = names[n.Parent] + "/" + n.Name()
			if n.Call != nil && !n.Call.Truncated {
				names[i] += "@" + n.Call.Image.Name()
			}
		}
		f := paths[names[i]]
		paths[names[i]] = figure{f.self + n.Self, f.total + n.Weight, f.selfHits + n.SelfHits, f.totalHits + n.Hits}
	}
	return paths
}

func modelPaths(hits []analysistest.Hit, caller bool, weigh func(h *analysistest.Hit) uint64) map[string]figure {
	paths := map[string]figure{}
	for i := range hits {
		h := &hits[i]
		w := weigh(h)
		if w == 0 {
			continue
		}
		var names []string
		for _, c := range h.Calls() {
			if c.Truncated {
				names = append(names, c.Name)
			} else {
				names = append(names, c.Name+"@"+c.DSO())
			}
		}
		if len(names) == 0 {
			names = append(names, h.Probe)
		}
		names = append(names, h.Comm)
		if caller {
			slices.Reverse(names)
		}
		path := ""
		for i := -1; i < len(names); i++ {
			if i >= 0 {
				path += "/" + names[i]
			}
			f := paths[path]
			f.total, f.totalHits = f.total+w, f.totalHits+1
			if i == len(names)-1 {
				f.self, f.selfHits = f.self+w, f.selfHits+1
			}
			paths[path] = f
		}
	}
	return paths
}

func TestTreesHoldTheStacks(t *testing.T) {
	analysistest.ForRandom(t, func(t *testing.T, capture []byte, hits []analysistest.Hit) {
		q := analysis.Query{Task: analysis.ByComm, Probe: true, Kernel: true, User: true, Args: []string{"size"}}
		r := aggregate(t, q, capture)
		for _, caller := range []bool{true, false} {
			tree := analysis.StackTree(r.Samples, caller, func(s *analysis.Sample) uint64 { return s.Weight })
			analysistest.CheckTree(t, tree)
			analysistest.Same(t, fmt.Sprint("tree of hits, caller ", caller), treePaths(tree), modelPaths(hits, caller, func(h *analysistest.Hit) uint64 { return h.Period }))
			// Hits of weight 0 get no nodes.
			tree = analysis.StackTree(r.Samples, caller, func(s *analysis.Sample) uint64 { return max(0, uint64(max(0, int64(s.Args[0].Number)))*s.Hits) })
			analysistest.CheckTree(t, tree)
			analysistest.Same(t, fmt.Sprint("tree of sizes, caller ", caller), treePaths(tree), modelPaths(hits, caller, func(h *analysistest.Hit) uint64 { return uint64(max(0, h.Size)) }))
		}
	})
}

// Parts of a capture, in several inputs or joined in one, add up.
func TestPartsAddUp(t *testing.T) {
	q := histogram.QueryFor(parseKeys(t, "comm,symbol,size"), analysis.Filter{}, true)
	var parts [][]byte
	want := map[string]uint64{}
	add := func(m map[string]uint64, r *analysis.Result) {
		for _, s := range r.Samples {
			m[fmt.Sprint(s.Task.Comm, s.Probe.Name, s.Args, analysis.Leaf(s.Kernel, s.User) == nil)] += s.Hits
		}
	}
	for seed := range uint64(4) {
		capture, _ := analysistest.Random(seed, 100)
		parts = append(parts, capture)
		add(want, aggregate(t, q, capture))
	}
	together, joined := map[string]uint64{}, map[string]uint64{}
	add(together, aggregate(t, q, parts...))
	add(joined, aggregate(t, q, bytes.Join(parts, nil)))
	analysistest.Same(t, "several inputs", together, want)
	analysistest.Same(t, "one joined input", joined, want)
}

// A survey agrees with Aggregate, for complete and for damaged captures.
func TestSurveyAgrees(t *testing.T) {
	capture := analysistest.Sample()
	check := func(what string, capture []byte) {
		t.Helper()
		counted, err := analysis.Aggregate(analysistest.Inputs(capture), analysis.Query{})
		for _, stacks := range []bool{true, false} {
			surveyed, surveyErr := analysis.Survey(analysistest.Inputs(capture), stacks)
			if (err == nil) != (surveyErr == nil) {
				t.Fatalf("%s: error %v, counting %v", what, surveyErr, err)
			}
			if err != nil {
				continue
			}
			got, want := surveyed.Quality, counted.Quality
			if !stacks {
				want.KernelStacks, want.UserStacks, want.Frames, want.Unnamed, want.Guessed = 0, 0, 0, 0, 0
				want.Cut = got.Cut
				// An account does not notice missing frames of symbols.
				got.Damage, want.Damage = nil, nil
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s, stacks %v: quality %+v, want %+v", what, stacks, got, want)
			}
			if !reflect.DeepEqual(surveyed.Headers, counted.Headers) {
				t.Fatalf("%s: headers %+v, want %+v", what, surveyed.Headers, counted.Headers)
			}
		}
	}
	check("whole", capture)
	for i := 0; i < len(capture); i += 7 {
		check(fmt.Sprint("cut at ", i), capture[:i])
		broken := bytes.Clone(capture)
		broken[i] ^= 0x10
		check(fmt.Sprint("flipped at ", i), broken)
	}
}
