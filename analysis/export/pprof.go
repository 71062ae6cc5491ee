package export

import (
	"io"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"trapline/analysis"
	"trapline/format"
)

var pprof = Format{
	Name: "pprof", Suffixes: []string{".pb.gz", ".pprof"}, Binary: true,
	Help:  "profile.proto in gzip, for go tool pprof and everything built on it",
	Write: writePprof,
}

// writePprof writes a profile.proto with the hits, and another sample type for each
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

// readPprof feeds all hits to the builder. With arguments as labels it goes hit by
// hit, since their names are unknown before the captures are read.
func readPprof(b *pprofBuilder, r *Request) (*Summary, error) {
	if r.Labels {
		values := make([]int64, len(r.Weights))
		return r.each(true, func(e *analysis.Event) bool {
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

// describe adds when, where and how the hits were recorded. Since the time is that
// of the capture, the same capture always gives the same profile.
func describe(p *profile.Profile, result *Summary) {
	var first, last int64
	for _, h := range result.Headers {
		for _, key := range [...]string{format.KeyHostname, format.KeyKernel, format.KeyArch, format.KeyTarget, format.KeyCommandLine} {
			if v := h.Get(key); v != "" {
				p.Comments = append(p.Comments, key+": "+printable(v))
			}
		}
		start, ok := h.RealTime(h.Start)
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

// comparePprof orders samples by content, independent of the order of hits and
// maps.
func comparePprof(a, b *pprofSample) int {
	if c := slices.Compare(a.locations, b.locations); c != 0 {
		return c
	}
	return strings.Compare(a.labels, b.labels)
}

// profile builds the profile.
func (b *pprofBuilder) profile() *profile.Profile {
	p := &profile.Profile{
		SampleType:        []*profile.ValueType{{Type: "hits", Unit: "count"}},
		DefaultSampleType: "hits",
		PeriodType:        &profile.ValueType{Type: "hits", Unit: "count"},
		Period:            1,
	}
	if b.scaled {
		p.SampleType = append(p.SampleType, &profile.ValueType{Type: "events", Unit: "count"})
	}
	for _, name := range b.weights {
		p.SampleType = append(p.SampleType, &profile.ValueType{Type: printable(name), Unit: unitOf(name)})
	}
	rank, locations := b.locate(p)
	samples := make([]*pprofSample, 0, len(b.samples))
	for _, s := range b.samples {
		for i, id := range s.locations {
			s.locations[i] = rank[id]
		}
		samples = append(samples, s)
	}
	slices.SortFunc(samples, comparePprof)
	for _, s := range samples {
		p.Sample = append(p.Sample, b.sample(s, locations))
	}
	return p
}

// unitOf makes pprof scale sizes as in heap profiles.
func unitOf(name string) string {
	if strings.Contains(name, "bytes") {
		return "bytes"
	}
	return plainUnit
}

func (b *pprofBuilder) sample(s *pprofSample, locations []*profile.Location) *profile.Sample {
	out := &profile.Sample{
		Value:    []int64{s.hits},
		Label:    map[string][]string{},
		NumLabel: map[string][]int64{},
		NumUnit:  map[string][]string{},
	}
	if b.scaled {
		out.Value = append(out.Value, s.events)
	}
	out.Value = append(out.Value, s.weights...)
	for _, id := range s.locations {
		out.Location = append(out.Location, locations[id])
	}
	for _, l := range s.pairs {
		if l.unit == "" {
			out.Label[l.key] = []string{l.text}
		} else {
			out.NumLabel[l.key] = []int64{l.number}
			out.NumUnit[l.key] = []string{l.unit}
		}
	}
	return out
}
