//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A kind is a row of the table of what hits cost by the kind of the probe.
type kind struct {
	name      string
	event     string   // {} stands for the directory of the targets
	arguments string   // asked for where they are measured; "" those of the kind itself
	target    []string // prints ns a call; the number of calls is added
	hits      float64  // of the probe a call
	perf      string   // perf's event; "" it has none
	define    []string // arguments of perf probe that make it
	bpftrace  string   // bpftrace's probe; "" it has none
}

// call is the loop around getppid, in which leaf is called once.
var call = []string{"counter", "-c", "p", "-d", "8", "-T"}

var kinds = []kind{
	{name: "tracepoint", event: "raw_syscalls:sys_enter", target: call, hits: 1, perf: "raw_syscalls:sys_enter", bpftrace: "tracepoint:raw_syscalls:sys_enter"},
	{name: "raw tracepoint", event: "rawtracepoint:sys_enter", target: call, hits: 1, bpftrace: "rawtracepoint:sys_enter"},
	{name: "kprobe", event: "kprobe:__x64_sys_getppid", target: call, hits: 1, arguments: "regs=arg0:x64", perf: "probe:bench_kprobe",
		define: []string{"bench_kprobe=__x64_sys_getppid"}, bpftrace: "kprobe:__x64_sys_getppid"},
	{name: "kretprobe", event: "kretprobe:__x64_sys_getppid", target: call, hits: 1, arguments: "ret=retval:s32", perf: "probe:bench_kretprobe__return",
		define: []string{"bench_kretprobe=__x64_sys_getppid%return"}, bpftrace: "kretprobe:__x64_sys_getppid"},
	{name: "fentry", event: "fentry:__x64_sys_getppid", target: call, hits: 1, bpftrace: "kfunc:__x64_sys_getppid"},
	{name: "fexit", event: "fexit:__x64_sys_getppid", target: call, hits: 1, arguments: "ret=retval:s32", bpftrace: "kretfunc:__x64_sys_getppid"},
	{name: "uprobe", event: "uprobe:{}/counter:leaf", target: call, hits: 1, arguments: "i=arg0:s32 x=arg2:s64", perf: "probe_counter:bench_uprobe",
		define: []string{"-x", "{}/counter", "bench_uprobe=leaf"}, bpftrace: "uprobe:{}/counter:leaf"},
	{name: "uprobe, a pattern", event: "uprobe:{}/counter:{leaf,mid}", target: call, hits: 2, arguments: "a=arg0:s32", bpftrace: "uprobe:{}/counter:leaf,uprobe:{}/counter:mid"},
	{name: "uretprobe", event: "uretprobe:{}/counter:leaf", target: call, hits: 1, arguments: "ret=retval:s32", perf: "probe_counter:bench_uretprobe__return",
		define: []string{"-x", "{}/counter", "bench_uretprobe=leaf%return"}, bpftrace: "uretprobe:{}/counter:leaf"},
	{name: "USDT", event: "usdt:{}/usdt:trapline:twice", arguments: "i=arg0:u64", target: []string{"usdt", "-T"}, hits: 1, bpftrace: "usdt:{}/usdt:trapline:twice"},
}

// kindCosts prints what a hit costs by kind: what a call takes more than an unprobed
// one, in ns. What perf does is the same; bpftrace counts hits, by stacks where there
// are any, and keeps none.
func kindCosts(b *bench) ([]row, error) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ns a hit\ttrapline\twith arguments\twith stacks\tperf\tperf -g\tbpftrace count()\twith stacks\t")
	for i := range kinds {
		if b.kinds != "" && !listed(b.kinds, kinds[i].name) {
			continue
		}
		costs, err := b.costs(&kinds[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kinds[i].name, err)
		}
		fmt.Fprintf(w, "%s\t%s\t\n", kinds[i].name, strings.Join(costs, "\t"))
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return nil, b.attachCosts()
}

