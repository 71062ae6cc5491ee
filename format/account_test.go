package format_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"trapline/format"
)

// outline returns one line per block that a reader returns, including the names of probes,
// and one for the final error.
func outline(r *format.Reader, err error) (lines []string) {
	for {
		var b format.Block
		if err == nil {
			b, err = r.Next()
		}
		if err != nil {
			return append(lines, err.Error())
		}
		switch b := b.(type) {
		case *format.File:
			lines = append(lines, fmt.Sprint("file ", *b))
		case *format.SegmentStart:
			lines = append(lines, fmt.Sprint("segment ", *b))
		case *format.Hits:
			lines = append(lines, fmt.Sprint("hits ", b.Rows, b.TimeMin, b.TimeMax))
		case *format.Loss:
			line := fmt.Sprint("loss ", b.Time)
			for _, c := range b.Counts {
				p, ok := b.Segment.Probe(c.Probe)
				line += fmt.Sprint(" ", b.Segment.String(p.Name), ok, c)
			}
			lines = append(lines, line)
		case *format.SegmentEnd:
			lines = append(lines, fmt.Sprint("end ", b.Hits))
		case *format.Damage:
			lines = append(lines, fmt.Sprint("damage ", *b))
		}
	}
}

// An account reader returns the same blocks as a Reader, from whole, damaged and
// concatenated captures. It reports that frames were lost, but not that their symbols
// therefore cannot be read.
func TestAccountReader(t *testing.T) {
	file, _, _, _ := small(t)
	same := func(what string, file []byte) {
		t.Helper()
		want := outline(format.NewReader(bytes.NewReader(file)))
		want = slices.DeleteFunc(want, func(line string) bool {
			return strings.HasPrefix(line, "damage") && strings.Contains(line, "symbols cannot be assigned")
		})
		if got := outline(format.NewAccountReader(bytes.NewReader(file))); !slices.Equal(got, want) {
			t.Fatalf("%s: an account reader returns\n%s\na Reader\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	whole := strings.Join(outline(format.NewReader(bytes.NewReader(file))), "\n")
	for _, kind := range []string{"file", "segment", "hits", "loss", "end"} {
		if !strings.Contains("\n"+whole, "\n"+kind) {
			t.Fatalf("the capture has no block of %s:\n%s", kind, whole)
		}
	}
	same("joined", append(bytes.Clone(file), file...))
	for i := 0; i < len(file); i += 3 {
		same(fmt.Sprint("cut at ", i), file[:i])
		broken := bytes.Clone(file)
		broken[i] ^= 1 << (i % 8)
		same(fmt.Sprint("flipped byte ", i), broken)
	}
}

func TestAccountReaderHasNoColumns(t *testing.T) {
	var file bytes.Buffer
	random(t, rand.New(rand.NewPCG(5, 5)), &file, nil, 1, 20)
	r, err := format.NewAccountReader(&file)
	for err == nil {
		var b format.Block
		if b, err = r.Next(); err != nil {
			break
		}
		h, ok := b.(*format.Hits)
		if !ok {
			continue
		}
		if v, err := h.CPU(nil); err == nil {
			t.Errorf("CPUs of hits are %v", v)
		}
		if _, ok := h.Segment.Probe(1); !ok || h.Segment.NumStacks() != 0 {
			t.Errorf("the segment has %d probes and %d stacks", h.Segment.NumProbes(), h.Segment.NumStacks())
		}
	}
	if err != io.EOF {
		t.Error(err)
	}
}
