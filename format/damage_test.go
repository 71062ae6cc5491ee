package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"trapline/format"
)

const hitsSmall = 12

// small returns a small capture of two segments with several HITS blocks each, its
// contents, and where each HITS block ends.
func small(t *testing.T) (file []byte, want recording, known truth, ends []int) {
	t.Helper()
	var out bytes.Buffer
	want = random(t, rand.New(rand.NewPCG(7, 7)), &out, nil, 2, hitsSmall)
	r, err := format.NewReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next()
		if err != nil {
			break
		}
		if _, ok := b.(*format.Hits); ok {
			ends = append(ends, int(r.Offset()))
		}
	}
	if len(ends) < 4 {
		t.Fatalf("the capture has %d blocks of hits", len(ends))
	}
	return out.Bytes(), want, truthOf(want), ends
}

// A truth holds every hit that was written.
type truth map[hit]bool

// truthOf also adds what remains of each hit when dictionary blocks are lost.
func truthOf(recs ...recording) truth {
	known := truth{}
	for _, r := range recs {
		for _, s := range r.Segments {
			for _, h := range s.Hits {
				for mask := range 32 {
					l := h
					for i, f := range []*string{&l.Task, &l.Probe, &l.Kernel, &l.User} {
						if mask>>i&1 == 1 && *f != "" {
							*f = "[lost]"
						}
					}
					if mask&16 != 0 {
						l.Args = "[]" // the shape was lost
					}
					known[l] = true
				}
			}
		}
	}
	return known
}

// check returns an error for a hit that was not written.
func (known truth) check(got []recording) error {
	for _, r := range got {
		for _, s := range r.Segments {
			for _, h := range s.Hits {
				for _, f := range []*string{&h.Kernel, &h.User} {
					if strings.Contains(*f, "[lost]") {
						*f = "[lost]"
					}
				}
				if !known[h] {
					return fmt.Errorf("a hit that was not written: %v", h)
				}
			}
		}
	}
	return nil
}

func count(recs []recording) (n int) {
	for _, r := range recs {
		for _, s := range r.Segments {
			n += len(s.Hits)
		}
	}
	return n
}

// hitsBefore returns how many hits the blocks up to each offset hold.
func hitsBefore(t *testing.T, file []byte, ends []int) map[int]int {
	t.Helper()
	out := map[int]int{0: 0}
	for _, end := range ends {
		recs, _, err := read(bytes.NewReader(file[:end]))
		if !errors.Is(err, format.ErrTruncated) {
			t.Fatalf("cut at %d, after a block of hits: %v", end, err)
		}
		out[end] = count(recs)
	}
	return out
}

func TestTruncationAnywhere(t *testing.T) {
	file, _, known, ends := small(t)
	before := hitsBefore(t, file, ends)
	complete := 0
	for cut := range len(file) {
		recs, damage, err := read(bytes.NewReader(file[:cut]))
		switch {
		case cut < 4:
			if !errors.Is(err, format.ErrNotCapture) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			continue
		case errors.Is(err, io.EOF):
			complete++
		case !errors.Is(err, format.ErrTruncated):
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if len(damage) > 0 {
			t.Fatalf("cut at %d: damage %v", cut, damage[0].Err())
		}
		if err := known.check(recs); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		whole := 0
		for _, end := range ends {
			if end <= cut {
				whole = before[end]
			}
		}
		if got := count(recs); got != whole {
			t.Fatalf("cut at %d: %d hits, %d are in whole blocks", cut, got, whole)
		}
	}
	// A capture is complete after FILE and after the first SEGEND.
	if complete != 2 {
		t.Errorf("%d cuts look complete, expected 2", complete)
	}
}

// A flipped bit loses the block it is in, and no other.
func TestFlippedByteAnywhere(t *testing.T) {
	file, _, known, ends := small(t)
	before := hitsBefore(t, file, ends)
	most := 0
	last := 0
	for _, end := range ends {
		most = max(most, before[end]-last)
		last = before[end]
	}
	for i := range file {
		broken := bytes.Clone(file)
		broken[i] ^= 1 << (i % 8)
		recs, damage, err := read(bytes.NewReader(broken))
		if !errors.Is(err, io.EOF) && !errors.Is(err, format.ErrTruncated) {
			t.Fatalf("byte %d: %v", i, err)
		}
		if len(damage) == 0 && !errors.Is(err, format.ErrTruncated) {
			t.Fatalf("byte %d: not detected", i)
		}
		if err := known.check(recs); err != nil {
			t.Fatalf("byte %d: %v", i, err)
		}
		if got := count(recs); got < last-most {
			t.Fatalf("byte %d: %d of %d hits, a block has %d", i, got, last, most)
		}
	}
}

// If a block is lost, even SEGMENT or FILE, what follows is not mixed with what precedes.
func TestLostBlocks(t *testing.T) {
	file, want, _, _ := small(t)
	var other bytes.Buffer
	second := random(t, rand.New(rand.NewPCG(8, 8)), &other, nil, 2, hitsSmall)
	joined := append(bytes.Clone(file), other.Bytes()...)
	known := truthOf(want, second)
	starts := blockStarts(t, joined)
	for i, start := range starts {
		end := len(joined)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		cut := append(bytes.Clone(joined[:start]), joined[end:]...)
		recs, _, err := read(bytes.NewReader(cut))
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, format.ErrTruncated) {
			t.Fatalf("without block %d: %v", i, err)
		}
		if err := known.check(recs); err != nil {
			t.Fatalf("without block %d: %v", i, err)
		}
		if len(recs) != 2 {
			t.Fatalf("without block %d: %d parts", i, len(recs))
		}
	}
}

