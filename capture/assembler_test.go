package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"

	"trapline/capture/attach"
	"trapline/capture/images"
	"trapline/capture/layout"
	"trapline/capture/probe"
	"trapline/capture/ring"
	"trapline/capture/ring/ringtest"
	"trapline/format"
)

// fakeCode puts kernel addresses into one image and user frames into one image per inode.
type fakeCode struct {
	kernelImage images.Image
	files       map[uint64]*images.Image
}

func (l *fakeCode) User(_ images.Moment, f ring.UserFrame) (images.Location, bool) {
	if l.files[f.Inode] == nil {
		l.files[f.Inode] = &images.Image{Kind: format.ImageELF, Path: fmt.Sprintf("/bin/%d", f.Inode), Inode: f.Inode}
	}
	return images.Location{Image: l.files[f.Inode], Offset: f.Offset}, !f.NoCode
}
func (l *fakeCode) Kernel(a uint64) images.Location {
	return images.Location{Image: &l.kernelImage, Offset: a}
}
func (l *fakeCode) IsEntry(x images.Location) bool { return x.Offset < 0x100 }

// assemble processes rounds of events by CPU and returns the hits as readHits prints
// them.
func assemble(t *testing.T, probes []probe.Probe, rounds ...map[int][][]byte) ([]string, *assembler) {
	t.Helper()
	var file bytes.Buffer
	w, err := format.NewWriter(&file, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := newAssembler(w, &fakeCode{kernelImage: images.Image{Kind: format.ImageKernel, Path: "[kernel]"}, files: map[uint64]*images.Image{}}, nil, &attach.Settings{Probes: probes}, 4)
	if err := a.startSegment(format.Clock{}); err != nil {
		t.Fatal(err)
	}
	for i, round := range rounds {
		for cpu := range 4 {
			if err := a.chunk(ring.Chunk{CPU: cpu, Data: ringtest.EncodeRing(round[cpu]...)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.endRound(); err != nil {
			t.Fatal(err)
		}
		if i == 0 && len(rounds) > 2 {
			// Start a new segment. Hits with the old hashes are still to come.
			if err := errors.Join(w.EndSegment(), a.startSegment(format.Clock{})); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(a.flushPending(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return readHits(t, &file), a
}

// readHits returns one line per hit of a capture.
func readHits(t *testing.T, file io.Reader) (lines []string) {
	t.Helper()
	r, err := format.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		if h, ok := b.(*format.Hits); ok {
			lines = append(lines, describeHits(h)...)
		}
	}
}

// describeHits returns one line per hit of a block.
func describeHits(h *format.Hits) []string {
	time, _ := h.Time(nil)
	cpu, _ := h.CPU(nil)
	task, _ := h.Task(nil)
	pr, _ := h.Probe(nil)
	kernel, _ := h.KernelStack(nil)
	user, _ := h.UserStack(nil)
	s := h.Segment
	shape, _ := s.Shape(h.Shape)
	args := make([][]uint64, shape.Columns())
	for i := range args {
		args[i], _ = h.Arg(nil, i)
	}
	lines := make([]string, h.Rows)
	for i := range lines {
		tk, _ := s.Task(format.TaskID(task[i]))
		p, _ := s.Probe(format.ProbeID(pr[i]))
		lines[i] = fmt.Sprintf("%d cpu%d %s %d/%d %s", time[i], cpu[i], s.String(tk.Comm), tk.PID, tk.TID, s.String(p.Name))
		column := 0
		for _, f := range shape.Fields {
			lines[i] += fmt.Sprintf(" %s=%s", s.String(f.Name), describeValue(s, f.Type, args[column][i]))
			column += int(f.Count)
		}
		for _, id := range []uint32{kernel[i], user[i]} {
			if id != 0 {
				lines[i] += describeCaptured(s, format.StackID(id))
			}
		}
	}
	return lines
}

func describeValue(s *format.Segment, t format.FieldType, v uint64) string {
	switch t {
	case format.FieldString:
		return fmt.Sprintf("%q", s.String(format.StringID(v)))
	case format.FieldInt:
		return fmt.Sprint(int64(v))
	}
	return fmt.Sprint(v)
}

func describeCaptured(s *format.Segment, id format.StackID) string {
	st, _ := s.Stack(id)
	line := " ["
	for _, fid := range st.Frames {
		f, _ := s.Frame(fid)
		img, _ := s.Image(f.Image)
		line += fmt.Sprintf(" %s+%#x", s.String(img.Path), f.Offset)
	}
	if st.Cut != format.CutNone {
		line += " (" + st.Cut.String() + ")"
	}
	return line + " ]"
}

func wantLines(t *testing.T, got, want []string) {
	t.Helper()
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}

var plain = []probe.Probe{{Kind: format.ProbeTracepoint, Name: "a:b", Record: layout.Record{RecordSize: 8}}}

func comm(s string) (c [16]byte) {
	copy(c[:], s)
	return c
}

func TestAssembleStacks(t *testing.T) {
	got, _ := assemble(t, plain, map[int][][]byte{0: {
		// The first kernel frames belong to the hook.
		ringtest.EncodeKernelStack(11, 0x10, 0x20, 0x1000, 0x2000),
		ringtest.EncodeUserStack(12, 5,
			ring.UserFrame{Address: 0x5000, Inode: 7, Offset: 0x30, Known: true}, ring.UserFrame{Address: 0x6000, Inode: 8, Offset: 0x40, Known: true}),
		ringtest.EncodeHit(ring.Hit{Time: 1, PID: 5, TID: 6, Comm: comm("cat"), KernelStack: 11, UserStack: 12}),
		ringtest.EncodeHit(ring.Hit{Time: 2, PID: 5, TID: 6, Comm: comm("renamed"), UserStack: 12}),
	}})
	wantLines(t, got, []string{
		"1 cpu0 cat 5/6 a:b [ [kernel]+0x1000 [kernel]+0x2000 ] [ /bin/7+0x30 /bin/8+0x40 ]",
		"2 cpu0 renamed 5/6 a:b [ /bin/7+0x30 /bin/8+0x40 ]",
	})
}

// An invalid frame pointer points to an address without code. The stack ends there and
// says so.
func TestAssembleCutsAtNoCode(t *testing.T) {
	got, _ := assemble(t, plain, map[int][][]byte{0: {
		ringtest.EncodeUserStack(12, 5, ring.UserFrame{Address: 0x5000, Inode: 7, Offset: 0x30, Known: true},
			ring.UserFrame{Address: 0x2d78756e696c2d63, NoCode: true}, ring.UserFrame{Address: 0x6000, Inode: 8, Known: true}),
		ringtest.EncodeHit(ring.Hit{Time: 1, PID: 5, TID: 6, Comm: comm("cat"), UserStack: 12}),
	}})
	wantLines(t, got, []string{"1 cpu0 cat 5/6 a:b [ /bin/7+0x30 (no unwind rule) ]"})
}

// A stack is in the ring of the CPU that first saw it. Another CPU's hit may be read
// before it.
func TestAssembleStackOfAnotherCPU(t *testing.T) {
	hit := ringtest.EncodeHit(ring.Hit{Time: 1, PID: 5, TID: 5, Comm: comm("x"), KernelStack: 11})
	got, a := assemble(t, plain,
		map[int][][]byte{0: {hit}, 1: {ringtest.EncodeKernelStack(11, 0x1000)}})
	wantLines(t, got, []string{"1 cpu0 x 5/5 a:b [ [kernel]+0x1000 ]"})
	if a.counts.StacksLost != 0 {
		t.Errorf("%d stacks lost", a.counts.StacksLost)
	}
	// A missing stack is counted, and the hit is kept.
	got, a = assemble(t, plain, map[int][][]byte{0: {hit}})
	wantLines(t, got, []string{"1 cpu0 x 5/5 a:b"})
	if a.counts.StacksLost != 1 {
		t.Errorf("%d stacks lost, want 1", a.counts.StacksLost)
	}
}

// Hits in flight at the end of a segment have hashes of that segment.
func TestAssembleAcrossSegments(t *testing.T) {
	hit := func(time uint64) []byte {
		return ringtest.EncodeHit(ring.Hit{Time: time, PID: 5, TID: 5, Comm: comm("x"), KernelStack: 11})
	}
	got, _ := assemble(t, plain,
		map[int][][]byte{0: {ringtest.EncodeKernelStack(11, 0x1000), hit(1)}},
		map[int][][]byte{0: {hit(2)}},
		map[int][][]byte{1: {hit(3)}})
	wantLines(t, got, []string{
		"1 cpu0 x 5/5 a:b [ [kernel]+0x1000 ]",
		"2 cpu0 x 5/5 a:b [ [kernel]+0x1000 ]",
		"3 cpu1 x 5/5 a:b [ [kernel]+0x1000 ]",
	})
}

// A stack that is sent again is compared with the first.
func TestAssembleComparesStacks(t *testing.T) {
	again := func(b []byte) []byte { b[1] = 1; return b }
	_, a := assemble(t, plain, map[int][][]byte{0: {
		ringtest.EncodeKernelStack(11, 0x1000), again(ringtest.EncodeKernelStack(11, 0x1000)), again(ringtest.EncodeKernelStack(11, 0x3000))}})
	if a.counts.StacksCompared != 2 || a.counts.StacksDifferent != 1 {
		t.Errorf("%d compared, %d different; want 2 and 1", a.counts.StacksCompared, a.counts.StacksDifferent)
	}
}

func TestAssembleUndecodable(t *testing.T) {
	_, a := assemble(t, plain, map[int][][]byte{
		0: {ringtest.EncodeHit(ring.Hit{Probe: 7}), {99}}, 1: {ringtest.EncodeHit(ring.Hit{})[:20]}, 2: {ringtest.EncodeKernelStack(1, 2)[:28]},
		3: {ringtest.EncodeKernelStack(1, 2)[:32]}})
	if a.counts.Undecodable != 5 || a.counts.Hits != 0 {
		t.Errorf("%d undecodable, %d hits; want 5 and 0", a.counts.Undecodable, a.counts.Hits)
	}
}

func TestDecodeRecord(t *testing.T) {
	fields := []layout.Field{
		{Name: "signed", Type: format.FieldInt, Offset: 8, Size: 4, Count: 1},
		{Name: "byte", Type: format.FieldUint, Offset: 12, Size: 1, Count: 1},
		{Name: "name", Type: format.FieldString, Offset: 13, Size: 5, Count: 1},
		{Name: "dynamic", Type: format.FieldString, Offset: 20, Size: 4, Count: 1, Dynamic: true},
		{Name: "relative", Type: format.FieldString, Offset: 24, Size: 4, Count: 1, Dynamic: true, Relative: true},
		{Name: "array", Type: format.FieldUint, Offset: 28, Size: 2, Count: 2},
		{Name: "beyond", Type: format.FieldUint, Offset: 100, Size: 8, Count: 1},
	}
	record := make([]byte, 24)
	le := binary.LittleEndian
	le.PutUint32(record[0:], 0xfffffffe)
	record[4] = 200
	copy(record[5:], "comm\x00")
	le.PutUint32(record[12:], 6<<16|32)      // at 32 from the record's start
	le.PutUint32(record[16:], 4<<16|(38-28)) // at 38, from the end of its own word
	le.PutUint16(record[20:], 1)
	le.PutUint16(record[22:], 2)
	record = append(record, "hello\x00abc\x00"...)
	probes := []probe.Probe{{Kind: format.ProbeTracepoint, Name: "a:b", Record: layout.Record{Fields: fields}}}
	got, _ := assemble(t, probes, map[int][][]byte{0: {ringtest.EncodeHit(ring.Hit{Comm: comm("x"), Record: record})}})
	wantLines(t, got, []string{`0 cpu0 x 0/0 a:b signed=-2 byte=200 name="comm" dynamic="hello" relative="abc" array=1 beyond=0`})
}
