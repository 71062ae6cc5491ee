package analysistest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"trapline/format"
)

// A Hit describes a hit of a capture of [Random].
type Hit struct {
	Time         uint64
	CPU          int
	PID, TID     uint32
	Comm         string
	Probe        string
	Period       uint64   // of the probe
	Kernel, User []string // functions, innermost first; nil for no stack
	Image        string   // of the user stack
	Cut          bool     // the user stack is cut
	Size         int64    // argument of the probe
	Tag          string   // argument of some probes; "" for others
}

// Random returns a capture of n hits, and the hits in the order of [analysis.Each].
// Stacks, tasks and arguments come from small sets, so that they recur, even across
// segments. Functions recur within stacks.
func Random(seed uint64, n int) ([]byte, []Hit) {
	r := rand.New(rand.NewPCG(seed, 0))
	b := New()
	hits := make([]Hit, n)
	perSegment := n/3 + 1
	for i := range hits {
		if i > 0 && i%perSegment == 0 {
			b.Segment()
		}
		hits[i] = randomHit(r)
		// Groups of eight hits are in reverse order.
		hits[i].Time = 1e9 + uint64(i/8*8+7-i%8)*1000
		b.add(hits[i])
	}
	// Each sorts by time within segments.
	for from := 0; from < n; from += perSegment {
		sortByTime(hits[from:min(from+perSegment, n)])
	}
	return b.Bytes(), hits
}

func sortByTime(hits []Hit) {
	for i := range hits { // nearly in order
		for j := i; j > 0 && hits[j].Time < hits[j-1].Time; j-- {
			hits[j], hits[j-1] = hits[j-1], hits[j]
		}
	}
}

func randomHit(r *rand.Rand) Hit {
	process := uint32(r.IntN(3)+1) * 100
	h := Hit{
		CPU: r.IntN(3), PID: process, TID: process + uint32(r.IntN(2)), Comm: []string{"server", "worker", "shell"}[r.IntN(3)],
		Period: 1, Size: int64(r.IntN(5)) - 2,
	}
	switch r.IntN(4) {
	case 0:
		h.Probe, h.Period = "kprobe:vfs_read", 10
	case 1:
		h.Probe, h.Tag = "sched:sched_switch", []string{"a", "b;c"}[r.IntN(2)]
	default:
		h.Probe = "uprobe:app:main.(*T).Do"
	}
	if r.IntN(3) > 0 {
		h.Kernel = randomStack(r, "rw_verify_area", "do_syscall", "entry", "irq")
	}
	if r.IntN(4) > 0 {
		h.Image = []string{"/bin/app", "/lib/libc.so.6"}[r.IntN(2)]
		h.User = randomStack(r, "leaf", "walk", "handle", "main", "_start")
		h.Cut = r.IntN(5) == 0
	}
	return h
}

func randomStack(r *rand.Rand, functions ...string) []string {
	stack := make([]string, r.IntN(5)+1)
	for i := range stack {
		stack[i] = functions[r.IntN(len(functions))]
	}
	return stack
}

// add writes a hit.
func (b *Builder) add(h Hit) {
	size := b.FieldOf("size", format.FieldInt, 8)
	fields, args := []format.Field{size}, []uint64{uint64(h.Size)}
	if h.Tag != "" {
		fields, args = append(fields, b.FieldOf("tag", format.FieldString, 0)), append(args, uint64(b.String(h.Tag)))
	}
	kinds := map[string]format.ProbeKind{
		"kprobe:vfs_read": format.ProbeKprobe, "sched:sched_switch": format.ProbeTracepoint, "uprobe:app:main.(*T).Do": format.ProbeUprobe,
	}
	hit := format.Hit{
		CPU: uint32(h.CPU), Task: b.TaskOf(h.PID, h.TID, h.Comm), Args: args,
		Probe: b.Probe(format.Probe{
			Kind: kinds[h.Probe], Name: b.String(h.Probe), Event: b.String(h.Probe), Period: h.Period,
			Shape: b.Shape(format.Shape{Fields: fields}),
		}),
	}
	if h.Kernel != nil {
		hit.KernelStack = b.KernelStack(h.Kernel...)
	}
	if h.User != nil {
		cut := format.CutNone
		if h.Cut {
			cut = format.CutNoRule
		}
		hit.UserStack = b.UserStack(h.Image, cut, h.User...)
	}
	b.Add(1, h.Time, hit)
}

// A Call is what tells functions apart in reports.
type Call struct {
	Name      string
	Image     string // path; "" for a stand-in
	Kernel    bool
	Truncated bool // stand-in for a cut stack
}

// DSO returns the name of the image in reports.
func (c Call) DSO() string {
	if c.Truncated {
		return "[unknown]"
	}
	return c.Image[strings.LastIndexByte(c.Image, '/')+1:]
}

// Calls returns the calls of a hit, innermost first.
func (h *Hit) Calls() []Call {
	var calls []Call
	for _, f := range h.Kernel {
		calls = append(calls, Call{Name: f, Image: "[kernel.kallsyms]", Kernel: true})
	}
	for _, f := range h.User {
		calls = append(calls, Call{Name: f, Image: h.Image})
	}
	if h.Cut {
		calls = append(calls, Call{Name: fmt.Sprintf("[truncated: %s]", format.CutNoRule), Truncated: true})
	}
	return calls
}
