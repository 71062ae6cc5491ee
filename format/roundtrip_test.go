package format_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"

	"trapline/format"
)

// A recording is what a capture should hold, with names instead of IDs, so recordings
// compare equal whatever their IDs.
type recording struct {
	Properties []format.Property
	Segments   []segment
}

type segment struct {
	Sequence uint64
	Clock    format.Clock
	Hits     []hit
	Losses   []loss
	Symbols  map[frame][]call
	Ended    bool
}

type hit struct {
	Time, CPU    uint64
	Task         string
	Probe        string
	Kernel, User string
	Args         string
}

type loss struct {
	Time   uint64
	Counts []format.Count
}

type (
	frame = string
	call  = string
)

// A randomWriter writes random segments.
type randomWriter struct {
	*format.Writer
	t   *testing.T
	rng *rand.Rand
	now uint64
}

// A randomProbe is a probe of the current segment.
type randomProbe struct {
	id   format.ProbeID
	name string
	args int
}

// random writes a random recording and returns what was written.
func random(t *testing.T, rng *rand.Rand, w io.Writer, opt *format.WriterOptions, segments, hits int) recording {
	t.Helper()
	rec := recording{Properties: []format.Property{{Key: format.KeyHostname, Value: "box"}, {Key: "x-unknown", Value: ""}}}
	wr := randomWriter{t: t, rng: rng}
	var err error
	wr.Writer, err = format.NewWriter(w, rec.Properties, opt)
	wr.check(err)
	wr.now = rng.Uint64N(1 << 40)
	for n := range segments {
		rec.Segments = append(rec.Segments, wr.segment(uint64(n+1), hits))
	}
	wr.check(wr.Close())
	if got := wr.Stats().Hits; got != uint64(segments*hits) {
		t.Errorf("Stats().Hits = %d, wrote %d", got, segments*hits)
	}
	return rec
}

func (w *randomWriter) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *randomWriter) segment(sequence uint64, hits int) segment {
	w.t.Helper()
	seg := segment{Sequence: sequence, Clock: format.Clock{Monotonic: w.now, Boottime: w.now + 5, Realtime: w.rng.Uint64()}, Ended: true}
	w.check(w.StartSegment(seg.Clock))
	probes := w.probes()
	var h format.Hit
	for range hits {
		seg.Hits = append(seg.Hits, w.hit(&h, probes))
		if w.rng.IntN(1000) == 0 {
			w.check(w.Flush())
		}
	}
	l := loss{w.now, []format.Count{{Probe: 1, CPU: 0, Cause: format.CauseRecorded, N: uint64(hits)}, {Probe: 1, CPU: format.AnyCPU, Cause: format.CauseMissed, N: w.rng.Uint64()}}}
	w.check(w.Loss(l.Time, l.Counts))
	seg.Losses = append(seg.Losses, l)
	seg.Symbols = w.symbols()
	w.check(w.EndSegment())
	return seg
}

func (w *randomWriter) probes() (probes []randomProbe) {
	for p := range 1 + w.rng.IntN(5) {
		shape := format.Shape{}
		for f := range w.rng.IntN(4) {
			shape.Fields = append(shape.Fields, format.Field{
				Name: w.String(fmt.Sprint("field", f)), Type: format.FieldType(w.rng.IntN(9)), Size: 8, Count: uint16(1 + w.rng.IntN(3))})
		}
		name := fmt.Sprintf("probe%d", p)
		id := w.Probe(format.Probe{Kind: format.ProbeKprobe, Name: w.String(name), Shape: w.Shape(shape), Period: 1})
		probes = append(probes, randomProbe{id, name, shape.Columns()})
	}
	return probes
}

// hit writes a hit of one of the probes. It reuses the arguments of h.
func (w *randomWriter) hit(h *format.Hit, probes []randomProbe) hit {
	w.t.Helper()
	w.now += w.rng.Uint64N(1 << w.rng.UintN(30))
	p := probes[w.rng.IntN(len(probes))]
	comm := fmt.Sprint("comm", w.rng.IntN(20))
	*h = format.Hit{Time: w.now - w.rng.Uint64N(1000), CPU: w.rng.Uint32N(4), Probe: p.id, Args: h.Args[:0],
		Task: w.Task(format.Task{PID: 10, TID: 11, Comm: w.StringBytes([]byte(comm))})}
	var kernel, user string
	h.KernelStack, kernel = w.stack(true)
	h.UserStack, user = w.stack(false)
	for a := range p.args {
		h.Args = append(h.Args, []uint64{uint64(a), w.rng.Uint64(), 0xffff888100000000 + w.rng.Uint64N(1<<20)*64, ^uint64(0)}[w.rng.IntN(4)])
	}
	w.check(w.Hit(h))
	return hit{h.Time, uint64(h.CPU), comm, p.name, kernel, user, fmt.Sprint(h.Args)}
}