// blockStarts returns the offset of every block.
func blockStarts(t testing.TB, file []byte) (starts []int) {
	t.Helper()
	for at := 0; at < len(file); {
		if !bytes.HasPrefix(file[at:], []byte("\x8fTRP")) {
			t.Fatalf("no block at %d", at)
		}
		starts = append(starts, at)
		at += 52 + (int(file[at+8]) | int(file[at+9])<<8 | int(file[at+10])<<16)
	}
	return starts
}

// Garbage between blocks loses no block.
func TestGarbageBetweenBlocks(t *testing.T) {
	file, _, known, _ := small(t)
	garbage := [][]byte{make([]byte, 5000), []byte("\x8fTRP"), bytes.Repeat([]byte("\x8fTRP"), 500), file[:100], file[len(file)/2-30 : len(file)/2+30]}
	for i, start := range blockStarts(t, file)[1:] {
		g := garbage[i%len(garbage)]
		recs, damage, err := read(io.MultiReader(bytes.NewReader(file[:start]), bytes.NewReader(g), bytes.NewReader(file[start:])))
		if !errors.Is(err, io.EOF) || len(damage) != 1 || damage[0].Offset != int64(start) || damage[0].Length != int64(len(g)) {
			t.Fatalf("garbage at %d: %v, damage %v", start, err, damage)
		}
		if err := known.check(recs); err != nil || count(recs) != 2*hitsSmall {
			t.Fatalf("garbage at %d: %d hits, %v", start, count(recs), err)
		}
	}
}

func TestNotCapture(t *testing.T) {
	for _, text := range []string{"", "\x8f", "PERFILE2" + strings.Repeat("\x00", 100), strings.Repeat("hits\n", 100)} {
		if _, err := format.NewReader(strings.NewReader(text)); !errors.Is(err, format.ErrNotCapture) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}

var errDisk = errors.New("input/output error")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errDisk }

// A Reader returns what it read before the input failed.
func TestInputError(t *testing.T) {
	file, _, known, ends := small(t)
	recs, _, err := read(io.MultiReader(bytes.NewReader(file[:ends[2]+7]), failingReader{}))
	if !errors.Is(err, errDisk) {
		t.Errorf("read ends with %v", err)
	}
	if err := known.check(recs); err != nil || count(recs) == 0 {
		t.Errorf("%d hits, %v", count(recs), err)
	}
	if _, err := format.NewReader(failingReader{}); !errors.Is(err, errDisk) {
		t.Errorf("NewReader: %v", err)
	}
}

type fullDisk struct{ left int }

func (f *fullDisk) Write(b []byte) (int, error) {
	if len(b) > f.left {
		n := f.left
		f.left = 0
		return n, errDisk
	}
	f.left -= len(b)
	return len(b), nil
}

func TestFullDisk(t *testing.T) {
	w, err := format.NewWriter(&fullDisk{2000}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.StartSegment(format.Clock{}); err != nil {
		t.Fatal(err)
	}
	w.String(strings.Repeat("incompressible?", 1000))
	p := w.Probe(format.Probe{Kind: format.ProbeKprobe, Name: w.String("p")})
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 * 16384 { // more than the queue holds
		if err = w.Hit(&format.Hit{Time: rng.Uint64(), Probe: p}); err != nil {
			break
		}
	}
	if !errors.Is(err, errDisk) {
		t.Errorf("Hit: %v", err)
	}
	if err := w.Flush(); !errors.Is(err, errDisk) {
		t.Errorf("Flush: %v", err)
	}
	if err := w.Close(); !errors.Is(err, errDisk) {
		t.Errorf("Close: %v", err)
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
