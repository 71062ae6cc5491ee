package format_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"trapline/format"
)

// Each hit says which task runs next, which predicts the task of the following hit. Such a
// capture must be read back unchanged, and take no more space than its times and that one
// column.
func TestTaskOfNextHit(t *testing.T) {
	const hits, tasks = 20000, 200
	rng := rand.New(rand.NewPCG(5, 5))
	write := func(random bool) (file []byte, running []uint32) {
		var out bytes.Buffer
		w, err := format.NewWriter(&out, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.StartSegment(format.Clock{}); err != nil {
			t.Fatal(err)
		}
		for i := range uint32(tasks) {
			w.Task(format.Task{PID: i, TID: i})
		}
		shape := w.Shape(format.Shape{Fields: []format.Field{{Name: w.String("next_pid"), Size: 4, Count: 1}}})
		probe := w.Probe(format.Probe{Name: w.String("switch"), Shape: shape})
		task := uint32(1)
		for i := range uint64(hits) {
			next := 1 + rng.Uint32N(tasks)
			running = append(running, task)
			if err := w.Hit(&format.Hit{Time: 1000 * i, Task: format.TaskID(task), Probe: probe, Args: []uint64{uint64(next) * 7}}); err != nil {
				t.Fatal(err)
			}
			if task = next; random {
				task = 1 + rng.Uint32N(tasks)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes(), running
	}
	file, want := write(false)
	r, err := format.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		h, ok := b.(*format.Hits)
		if !ok {
			continue
		}
		got, err := h.Task(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range got {
			if task != want[at] {
				t.Fatalf("task of hit %d is %d instead of %d", at, task, want[at])
			}
			at++
		}
	}
	if at != hits {
		t.Fatalf("read %d hits of %d", at, hits)
	}
	if other, _ := write(true); len(file) > len(other)*3/5 {
		t.Errorf("a capture of predictable tasks has %d bytes, one of random tasks %d", len(file), len(other))
	}
}
