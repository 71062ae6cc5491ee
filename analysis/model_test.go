package analysis_test

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
)

// The tests here compare answers with those of a plain model: loops over the list of
// hits that the capture was made from.

const (
	modelSeeds = 10
	modelHits  = 400
)

func forEachModel(t *testing.T, test func(t *testing.T, capture []byte, hits []analysistest.Hit)) {
	for seed := range uint64(modelSeeds) {
		capture, hits := analysistest.Random(seed, modelHits)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { test(t, capture, hits) })
	}
}

// A modelCall is a call with what tells functions apart.
type modelCall struct {
	name, image       string
	kernel, truncated bool
}

func modelChain(h *analysistest.Hit) []modelCall {
	var chain []modelCall
	for i, name := range h.Chain() {
		c := modelCall{name: name, image: h.Image}
		switch {
		case i < len(h.Kernel):
			c.image, c.kernel = "[kernel.kallsyms]", true
		case i >= len(h.Kernel)+len(h.User):
			c.image, c.truncated = "", true
		}
		chain = append(chain, c)
	}
	return chain
}

func (c modelCall) dso() string {
	if c.truncated {
		return "[unknown]"
	}
	return c.image[strings.LastIndexByte(c.image, '/')+1:]
}

func same[K comparable, V any](t *testing.T, what string, got, want map[K]V) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	for k := range want {
		if !reflect.DeepEqual(got[k], want[k]) {
			t.Errorf("%s: %v is %v, want %v", what, k, got[k], want[k])
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			t.Errorf("%s: there is %v with %v", what, k, got[k])
		}
	}
}

