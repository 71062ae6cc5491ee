package analysis

import (
	"encoding/binary"
	"math"

	"trapline/format"
)

// endSegment takes what the workers counted by the segment's IDs into the samples,
// which are keyed by the dictionary's numbers.
func (a *aggregation) endSegment(s *format.Segment, p *part) error {
	a.pending.Wait()
	a.enter(s, p.boot)
	a.quality()
	for _, w := range a.workers {
		for _, shape := range w.order {
			a.fold(w.shapes[shape])
		}
		w.reset()
	}
	a.segment = nil
	return nil
}

func (a *aggregation) fold(c *counter) {
	seg := a.segment
	if cap(a.key) < a.samples.words {
		a.key = make([]uint64, a.samples.words)
	}
	key := a.key[:a.samples.words]
	for i, hits := range c.hits {
		k := c.key(i)
		kernel := seg.stack(format.StackID(k[wordStacks]>>32), true)
		user := seg.stack(format.StackID(uint32(k[wordStacks])), false)
		probe := seg.probes[uint32(k[wordWho])]
		clear(key)
		key[wordStacks] = uint64(kernel)<<32 | uint64(user)
		key[wordWho] = k[wordWho] &^ (1<<32 - 1)
		if a.query.Probe {
			key[wordWho] |= uint64(probe.number)
		}
		key[wordCPU] = k[wordCPU]
		a.foldArgs(key[keyWords:], k[keyWords:], c.args, probe)
		n := a.samples.index(key)
		if n == len(a.counts) {
			a.counts = append(a.counts, sampleCount{})
		}
		a.counts[n].hits += hits
		a.counts[n].weight += hits * a.dict.probeList[probe.number].Period
	}
}

// foldArgs interns the arguments of a key and packs their numbers, plus 1, two to
// a word; 0 is an argument that the probe does not have.
func (a *aggregation) foldArgs(dst, columns []uint64, args []argColumns, probe probeEntry) {
	n := 0
	for i, arg := range args {
		if arg.count > 0 && probe.args&(1<<i) != 0 {
			f := probe.fields[i]
			v := a.segment.value(f.field, columns[n:n+arg.count], f.whole)
			if arg.marks.any() {
				v.State = ValueState(columns[n+arg.count])
			}
			dst[i/2] |= uint64(a.dict.value(i, v)+1) << (32 * (i % 2))
		}
		n += arg.words()
	}
}

// value returns the argument that its columns hold.
func (s *segment) value(f *Field, columns []uint64, whole bool) Value {
	v := Value{Field: f, Number: columns[0]}
	// What does not fit an ID must not become another one.
	id := uint32(min(columns[0], math.MaxUint32))
	switch f.Type {
	case format.FieldString, format.FieldBytes:
		v.Text = s.source.String(format.StringID(id))
		v.Number = 0
		return v
	case format.FieldSymbol:
		if columns[0] != 0 {
			frame := s.dict.frameList[s.frame(format.FrameID(id), true)]
			v.Symbol = frame.Calls[0]
		}
		v.Number = 0
		return v
	}
	if whole && f.Count > 1 {
		v.Numbers = columns
	}
	return v
}

// value interns a value of the argument with the given place in Query.Args.
func (d *dictionary) value(arg int, v Value) uint32 {
	k := valueKey{arg: arg, kind: v.Field.Type, state: v.State, number: v.Number, text: v.Text, symbol: v.Symbol}
	if v.Numbers != nil {
		b := d.scratch[:0]
		for _, n := range v.Numbers {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
		d.scratch = b
		k.text = string(b)
	}
	n, ok := d.values[k]
	if !ok {
		n = uint32(len(d.valueList))
		v.Numbers = append([]uint64(nil), v.Numbers...)
		d.values[k] = n
		d.valueList = append(d.valueList, v)
	}
	return n
}

// quality adds the tallies of stacks in a segment.
func (a *aggregation) quality() {
	q := &a.result.Quality
	var kernel, user []uint64
	for _, w := range a.workers {
		kernel, user = addAll(kernel, w.kernelHits), addAll(user, w.userHits)
		q.Damage = append(q.Damage, w.damage...)
		w.damage = nil
	}
	for id, hits := range kernel {
		if id > 0 && hits > 0 {
			q.KernelStacks += hits
			a.segment.stackQuality(format.StackID(id), hits, q)
		}
	}
	for id, hits := range user {
		if id > 0 && hits > 0 {
			q.UserStacks += hits
			a.segment.stackQuality(format.StackID(id), hits, q)
		}
	}
}

func addAll(sum, counts []uint64) []uint64 {
	if n := len(counts) - len(sum); n > 0 {
		sum = append(sum, make([]uint64, n)...)
	}
	for i, n := range counts {
		sum[i] += n
	}
	return sum
}

func (s *segment) stackQuality(id format.StackID, hits uint64, q *Quality) {
	st, ok := s.source.Stack(id)
	if !ok {
		return
	}
	if st.Cut != format.CutNone {
		q.Cut[st.Cut] += hits
	}
	guessed := false
	for _, id := range st.Frames {
		q.Frames += hits
		if !s.named(id) {
			q.Unnamed += hits
		}
		f, _ := s.source.Frame(id)
		guessed = guessed || f.Flags&format.FrameGuessed != 0
	}
	if guessed {
		q.Guessed += hits
	}
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
	filter := &a.query.Filter
	r.Samples = make([]Sample, 0, a.samples.len())
	for i, c := range a.counts {
		s := a.sample(a.samples.key(i))
		s.Hits, s.Weight = c.hits, c.weight
		if matchCall(Leaf(s.Kernel, s.User), filter.DSOs, filter.Symbols) {
			r.Samples = append(r.Samples, s)
		}
	}
	return r
}

func (a *aggregation) sample(key []uint64) Sample {
	d := a.dict
	s := Sample{
		CPU:    int(key[wordCPU]),
		Kernel: d.stackAt(uint32(key[wordStacks] >> 32)),
		User:   d.stackAt(uint32(key[wordStacks])),
	}
	if a.query.Task != NoTask {
		s.Task = *d.taskList[key[wordWho]>>32]
		s.Process = d.processes[s.Task.PID]
	}
	if a.query.Probe {
		s.Probe = d.probeList[uint32(key[wordWho])]
	}
	if n := len(a.args); n > 0 {
		s.Args = make([]Value, n)
		for i := range s.Args {
			if v := uint32(key[keyWords+i/2] >> (32 * (i % 2))); v != 0 {
				s.Args[i] = d.valueList[v-1]
			}
		}
	}
	return s
}

// stackAt returns the stack with the number n-1, nil for 0.
func (d *dictionary) stackAt(n uint32) *Stack {
	if n == 0 {
		return nil
	}
	return d.stackList[n-1]
}
