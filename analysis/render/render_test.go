package render_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/analysis/histogram"
	"trapline/analysis/render"
	"trapline/format"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it); got:\n%s", path, got)
	}
}

func text(t *testing.T, write func(w io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// ask groups the hits of captures by sort keys.
func ask(t *testing.T, sort string, opt histogram.Options, filter analysis.Filter, captures ...[]byte) (*analysis.Result, []*histogram.Section) {
	t.Helper()
	keys, err := histogram.ParseKeys(sort)
	if err != nil {
		t.Fatal(err)
	}
	var inputs []*analysis.Input
	for i, c := range captures {
		inputs = append(inputs, analysis.NewFile(fmt.Sprint("capture", i+1), bytes.NewReader(c)))
	}
	r, err := analysis.Aggregate(inputs, histogram.QueryFor(keys, filter, true))
	if err != nil {
		t.Fatal(err)
	}
	opt.Keys = keys
	return r, histogram.Sections(r, opt)
}

func sections(t *testing.T, sort string, opt histogram.Options, st render.Style, captures ...[]byte) string {
	t.Helper()
	_, s := ask(t, sort, opt, analysis.Filter{}, captures...)
	return text(t, func(w io.Writer) error { return render.Sections(w, s, st) })
}

func TestSections(t *testing.T) {
	caller, callee := &histogram.TreeOptions{Caller: true}, &histogram.TreeOptions{}
	for _, c := range []struct {
		name, sort string
		opt        histogram.Options
		style      render.Style
	}{
		{"table", "comm,pid,tid,cpu,dso,symbol,srcline", histogram.Options{}, render.Style{Samples: true}},
		{"tree", "comm", histogram.Options{Tree: caller}, render.Style{Graph: render.GraphTree}},
		{"children", "symbol", histogram.Options{Children: true, Tree: callee}, render.Style{Children: true, Graph: render.GraphTree, PercentLimit: 50}},
		{"fractal", "probe", histogram.Options{Tree: caller}, render.Style{Graph: render.GraphFractal}},
		{"flat", "comm", histogram.Options{Tree: callee}, render.Style{Graph: render.GraphFlat, MinPercent: 20}},
		{"folded", "comm", histogram.Options{Tree: caller}, render.Style{Graph: render.GraphFolded, Value: render.ValueCount}},
		{"period", "comm", histogram.Options{Tree: caller}, render.Style{Graph: render.GraphTree, Value: render.ValuePeriod}},
		{"separated", "probe,args", histogram.Options{}, render.Style{Separator: ","}},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden(t, c.name+".txt", sections(t, c.sort, c.opt, c.style, analysistest.Sample()))
		})
	}
}

// Covers weights, arguments that only some hits have, and names that are wide,
// hostile or contain the separator.
func TestAwkwardCells(t *testing.T) {
	b := analysistest.New()
	probe := b.Probe(format.Probe{Kind: format.ProbeKprobe, Name: b.String("kprobe:f"), Period: 3,
		Shape: b.Shape(format.Shape{Fields: []format.Field{b.FieldOf("name", format.FieldString, 0), b.FieldOf("flag", format.FieldBool, 1)}})})
	other := b.ProbeOf(format.ProbeTracepoint, "a:b")
	for i, comm := range []string{"日本語", "tab\tbell\x07", "a;b", "  spaces  ", "\xff\xfe"} {
		b.Add(5-i, 1e9+uint64(i)*1e6, format.Hit{Probe: probe, Task: b.TaskOf(uint32(i), uint32(i), comm), Args: []uint64{uint64(b.String("n;" + comm)), uint64(i % 2)}})
	}
	b.Add(1, 2e9, format.Hit{Probe: other, Task: b.TaskOf(9, 9, "x")})
	capture := b.Bytes()
	golden(t, "awkward.txt", sections(t, "comm,name,flag", histogram.Options{}, render.Style{Samples: true}, capture))
	golden(t, "awkward.csv", sections(t, "comm,name,flag", histogram.Options{}, render.Style{Separator: ";"}, capture))
	for _, style := range []render.Style{{}, {Separator: ";"}} {
		for _, r := range sections(t, "comm,name", histogram.Options{}, style, capture) {
			if r < ' ' && r != '\n' {
				t.Errorf("control character %q is printed", r)
			}
		}
	}
}