func TestEachListsTheHits(t *testing.T) {
	forEachModel(t, func(t *testing.T, capture []byte, hits []analysistest.Hit) {
		i := 0
		_, err := analysis.Each(inputs(capture), analysis.Query{Kernel: true, User: true}, func(e *analysis.Event) bool {
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
			want := fmt.Sprint(h.Time, h.CPU, h.PID, h.TID, h.Comm, h.Probe, h.Chain(), h.Size, h.Tag)
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
		c := modelChain(h)
		return len(c) > 0 && c[0].dso() == "app"
	}},
	"path": {analysis.Filter{DSOs: []string{"/bin/app", "[kernel.kallsyms]"}}, func(h *analysistest.Hit) bool {
		c := modelChain(h)
		return len(c) > 0 && c[0].dso() != "libc.so.6"
	}},
	"symbol": {analysis.Filter{Symbols: []string{"irq", "walk"}}, func(h *analysistest.Hit) bool {
		c := modelChain(h)
		return len(c) > 0 && (c[0].name == "irq" || c[0].name == "walk")
	}},
	"all": {analysis.Filter{Comms: []string{"server"}, CPUs: []int{0, 1}, Probes: []string{"uprobe:*"}, Symbols: []string{"main"}}, func(h *analysistest.Hit) bool {
		c := modelChain(h)
		return h.Comm == "server" && h.CPU < 2 && strings.HasPrefix(h.Probe, "uprobe:") && len(c) > 0 && c[0].name == "main"
	}},
}

// Filters keep the same hits in counts, in lists, and in the probes of these.
func TestFiltersKeepTheHits(t *testing.T) {
	for name, f := range modelFilters {
		t.Run(name, func(t *testing.T) {
			capture, hits := analysistest.Random(7, modelHits)
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
			same(t, "counted", counted, want)
			listed := map[string]uint64{}
			if _, err := analysis.Each(inputs(capture), analysis.Query{Filter: f.filter}, func(e *analysis.Event) bool {
				listed[e.Probe.Name]++
				return true
			}); err != nil {
				t.Fatal(err)
			}
			same(t, "listed", listed, want)
			probes, err := analysis.ProbesHit(inputs(capture), analysis.Query{Filter: f.filter})
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

// A figure is the self and total weight and hits of an entry.
type figure struct{ self, total, selfHits, totalHits uint64 }

// modelKey returns what a sort key shows of a hit and one of its calls.
func modelKey(key string, h *analysistest.Hit, c *modelCall) string {
	switch key {
	case "comm":
		return h.Comm
	case "pid":
		return strconv.Itoa(int(h.PID))
	case "tid":
		return h.Comm + strconv.Itoa(int(h.TID))
	case "cpu":
		return strconv.Itoa(h.CPU)
	case "probe":
		return h.Probe
	case "size":
		return strconv.FormatInt(h.Size, 10)
	case "sched_switch.tag":
		if h.Tag == "" {
			return "-"
		}
		return h.Tag
	}
	short := h.Probe[strings.LastIndexByte(h.Probe, ':')+1:]
	switch {
	case key == "symbol" && c != nil:
		return c.name
	case key == "dso" && c != nil:
		return c.dso()
	case key == "symbol" && h.Tag != "":
		return "[no stack]"
	case key == "symbol":
		return short
	case strings.HasPrefix(h.Probe, "uprobe"):
		return "app"
	}
	return "[kernel.kallsyms]"
}

func modelHistogram(hits []analysistest.Hit, probe string, keys []string, children bool) map[string]figure {
	perCall := slices.Contains(keys, "symbol") || slices.Contains(keys, "dso")
	entries := map[string]figure{}
	for i := range hits {
		h := &hits[i]
		if probe != "" && h.Probe != probe {
			continue
		}
		chain := modelChain(h)
		var calls []*modelCall
		for i := range chain {
			calls = append(calls, &chain[i])
		}
		if len(calls) == 0 {
			calls = []*modelCall{nil}
		}
		seen := map[string]bool{}
		for i, c := range calls {
			if i > 0 && (!children || !perCall || c.truncated) {
				continue
			}
			var cells []string
			for _, k := range keys {
				cells = append(cells, modelKey(k, h, c))
			}
			// The kernel's functions are told from others of the same name.
			name := strings.Join(cells, "|")
			if slices.Contains(keys, "symbol") && (c != nil && c.kernel || c == nil && !strings.HasPrefix(h.Probe, "uprobe")) {
				name += " [k]"
			}
			e := entries[name]
			if i == 0 {
				e.self, e.selfHits = e.self+h.Period, e.selfHits+1
			}
			if !seen[name] {
				e.total, e.totalHits = e.total+h.Period, e.totalHits+1
			}
			seen[name] = true
			entries[name] = e
		}
	}
	return entries
}

func cellText(k analysis.SortKey, c analysis.Cell) string {
	switch k.Kind {
	case analysis.KeyPID, analysis.KeyCPU:
		return strconv.Itoa(int(c.ID))
	case analysis.KeyTID:
		return c.Text + strconv.Itoa(int(c.ID))
	}
	return c.Text
}

func TestHistogramsCountTheHits(t *testing.T) {
	forEachModel(t, func(t *testing.T, capture []byte, hits []analysistest.Hit) {
		for _, sort := range []string{"comm", "pid", "tid,cpu", "symbol", "comm,dso,symbol", "dso", "size", "probe,symbol", "sched_switch.tag,comm", "size,symbol,sched_switch.tag"} {
			keys := parseSort(t, sort)
			r := aggregate(t, analysis.QueryFor(keys, analysis.Filter{}, false), capture)
			for _, children := range []bool{false, true} {
				for _, s := range analysis.Sections(r, analysis.HistogramOptions{Keys: keys, Children: children}) {
					want := modelHistogram(hits, s.Probe, strings.Split(sort, ","), children)
					got := map[string]figure{}
					for _, e := range s.Entries {
						var cells []string
						kernel := ""
						for i, c := range e.Cells {
							cells = append(cells, cellText(keys[i], c))
							if c.Kernel {
								kernel = " [k]"
							}
						}
						got[strings.Join(cells, "|")+kernel] = figure{e.Self, e.Total, e.SelfHits, e.TotalHits}
					}
					same(t, fmt.Sprintf("-s %s, children %v, %s", sort, children, s.Probe), got, want)
				}
			}
		}
	})
}

// treePaths returns the nodes of a tree by the names on the way to them.
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
		for _, c := range modelChain(h) {
			if c.truncated {
				names = append(names, c.name)
			} else {
				names = append(names, c.name+"@"+c.dso())
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
	forEachModel(t, func(t *testing.T, capture []byte, hits []analysistest.Hit) {
		q := analysis.Query{Task: analysis.ByComm, Probe: true, Kernel: true, User: true, Args: []string{"size"}}
		r := aggregate(t, q, capture)
		for _, caller := range []bool{true, false} {
			tree := analysis.NewTree(r.Samples, caller, func(s *analysis.Sample) uint64 { return s.Weight })
			checkTree(t, tree)
			same(t, fmt.Sprint("tree of hits, caller ", caller), treePaths(tree), modelPaths(hits, caller, func(h *analysistest.Hit) uint64 { return h.Period }))
			// Hits that weigh nothing have no nodes.
			tree = analysis.NewTree(r.Samples, caller, func(s *analysis.Sample) uint64 { return max(0, uint64(max(0, int64(s.Args[0].Number)))*s.Hits) })
			checkTree(t, tree)
			same(t, fmt.Sprint("tree of sizes, caller ", caller), treePaths(tree), modelPaths(hits, caller, func(h *analysistest.Hit) uint64 { return uint64(max(0, h.Size)) }))
		}
	})
}

// modelCallTree returns the nodes of the tree of one function's entry: the whole chains of
// hits in it, and what it called (or who called it) of those in others.
func modelCallTree(hits []analysistest.Hit, probe string, entry modelCall, caller bool) map[string]uint64 {
	paths := map[string]uint64{}
	for i := range hits {
		h := &hits[i]
		chain := modelChain(h)
		if h.Probe != probe || len(chain) == 0 {
			continue
		}
		if chain[0] != entry {
			if caller {
				// From the outermost occurrence inwards.
				at := slices.Index(reversed(chain), entry)
				if at < 0 {
					continue
				}
				chain = chain[:len(chain)-at]
			} else {
				at := slices.Index(chain, entry)
				if at < 0 {
					continue
				}
				chain = chain[at:]
			}
		}
		if caller {
			chain = reversed(chain)
		}
		path := ""
		for _, c := range chain {
			path += "/" + c.name
			if !c.truncated {
				path += "@" + c.dso()
			}
			paths[path] += h.Period
		}
	}
	return paths
}

func reversed(chain []modelCall) []modelCall {
	r := slices.Clone(chain)
	slices.Reverse(r)
	return r
}

func TestCallTreesHoldTheStacks(t *testing.T) {
	forEachModel(t, func(t *testing.T, capture []byte, hits []analysistest.Hit) {
		keys := parseSort(t, "dso,symbol")
		r := aggregate(t, analysis.QueryFor(keys, analysis.Filter{}, true), capture)
		for _, caller := range []bool{true, false} {
			for _, minShare := range []float64{0, 0.05, 0.3} {
				sections := analysis.Sections(r, analysis.HistogramOptions{
					Keys: keys, Children: true, Tree: &analysis.TreeOptions{Caller: caller, MinShare: minShare},
				})
				for _, s := range sections {
					least := max(1, uint64(minShare*float64(s.Weight)+0.999999))
					for _, e := range s.Entries {
						entry := modelCall{name: e.Cells[1].Text, image: e.Cells[0].Text, kernel: e.Cells[1].Kernel}
						entry.image = map[string]string{"app": "/bin/app", "libc.so.6": "/lib/libc.so.6", "[kernel.kallsyms]": "[kernel.kallsyms]"}[entry.image]
						want := modelCallTree(hits, s.Probe, entry, caller)
						maps.DeleteFunc(want, func(_ string, w uint64) bool { return w < least })
						got := map[string]uint64{}
						if e.Tree != nil {
							for path, f := range treePaths(e.Tree) {
								if path != "" {
									got[path] = f.total
								}
							}
						}
						same(t, fmt.Sprintf("%s: tree of %s, caller %v, at least %v", s.Probe, entry.name, caller, minShare), got, want)
					}
				}
			}
		}
	})
}

// A capture in parts, in several inputs or joined, is counted as one.
func TestPartsAddUp(t *testing.T) {
	q := analysis.QueryFor(parseSort(t, "comm,symbol,size"), analysis.Filter{}, true)
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
	same(t, "several inputs", together, want)
	same(t, "one joined input", joined, want)
}

// A survey finds the same as counting does, of whole captures and of damaged ones.
func TestSurveyAgrees(t *testing.T) {
	capture := analysistest.Sample()
	check := func(what string, capture []byte) {
		t.Helper()
		counted, err := analysis.Aggregate(inputs(capture), analysis.Query{})
		for _, stacks := range []bool{true, false} {
			surveyed, surveyErr := analysis.Survey(inputs(capture), stacks)
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
				// It does not look for symbols of frames that are lost.
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
