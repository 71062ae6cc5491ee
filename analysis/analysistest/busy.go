package analysistest

import (
	"fmt"
	"math/rand/v2"

	"trapline/format"
)

// Busy returns a capture of n hits that resembles a system-wide recording of a
// build: 200 threads, 700 kernel stacks, the given number of user stacks, and twice
// as many pairs of both, a few of them common. (A build of 20 s has about 70,000
// user stacks.)
func Busy(n, stacks int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	b := New()
	var sites []format.Hit
	begin := func() {
		var tasks []format.TaskID
		var kernel, user []format.StackID
		var probes []format.ProbeID
		rnd := rand.New(rand.NewPCG(3, 4)) // the same in every segment
		for i := range 200 {
			tasks = append(tasks, b.TaskOf(uint32(i/4*4), uint32(i), fmt.Sprintf("task%d", i/20)))
		}
		stack := func(functions, depth int) []string {
			var s []string
			for range depth {
				s = append(s, fmt.Sprintf("function%d", rnd.IntN(functions)))
			}
			return append(s, "main", "_start")
		}
		for range 700 {
			kernel = append(kernel, b.KernelStack(stack(400, 5)...))
		}
		for range stacks {
			user = append(user, b.UserStack("/usr/bin/program", format.CutNone, stack(5000, 10)...))
		}
		for _, name := range []string{"sched:sched_switch", "kmem:kmem_cache_alloc", "syscalls:sys_enter_openat"} {
			probes = append(probes, b.ProbeOf(format.ProbeTracepoint, name, b.FieldOf("size", format.FieldUint, 8)))
		}
		sites = sites[:0]
		for i := range 2 * stacks {
			sites = append(sites, format.Hit{
				Task: tasks[rnd.IntN(len(tasks))], Probe: probes[i%len(probes)],
				KernelStack: kernel[rnd.IntN(len(kernel))], UserStack: user[i/2],
			})
		}
	}
	begin()
	// A power makes small indices common, as in real life.
	pick := func(n int) int { f := rnd.Float64(); return int(f * f * f * float64(n)) }
	t := uint64(1e9)
	for range n {
		if b.SegmentFull() {
			b.Segment()
			begin()
		}
		t += rnd.Uint64N(20000)
		h := sites[pick(len(sites))]
		h.CPU, h.Args = uint32(rnd.IntN(2)), []uint64{uint64(pick(64)) * 8}
		b.Add(1, t, h)
	}
	return b.Bytes()
}
