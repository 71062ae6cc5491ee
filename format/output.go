package format

import (
	"cmp"
	"io"
	"slices"
	"sync/atomic"
)

// An output runs the jobs of a Writer, in order, on one goroutine.
type output struct {
	jobs   chan func(*encoder)
	done   chan struct{}
	spare  chan *hitBlock // to be used again
	bytes  atomic.Uint64
	blocks atomic.Uint64
	failed atomic.Pointer[error] // the first error, for good
}

// queueLength bounds the blocks that wait, and so the memory of a Writer: at
// most this many are being filled faster than they are written.
const queueLength = 8

func newOutput(w io.Writer, opt *WriterOptions) *output {
	o := &output{
		jobs:  make(chan func(*encoder), queueLength),
		done:  make(chan struct{}),
		spare: make(chan *hitBlock, queueLength),
	}
	e := newEncoder(o, w, opt)
	go func() {
		defer close(o.done)
		for job := range o.jobs {
			job(e)
		}
	}()
	return o
}

// do hands a job over. After an error jobs write nothing.
func (o *output) do(job func(*encoder)) { o.jobs <- job }

func (o *output) err() error {
	if p := o.failed.Load(); p != nil {
		return *p
	}
	return nil
}

func (o *output) close() {
	close(o.jobs)
	<-o.done
}

// A hitBlock is a block that is being filled.
type hitBlock struct {
	shape      ShapeID
	columns    int
	rows       int
	limit      int // rows at which it is full
	stride     int // from one column to the next in data
	tmin, tmax uint64
	data       []uint64
}

// block returns an empty block. Many columns leave room for fewer hits.
func (o *output) block(shape ShapeID, columns int) *hitBlock {
	var b *hitBlock
	select {
	case b = <-o.spare:
	default:
		b = new(hitBlock)
	}
	limit := min(blockHits, MaxPayload/2/(8*columns))
	// Columns that are a power of two apart would share one cache set.
	stride := limit + 72
	data := b.data
	if len(data) < columns*stride {
		data = make([]uint64, columns*stride)
	}
	*b = hitBlock{shape: shape, columns: columns, limit: limit, stride: stride, tmin: 1<<64 - 1, data: data}
	return b
}

func (o *output) free(b *hitBlock) {
	select {
	case o.spare <- b:
	default:
	}
}

func (b *hitBlock) add(h *Hit) {
	d, stride := b.data[b.rows:], b.stride
	_ = d[5*stride]
	d[0] = h.Time
	d[stride] = uint64(h.CPU)
	d[2*stride] = uint64(h.Task)
	d[3*stride] = uint64(h.Probe)
	d[4*stride] = uint64(h.KernelStack)
	d[5*stride] = uint64(h.UserStack)
	at := hitFixed * stride
	for _, v := range h.Args {
		d[at] = v
		at += stride
	}
	b.tmin, b.tmax = min(b.tmin, h.Time), max(b.tmax, h.Time)
	b.rows++
}

// byCPU puts the hits in the order of CPUs, each one's as they came: what a CPU does
// next follows from what it did before. Recorders write some hits of a CPU at a time,
// so whole runs of rows are moved. room is memory that the block may have in exchange
// for its own.
func (b *hitBlock) byCPU(runs []cpuRun, room []uint64) ([]cpuRun, []uint64) {
	cpus := b.column(columnOf(hitCPU))
	runs = runs[:0]
	for i, cpu := range cpus {
		if i == 0 || cpu != cpus[i-1] {
			runs = append(runs, cpuRun{cpu: cpu, from: i})
		}
		runs[len(runs)-1].to = i + 1
	}
	byCPU := func(a, b cpuRun) int { return cmp.Compare(a.cpu, b.cpu) }
	if slices.IsSortedFunc(runs, byCPU) {
		return runs, room
	}
	slices.SortStableFunc(runs, byCPU)
	room = grow(room, len(b.data))
	for i := range b.columns {
		column, at := b.column(i), i*b.stride
		for _, r := range runs {
			at += copy(room[at:], column[r.from:r.to])
		}
	}
	b.data, room = room, b.data
	return runs, room
}

// A cpuRun is rows of one CPU, one behind the other.
type cpuRun struct {
	cpu      uint64
	from, to int
}

// column returns the values of a column, counting from 0.
func (b *hitBlock) column(i int) []uint64 {
	return b.data[i*b.stride:][:b.rows]
}
