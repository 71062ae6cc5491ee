// Package analysistest builds captures with known hits, for tests of packages that
// read captures.
package analysistest

import (
	"bytes"
	"fmt"
	"strings"

	"trapline/format"
)

// A Builder writes a capture of one part, hit by hit. Its methods panic on errors,
// since they write to memory what a test specifies.
type Builder struct {
	*format.Writer
	buf   bytes.Buffer
	open  bool
	names map[format.FrameID][]format.Call
}

// Clock is the clock reading of every segment: monotonic 1 s is 2026-01-02 03:04:05
// UTC.
var Clock = format.Clock{Monotonic: 1e9, Boottime: 1e9, Realtime: 1767323045 * 1e9}

// New starts a capture and its first segment. The properties are added to those of
// a small machine.
func New(properties ...format.Property) *Builder {
	b := &Builder{}
	props := append([]format.Property{
		{Key: format.KeyHostname, Value: "testhost"},
		{Key: format.KeyKernel, Value: "6.12.0"},
		{Key: format.KeyArch, Value: "amd64"},
		{Key: format.KeyBootID, Value: "11111111-2222-3333-4444-555555555555"},
		{Key: format.KeyCPUs, Value: "0-1"},
		{Key: format.KeyClock, Value: "monotonic"},
	}, properties...)
	w, err := format.NewWriter(&b.buf, props, nil)
	must(err)
	b.Writer = w
	b.Segment()
	return b
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Segment ends the segment and starts the next. All IDs become invalid.
func (b *Builder) Segment() {
	if b.open {
		b.end()
	}
	must(b.StartSegment(Clock))
	b.open, b.names = true, make(map[format.FrameID][]format.Call)
}

func (b *Builder) end() {
	var symbols []format.Symbol
	for id := range b.Frames() {
		if calls, ok := b.names[format.FrameID(id)]; ok {
			symbols = append(symbols, format.Symbol{Frame: format.FrameID(id), Calls: calls})
		}
	}
	must(b.Flush())
	must(b.Symbols(symbols))
	must(b.EndSegment())
}

// Bytes finishes and returns the capture.
func (b *Builder) Bytes() []byte {
	if b.open {
		b.end()
		b.open = false
		must(b.Close())
	}
	return b.buf.Bytes()
}

// ProbeOf interns a probe and its shape.
func (b *Builder) ProbeOf(kind format.ProbeKind, name string, fields ...format.Field) format.ProbeID {
	return b.Probe(format.Probe{
		Kind: kind, Name: b.String(name), Event: b.String(name), Period: 1,
		Shape: b.Shape(format.Shape{Fields: fields}),
	})
}

// FieldOf returns a field of one element.
func (b *Builder) FieldOf(name string, t format.FieldType, size uint8) format.Field {
	return format.Field{Name: b.String(name), Type: t, Size: size, Count: 1}
}

// TaskOf interns a task.
func (b *Builder) TaskOf(pid, tid uint32, comm string) format.TaskID {
	return b.Task(format.Task{PID: pid, TID: tid, Comm: b.String(comm)})
}

// KernelStack interns a kernel stack of functions, innermost first.
func (b *Builder) KernelStack(functions ...string) format.StackID {
	img := b.Image(format.Image{Kind: format.ImageKernel, Path: b.String("[kernel.kallsyms]")})
	return b.stack(img, true, format.CutNone, functions)
}

// UserStack interns a user stack of functions of one file, innermost first. "?…" is
// an address without a name, "a<b" is a inlined into b, and "~a" is guessed.
func (b *Builder) UserStack(path string, cut format.StackCut, functions ...string) format.StackID {
	img := b.Image(format.Image{Kind: format.ImageELF, Path: b.String(path), BuildID: b.String("id of " + path)})
	return b.stack(img, false, cut, functions)
}

func (b *Builder) stack(img format.ImageID, kernel bool, cut format.StackCut, functions []string) format.StackID {
	var frames []format.FrameID
	for _, f := range functions {
		flags := format.FrameReturn
		f, guessed := strings.CutPrefix(f, "~")
		if guessed {
			flags |= format.FrameGuessed
		}
		// The name determines the address.
		offset := uint64(0x1000)
		for _, c := range f {
			offset = (offset*31 + uint64(c)) & 0xfffff
		}
		id := b.Frame(format.Frame{Image: img, Offset: offset, Flags: flags})
		frames = append(frames, id)
		if _, ok := b.names[id]; !ok {
			b.names[id] = b.calls(f)
		}
	}
	return b.Stack(format.Stack{Kernel: kernel, Cut: cut, Frames: frames})
}

func (b *Builder) calls(function string) []format.Call {
	if function[0] == '?' {
		return nil
	}
	var calls []format.Call
	for i, name := range bytes.Split([]byte(function), []byte("<")) {
		calls = append(calls, format.Call{
			Function: b.StringBytes(name), File: b.String(fmt.Sprintf("/src/%s.c", name)), Line: uint32(10 + i),
		})
	}
	calls[len(calls)-1].Offset = 0x10
	return calls
}

// Add writes n hits that differ only in their times, 1 µs apart from t on.
func (b *Builder) Add(n int, t uint64, h format.Hit) {
	for i := range n {
		h.Time = t + uint64(i)*1000
		must(b.Hit(&h))
	}
}

// Account writes a LOSS block.
func (b *Builder) Account(counts ...format.Count) {
	must(b.Loss(5e9, counts))
}
