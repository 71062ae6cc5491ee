package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"trapline/format"
)

// FuzzReader checks that no input makes the Reader panic or loop, and that what it returns
// is consistent.
func FuzzReader(f *testing.F) {
	example, err := os.ReadFile("text/testdata/example.txt")
	if err != nil {
		f.Fatal(err)
	}
	file := build(f, string(example))
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add(file[100:])
	f.Add(build(f, start+"KIND kind=127 payload=00\nTASKS first=5\n\tpid=1\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := format.NewReader(bytes.NewReader(in))
		if err != nil {
			return
		}
		at := int64(0)
		for {
			b, err := r.Next()
			var version *format.VersionError
			if errors.Is(err, io.EOF) || errors.Is(err, format.ErrTruncated) || errors.As(err, &version) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Offset() < at || r.Offset() > int64(len(in)) {
				t.Fatalf("offset %d after %d", r.Offset(), at)
			}
			at = r.Offset()
			if h, ok := b.(*format.Hits); ok {
				use(t, h)
			}
		}
	})
}

// use decodes a whole block.
func use(t *testing.T, h *format.Hits) {
	var corrupt *format.CorruptError
	times, err := h.Time(nil)
	if err != nil && !errors.As(err, &corrupt) || err == nil && len(times) != h.Rows {
		t.Fatalf("%d times of %d rows, %v", len(times), h.Rows, err)
	}
	stacks, _ := h.UserStack(nil)
	for _, id := range stacks {
		s, _ := h.Segment.Stack(format.StackID(id))
		for _, f := range s.Frames {
			h.Segment.Frame(f)
		}
	}
	shape, _ := h.Segment.Shape(h.Shape)
	for i := range shape.Columns() {
		if _, err := h.Arg(nil, i); err != nil && !errors.As(err, &corrupt) {
			t.Fatal(err)
		}
	}
}

// FuzzPayload bypasses the checksums: it reads blocks with any payload.
func FuzzPayload(f *testing.F) {
	const shared = "STACKS first=1\n\tkernel=1 frames=[1 2 3]\n\tkernel=1 back=1 shared=2 frames=[4]\n" +
		"FRAMES first=1\n\timage=0 offset=5\n\timage=0 offset=4\n" +
		"SYMBOLS\n\tframe=1 function=[1] start=3\n\tframe=2 function=[1 1] file=[1 0] line=[3 4] start=3\n"
	for _, file := range [][]byte{predicted(f), build(f, start+shared)} {
		for _, at := range blockStarts(f, file)[2:] {
			n := int(file[at+8]) | int(file[at+9])<<8 | int(file[at+10])<<16
			f.Add(file[at+4], uint32(file[at+12]), uint32(file[at+16]), file[at+52:at+52+n])
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, rows, first uint32, payload []byte) {
		file := build(t, fmt.Sprintf("%sFRAMES first=1\n\toffset=5\n\toffset=4\nKIND kind=%d rows=%d first=%d payload=%x\n", start, kind, rows, first, payload))
		r, err := format.NewReader(bytes.NewReader(file))
		for err == nil {
			var b format.Block
			b, err = r.Next()
			if h, ok := b.(*format.Hits); ok {
				use(t, h)
			}
		}
		dump(t, file)
	})
}

// predicted returns a capture whose columns use every feature: tables, and contexts that
// have contexts.
func predicted(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := format.NewWriter(&out, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.StartSegment(format.Clock{}); err != nil {
		t.Fatal(err)
	}
	field := format.Field{Name: w.String("f"), Type: format.FieldHex, Size: 8, Count: 3}
	probe := w.Probe(format.Probe{Kind: format.ProbeKprobe, Name: w.String("p"), Shape: w.Shape(format.Shape{Fields: []format.Field{field}})})
	rng := rand.New(rand.NewPCG(3, 1))
	for i := range uint64(200) {
		v := rng.Uint64N(9)
		if err := w.Hit(&format.Hit{Time: 100 * i, Probe: probe, Args: []uint64{v * 0x123456789, v * v * 77, v / 2 << 40}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
