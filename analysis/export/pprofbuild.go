package export

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"

	"trapline/analysis"
	"trapline/format"
)

// A pprofBuilder groups hits into samples and interns what they refer to. Locations
// are first numbered in order of use, and finally by content.
type pprofBuilder struct {
	weights   []string
	samples   map[string]*pprofSample
	scaled    bool // some probe has a period above 1
	places    []place
	frames    map[*analysis.Frame]int // index into places
	markers   map[string]int          // index into places, for names without an address
	functions map[functionKey]*profile.Function
	key       []byte
	chain     []int
}

type pprofSample struct {
	locations []int // places, innermost first
	labels    string
	pairs     []label
	hits      int64
	events    int64
	weights   []int64
}

// A place becomes a location: a frame, or only a name.
type place struct {
	frame *analysis.Frame
	name  string
}

type functionKey struct{ name, linkage, file string }

// A label is a string or, with a unit, a number. profile.proto drops a zero without
// a unit.
type label struct {
	key, text, unit string
	number          int64
}

func newPprofBuilder(weights []string) *pprofBuilder {
	return &pprofBuilder{
		weights:   weights,
		samples:   map[string]*pprofSample{},
		frames:    map[*analysis.Frame]int{},
		markers:   map[string]int{},
		functions: map[functionKey]*profile.Function{},
	}
}

// add counts a group of equal hits. args become labels.
func (b *pprofBuilder) add(s *analysis.Sample, args []analysis.Value, weights []int64) {
	b.chain = b.chain[:0]
	b.addStack(s.Kernel)
	b.addStack(s.User)
	if len(b.chain) == 0 {
		b.chain = append(b.chain, b.marker(probeName(s.Probe)))
	}
	pairs := []label{
		{key: "comm", text: printable(s.Task.Name())},
		{key: "cpu", number: int64(s.CPU), unit: plainUnit},
		{key: "pid", number: int64(s.Task.PID), unit: plainUnit},
		{key: "probe", text: probeName(s.Probe)},
		{key: "tid", number: int64(s.Task.TID), unit: plainUnit},
	}
	for _, v := range args {
		if v.Field != nil {
			pairs = append(pairs, argLabel(v))
		}
	}
	labels := labelKey(pairs)
	b.key = b.key[:0]
	for _, id := range b.chain {
		b.key = binary.AppendUvarint(b.key, uint64(id)+1)
	}
	b.key = append(append(b.key, 0), labels...)
	sample := b.samples[string(b.key)]
	if sample == nil {
		sample = &pprofSample{
			locations: slices.Clone(b.chain),
			labels:    labels,
			pairs:     pairs,
			weights:   make([]int64, len(b.weights)),
		}
		b.samples[string(b.key)] = sample
	}
	sample.hits = plus(sample.hits, times(s.Hits, 1))
	sample.events = plus(sample.events, times(s.Weight, 1))
	b.scaled = b.scaled || s.Weight != s.Hits
	for i, w := range weights {
		sample.weights[i] = plus(sample.weights[i], w)
	}
}

// argLabel prefixes names as the other formats do, since probes also have arguments
// called pid and comm. Only plain numbers become numeric labels, because pprof
// prints those in decimal.
func argLabel(v analysis.Value) label {
	l := label{key: "args." + printable(v.Field.Name)}
	plain := v.Field.Type == format.FieldInt || v.Field.Type == format.FieldUint && v.Number <= math.MaxInt64
	if plain && v.Numbers == nil {
		l.number, l.unit = int64(v.Number), plainUnit
	} else {
		l.text = printable(v.String())
	}
	return l
}

func labelKey(pairs []label) string {
	var b strings.Builder
	for _, l := range pairs {
		b.WriteString(l.key)
		b.WriteByte(0)
		b.WriteString(l.text)
		b.WriteByte(0)
		b.WriteString(strconv.FormatInt(l.number, 10))
		b.WriteByte(0)
	}
	return b.String()
}

func (b *pprofBuilder) addStack(s *analysis.Stack) {
	if s == nil {
		return
	}
	for _, f := range s.Frames {
		id, ok := b.frames[f]
		if !ok {
			id = len(b.places)
			b.places = append(b.places, place{frame: f})
			b.frames[f] = id
		}
		b.chain = append(b.chain, id)
	}
	if n := len(s.Calls); n > 0 && s.Calls[n-1].Truncated {
		b.chain = append(b.chain, b.marker(printable(s.Calls[n-1].Name())))
	}
}

func (b *pprofBuilder) marker(name string) int {
	id, ok := b.markers[name]
	if !ok {
		id = len(b.places)
		b.places = append(b.places, place{name: name})
		b.markers[name] = id
	}
	return id
}

// plainUnit is the unit of numbers that pprof prints without a unit.
const plainUnit = "count"