// Shares are relative to all hits of a probe, or to those that pass the filter.
func TestShares(t *testing.T) {
	r, s := ask(t, "comm", histogram.Options{}, analysis.Filter{Comms: []string{"idle"}}, analysistest.Sample())
	for relative, want := range map[bool]string{false: "40.00%  idle", true: "100.00%  idle"} {
		got := text(t, func(w io.Writer) error { return render.Sections(w, s[:1], render.Style{Relative: relative}) })
		if !strings.Contains(got, "  "+want) || !strings.Contains(got, "# Samples: 40  of event 'sched:sched_switch'  (100 before filters)") {
			t.Errorf("relative %v: %s", relative, got)
		}
		var doc struct {
			Sections []struct{ Total, Samples uint64 }
		}
		decode(t, text(t, func(w io.Writer) error { return render.SectionsJSON(w, r, s, render.Style{Relative: relative}) }), &doc)
		if want := map[bool]uint64{false: 100, true: 40}[relative]; doc.Sections[0].Total != want || doc.Sections[0].Samples != 40 {
			t.Errorf("relative %v: JSON has %+v", relative, doc.Sections[0])
		}
	}
}

func decode(t *testing.T, document string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(document), into); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
}

func TestHeader(t *testing.T) {
	truncated := analysistest.Incomplete()
	r, _ := ask(t, "comm", histogram.Options{}, analysis.Filter{}, analysistest.Sample(), truncated[:len(truncated)-1])
	golden(t, "header.txt", text(t, func(w io.Writer) error { return render.Header(w, r, false) }))
	golden(t, "header-full.txt", text(t, func(w io.Writer) error { return render.Header(w, r, true) }))
	golden(t, "header.json", text(t, func(w io.Writer) error { return render.HeaderJSON(w, r) }))
	golden(t, "accounts.txt", text(t, func(w io.Writer) error { return render.Accounts(w, &r.Quality) }))
}

func TestSectionsJSON(t *testing.T) {
	r, s := ask(t, "comm,cpu,next_prio,args,symbol", histogram.Options{Tree: &histogram.TreeOptions{Caller: true}}, analysis.Filter{}, analysistest.Sample())
	golden(t, "sections.json", text(t, func(w io.Writer) error { return render.SectionsJSON(w, r, s, render.Style{PercentLimit: 25}) }))
	none, empty := ask(t, "comm", histogram.Options{}, analysis.Filter{}, analysistest.New().Bytes())
	if got := text(t, func(w io.Writer) error { return render.SectionsJSON(w, none, empty, render.Style{}) }); !strings.Contains(got, `"sections": []`) {
		t.Errorf("a capture without hits: %s", got)
	}
}

func TestAccountLine(t *testing.T) {
	account := func(counts map[format.Cause]uint64) []analysis.Account { return []analysis.Account{{Counts: counts}} }
	for _, c := range []struct {
		quality analysis.Quality
		want    string
	}{
		{analysis.Quality{Hits: 3}, "3 in the capture (it holds no account of others)"},
		{analysis.Quality{Hits: 2, Accounts: account(map[format.Cause]uint64{format.CauseRecorded: 2})}, "2 = 2 recorded + 0 filtered + 0 sampled out + 0 lost"},
		{analysis.Quality{Hits: 2, Accounts: account(map[format.Cause]uint64{
			format.CauseRecorded: 2, format.CauseFiltered: 3, format.CauseSampled: 4, format.CauseRingFull: 5, format.CauseRecursion: 6,
		})}, "20 = 2 recorded + 3 filtered + 4 sampled out + 11 lost (ring full 5, recursion 6)"},
		{analysis.Quality{Hits: 1, Accounts: account(map[format.Cause]uint64{format.CauseRecorded: 2})}, "2 = 2 recorded + 0 filtered + 0 sampled out + 0 lost; 1 of the recorded ones are in the capture"},
	} {
		got := text(t, func(w io.Writer) error { return render.Header(w, &analysis.Result{Quality: c.quality}, false) })
		if want := "#\n# Hits: " + c.want + "\n#\n"; got != want {
			t.Errorf("got  %swant %s", got, want)
		}
	}
}

func TestEvents(t *testing.T) {
	for name, c := range map[string]struct {
		capture []byte
		stacks  bool
	}{"events.txt": {analysistest.Incomplete(), true}, "events-flat.txt": {analysistest.Sample(), false}} {
		golden(t, name, text(t, func(w io.Writer) error {
			bw := bufio.NewWriter(w)
			p := render.NewEvents(bw, c.stacks)
			n := 0
			if _, err := analysis.Each([]*analysis.Input{analysis.NewFile("x", bytes.NewReader(c.capture))}, analysis.Query{Kernel: true, User: true}, func(e *analysis.Event) bool {
				n++
				return p.Write(e) == nil && n < 12
			}); err != nil {
				return err
			}
			return bw.Flush()
		}))
	}
}