// costs measures the ways of recording one kind in turn.
func (b *bench) costs(k *kind) ([]string, error) {
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
	const none = 8 // columns, the first is the unprobed loop
	ways := make([][]string, none)
	ways[0] = target
	if out, err := exec.Command(b.record(), "--dry-run", "-e", event).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: left out: %s\n", strings.TrimSpace(string(out)))
	} else {
		ways[1], ways[3] = ours(event, "--no-stacks"), ours(event)
		if k.arguments != "" {
			ways[2] = ours(event+" "+k.arguments, "--no-stacks")
		}
	}
	if _, err := exec.LookPath("perf"); err == nil && k.perf != "" && b.define(k) {
		defer exec.Command("perf", "probe", "-q", "-d", k.perf).Run()
		ways[4], ways[5] = perf(), perf("-g")
	}
	if _, err := exec.LookPath("bpftrace"); err == nil && k.bpftrace != "" {
		ways[6], ways[7] = bpftrace("@ = count();"), bpftrace("@[kstack, ustack] = count();")
	}
	ns := make([][]float64, len(ways))
	for range b.runs {
		for i, way := range ways {
			if way == nil {
				continue
			}
			v, err := timed(way)
			if err != nil { // not possible here
				fmt.Fprintf(os.Stderr, "bench: left out: %v\n", err)
				ways[i] = nil
				continue
			}
			ns[i] = append(ns[i], v)
			if way[0] != b.record() {
				continue
			}
			if a, err := b.account(b.file("trapline.data")); err != nil || a.lost > 0 {
				return nil, fmt.Errorf("%.0f hits lost, which makes the time mean nothing (%v)", a.lost, err)
			}
		}
	}
	base := median(ns[0])
	costs := make([]string, 0, len(ways)-1)
	for i := range ways[1:] {
		if ways[i+1] == nil {
			costs = append(costs, "-")
			continue
		}
		costs = append(costs, fmt.Sprintf("%.0f", (median(ns[i+1])-base)/k.hits))
	}
	return costs, nil
}

// timed runs a command and returns what the target printed: the first line that is a number.
func timed(way []string) (float64, error) {
	out, err := run(way[0], way[1:]...)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(out.stdout) {
		if v, err := firstNumber(line); err == nil {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%s: no time in its output", way[0])
}

// define makes perf's event, which outlives perf, and reports whether it is there.
func (b *bench) define(k *kind) bool {
	if k.define == nil {
		return true
	}
	args := []string{"probe", "-q"}
	for _, a := range k.define {
		args = append(args, strings.ReplaceAll(a, "{}", b.targets))
	}
	exec.Command("perf", "probe", "-q", "-d", k.perf).Run() // of a run that was killed
	return exec.Command("perf", args...).Run() == nil
}

// attachCosts measures how long a thousand functions take to attach and to detach.
func (b *bench) attachCosts() error {
	for _, event := range []string{"uprobe:" + b.target("many") + ":many_*", "uretprobe:" + b.target("many") + ":many_*", "kprobe:__x64_sys_*"} {
		if exec.Command(b.record(), "--dry-run", "-e", event).Run() != nil {
			continue
		}
		var attach, detach []float64
		for range b.runs {
			up, down, err := b.attachTime(event)
			if err != nil {
				return err
			}
			attach, detach = append(attach, up), append(detach, down)
		}
		fmt.Printf("%s: attached after %.0f ms, start of the program included; detached and ended in %.0f ms\n",
			strings.Replace(event, b.targets, "", 1), median(attach), median(detach))
	}
	return nil
}

// attachTime returns how long record takes until it is ready, and from the end of the
// recording to its own, in ms.
func (b *bench) attachTime(event string) (attach, detach float64, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	cmd := exec.Command(b.record(), "-q", "--allow-slow", "--no-stacks", "-o", filepath.Join(b.tmp, "attach.data"), "--ready-fd", "3", "-e", event, "-p", fmt.Sprint(os.Getpid()))
	cmd.ExtraFiles = []*os.File{w}
	start := time.Now()
	err = cmd.Start()
	w.Close()
	if err != nil {
		return 0, 0, err
	}
	if _, err := r.Read(make([]byte, 64)); err != nil {
		cmd.Wait()
		return 0, 0, fmt.Errorf("%s: not attached: %w", event, err)
	}
	attach = float64(time.Since(start).Microseconds()) / 1000
	start = time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return 0, 0, err
	}
	if err := cmd.Wait(); err != nil {
		return 0, 0, err
	}
	return attach, float64(time.Since(start).Microseconds()) / 1000, nil
}
