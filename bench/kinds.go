//go:build linux

package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"trapline/format"
	"trapline/internal/cost"
)

// A kind is a row of the table of costs by kind of probe.
type kind struct {
	name      string
	probe     format.ProbeKind // whose cost the row states; 0 means none
	event     string           // {} is replaced by the directory of targets
	arguments string           // to record when measuring arguments; "" means not measured
	target    []string         // prints ns per call; the number of calls is appended
	hits      float64          // per call
	perf      string           // perf's event; "" means that it has none
	define    []string         // arguments of perf probe that define the event
	bpftrace  string           // bpftrace's probe; "" means that it has none
}

// call is the loop around getppid. It calls leaf once.
var call = []string{"counter", "-c", "p", "-d", "8", "-T"}

var kindTable = []kind{
	{name: "tracepoint", probe: format.ProbeTracepoint, event: "raw_syscalls:sys_enter", target: call, hits: 1,
		perf: "raw_syscalls:sys_enter", bpftrace: "tracepoint:raw_syscalls:sys_enter"},
	{name: "raw tracepoint", probe: format.ProbeRawTracepoint, event: "rawtracepoint:sys_enter", target: call, hits: 1,
		bpftrace: "rawtracepoint:sys_enter"},
	{name: "kprobe", probe: format.ProbeKprobe, event: "kprobe:__x64_sys_getppid", target: call, hits: 1, arguments: "regs=arg0:x64",
		perf: "probe:bench_kprobe", define: []string{"bench_kprobe=__x64_sys_getppid"}, bpftrace: "kprobe:__x64_sys_getppid"},
	{name: "kretprobe", probe: format.ProbeKretprobe, event: "kretprobe:__x64_sys_getppid", target: call, hits: 1, arguments: "ret=retval:s32",
		perf: "probe:bench_kretprobe__return", define: []string{"bench_kretprobe=__x64_sys_getppid%return"}, bpftrace: "kretprobe:__x64_sys_getppid"},
	{name: "fentry", probe: format.ProbeFentry, event: "fentry:__x64_sys_getppid", target: call, hits: 1,
		bpftrace: "kfunc:__x64_sys_getppid"},
	{name: "fexit", probe: format.ProbeFexit, event: "fexit:__x64_sys_getppid", target: call, hits: 1, arguments: "ret=retval:s32",
		bpftrace: "kretfunc:__x64_sys_getppid"},
	{name: "uprobe", probe: format.ProbeUprobe, event: "uprobe:{}/counter:leaf", target: call, hits: 1, arguments: "i=arg0:s32 x=arg2:s64",
		perf: "probe_counter:bench_uprobe", define: []string{"-x", "{}/counter", "bench_uprobe=leaf"}, bpftrace: "uprobe:{}/counter:leaf"},
	{name: "uprobes by a pattern", event: "uprobe:{}/counter:{leaf,mid}", target: call, hits: 2, arguments: "a=arg0:s32",
		bpftrace: "uprobe:{}/counter:leaf,uprobe:{}/counter:mid"},
	{name: "uretprobe", probe: format.ProbeUretprobe, event: "uretprobe:{}/counter:leaf", target: call, hits: 1, arguments: "ret=retval:s32",
		perf: "probe_counter:bench_uretprobe__return", define: []string{"-x", "{}/counter", "bench_uretprobe=leaf%return"}, bpftrace: "uretprobe:{}/counter:leaf"},
	{name: "USDT", probe: format.ProbeUSDT, event: "usdt:{}/usdt:trapline:twice", arguments: "i=arg0:u64", target: []string{"usdt", "-T"}, hits: 1,
		bpftrace: "usdt:{}/usdt:trapline:twice"},
}

func kindNames() (names []string) {
	for _, k := range kindTable {
		names = append(names, k.name)
	}
	return names
}

// kindCosts prints what a hit costs by kind: the extra ns of a probed call. perf records the
// same hits. bpftrace counts hits, or counts them by stack, and keeps none.
func kindCosts(b *bench) ([]row, error) {
	table, err := b.costTable()
	if err != nil {
		return nil, err
	}
	if err := printCosts(os.Stdout, &table, b.json); err != nil {
		return nil, err
	}
	if b.write != "" {
		table.Name = b.write
		if err := cost.Replace(b.root, table); err != nil {
			return nil, err
		}
	}
	return nil, b.attachCosts()
}

