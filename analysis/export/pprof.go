package export

import (
	"io"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"trapline/analysis"
	"trapline/format"
)

// writePprof writes a profile.proto: the hits, then one more sample type for each
// weight.
func writePprof(w io.Writer, r *Request) (*Summary, error) {
	b := newPprofBuilder(r.Weights)
	result, err := readPprof(b, r)
	if err != nil {
		return nil, err
	}
	p := b.profile()
	describe(p, result)
	return result, p.Write(w)
}

// readPprof gives all hits to the builder. Arguments as labels need every hit's
// own: their names are not known before the captures are read.
func readPprof(b *pprofBuilder, r *Request) (*Summary, error) {
	if r.Labels {
		values := make([]int64, len(r.Weights))
		return r.each(func(e *analysis.Event) bool {
			for i, name := range r.Weights {
				values[i] = weighArg(e, name)
			}
			b.add(&analysis.Sample{
				Task: *e.Task, CPU: e.CPU, Probe: e.Probe,
				Kernel: e.Kernel, User: e.User, Hits: 1, Weight: e.Probe.Period,
			}, e.Args, values)
			return true
		})
	}
	q := r.query()
	q.Task, q.CPU, q.Probe, q.Kernel, q.User, q.Args = analysis.ByThread, true, true, true, true, r.Weights
	result, err := r.aggregate(q)
	if err != nil {
		return nil, err
	}
	for i := range result.Samples {
		s := &result.Samples[i]
		b.add(s, nil, weights(s))
	}
	return result, nil
}

// describe says when and where the hits were recorded, and how. The time is the
// capture's: a profile of the same capture is always the same.
func describe(p *profile.Profile, result *Summary) {
	var first, last int64
	for _, h := range result.Headers {
		for _, key := range [...]string{format.KeyHostname, format.KeyKernel, format.KeyArch, format.KeyTarget, format.KeyCommandLine} {
			if v := h.Get(key); v != "" {
				p.Comments = append(p.Comments, key+": "+printable(v))
			}
		}
		start, ok := realtime(h, h.Start)
		if !ok || h.Hits == 0 {
			continue
		}
		from := start.UnixNano()
		to := from + int64(h.End-h.Start)
		if first == 0 || from < first {
			first = from
		}
		last = max(last, to)
	}
	p.TimeNanos, p.DurationNanos = first, last-first
}

// comparePprof orders samples by what they show, so that neither the order of the
// hits nor that of maps decides.
func comparePprof(a, b *pprofSample) int {
	if c := slices.Compare(a.locations, b.locations); c != 0 {
		return c
	}
	return strings.Compare(a.labels, b.labels)
}
