package teach

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/images"
	"trapline/capture/unwind"
	"trapline/internal/testenv"
)

// newMap creates a map of the BPF programs.
func newMap(t *testing.T, name string) *ebpf.Map {
	t.Helper()
	spec, err := bpf.LoadHooks()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ebpf.NewMap(spec.Maps[name])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// After Prepare and Wait, the maps contain the rules of the process's images, as their
// unwind information defines them.
func TestPreparedRows(t *testing.T) {
	testenv.Root(t)
	user := images.NewUserSpace()
	teacher := New(user, true, nil)
	rows, spans := newMap(t, bpf.HooksMapRows), newMap(t, bpf.HooksMapImageRows)
	if err := teacher.Open(newMap(t, bpf.HooksMapRules), rows, spans); err != nil {
		t.Fatal(err)
	}
	teacher.Prepare(uint32(os.Getpid()))
	teacher.Wait()
	defer func() {
		if err := errors.Join(teacher.Close(), user.Close()); err != nil {
			t.Error(err)
		}
	}()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	at := images.Moment{PID: uint32(os.Getpid()), Space: 1, Time: uint64(now.Nano())}
	here, ok := user.Locate(at, uint64(reflect.ValueOf(newMap).Pointer()))
	if !ok || here.Image == nil {
		t.Fatalf("this code is in %+v", here)
	}
	var span bpf.HooksRowSpan
	if err := spans.Lookup(here.Image.Key, &span); err != nil {
		t.Fatal("the rows of this program: ", err)
	}
	written := make([]bpf.HooksRow, span.Count)
	for i := range written {
		if err := rows.Lookup(span.First+uint32(i), &written[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.IsSortedFunc(written, func(a, b bpf.HooksRow) int { return int(int64(a.Offset - b.Offset)) }) {
		t.Error("the rows are not sorted")
	}
	file, err := os.Open(filepath.Join(here.Image.Root, here.Image.Path))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	read, err := unwind.ReadImage(file)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, row := range written {
		if row.Body == 0 {
			continue // taught one by one
		}
		if rule := read.Rule(row.Offset); ruleBody(row.Body) != encodeRule(rule) {
			t.Fatalf("at %#x the rule is %+v, written as %#x", row.Offset, rule, row.Body)
		}
		compared++
	}
	if compared < 1000 {
		t.Errorf("only %d rules", compared)
	}
}

// A teacher that was never opened can be closed.
func TestTeacherWithoutTables(t *testing.T) {
	user := images.NewUserSpace()
	teacher := New(user, true, nil)
	if err := errors.Join(teacher.Close(), user.Close()); err != nil {
		t.Error(err)
	}
}
