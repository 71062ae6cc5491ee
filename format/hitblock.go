package format

import (
	"cmp"
	"slices"

	"trapline/format/internal/block"
)

// blockHits is the number of hits that fill a block. With fewer, blocks compress worse;
// with more, a killed recorder loses more.
const blockHits = 16384

// A hitBlock is a block being filled.
type hitBlock struct {
	shape      ShapeID
	columns    int
	rows       int
	limit      int // number of rows at which it is full
	stride     int // distance between columns in data
	tmin, tmax uint64
	data       []uint64
}

// reset empties the block for hits of a shape. columns includes those that all hits have.
// The more columns, the fewer hits fit.
func (b *hitBlock) reset(shape ShapeID, columns int) {
	limit := min(blockHits, MaxPayload/2/(8*columns))
	// Columns a power of two apart would compete for the same cache sets.
	stride := limit + 72
	data := b.data
	if len(data) < columns*stride {
		data = make([]uint64, columns*stride)
	}
	*b = hitBlock{shape: shape, columns: columns, limit: limit, stride: stride, tmin: 1<<64 - 1, data: data}
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
	at := block.HitFixed * stride
	for _, v := range h.Args {
		d[at] = v
		at += stride
	}
	b.tmin, b.tmax = min(b.tmin, h.Time), max(b.tmax, h.Time)
	b.rows++
}

// byCPU sorts the hits by CPU, keeping the order of each CPU's hits: what a CPU does
// next is best predicted from what it did before. Recorders write several hits of a CPU
// in a row, so byCPU moves whole runs. It may swap the block's memory with room, and
// returns runs and room for reuse.
func (b *hitBlock) byCPU(runs []cpuRun, room []uint64) ([]cpuRun, []uint64) {
	cpus := b.column(block.HitIndex(block.HitCPU))
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
	room = slices.Grow(room[:0], len(b.data))[:len(b.data)]
	for i := range b.columns {
		column, at := b.column(i), i*b.stride
		for _, r := range runs {
			at += copy(room[at:], column[r.from:r.to])
		}
	}
	b.data, room = room, b.data
	return runs, room
}

// A cpuRun is a range of consecutive rows of one CPU.
type cpuRun struct {
	cpu      uint64
	from, to int
}

// column returns the values of the i-th column, counting from 0.
func (b *hitBlock) column(i int) []uint64 {
	return b.data[i*b.stride:][:b.rows]
}
