package analysis_test

import (
	"reflect"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/analysis/histogram"
	"trapline/format"
)

func aggregate(t testing.TB, q analysis.Query, captures ...[]byte) *analysis.Result {
	t.Helper()
	r, err := analysis.Aggregate(analysistest.Inputs(captures...), q)
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

func parseKeys(t testing.TB, s string) []histogram.Key {
	t.Helper()
	keys, err := histogram.ParseKeys(s)
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

// Samples must not be split by anything that the query does not ask for: two
// segments with different IDs, and two captures, count as one.
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

func TestEachIsInTimeOrder(t *testing.T) {
	// Hits of probes with different shapes go to different blocks. The two probes
	// alternate.
	b := analysistest.New()
	x := b.ProbeOf(format.ProbeKprobe, "kprobe:x", b.FieldOf("n", format.FieldUint, 8))
	y := b.ProbeOf(format.ProbeKprobe, "kprobe:y", b.FieldOf("s", format.FieldString, 0))
	task := b.TaskOf(1, 1, "a")
	const n = 40000
	for i := range n {
		// Swap neighbors, as may happen to hits of two CPUs.
		at := uint64(i ^ 1)
		if i%3 == 0 {
			b.Add(1, at, format.Hit{Task: task, Probe: x, Args: []uint64{at}})
		} else {
			b.Add(1, at, format.Hit{Task: task, Probe: y, Args: []uint64{uint64(b.String("text"))}})
		}
	}
	next := uint64(0)
	_, err := analysis.Each(analysistest.Inputs(b.Bytes()), analysis.Query{}, func(e *analysis.Event) bool {
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
	if _, err := analysis.Each(analysistest.Inputs(b.Bytes()), analysis.Query{}, func(*analysis.Event) bool { count++; return count < 3 }); err != nil || count != 3 {
		t.Errorf("stopping early: %d hits and error %v, want 3", count, err)
	}
}

// Any prefix of a capture is shown, and missing parts are reported.
func TestTruncation(t *testing.T) {
	capture := analysistest.Sample()
	q := histogram.QueryFor(parseKeys(t, "comm,symbol,next_comm"), analysis.Filter{}, true)
	last := uint64(0)
	for n := range capture {
		r, err := analysis.Aggregate(analysistest.Inputs(capture[:n]), q)
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
		whole := hits == 0 || hits == 60 || hits == analysistest.SampleHits // complete segments
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
		keys := parseKeys(t, "comm,pid,probe,symbol,srcline,next_comm,args[1]")
		r, err := analysis.Aggregate(analysistest.Inputs(capture), histogram.QueryFor(keys, analysis.Filter{}, true))
		if err != nil {
			return
		}
		histogram.Sections(r, histogram.Options{Keys: keys, Children: true, Tree: &histogram.TreeOptions{}})
		analysis.StackTree(r.Samples, true, func(s *analysis.Sample) uint64 { return s.Weight })
		for _, stacks := range []bool{true, false} {
			surveyed, err := analysis.Survey(analysistest.Inputs(capture), stacks)
			if err != nil {
				t.Fatal(err)
			}
			if surveyed.Quality.Hits != r.Quality.Hits {
				t.Errorf("a survey finds %d hits, Aggregate %d", surveyed.Quality.Hits, r.Quality.Hits)
			}
		}
		if _, err := analysis.ProbesHit(analysistest.Inputs(capture), analysis.Query{}); err != nil {
			t.Fatal(err)
		}
		var listed uint64
		if _, err := analysis.Each(analysistest.Inputs(capture), analysis.Query{}, func(e *analysis.Event) bool {
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

// Undefined IDs, as after the loss of a dictionary block, are shown as such.
func TestUnknownIDs(t *testing.T) {
	b := analysistest.New()
	probe := b.ProbeOf(format.ProbeKprobe, "kprobe:f", b.FieldOf("at", format.FieldSymbol, 8), b.FieldOf("text", format.FieldString, 0))
	b.Add(5, 1e9, format.Hit{Task: 77, Probe: probe, KernelStack: 78, UserStack: 79, Args: []uint64{1 << 40, 1 << 50}})
	keys := parseKeys(t, "comm,pid,symbol,text,at")
	r := aggregate(t, histogram.QueryFor(keys, analysis.Filter{}, true), b.Bytes())
	s := histogram.Sections(r, histogram.Options{Keys: keys})[0]
	if len(s.Entries) != 1 || s.Entries[0].Self != 5 || s.Entries[0].Cells[0].Text != "[unknown]" || s.Entries[0].Cells[3].Text != "[lost]" {
		t.Errorf("got %+v", s.Entries)
	}
	if leaf := analysis.Leaf(r.Samples[0].Kernel, r.Samples[0].User); leaf == nil || !leaf.Truncated {
		t.Errorf("the leaf is %+v, want a stand-in for a lost stack", leaf)
	}
	n := 0
	if _, err := analysis.Each(analysistest.Inputs(b.Bytes()), analysis.Query{}, func(e *analysis.Event) bool { n++; return true }); err != nil || n != 5 {
		t.Errorf("%d hits and error %v, want 5", n, err)
	}
}