// Every form of a histogram accounts for all hits: in its sections, entries, stacks
// and trees.
func TestTotalsEqualTheHits(t *testing.T) {
	for seed := range uint64(10) {
		capture, hits := analysistest.Random(seed, 300)
		want := map[string]uint64{}
		stacks := uint64(0)
		for _, h := range hits {
			want[h.Probe]++
			if h.Kernel != nil || h.User != nil {
				stacks++
			}
		}
		for _, sort := range []string{"comm", "dso,symbol", "cpu,size"} {
			for _, caller := range []bool{true, false} {
				r, s := ask(t, sort, histogram.Options{Tree: &histogram.TreeOptions{Caller: caller}}, analysis.Filter{}, capture)
				print := func(graph render.GraphKind) string {
					st := render.Style{Samples: true, Graph: graph, Value: render.ValueCount}
					return text(t, func(w io.Writer) error { return render.Sections(w, s, st) })
				}
				if got := columnSums(t, print(render.GraphNone)); !maps.Equal(got, want) {
					t.Errorf("-s %s: sections have the samples %v, want %v", sort, got, want)
				}
				for _, graph := range []render.GraphKind{render.GraphFlat, render.GraphFolded} {
					if got := stackSum(print(graph)); got != stacks {
						t.Errorf("-s %s: graph %d has stacks of %d hits, want %d", sort, graph, got, stacks)
					}
				}
				checkJSON(t, text(t, func(w io.Writer) error { return render.SectionsJSON(w, r, s, render.Style{}) }), want)
			}
		}
	}
}

// columnSums returns the sum of the Samples column for each probe.
func columnSums(t *testing.T, printed string) map[string]uint64 {
	t.Helper()
	sums := map[string]uint64{}
	probe := ""
	for line := range strings.SplitSeq(printed, "\n") {
		if _, after, ok := strings.Cut(line, "of event '"); ok {
			probe, _, _ = strings.Cut(after, "'")
		}
		if fields := strings.Fields(line); len(fields) > 1 && line[0] == ' ' {
			n, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil {
				t.Fatalf("line %q has no number of samples", line)
			}
			sums[probe] += n
		}
	}
	return sums
}

// stackSum returns the sum of the counts of flat or folded stacks: lines that start
// with a number rather than a percentage.
func stackSum(printed string) (sum uint64) {
	for line := range strings.SplitSeq(printed, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if n, err := strconv.ParseUint(fields[0], 10, 64); err == nil {
			sum += n
		}
	}
	return sum
}

func checkJSON(t *testing.T, document string, want map[string]uint64) {
	t.Helper()
	type node struct {
		Weight   uint64
		Children []node
	}
	var doc struct {
		Sections []struct {
			Probe                 string
			Hits, Samples, Weight uint64
			Entries               []struct {
				Self     uint64
				SelfHits uint64 `json:"self_hits"`
				Tree     []node
			}
		}
	}
	decode(t, document, &doc)
	if len(doc.Sections) != len(want) {
		t.Errorf("%d sections, want %d", len(doc.Sections), len(want))
	}
	var check func(nodes []node) (weight uint64)
	check = func(nodes []node) (weight uint64) {
		for _, n := range nodes {
			if below := check(n.Children); below > n.Weight {
				t.Errorf("a node of %d has children of %d", n.Weight, below)
			}
			weight += n.Weight
		}
		return weight
	}
	for _, s := range doc.Sections {
		hits, weight := uint64(0), uint64(0)
		for _, e := range s.Entries {
			hits += e.SelfHits
			weight += e.Self
			if tree := check(e.Tree); tree > e.Self {
				t.Errorf("%s: the tree of an entry of %d has %d", s.Probe, e.Self, tree)
			}
		}
		if s.Hits != want[s.Probe] || s.Samples != s.Hits || hits != s.Hits || weight != s.Weight {
			t.Errorf("%s: %d hits, %d samples, entries of %d hits and weight %d; want %d hits of weight %d", s.Probe, s.Hits, s.Samples, hits, weight, want[s.Probe], s.Weight)
		}
	}
}

// All forms report write errors.
func TestWriteErrors(t *testing.T) {
	r, s := ask(t, "comm", histogram.Options{}, analysis.Filter{}, analysistest.Sample())
	for name, write := range map[string]func(w io.Writer) error{
		"sections":      func(w io.Writer) error { return render.Sections(w, s, render.Style{}) },
		"sections json": func(w io.Writer) error { return render.SectionsJSON(w, r, s, render.Style{}) },
		"header":        func(w io.Writer) error { return render.Header(w, r, true) },
		"header json":   func(w io.Writer) error { return render.HeaderJSON(w, r) },
		"accounts":      func(w io.Writer) error { return render.Accounts(w, &r.Quality) },
	} {
		if err := write(fullDisk{}); err != errFull {
			t.Errorf("%s: error %v, want %v", name, err, errFull)
		}
	}
}

var errFull = fmt.Errorf("no space left on device")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
