package export

import (
	"fmt"
	"slices"
	"strings"

	"trapline/analysis"
)

// aggregate counts the selected hits.
func (r *Request) aggregate(q analysis.Query) (*Summary, error) {
	result, err := analysis.Aggregate(r.Inputs, q)
	if err != nil {
		return nil, err
	}
	s := &Summary{Result: result}
	for i := range result.Samples {
		s.Hits += result.Samples[i].Hits
	}
	return s, r.checkWeights(result)
}

// each calls yield for every selected hit, with its stacks if stacks is set.
func (r *Request) each(stacks bool, yield func(*analysis.Event) bool) (*Summary, error) {
	s := &Summary{}
	q := r.query()
	q.Kernel, q.User = stacks, stacks
	var err error
	s.Result, err = analysis.Each(r.Inputs, q, func(e *analysis.Event) bool {
		s.Hits++
		return yield(e)
	})
	if err != nil {
		return nil, err
	}
	return s, r.checkWeights(s.Result)
}

// checkWeights returns an error for a weight that no probe has, which is surely a
// typo.
func (r *Request) checkWeights(result *analysis.Result) error {
	for _, name := range r.Weights {
		known := false
		var numbers []string
		for _, p := range result.Probes {
			if i, _, ok := analysis.MatchArg(p, name); ok && isNumber(p.Fields[i].Type) {
				known = true
			}
			for _, f := range p.Fields {
				if isNumber(f.Type) {
					numbers = append(numbers, printable(f.Name))
				}
			}
		}
		if known || len(result.Probes) == 0 {
			continue
		}
		if numbers == nil {
			return fmt.Errorf("weight %q: no probe of the captures has a numeric argument", name)
		}
		slices.Sort(numbers)
		return fmt.Errorf("weight %q: no probe of the captures has a numeric argument of that name; there are %s",
			name, strings.Join(slices.Compact(numbers), ", "))
	}
	return nil
}

// query returns what the queries of all formats share.
func (r *Request) query() analysis.Query {
	return analysis.Query{Filter: r.Filter, NoDemangle: r.NoDemangle}
}

// merged returns the query of the formats that merge stacks by name.
func (r *Request) merged() analysis.Query {
	q := r.query()
	q.Task, q.Probe, q.Kernel, q.User = analysis.ByComm, true, true, true
	if len(r.Weights) > 0 {
		q.Args = r.Weights[:1]
	}
	return q
}

// value returns what a sample counts for: its hits, or its weight if one was
// requested. Negative weights count as 0, since a box cannot have a negative width.
func (r *Request) value(s *analysis.Sample) uint64 {
	if len(r.Weights) == 0 {
		return s.Hits
	}
	return uint64(max(0, weigh(s.Args[0], s.Hits)))
}

// tree merges the stacks of the samples of a merged query, and releases the
// samples.
func (r *Request) tree(s *Summary, caller bool) *analysis.Tree {
	samples := s.Samples
	s.Samples = nil // so that they can be collected once merged
	return analysis.StackTree(samples, caller, r.value)
}

// unit returns the unit of value.
func (r *Request) unit() string {
	if len(r.Weights) == 0 {
		return "hits"
	}
	return r.Weights[0]
}