// stack returns a stack, and how it reads. Some hits have none.
func (w *randomWriter) stack(kernel bool) (format.StackID, string) {
	if w.rng.IntN(10) == 0 {
		return 0, ""
	}
	s := format.Stack{Kernel: kernel, Cut: format.StackCut(w.rng.IntN(3))}
	for range w.rng.IntN(6) {
		f := format.Frame{Offset: w.rng.Uint64N(50), Flags: format.FrameReturn}
		path := fmt.Sprint("image", w.rng.IntN(4))
		f.Image = w.Image(format.Image{Kind: format.ImageELF, Path: w.String(path), Inode: 7})
		s.Frames = append(s.Frames, w.Frame(f))
	}
	text := fmt.Sprint(kernel, s.Cut)
	for _, f := range s.Frames {
		frame := w.Frames()[f]
		text += fmt.Sprint(" ", w.StringOf(w.Images()[frame.Image].Path), "+", frame.Offset)
	}
	return w.Stack(s), text
}

// symbols writes the calls of all frames of the segment.
func (w *randomWriter) symbols() map[frame][]call {
	w.t.Helper()
	written := make(map[frame][]call)
	var symbols []format.Symbol
	for id := 1; id < len(w.Frames()); id++ {
		s := format.Symbol{Frame: format.FrameID(id)}
		f := w.Frames()[id]
		calls := []call{}
		for c := range id % 3 {
			fn := fmt.Sprint("fn", id, "_", c)
			offset := uint64(0)
			if c == id%3-1 {
				offset = f.Offset / 2
			}
			s.Calls = append(s.Calls, format.Call{Function: w.String(fn), File: w.String("main.c"), Line: uint32(c), Offset: offset})
			calls = append(calls, fmt.Sprint(fn, " main.c ", c, " ", offset))
		}
		symbols = append(symbols, s)
		written[fmt.Sprint(w.StringOf(w.Images()[f.Image].Path), "+", f.Offset)] = calls
	}
	w.check(w.Symbols(symbols))
	return written
}

// read returns all recordings and damage of an input, and the final error.
func read(r io.Reader) (recs []recording, damage []*format.Damage, err error) {
	rd, err := format.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	var cur *recording
	var seg *segment
	finish := func() {
		if seg == nil {
			return
		}
		s := rd.Segment()
		for id := 1; id <= s.NumFrames(); id++ {
			sym, ok := s.Symbol(format.FrameID(id))
			if !ok {
				continue
			}
			calls := []call{}
			for _, c := range sym.Calls {
				calls = append(calls, fmt.Sprint(s.String(c.Function), " ", s.String(c.File), " ", c.Line, " ", c.Offset))
			}
			seg.Symbols[frameText(s, format.FrameID(id))] = calls
		}
	}
	for {
		b, err := rd.Next()
		if err != nil {
			return recs, damage, err
		}
		switch b := b.(type) {
		case *format.File:
			recs = append(recs, recording{Properties: b.Properties})
			cur, seg = &recs[len(recs)-1], nil
		case *format.SegmentStart:
			cur.Segments = append(cur.Segments, segment{Sequence: b.Sequence, Clock: b.Clock, Symbols: map[frame][]call{}})
			seg = &cur.Segments[len(cur.Segments)-1]
		case *format.Hits:
			list, err := hitsOf(b)
			if err != nil {
				return recs, damage, err
			}
			seg.Hits = append(seg.Hits, list...)
		case *format.Loss:
			seg.Losses = append(seg.Losses, loss{b.Time, b.Counts})
		case *format.SegmentEnd:
			finish()
			seg.Ended = true
			if b.Strings < uint64(b.Segment.NumStrings()) {
				return nil, nil, fmt.Errorf("SegmentEnd has %d strings of %d", b.Strings, b.Segment.NumStrings())
			}
		case *format.Damage:
			damage = append(damage, b)
		}
	}
}

func hitsOf(b *format.Hits) ([]hit, error) {
	s := b.Segment
	times, err := b.Time(nil)
	if err != nil {
		return nil, err
	}
	var columns [5][]uint32
	for i, get := range []func([]uint32) ([]uint32, error){b.CPU, b.Task, b.Probe, b.KernelStack, b.UserStack} {
		if columns[i], err = get(nil); err != nil {
			return nil, err
		}
	}
	shape, _ := s.Shape(b.Shape)
	args := make([][]uint64, shape.Columns())
	for i := range args {
		if args[i], err = b.Arg(nil, i); err != nil {
			return nil, err
		}
	}
	var out []hit
	for i := range b.Rows {
		h := hit{Time: times[i], CPU: uint64(columns[0][i]), Task: "[lost]", Probe: "[lost]"}
		if h.Time < b.TimeMin || h.Time > b.TimeMax {
			return nil, fmt.Errorf("time %d is not between %d and %d", h.Time, b.TimeMin, b.TimeMax)
		}
		if t, ok := s.Task(format.TaskID(columns[1][i])); ok {
			h.Task = s.String(t.Comm)
		}
		if p, ok := s.Probe(format.ProbeID(columns[2][i])); ok {
			h.Probe = s.String(p.Name)
		}
		h.Kernel = stackText(s, columns[3][i])
		h.User = stackText(s, columns[4][i])
		values := []uint64{}
		for _, a := range args {
			values = append(values, a[i])
		}
		h.Args = fmt.Sprint(values)
		out = append(out, h)
	}
	return out, nil
}

