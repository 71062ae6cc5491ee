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

// QueryFor returns the query that counts what a histogram by the keys looks at.
// Stacks are counted if any key or withStacks asks for them.
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

// both returns the coarsest key that has what both have.
func both(a, b analysis.TaskKey) analysis.TaskKey {
	if a == analysis.NoTask || a == b {
		return b
	}
	return analysis.ByThread
}

// A Section is the histogram of one probe's hits, or of all.
type Section struct {
	Probe string // "" all probes
	// Hits are those that shares are of: all of the probe's hits on the CPUs asked for,
	// also those that other filters left out.
	Hits, Weight uint64
	*Histogram
}

// Sections returns a histogram for each probe, as perf does for its events: hits
// of different probes have no common measure, and their sum means nothing. If the
// probe is one of the keys, the user asks to see them together and there is one
// histogram. The probes with the most hits come first.
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
	free := make(chan struct{}, runtime.GOMAXPROCS(0)) // making one takes more memory than keeping it
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

// pick returns the samples with these numbers.
func pick(samples []analysis.Sample, numbers []int32) iter.Seq[*analysis.Sample] {
	return func(yield func(*analysis.Sample) bool) {
		for _, n := range numbers {
			if !yield(&samples[n]) {
				return
			}
		}
	}
}

// newHistogram groups samples, which must have been counted by what the keys look
// at. It goes through them more than once and does not change them.
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
