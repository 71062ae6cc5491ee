package capture_test

import (
	"bytes"
	"context"

	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"testing"

	"trapline/bpf"
	"trapline/capture"
	"trapline/capture/attach"
	"trapline/capture/event"
	"trapline/capture/images"
	"trapline/capture/layout"
	"trapline/capture/probe"
	"trapline/format"
	"trapline/internal/testenv"
)

// madeUpKind has no constant in package format and no code except its descriptor.
const madeUpKind format.ProbeKind = 200

// madeUpCalls is the number of calls of madeUpTarget in the child.
const madeUpCalls = 3

const childVariable = "TRAPLINE_MADE_UP"

var madeUpCount int

// madeUpTarget has no stack check in its prologue, which could run its entry twice for
// one call: after the stack has grown, or when the goroutine is preempted.
//
//go:noinline
//go:nosplit
func madeUpTarget() { madeUpCount++ }

func init() {
	if os.Getenv(childVariable) != "" {
		for range madeUpCalls {
			madeUpTarget()
		}
		os.Exit(0)
	}
	probe.Register(&probe.Kind{
		Syntax:    event.Syntax{Kind: madeUpKind, Spellings: []string{"madeup"}, InPrograms: true},
		What:      "function of this test",
		Stability: "none",
		Program:   bpf.HooksProgOnRegisters,
		Backends:  []probe.Backend{probe.UprobeMulti, probe.UprobeEvent},
		Sharing:   func(p *probe.Probe, _ *probe.Site) string { return p.Path },
	})
}

// madeUpProbe returns a probe at the entry of madeUpTarget.
func madeUpProbe(t *testing.T) probe.Probe {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return probe.Probe{Kind: madeUpKind, Name: "madeup:target", Event: "madeup:target", Path: path, Function: "madeUpTarget",
		Offset: fileOffset(t, uint64(reflect.ValueOf(madeUpTarget).Pointer())), Record: layout.Record{RecordSize: bpf.RecordOffset}}
}

// fileOffset returns the offset of this process's code in its file.
func fileOffset(t *testing.T, address uint64) uint64 {
	t.Helper()
	for _, m := range images.ProcessMaps(uint32(os.Getpid())) {
		if address >= m.Start && address < m.End {
			return address - m.Start + m.Offset
		}
	}
	t.Fatalf("nothing is mapped at %#x", address)
	return 0
}

// A new kind of probe needs only its descriptor in this package and those below.
func TestMadeUpKindIsGrouped(t *testing.T) {
	p := probe.Probe{Kind: madeUpKind, Path: "/bin/true"}
	got := attach.Backends([]probe.Probe{p})[0]
	if got != probe.UprobeMulti.String() && got != probe.UprobeEvent.String() {
		t.Errorf("attached by %q", got)
	}
}

func TestMadeUpKindIsRecorded(t *testing.T) {
	testenv.Root(t)
	p := madeUpProbe(t)
	t.Setenv(childVariable, "1")
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child, err := capture.StartStopped([]string{path}, true)
	if err != nil {
		t.Fatal(err)
	}
	r := capture.New(capture.Options{Probes: []probe.Probe{p}, UserStacks: true,
		Scope: attach.Scope{PIDs: []uint32{uint32(child.PID())}}, Command: uint32(child.PID())}, nil)
	defer r.Close()
	if err := errors.Join(r.Open(), r.Attach()); err != nil {
		child.Kill()
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var file bytes.Buffer
	if _, err := r.Run(ctx, &file, func() error {
		go func() {
			child.Wait()
			cancel()
		}()
		return child.Continue()
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := hitsByKind(t, &file), fmt.Sprint(map[string]int{"kind 200 madeup:target": madeUpCalls}); fmt.Sprint(got) != want {
		t.Errorf("the capture has %v, want %v", got, want)
	}
}

// hitsByKind counts the hits of a capture by kind and probe.
func hitsByKind(t *testing.T, file io.Reader) map[string]int {
	t.Helper()
	r, err := format.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for {
		b, err := r.Next()
		if err == io.EOF {
			return counts
		}
		if err != nil {
			t.Fatal(err)
		}
		h, ok := b.(*format.Hits)
		if !ok {
			continue
		}
		ids, err := h.Probe(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			p, _ := h.Segment.Probe(format.ProbeID(id))
			counts[fmt.Sprintf("kind %d %s", p.Kind, h.Segment.String(p.Name))]++
		}
	}
}
