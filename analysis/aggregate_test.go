package analysis_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/format"
)

func inputs(captures ...[]byte) []*analysis.Input {
	var in []*analysis.Input
	for _, c := range captures {
		in = append(in, analysis.NewFile("capture", bytes.NewReader(c)))
	}
	return in
}

func aggregate(t testing.TB, q analysis.Query, captures ...[]byte) *analysis.Result {
	t.Helper()
	r, err := analysis.Aggregate(inputs(captures...), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sum(r *analysis.Result) (hits uint64) {
	for _, s := range r.Samples {
		hits += s.Hits
	}
	return hits
}

func parseSort(t testing.TB, s string) []analysis.SortKey {
	t.Helper()
	keys, err := analysis.ParseSort(s)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestAggregateCountsByDimension(t *testing.T) {
	r := aggregate(t, analysis.Query{Task: analysis.ByThread, CPU: true, Probe: true, Args: []string{"next_prio"}}, analysistest.Sample())
	got := make(map[string]uint64)
	for _, s := range r.Samples {
		got[s.Probe.Name+" "+s.Process+"/"+s.Task.Comm+" "+s.Args[0].String()] += s.Hits
	}
	want := map[string]uint64{
		"sched:sched_switch server/server -1": 60, "sched:sched_switch idle/idle 120": 40,
		"raw_syscalls:sys_enter server/server -": 10, "raw_syscalls:sys_enter server/worker -": 30,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What a query does not ask for must not split its samples: two segments, with IDs
// of their own, and two captures are one.
func TestSegmentsAndCapturesMerge(t *testing.T) {
	q := analysis.Query{Task: analysis.ByComm, Probe: true, Kernel: true, User: true}
	once := aggregate(t, q, analysistest.Sample())
	twice := aggregate(t, q, analysistest.Sample(), analysistest.Sample())
	joined := aggregate(t, q, append(analysistest.Sample(), analysistest.Sample()...))
	if len(once.Samples) != 4 {
		t.Errorf("%d samples, want 4", len(once.Samples))
	}
	for name, r := range map[string]*analysis.Result{"two inputs": twice, "one joined input": joined} {
		if len(r.Samples) != len(once.Samples) || sum(r) != 2*sum(once) {
			t.Errorf("%s: %d samples of %d hits, want %d of %d", name, len(r.Samples), sum(r), len(once.Samples), 2*sum(once))
		}
		if got, want := r.Quality.Sum(), once.Quality.Sum(); got[format.CauseRecorded] != 2*want[format.CauseRecorded] {
			t.Errorf("%s: %d recorded, want twice %d", name, got[format.CauseRecorded], want[format.CauseRecorded])
		}
		if len(r.Headers) != 2 {
			t.Errorf("%s: %d headers, want 2", name, len(r.Headers))
		}
	}
}

func TestFiltersPartition(t *testing.T) {
	for name, filters := range map[string][]analysis.Filter{
		"comm":   {{Comms: []string{"server", "idle"}}, {Comms: []string{"worker"}}},
		"tid":    {{TIDs: []uint32{100, 101}}, {TIDs: []uint32{102, 0}}},
		"cpu":    {{CPUs: []int{0}}, {CPUs: []int{1, 2}}},
		"probe":  {{Probes: []string{"sched:*"}}, {Probes: []string{"sys_enter"}}},
		"symbol": {{Symbols: []string{"__schedule"}}, {Symbols: []string{"syscall_trace_enter"}}},
	} {
		var total uint64
		for _, f := range filters {
			n := sum(aggregate(t, analysis.Query{Filter: f, Kernel: true, User: true}, analysistest.Sample()))
			if n == 0 {
				t.Errorf("%s: %+v keeps nothing", name, f)
			}
			total += n
		}
		if total != analysistest.SampleHits {
			t.Errorf("%s: the parts have %d hits, want %d", name, total, analysistest.SampleHits)
		}
	}
}

func TestHistogramShares(t *testing.T) {
	capture := busy(20000, 300)
	for _, sort := range []string{"symbol", "comm,dso", "srcline,cpu", "pid,size"} {
		keys := parseSort(t, sort)
		r := aggregate(t, analysis.QueryFor(keys, analysis.Filter{}, true), capture)
		for _, caller := range []bool{true, false} {
			sections := analysis.Sections(r, analysis.HistogramOptions{
				Keys: keys, Children: true, Tree: &analysis.TreeOptions{Caller: caller},
			})
			for _, s := range sections {
				var self uint64
				for _, e := range s.Entries {
					self += e.Self
					if e.Total < e.Self || e.Total > s.Sum {
						t.Fatalf("-s %s: %v has self %d, total %d of %d", sort, e.Cells, e.Self, e.Total, s.Sum)
					}
					if roots := checkTree(t, e.Tree); roots != e.Total {
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

// checkTree checks that no hit is lost or counted twice in a tree that nothing was
// left out of, and returns the weight of its roots.
func checkTree(t *testing.T, tree *analysis.Tree) (weight uint64) {
	t.Helper()
	if tree == nil {
		return 0
	}
	for number, n := range tree.Nodes {
		children, before := uint64(0), ^uint64(0)
		for c := range tree.Children(int32(number)) {
			child := &tree.Nodes[c]
			children += child.Weight
			if int(child.Parent) != number || int(c) <= number || child.Weight > before {
				t.Fatalf("child %d of node %d has the parent %d and weight %d after %d", c, number, child.Parent, child.Weight, before)
			}
			before = child.Weight
		}
		if got := n.Self + children; got != n.Weight {
			t.Fatalf("node %s has %d, its hits and children %d", n.Name(), n.Weight, got)
		}
	}
	return tree.Nodes[0].Weight
}

func TestRecursionCountsOnce(t *testing.T) {
	b := analysistest.New()
	b.Add(3, 1e9, format.Hit{
		Task:      b.TaskOf(1, 1, "a"),
		Probe:     b.ProbeOf(format.ProbeUprobe, "uprobe:a:leaf"),
		UserStack: b.UserStack("/a", format.CutNone, "leaf", "walk", "walk", "walk", "main"),
	})
	keys := parseSort(t, "symbol")
	r := aggregate(t, analysis.QueryFor(keys, analysis.Filter{}, true), b.Bytes())
	s := analysis.Sections(r, analysis.HistogramOptions{Keys: keys, Children: true, Tree: &analysis.TreeOptions{Caller: true}})[0]
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
	keys := parseSort(t, "dso,symbol")
	s := analysis.Sections(aggregate(t, analysis.QueryFor(keys, analysis.Filter{}, true), b.Bytes()),
		analysis.HistogramOptions{Keys: keys})[0]
	if e := s.Entries[0]; s.Sum != 700 || e.Self != 700 || e.SelfHits != 7 ||
		e.Cells[0].Text != "[kernel.kallsyms]" || e.Cells[1].Text != "f" {
		t.Errorf("got %+v of %d", *e, s.Sum)
	}
}

func TestEachIsInTimeOrder(t *testing.T) {
	// The shapes of two probes go to blocks of their own; their hits alternate.
	b := analysistest.New()
	x := b.ProbeOf(format.ProbeKprobe, "kprobe:x", b.FieldOf("n", format.FieldUint, 8))
	y := b.ProbeOf(format.ProbeKprobe, "kprobe:y", b.FieldOf("s", format.FieldString, 0))
	task := b.TaskOf(1, 1, "a")
	const n = 40000
	for i := range n {
		// Neighbours are swapped, as hits of two CPUs may be.
		at := uint64(i ^ 1)
		if i%3 == 0 {
			b.Add(1, at, format.Hit{Task: task, Probe: x, Args: []uint64{at}})
		} else {
			b.Add(1, at, format.Hit{Task: task, Probe: y, Args: []uint64{uint64(b.String("text"))}})
		}
	}
	next := uint64(0)
	_, err := analysis.Each(inputs(b.Bytes()), analysis.Query{}, func(e *analysis.Event) bool {
		if e.Time != next {
			t.Fatalf("time %d, want %d", e.Time, next)
		}
		if want := map[bool]string{true: "n", false: "s"}[(next^1)%3 == 0]; e.Probe.Fields[0].Name != want || len(e.Args) != 1 {
			t.Fatalf("hit %d: argument %q, want %q", next, e.Probe.Fields[0].Name, want)
		}
		next++
		return true
	})
	if err != nil || next != n {
		t.Errorf("%d hits and error %v, want %d", next, err, n)
	}
	count := 0
	if _, err := analysis.Each(inputs(b.Bytes()), analysis.Query{}, func(*analysis.Event) bool { count++; return count < 3 }); err != nil || count != 3 {
		t.Errorf("stopping early: %d hits and error %v, want 3", count, err)
	}
}

// Whatever part of a capture is there, it is shown and what is missing is said.
func TestTruncation(t *testing.T) {
	capture := analysistest.Sample()
	q := analysis.QueryFor(parseSort(t, "comm,symbol,next_comm"), analysis.Filter{}, true)
	last := uint64(0)
	for n := range capture {
		r, err := analysis.Aggregate(inputs(capture[:n]), q)
		if err != nil {
			if last > 0 {
				t.Fatalf("%d bytes: %v", n, err)
			}
			continue
		}
		hits := sum(r)
		if hits < last || hits != r.Quality.Hits {
			t.Fatalf("%d bytes: %d hits, %d before, %d in the capture", n, hits, last, r.Quality.Hits)
		}
		whole := hits == 0 || hits == 60 || hits == analysistest.SampleHits // so many segments
		if len(r.Quality.Truncated)+len(r.Quality.Damage) == 0 && !whole {
			t.Fatalf("%d bytes, %d hits: nothing is said to be missing", n, hits)
		}
		last = hits
	}
	if last != analysistest.SampleHits {
		t.Errorf("%d hits in the end, want %d", last, analysistest.SampleHits)
	}
}

func FuzzAnalyze(f *testing.F) {
	f.Add(analysistest.Sample())
	f.Fuzz(func(t *testing.T, capture []byte) {
		keys := parseSort(t, "comm,pid,symbol,srcline,next_comm,args[1]")
		r, err := analysis.Aggregate(inputs(capture), analysis.QueryFor(keys, analysis.Filter{}, true))
		if err != nil {
			return
		}
		analysis.Sections(r, analysis.HistogramOptions{Keys: keys, Children: true, Tree: &analysis.TreeOptions{}})
		var listed uint64
		if _, err := analysis.Each(inputs(capture), analysis.Query{}, func(e *analysis.Event) bool {
			for _, v := range e.Args {
				_ = v.String()
			}
			listed++
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if counted := sum(r); counted != listed && len(r.Quality.Damage) == 0 {
			t.Errorf("%d hits counted, %d listed", counted, listed)
		}
	})
}

// IDs that name nothing, as after a dictionary block was lost, are shown as such.
func TestUnknownIDs(t *testing.T) {
	b := analysistest.New()
	probe := b.ProbeOf(format.ProbeKprobe, "kprobe:f", b.FieldOf("at", format.FieldSymbol, 8), b.FieldOf("text", format.FieldString, 0))
	b.Add(5, 1e9, format.Hit{Task: 77, Probe: probe, KernelStack: 78, UserStack: 79, Args: []uint64{1 << 40, 1 << 50}})
	keys := parseSort(t, "comm,pid,symbol,text,at")
	r := aggregate(t, analysis.QueryFor(keys, analysis.Filter{}, true), b.Bytes())
	s := analysis.Sections(r, analysis.HistogramOptions{Keys: keys})[0]
	if len(s.Entries) != 1 || s.Entries[0].Self != 5 || s.Entries[0].Cells[0].Text != "[unknown]" || s.Entries[0].Cells[3].Text != "[lost]" {
		t.Errorf("got %+v", s.Entries)
	}
	if leaf := analysis.Leaf(r.Samples[0].Kernel, r.Samples[0].User); leaf == nil || !leaf.Truncated {
		t.Errorf("the leaf is %+v, want a stand-in for a lost stack", leaf)
	}
	n := 0
	if _, err := analysis.Each(inputs(b.Bytes()), analysis.Query{}, func(e *analysis.Event) bool { n++; return true }); err != nil || n != 5 {
		t.Errorf("%d hits and error %v, want 5", n, err)
	}
}