func stackText(s *format.Segment, id uint32) string {
	if id == 0 {
		return ""
	}
	st, ok := s.Stack(format.StackID(id))
	if !ok {
		return "[lost]"
	}
	text := fmt.Sprint(st.Kernel, st.Cut)
	for _, f := range st.Frames {
		text += " " + frameText(s, f)
	}
	return text
}

func frameText(s *format.Segment, id format.FrameID) string {
	f, ok := s.Frame(id)
	if !ok {
		return "[lost]"
	}
	image, ok := s.Image(f.Image)
	if !ok {
		return "[lost]"
	}
	return fmt.Sprint(s.String(image.Path), "+", f.Offset)
}

// sorted sorts hits, because blocks of several shapes are written as they fill up.
func sorted(recs []recording) []recording {
	for _, r := range recs {
		for _, s := range r.Segments {
			slices.SortFunc(s.Hits, func(a, b hit) int {
				return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.CPU, b.CPU), cmp.Compare(a.Task, b.Task),
					cmp.Compare(a.Probe, b.Probe), cmp.Compare(a.Kernel, b.Kernel), cmp.Compare(a.User, b.User), cmp.Compare(a.Args, b.Args))
			})
		}
	}
	return recs
}

func TestRoundTrip(t *testing.T) {
	hits := 20000
	if testing.Short() {
		hits = 4000
	}
	for i, level := range []int{0, 1, 2, -1} {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		var file bytes.Buffer
		want := random(t, rng, &file, &format.WriterOptions{Level: level}, 3, hits)
		got, damage, err := read(bytes.NewReader(file.Bytes()))
		if !errors.Is(err, io.EOF) || len(damage) > 0 {
			t.Fatalf("level %d: read ends with %v and damage %v", level, err, damage)
		}
		if !reflect.DeepEqual(sorted(got), sorted([]recording{want})) {
			t.Errorf("level %d: read something other than was written", level)
		}
	}
}

func TestOneByteReader(t *testing.T) {
	var file bytes.Buffer
	want := random(t, rand.New(rand.NewPCG(2, 2)), &file, nil, 2, 300)
	got, damage, err := read(iotest.OneByteReader(&file))
	if !errors.Is(err, io.EOF) || len(damage) > 0 || !reflect.DeepEqual(sorted(got), sorted([]recording{want})) {
		t.Errorf("read through one-byte reads differs: %v, damage %v", err, damage)
	}
}

// Concatenated captures are a capture, even if the first one was cut off.
func TestConcatenation(t *testing.T) {
	var a, b bytes.Buffer
	first := random(t, rand.New(rand.NewPCG(3, 3)), &a, nil, 2, 200)
	second := random(t, rand.New(rand.NewPCG(4, 4)), &b, &format.WriterOptions{Level: 1}, 1, 200)
	want := []recording{first, second, first}
	got, damage, err := read(io.MultiReader(bytes.NewReader(a.Bytes()), bytes.NewReader(b.Bytes()), bytes.NewReader(a.Bytes())))
	if !errors.Is(err, io.EOF) || len(damage) > 0 || !reflect.DeepEqual(sorted(got), sorted(want)) {
		t.Errorf("joined captures read differently: %v, damage %v", err, damage)
	}
	got, damage, err = read(io.MultiReader(bytes.NewReader(a.Bytes()[:a.Len()-10]), bytes.NewReader(b.Bytes())))
	if !errors.Is(err, io.EOF) || len(damage) != 1 || len(got) != 2 || !reflect.DeepEqual(sorted(got[1:]), sorted([]recording{second})) {
		t.Errorf("capture after one that was cut off: %v, damage %v", err, damage)
	}
}

// With a resolution, times are rounded down, and still within the block's time range.
func TestResolution(t *testing.T) {
	const resolution = 1000
	var file bytes.Buffer
	times := []uint64{5_000_999, 4_000_001, 9_000_000, 123_456_789_012_345}
	w, err := format.NewWriter(&file, nil, &format.WriterOptions{Level: 1, Resolution: resolution})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.StartSegment(format.Clock{Monotonic: 77}); err != nil {
		t.Fatal(err)
	}
	probe := w.Probe(format.Probe{Name: w.String("p")})
	for _, v := range times {
		if err := w.Hit(&format.Hit{Time: v, Probe: probe}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	recs, damage, err := read(&file)
	if !errors.Is(err, io.EOF) || len(damage) > 0 {
		t.Fatalf("read ends with %v and damage %v", err, damage)
	}
	if want := []format.Property{{Key: format.KeyResolution, Value: "1000"}}; !slices.Equal(recs[0].Properties, want) {
		t.Errorf("properties are %v", recs[0].Properties)
	}
	for i, h := range recs[0].Segments[0].Hits {
		if want := times[i] / resolution * resolution; h.Time != want {
			t.Errorf("time %d is read as %d instead of %d", times[i], h.Time, want)
		}
	}
}
