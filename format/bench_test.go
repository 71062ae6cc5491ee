package format_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"trapline/format"
)

// A sample is a recording of kmem_cache_alloc, sched_switch and openat with both
// stacks during a Go build: testdata/sample.trap, decoded.
type sample struct {
	segment *format.Segment
	hits    []format.Hit
}

func readSample(b *testing.B) sample {
	b.Helper()
	data, err := os.ReadFile("testdata/sample.trap")
	if err != nil {
		b.Fatal(err)
	}
	r, err := format.NewReader(bytes.NewReader(data))
	if err != nil {
		b.Fatal(err)
	}
	var s sample
	for {
		block, err := r.Next()
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			b.Fatal(err)
		}
		h, ok := block.(*format.Hits)
		if !ok {
			continue
		}
		s.segment = h.Segment
		shape, _ := s.segment.Shape(h.Shape)
		columns := make([][]uint64, shape.Columns())
		for i := range columns {
			if columns[i], err = h.Arg(nil, i); err != nil {
				b.Fatal(err)
			}
		}
		times, _ := h.Time(nil)
		cpus, _ := h.CPU(nil)
		tasks, _ := h.Task(nil)
		probes, _ := h.Probe(nil)
		kernel, _ := h.KernelStack(nil)
		user, err := h.UserStack(nil)
		if err != nil {
			b.Fatal(err)
		}
		for i := range h.Rows {
			hit := format.Hit{Time: times[i], CPU: cpus[i], Task: format.TaskID(tasks[i]), Probe: format.ProbeID(probes[i]),
				KernelStack: format.StackID(kernel[i]), UserStack: format.StackID(user[i])}
			for _, c := range columns {
				hit.Args = append(hit.Args, c[i])
			}
			s.hits = append(s.hits, hit)
		}
	}
}

// intern passes the sample's dictionaries to a writer, which assigns the same IDs.
func (s sample) intern(w *format.Writer) {
	for id := 1; id <= s.segment.NumStrings(); id++ {
		w.String(s.segment.String(format.StringID(id)))
	}
	for id := 1; id <= s.segment.NumImages(); id++ {
		v, _ := s.segment.Image(format.ImageID(id))
		w.Image(v)
	}
	for id := 1; id <= s.segment.NumFrames(); id++ {
		v, _ := s.segment.Frame(format.FrameID(id))
		w.Frame(v)
	}
	for id := 1; id <= s.segment.NumStacks(); id++ {
		v, _ := s.segment.Stack(format.StackID(id))
		w.Stack(v)
	}
	for id := 1; id <= s.segment.NumTasks(); id++ {
		v, _ := s.segment.Task(format.TaskID(id))
		w.Task(v)
	}
	for id := 1; id <= s.segment.NumShapes(); id++ {
		v, _ := s.segment.Shape(format.ShapeID(id))
		w.Shape(v)
	}
	for id := 1; id <= s.segment.NumProbes(); id++ {
		v, _ := s.segment.Probe(format.ProbeID(id))
		w.Probe(v)
	}
}

// BenchmarkWrite measures the total cost of a hit in a Writer, on both goroutines, and its
// size without dictionaries. It writes the sample repeatedly, with later times each time.
func BenchmarkWrite(b *testing.B) {
	s := readSample(b)
	w, err := format.NewWriter(io.Discard, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := w.StartSegment(format.Clock{}); err != nil {
		b.Fatal(err)
	}
	s.intern(w)
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	before := w.Stats().Bytes
	span := s.hits[len(s.hits)-1].Time - s.hits[0].Time
	b.ReportAllocs()
	b.ResetTimer()
	var h format.Hit
	for i := range b.N {
		h = s.hits[i%len(s.hits)]
		h.Time += uint64(i/len(s.hits)) * span
		if err := w.Hit(&h); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(w.Stats().Bytes-before)/float64(b.N), "B/hit")
}

// BenchmarkIntern looks up known values, as a recorder does for each hit.
func BenchmarkIntern(b *testing.B) {
	s := readSample(b)
	w, err := format.NewWriter(io.Discard, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := w.StartSegment(format.Clock{}); err != nil {
		b.Fatal(err)
	}
	s.intern(w)
	task, _ := s.segment.Task(1)
	stack, _ := s.segment.Stack(s.hits[0].KernelStack)
	text := []byte(s.segment.String(task.Comm))
	b.Run("Task", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			w.Task(task)
		}
	})
	b.Run("Stack", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			w.Stack(stack)
		}
	})
	b.Run("StringBytes", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			w.StringBytes(text)
		}
	})
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRead measures the cost of a hit in a Reader that decodes time, task and stacks,
// and in one that decodes all columns.
func BenchmarkRead(b *testing.B) {
	s := readSample(b)
	const rounds = 16
	var file bytes.Buffer
	w, err := format.NewWriter(&file, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := w.StartSegment(format.Clock{}); err != nil {
		b.Fatal(err)
	}
	s.intern(w)
	for i := range rounds {
		for _, h := range s.hits {
			h.Time += uint64(i) * 10e9
			if err := w.Hit(&h); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	for name, all := range map[string]bool{"stacks": false, "all": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var wide []uint64
			var narrow []uint32
			for range b.N {
				r, err := format.NewReader(bytes.NewReader(file.Bytes()))
				for err == nil {
					var block format.Block
					block, err = r.Next()
					h, ok := block.(*format.Hits)
					if !ok {
						continue
					}
					wide, _ = h.Time(wide)
					narrow, _ = h.Task(narrow)
					narrow, _ = h.KernelStack(narrow)
					narrow, _ = h.UserStack(narrow)
					if !all {
						continue
					}
					narrow, _ = h.CPU(narrow)
					narrow, _ = h.Probe(narrow)
					shape, _ := h.Segment.Shape(h.Shape)
					for i := range shape.Columns() {
						wide, _ = h.Arg(wide, i)
					}
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rounds*len(s.hits)), "ns/hit")
		})
	}
}