// costTable measures the kinds, one after another. Kinds that record cannot probe here have
// no row.
func (b *bench) costTable() (cost.Table, error) {
	table := cost.Table{
		Machine: machine(), Date: b.started.Format("2006-01-02"),
		Command: "bench " + strings.Join(os.Args[1:], " "), Runs: b.runs, Calls: b.calls,
	}
	for i := range kindTable {
		k := &kindTable[i]
		if !b.kinds.has(k.name) {
			continue
		}
		ns, err := b.costs(k)
		if err != nil {
			return table, fmt.Errorf("%s: %w", k.name, err)
		}
		if _, ok := ns[cost.Plain]; !ok {
			continue
		}
		r := cost.Row{Kind: k.name, NS: ns}
		if k.probe != format.ProbeUnknown {
			r.Probe = k.probe.String()
		}
		table.Rows = append(table.Rows, r)
	}
	return table, nil
}

// unprobed is the way that runs the loop without recording.
const unprobed cost.Way = ""

// costs measures the ways of recording one kind, alternately.
func (b *bench) costs(k *kind) (map[cost.Way]int, error) {
	ways := b.waysOf(k)
	if b.definePerf(k, ways) {
		defer exec.Command("perf", "probe", "-q", "-d", k.perf).Run()
	}
	order := append([]cost.Way{unprobed}, cost.Ways()...)
	ns := map[cost.Way][]float64{}
	for range b.runs {
		for _, way := range order {
			command := ways[way]
			if command == nil {
				continue
			}
			v, err := timed(command)
			if err != nil { // this machine cannot do it
				fmt.Fprintf(os.Stderr, "bench: left out: %v\n", err)
				delete(ways, way)
				continue
			}
			ns[way] = append(ns[way], v)
			if command[0] != b.record() {
				continue
			}
			if a, err := b.account(b.file("trapline.data")); err != nil || a.lost > 0 {
				return nil, fmt.Errorf("%.0f hits lost, which makes the time meaningless (%v)", a.lost, err)
			}
		}
	}
	if ways[unprobed] == nil {
		return nil, fmt.Errorf("%s cannot be run", k.target[0])
	}
	out := map[cost.Way]int{}
	for _, way := range cost.Ways() {
		if ways[way] != nil {
			out[way] = int(math.Round((median(ns[way]) - median(ns[unprobed])) / k.hits))
		}
	}
	return out, nil
}

// waysOf returns the command for each way of recording that may work here.
func (b *bench) waysOf(k *kind) map[cost.Way][]string {
	target := append(slices.Clone(k.target), strconv.Itoa(b.calls))
	target[0] = b.target(target[0])
	event := strings.ReplaceAll(k.event, "{}", b.targets)
	ours := func(event string, args ...string) []string {
		return slices.Concat([]string{b.record(), "-q", "-m", "64M", "-e", event, "-o", b.file("trapline.data")}, args, []string{"--"}, target)
	}
	perf := func(args ...string) []string {
		return slices.Concat([]string{"perf", "record", "-q", "-m", "64M", "-c", "1", "-e", k.perf, "-o", b.file("perf.data")}, args, []string{"--"}, target)
	}
	bpftrace := func(body string) []string {
		return []string{"bpftrace", "-c", strings.Join(target, " "), "-e", strings.ReplaceAll(k.bpftrace, "{}", b.targets) + " { " + body + " }"}
	}
	ways := map[cost.Way][]string{unprobed: target}
	if out, err := exec.Command(b.record(), "--dry-run", "-e", event).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: left out: %s\n", strings.TrimSpace(string(out)))
	} else {
		ways[cost.Plain], ways[cost.Stacks] = ours(event, "--no-stacks"), ours(event)
		if k.arguments != "" {
			ways[cost.Arguments] = ours(event+" "+k.arguments, "--no-stacks")
		}
	}
	if _, err := exec.LookPath("perf"); err == nil && k.perf != "" {
		ways[cost.Perf], ways[cost.PerfStacks] = perf(), perf("-g")
	}
	if _, err := exec.LookPath("bpftrace"); err == nil && k.bpftrace != "" {
		ways[cost.Bpftrace], ways[cost.BpftraceStacks] = bpftrace("@ = count();"), bpftrace("@[kstack, ustack] = count();")
	}
	return ways
}

// definePerf defines perf's event, which outlives perf, and reports whether the caller must
// delete it. If that fails, it removes perf's ways.
func (b *bench) definePerf(k *kind, ways map[cost.Way][]string) bool {
	if k.define == nil || ways[cost.Perf] == nil {
		return false
	}
	args := []string{"probe", "-q"}
	for _, a := range k.define {
		args = append(args, strings.ReplaceAll(a, "{}", b.targets))
	}
	exec.Command("perf", "probe", "-q", "-d", k.perf).Run() // left by a run that was killed
	if exec.Command("perf", args...).Run() != nil {
		delete(ways, cost.Perf)
		delete(ways, cost.PerfStacks)
		return false
	}
	return true
}
