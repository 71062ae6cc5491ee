package format_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"trapline/format"
)

const (
	switches      = 20000
	switchedTasks = 200
)

// Each hit says which task runs next, which predicts the task of the following hit. Such a
// capture must be read back unchanged, and take no more space than its times and that one
// column.
func TestTaskOfNextHit(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	file, want := writeSwitches(t, rng, false)
	got := readTasks(t, file)
	if len(got) != switches {
		t.Fatalf("read %d hits of %d", len(got), switches)
	}
	for i, task := range got {
		if task != want[i] {
			t.Fatalf("task of hit %d is %d instead of %d", i, task, want[i])
		}
	}
	if other, _ := writeSwitches(t, rng, true); len(file) > len(other)*3/5 {
		t.Errorf("a capture of predictable tasks has %d bytes, one of random tasks %d", len(file), len(other))
	}
}

// writeSwitches writes a capture of task switches, and returns the task of each hit. With
// random, the task does not depend on the hit before.
func writeSwitches(t *testing.T, rng *rand.Rand, random bool) (file []byte, running []uint32) {
	t.Helper()
	var out bytes.Buffer
	w, err := format.NewWriter(&out, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.StartSegment(format.Clock{}); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(switchedTasks) {
		w.Task(format.Task{PID: i, TID: i})
	}
	shape := w.Shape(format.Shape{Fields: []format.Field{{Name: w.String("next_pid"), Size: 4, Count: 1}}})
	probe := w.Probe(format.Probe{Name: w.String("switch"), Shape: shape})
	task := uint32(1)
	for i := range uint64(switches) {
		next := 1 + rng.Uint32N(switchedTasks)
		running = append(running, task)
		if err := w.Hit(&format.Hit{Time: 1000 * i, Task: format.TaskID(task), Probe: probe, Args: []uint64{uint64(next) * 7}}); err != nil {
			t.Fatal(err)
		}
		if task = next; random {
			task = 1 + rng.Uint32N(switchedTasks)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), running
}

// readTasks returns the tasks of all hits of a capture.
func readTasks(t *testing.T, file []byte) (tasks []uint32) {
	t.Helper()
	eachHits(t, file, func(h *format.Hits) {
		got, err := h.Task(nil)
		if err != nil {
			t.Fatal(err)
		}
		tasks = append(tasks, got...)
	})
	return tasks
}

// eachHits calls visit with all blocks of hits of a capture.
func eachHits(t *testing.T, file []byte, visit func(*format.Hits)) {
	t.Helper()
	r, err := format.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h, ok := b.(*format.Hits); ok {
			visit(h)
		}
	}
}
