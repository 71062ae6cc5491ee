package analysis

import (
	"trapline/analysis/internal/table"
	"trapline/format"
)

// samples sums up the counts of all segments by dictionary numbers.
type samples struct {
	query  *Query
	dict   *dictionary
	keys   *table.Table
	counts []sampleCount
	key    []uint64 // scratch
}

type sampleCount struct{ hits, weight uint64 }

func newSamples(q *Query, d *dictionary) *samples {
	words := keyWords + (len(q.Args)+1)/2
	return &samples{query: q, dict: d, keys: table.New(words), key: make([]uint64, words)}
}

// add adds the counts of one segment.
func (a *samples) add(seg *segment, c *counter) {
	key := a.key
	for i, hits := range c.hits {
		k := c.Key(i)
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
		a.addArgs(seg, k[keyWords:], c.args, probe)
		n := a.keys.Index(key)
		if n == len(a.counts) {
			a.counts = append(a.counts, sampleCount{})
		}
		a.counts[n].hits += hits
		a.counts[n].weight += hits * a.dict.probeList[probe.number].Period
	}
}

// addArgs interns the arguments of a key. It packs their numbers, plus 1, two to a
// word. 0 means that the probe does not have the argument.
func (a *samples) addArgs(seg *segment, columns []uint64, args []argColumns, probe probeEntry) {
	dst := a.key[keyWords:]
	n := 0
	for i, arg := range args {
		if arg.count > 0 && probe.args&(1<<i) != 0 {
			f := probe.fields[i]
			v := seg.value(f.field, columns[n:n+arg.count], f.whole)
			if arg.marks.any() {
				v.State = ValueState(columns[n+arg.count])
			}
			dst[i/2] |= uint64(a.dict.value(i, v)+1) << (32 * (i % 2))
		}
		n += arg.words()
	}
}

// list returns the samples that pass the filters on images and functions. All
// stacks must have been expanded.
func (a *samples) list() []Sample {
	filter := &a.query.Filter
	list := make([]Sample, 0, a.keys.Len())
	for i, c := range a.counts {
		s := a.sample(a.keys.Key(i))
		s.Hits, s.Weight = c.hits, c.weight
		if MatchCall(Leaf(s.Kernel, s.User), filter.DSOs, filter.Symbols) {
			list = append(list, s)
		}
	}
	return list
}

func (a *samples) sample(key []uint64) Sample {
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
	if n := len(a.query.Args); n > 0 {
		s.Args = make([]Value, n)
		for i := range s.Args {
			if v := uint32(key[keyWords+i/2] >> (32 * (i % 2))); v != 0 {
				s.Args[i] = d.valueList[v-1]
			}
		}
	}
	return s
}
