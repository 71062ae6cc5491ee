package analysis

import (
	"fmt"
	"sync"

	"trapline/format"
	"trapline/internal/symbol"
)

// countWorkers is the number of counting goroutines. It does not depend on the
// machine, because the order of results depends on which worker counts a block, and
// the same captures must give the same bytes everywhere.
const countWorkers = 2

// maxArgs is the maximum number of arguments of a query. They are tracked in the
// bits of a word.
const maxArgs = 64

// Aggregate counts the hits of the inputs.
//
// It returns an error for an input that is not a capture ([format.ErrNotCapture])
// or has a newer format ([format.VersionError]). Damage within a capture is not an
// error: the result then covers what could be read, and Result.Quality describes
// the rest.
func Aggregate(inputs []*Input, q Query) (*Result, error) {
	if len(q.Args) > maxArgs {
		return nil, fmt.Errorf("grouping by %d arguments: the maximum is %d", len(q.Args), maxArgs)
	}
	a := newAggregation(q)
	sc := scanner{visitor: a, result: a.result}
	err := sc.run(inputs)
	a.stop()
	if err != nil {
		return nil, err
	}
	return a.finish(), nil
}

// An aggregation is the state of a call of Aggregate.
type aggregation struct {
	query   Query
	args    []argName
	dict    *dictionary
	result  *Result
	workers []*worker
	pending sync.WaitGroup // blocks handed to workers
	next    int            // index of the worker for the next block

	segment *segment
	shapes  map[format.ShapeID][]argColumns

	samples *samples
}

func newAggregation(q Query) *aggregation {
	a := &aggregation{
		query:  q,
		dict:   newDictionary(demangler(q)),
		result: &Result{Totals: make(map[*Probe]uint64)},
	}
	a.samples = newSamples(&a.query, a.dict)
	a.result.Quality.Cut = make(map[format.StackCut]uint64)
	for _, s := range q.Args {
		a.args = append(a.args, parseArg(s))
	}
	for range countWorkers {
		w := newWorker(&a.query)
		a.workers = append(a.workers, w)
		go func() {
			for j := range w.jobs {
				w.count(j)
				a.pending.Done()
			}
		}()
	}
	return a
}

func demangler(q Query) func(string) string {
	if q.NoDemangle {
		return nil
	}
	return symbol.Demangle
}

func (a *aggregation) stop() {
	for _, w := range a.workers {
		close(w.jobs)
	}
}

func (a *aggregation) enter(s *format.Segment, boot string) {
	if a.segment == nil || a.segment.source != s {
		a.segment = newSegment(a.dict, s, boot)
		a.shapes = make(map[format.ShapeID][]argColumns)
	}
	a.segment.update(&a.query, a.args)
}

func (a *aggregation) probes(s *format.Segment) {
	for id := 1; id <= s.NumProbes(); id++ {
		a.dict.probe(s, format.ProbeID(id))
	}
}

func (a *aggregation) hits(h *format.Hits, p *part) error {
	a.enter(h.Segment, p.boot)
	a.pending.Add(1)
	w := a.workers[a.next]
	a.next = (a.next + 1) % len(a.workers)
	w.jobs <- job{input: p.Input, hits: h, tasks: a.segment.tasks, probes: a.segment.probes, args: a.columns(h), stacks: h.Segment.NumStacks()}
	return nil
}

// columns locates the arguments of the query in a block.
func (a *aggregation) columns(h *format.Hits) []argColumns {
	if len(a.args) == 0 {
		return nil
	}
	cols, ok := a.shapes[h.Shape]
	if !ok {
		cols = make([]argColumns, len(a.args))
		if shape, ok := h.Segment.Shape(h.Shape); ok {
			for i, arg := range a.args {
				cols[i] = findArg(h.Segment, shape, arg)
			}
		}
		a.shapes[h.Shape] = cols
	}
	return cols
}

// endSegment moves the counts of the workers to the samples.
func (a *aggregation) endSegment(s *format.Segment, p *part) error {
	a.pending.Wait()
	a.enter(s, p.boot)
	var stacks stackTally
	for _, w := range a.workers {
		stacks.merge(&w.stacks)
		a.result.Quality.Damage = append(a.result.Quality.Damage, w.damage...)
		w.damage = nil
	}
	a.segment.tally(&stacks, &a.result.Quality)
	for _, w := range a.workers {
		for _, shape := range w.order {
			a.samples.add(a.segment, w.shapes[shape])
		}
		w.reset()
	}
	a.segment = nil
	return nil
}

// finish names everything and returns the result.
func (a *aggregation) finish() *Result {
	r := a.result
	r.Probes = a.dict.probeList
	for _, w := range a.workers {
		for n, hits := range w.totals {
			r.Totals[r.Probes[n]] += hits
		}
	}
	for _, st := range a.dict.stackList {
		a.dict.expand(st)
	}
	r.Samples = a.samples.list()
	return r
}
