package histogram

import (
	"cmp"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"

	"trapline/analysis"
)

// QueryFor returns the query that counts what a histogram with the given keys
// needs. It counts stacks if withStacks is set or a key needs them.
func QueryFor(keys []Key, filter analysis.Filter, withStacks bool) analysis.Query {
	q := analysis.Query{Filter: filter, Probe: true, Kernel: withStacks, User: withStacks}
	for _, k := range keys {
		switch k.Kind {
		case KeyComm:
			q.Task = both(q.Task, analysis.ByComm)
		case KeyPID:
			q.Task = both(q.Task, analysis.ByPID)
		case KeyTID:
			q.Task = analysis.ByThread
		case KeyCPU:
			q.CPU = true
		case KeyArg:
			q.Args = append(q.Args, k.Arg)
		case KeyDSO, KeySymbol, KeySrcline:
			q.Kernel, q.User = true, true
		}
	}
	return q
}

// both returns the coarsest key that includes both keys.
func both(a, b analysis.TaskKey) analysis.TaskKey {
	if a == analysis.NoTask || a == b {
		return b
	}
	return analysis.ByThread
}

// A Section is the histogram of the hits of one probe, or of all probes.
type Section struct {
	Probe string // "" for all probes
	// Hits and Weight are what shares are relative to: all hits of the probe on the
	// selected CPUs, including those that other filters exclude.
	Hits, Weight uint64
	*Histogram
}

// Sections returns a histogram for each probe, as perf does for its events: the sum
// of hits of different probes means nothing. If the probe is one of the keys, the
// user wants to see probes together, and there is one histogram. Probes with the
// most hits come first.
func Sections(r *analysis.Result, opt Options) []*Section {
	together := slices.Contains(opt.Keys, Key{Kind: KeyProbe})
	byName := make(map[string]*Section)
	var sections []*Section
	section := func(p *analysis.Probe) *Section {
		name := p.Name
		if together {
			name = ""
		}
		s := byName[name]
		if s == nil {
			s = &Section{Probe: name}
			byName[name] = s
			sections = append(sections, s)
		}
		return s
	}
	for _, p := range r.Probes {
		if n := r.Totals[p]; n > 0 {
			s := section(p)
			s.Hits += n
			s.Weight += n * p.Period
		}
	}
	samples := make(map[*Section][]int32)
	for i := range r.Samples {
		s := section(r.Samples[i].Probe)
		samples[s] = append(samples[s], int32(i))
	}
	var wg sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0)) // building a histogram takes more memory than keeping it
	for _, s := range sections {
		o := opt
		o.Total = s.Weight
		wg.Go(func() {
			free <- struct{}{}
			s.Histogram = newHistogram(pick(r.Samples, samples[s]), o)
			<-free
		})
	}
	wg.Wait()
	slices.SortStableFunc(sections, func(a, b *Section) int {
		if c := cmp.Compare(b.Hits, a.Hits); c != 0 {
			return c
		}
		return strings.Compare(a.Probe, b.Probe)
	})
	return sections
}

// pick iterates over the samples with the given numbers.
func pick(samples []analysis.Sample, numbers []int32) iter.Seq[*analysis.Sample] {
	return func(yield func(*analysis.Sample) bool) {
		for _, n := range numbers {
			if !yield(&samples[n]) {
				return
			}
		}
	}
}

// newHistogram groups samples, which must have been counted by everything that the
// keys need. It iterates more than once and does not modify them.
func newHistogram(samples iter.Seq[*analysis.Sample], opt Options) *Histogram {
	g := newGrouping(opt)
	for s := range samples {
		g.add(s)
	}
	h := g.finish()
	if opt.Tree != nil {
		growTrees(g, samples)
	}
	return h
}
