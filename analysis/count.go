package analysis

import (
	"fmt"

	"trapline/analysis/internal/table"
	"trapline/format"
)

// A worker decodes blocks of hits and counts hits by segment IDs.
type worker struct {
	query  *Query
	cpus   cpuSet
	jobs   chan job
	shapes map[format.ShapeID]*counter // of the current segment
	order  []format.ShapeID            // shapes in order of first use

	stacks stackTally
	totals []uint64 // by probe number: hits that pass the filters on probes and CPUs
	damage []Damage

	rows []int32 // scratch: rows that pass
	cpu, task, probe,
	kernel, user []uint32
	args [][]uint64
	key  []uint64
}

// A job is a block, with the mappings of the tasks and probes that it may refer to.
type job struct {
	input  string
	hits   *format.Hits
	tasks  []taskEntry
	probes []probeEntry
	args   []argColumns // parallel to Query.Args, for the shape of the block
	stacks int          // highest StackID so far
}

// A counter counts hits by key: kernel and user stack IDs, task and probe numbers,
// CPU, and one word for each column of the requested arguments.
type counter struct {
	*table.Table
	words int // of a key
	hits  []uint64
	args  []argColumns
}

const (
	wordStacks = iota // kernel<<32 | user
	wordWho           // task<<32 | probe
	wordCPU
	keyWords // arguments follow
)

func newWorker(q *Query) *worker {
	w := &worker{query: q, cpus: newCPUSet(q.Filter.CPUs), jobs: make(chan job, 4)}
	w.reset()
	return w
}

// reset prepares the worker for a new segment.
func (w *worker) reset() {
	if len(w.query.Args) > 0 || w.shapes == nil {
		w.shapes, w.order = make(map[format.ShapeID]*counter), nil
	}
	for _, c := range w.shapes {
		c.Table.Reset()
		c.hits = c.hits[:0]
	}
	w.stacks.reset()
}

func (w *worker) counter(shape format.ShapeID, args []argColumns) *counter {
	if len(args) == 0 {
		shape = 0 // keys without arguments are the same for all shapes
	}
	c := w.shapes[shape]
	if c == nil {
		words := keyWords
		for _, a := range args {
			words += a.words()
		}
		c = &counter{Table: table.New(words), words: words, args: args}
		w.shapes[shape] = c
		w.order = append(w.order, shape)
	}
	return c
}

func (w *worker) count(j job) {
	if err := w.decode(j); err != nil {
		w.damage = append(w.damage, damageOf(j.input, err))
		return
	}
	w.stacks.add(w.kernel, w.user, j.stacks)
	w.selectRows(j)
	c := w.counter(j.hits.Shape, j.args)
	w.key = append(w.key[:0], make([]uint64, c.words)...)
	for _, r := range w.rows {
		w.fillKey(int(r), j)
		i := c.Index(w.key)
		if i == len(c.hits) {
			c.hits = append(c.hits, 0)
		}
		c.hits[i]++
	}
}

func (w *worker) decode(j job) (err error) {
	h := j.hits
	column := func(get func([]uint32) ([]uint32, error), dst *[]uint32) {
		if err == nil {
			*dst, err = get(*dst)
		}
		if err == nil && len(*dst) != h.Rows {
			err = fmt.Errorf("a column of %d rows in a block of %d", len(*dst), h.Rows)
		}
	}
	column(h.CPU, &w.cpu)
	column(h.Task, &w.task)
	column(h.Probe, &w.probe)
	column(h.KernelStack, &w.kernel)
	column(h.UserStack, &w.user)
	n := 0
	for _, a := range j.args {
		for i := range a.words() {
			if n == len(w.args) {
				w.args = append(w.args, nil)
			}
			if err == nil && i < a.count {
				w.args[n], err = h.Arg(w.args[n], a.first+i)
			} else if err == nil {
				w.args[n], err = a.marks.states(w.args[n], h, a.mark)
			}
			n++
		}
	}
	return err
}

// selectRows finds the rows that pass the filter. It replaces their task and probe
// IDs by numbers.
func (w *worker) selectRows(j job) {
	w.rows = w.rows[:0]
	for r, id := range w.probe {
		if int(id) >= len(j.probes) {
			id = 0
		}
		p := j.probes[id]
		if !p.pass || !w.cpus.has(w.cpu[r]) {
			continue
		}
		w.probe[r] = id
		for int(p.number) >= len(w.totals) {
			w.totals = append(w.totals, 0)
		}
		w.totals[p.number]++
		task := w.task[r]
		if int(task) >= len(j.tasks) {
			task = 0
		}
		t := j.tasks[task]
		if !t.pass {
			continue
		}
		w.task[r] = t.number
		w.rows = append(w.rows, int32(r))
	}
}

func (w *worker) fillKey(r int, j job) {
	q := w.query
	var stacks, who, cpu uint64
	if q.Kernel {
		stacks = uint64(w.kernel[r]) << 32
	}
	if q.User {
		stacks |= uint64(w.user[r])
	}
	who = uint64(w.probe[r])
	if q.Task != NoTask {
		who |= uint64(w.task[r]) << 32
	}
	if q.CPU {
		cpu = uint64(w.cpu[r])
	}
	w.key[wordStacks], w.key[wordWho], w.key[wordCPU] = stacks, who, cpu
	if len(j.args) == 0 {
		return
	}
	mask := j.probes[w.probe[r]].args
	n := 0
	for i, a := range j.args {
		for range a.words() {
			v := uint64(0)
			if mask&(1<<i) != 0 {
				v = w.args[n][r]
			}
			w.key[keyWords+n] = v
			n++
		}
	}
}
