package format_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"trapline/format"
)

// An argument has one of a few values that depend on the task, and finally values near 2^64,
// as errors such as -1 do. All are read back, and two bits distinguish four values.
func TestPredictedArgument(t *testing.T) {
	sizes := map[uint64]int{}
	for _, ways := range []uint64{1, 4, 64} {
		file, want := writePredictable(t, ways)
		sizes[ways] = len(file)
		eachHits(t, file, func(h *format.Hits) {
			got, err := h.Arg(nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got {
				if v != want[i] {
					t.Fatalf("%d ways: argument %#x instead of %#x", ways, v, want[i])
				}
			}
			want = want[len(got):]
		})
		if len(want) > 0 {
			t.Errorf("%d ways: %d hits are missing", ways, len(want))
		}
	}
	// With one value per task, the argument is fully predicted. The rest is the cost of choosing.
	few, many := sizes[4]-sizes[1], sizes[64]-sizes[1]
	if few > many/2 {
		t.Errorf("one of 4 values takes %d bytes, one of 64 %d", few, many)
	}
}

// writePredictable writes a capture whose only argument has the given number of possible
// values per task, and returns the values.
func writePredictable(t *testing.T, ways uint64) (file []byte, values []uint64) {
	t.Helper()
	const hits = 3 * 16384
	rng := rand.New(rand.NewPCG(4, 2))
	var out bytes.Buffer
	w, err := format.NewWriter(&out, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.StartSegment(format.Clock{}); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(64) {
		w.Task(format.Task{PID: i, TID: i})
	}
	shape := w.Shape(format.Shape{Fields: []format.Field{{Name: w.String("ret"), Type: format.FieldInt, Size: 8, Count: 1}}})
	probe := w.Probe(format.Probe{Name: w.String("exit"), Shape: shape})
	for i := range uint64(hits) {
		task := rng.Uint64N(64)
		v := task%8*ways + rng.Uint64N(ways)
		if i > hits-100 {
			v = -(i % 7)
		}
		values = append(values, v)
		if err := w.Hit(&format.Hit{Time: 1000 * i, Task: format.TaskID(1 + task), Probe: probe, Args: []uint64{v}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), values
}
