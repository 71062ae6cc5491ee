package export

import "trapline/analysis"

// query returns the part of a query that all formats share.
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

// value returns what a sample of a merged query counts: its hits, or its weight
// where one was asked for. What weighs less than nothing has no place in a sum of
// parts and counts as 0.
func (r *Request) value(s *analysis.Sample) uint64 {
	if len(r.Weights) == 0 {
		return s.Hits
	}
	return uint64(max(0, weigh(s.Args[0], s.Hits)))
}

// unit names what value counts.
func (r *Request) unit() string {
	if len(r.Weights) == 0 {
		return "hits"
	}
	return r.Weights[0]
}
