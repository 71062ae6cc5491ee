package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trapline/capture/host"
	"trapline/capture/probe"
	"trapline/cmd/internal/cli"
	"trapline/internal/kallsyms"
)

// fakeResolver returns a resolver for a machine with two tracepoints and three kernel
// functions, one of which contains a tracepoint.
func fakeResolver(t *testing.T) *probe.Resolver {
	t.Helper()
	symbols, err := kallsyms.Read(strings.NewReader("ffffffff81000000 T _text\n" +
		"ffffffff81000100 T try_to_wake_up\nffffffff81000200 T vfs_read\nffffffff81000300 T vfs_write\n"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	const heading = "name: %s\nID: 1\nformat:\n" +
		"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" +
		"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n" +
		"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" +
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	for name, text := range map[string]string{
		"sys/bus/event_source/devices/kprobe/type":   "6\n",
		"sys/kernel/debug/kprobes/blacklist":         "",
		"tracing/available_filter_functions":         "try_to_wake_up\nvfs_read\nvfs_write\n",
		"tracing/events/sched/sched_waking/format":   heading + "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;\n\nprint fmt: \"\"\n",
		"tracing/events/sched/sched_waking/id":       "1\n",
		"tracing/events/kmem/mm_page_alloc/format":   heading + "\tfield:unsigned long pfn;\toffset:8;\tsize:8;\tsigned:0;\n\nprint fmt: \"\"\n",
		"tracing/events/kmem/mm_page_alloc/id":       "2\n",
		"tracing/events/sched/sched_waking/enable":   "0\n",
		"tracing/events/kmem/mm_page_alloc/enable":   "0\n",
		"sys/bus/event_source/devices/software/type": "1\n",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return probe.NewResolver(probe.Options{Root: root, TraceFS: filepath.Join(root, "tracing"), Symbols: symbols})
}

// TestPlan also checks the limits of the resolved probes.
func TestPlan(t *testing.T) {
	var b strings.Builder
	for _, args := range []string{
		"-e sched:sched_waking",
		"-e sched:sched_waking/args.pid>1/ -c 10 -- ls",
		"-e cpu-clock -F 99 -p 1",
		"-e kprobe:vfs_read+4 -a",
		"-e kprobe:try_to_wake_up -a",
	} {
		b.WriteString("# " + args + "\n")
		p := parseArgs(t, args)
		events, err := p.events.parse(nil)
		if err != nil {
			t.Fatal(err)
		}
		r := fakeResolver(t)
		found, err := resolve(r, events, &p.limits)
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if err := printPlan(&b, r, found, targetOf(p).(string)); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		for _, e := range found {
			for _, pr := range e.probes {
				if want := p.limits.every; pr.Limits.Every != want || pr.Frequency != p.limits.frequency {
					t.Errorf("%s: %s has limits %+v and frequency %d", args, pr.Name, pr.Limits, pr.Frequency)
				}
			}
		}
	}
	compareGolden(t, "plan.golden", withoutKinds(b.String()))
}

// Rates that could stall the machine are refused before anything is attached. Never try
// one without --dry-run.
func TestHarmfulRates(t *testing.T) {
	for args, want := range map[string]string{
		"-c 7 -e cpu-clock":            "record: -c 7: cpu-clock: a sample every 7 ns could stall the machine: the shortest period of cpu-clock is ",
		"-c 7":                         "could stall the machine",
		"-e task-clock[every=7]":       "record: task-clock[every=7]: a sample every 7 ns could stall the machine",
		"-e profile:us:10":             "record: profile:us:10: ",
		"-F 1000000000 -e page-faults": "record: -F 1000000000: 1000000000 samples per second are too many: this kernel allows at most ",
		"-f testdata/harm.yaml":        "record: testdata/harm.yaml:2: cpu-clock [every=100]: a sample every 100 ns",
	} {
		code, stdout, stderr := runCommand(t, append([]string{"--dry-run"}, strings.Fields(args)...)...)
		if code != cli.ExitUsage || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("record --dry-run %s: code %d, %q%q; want %q", args, code, stdout, stderr, want)
		}
	}
	for _, args := range []string{"-c 1 -e page-faults", "-c 10000000 -e cpu-clock", "-F 99 -e cpu-clock"} {
		if code, _, stderr := runCommand(t, append([]string{"--dry-run"}, strings.Fields(args)...)...); code != cli.ExitOK {
			t.Errorf("record --dry-run %s: code %d, %s", args, code, stderr)
		}
	}
}

func TestMinLatency(t *testing.T) {
	for args, ok := range map[string]bool{
		"--min-latency 5ms -e kretprobe:f":                true,
		"--min-latency 5ms -e kprobe:f -e sys:sys_exit_x": false,
		"--min-latency 5ms -e kprobe:f":                   false,
		"--min-latency 5ms -e uretprobe:b:f -e kprobe:f":  true,
	} {
		p := parseArgs(t, args)
		events, err := p.events.parse(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.limits.requireLatency(events); (err == nil) != ok {
			t.Errorf("record %s: %v", args, err)
		}
		for _, e := range events {
			if want := e.MeasuresCalls(); (e.Modifiers.MinDuration == 5*time.Millisecond) != want {
				t.Errorf("record %s: %s keeps calls of %v and more", args, e.Text, e.Modifiers.MinDuration)
			}
		}
	}
}

func TestNotes(t *testing.T) {
	var b strings.Builder
	probes := make([]probe.Probe, 4)
	for i := range probes {
		probes[i] = probe.Probe{Name: "p", Notes: []string{"odd", "strange"}}
	}
	printNotes(cli.Env{Name: "record", Stderr: &b}, []resolved{{probes: probes}})
	if want := strings.Repeat("record: p: odd\nrecord: p: strange\n", 2) + "record: p: odd\nrecord: 3 more notes: see --dry-run\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", &b, want)
	}
}

func TestHintTracepoints(t *testing.T) {
	r := fakeResolver(t)
	events, err := parseArgs(t, "-e kprobe:try_to_wake_up -e kprobe:vfs_read").events.parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := resolve(r, events, &limitFlags{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	hintTracepoints(cli.Env{Name: "record", Stderr: &b}, r, found)
	if want := "record: hint: the tracepoint sched:sched_waking also hits in try_to_wake_up and is stable\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestReport(t *testing.T) {
	var b strings.Builder
	err := printReport(&b, &host.Report{
		Facts:  []host.Fact{{Name: "kernel", Value: "6.12"}},
		Probes: []host.Ability{{Name: "kprobe", OK: true}, {Name: "fentry", Reason: "no BTF", Remedy: "use kprobe"}},
		Kernel: []host.Ability{{Name: "bpf_find_vma", Reason: "needs Linux 5.17"}},
	})
	const want = `kernel               6.12

probes
  kprobe                 yes
  fentry                 no: no BTF; use kprobe

used if available
  bpf_find_vma           no: needs Linux 5.17
`
	if err != nil || b.String() != want {
		t.Errorf("got\n%s%v\nwant\n%s", &b, err, want)
	}
}
