package main

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"trapline/capture"
	"trapline/cmd/internal/cli"
)

// parsed is a command line with its options.
type parsed struct {
	*commandLine
	opt capture.Options
}

func parseArgs(t *testing.T, args string) *parsed {
	t.Helper()
	var stderr strings.Builder
	line, done, _ := parse(cli.Env{Name: "record", Args: strings.Fields(args), Stdout: io.Discard, Stderr: &stderr})
	if done {
		t.Fatalf("record %s: refused: %s", args, &stderr)
	}
	opt, err := line.options()
	if err != nil {
		t.Fatalf("record %s: refused: %v", args, err)
	}
	return &parsed{line, opt}
}

// spelled returns the events of a command line in their canonical spelling.
func spelled(p *parsed) any {
	events, err := p.events.parse(func() string { return "page-faults" })
	if err != nil {
		return err
	}
	var s []string
	for _, e := range events {
		s = append(s, e.String())
	}
	return strings.Join(s, " ")
}

func targetOf(p *parsed) any {
	if p.scope.followsCommand() {
		return target(&p.opt.Scope, p.operands[0])
	}
	return target(&p.opt.Scope, "")
}

// Includes the spellings that perf users expect.
func TestParse(t *testing.T) {
	for _, test := range []struct {
		args  string
		check func(p *parsed) any
		want  any
	}{
		{"-e sched:sched_switch -ag sleep 10", func(p *parsed) any { return p.operands }, []string{"sleep", "10"}},
		{"-e sched:sched_switch -ag sleep 10", func(p *parsed) any { return p.scope.all }, true},
		{"-e a:b -e c:d", spelled, "tracepoint:a:b tracepoint:c:d"},
		{"-e a:b,c:d --filter x>1 --filter y/2==1 -e e:f", spelled, "tracepoint:a:b /(x>1) && (y/2==1)/ tracepoint:c:d /(x>1) && (y/2==1)/ tracepoint:e:f"},
		{"-e a:b/x/ --filter y", spelled, "tracepoint:a:b /(x) && (y)/"},
		{"-e f -x libc -e g -m ext4 -e h --module vmlinux -e i", spelled, "uprobe:libc:f uprobe:libc:g kprobe:ext4:h kprobe:vmlinux:i"},
		{"", spelled, "page-faults"},
		{"-m 8M -m nf_tables -e f", func(p *parsed) any { return p.opt.RingBytes }, 8 << 20},
		{"-e a:b -- ls -l", func(p *parsed) any { return p.operands }, []string{"ls", "-l"}},
		{"-e a:b ls -a", func(p *parsed) any { return p.scope.all }, false},
		{"-p 12,34", func(p *parsed) any { return p.opt.Scope.PIDs }, []uint32{12, 34}},
		{"-t 5 -i", func(p *parsed) any { return p.opt.Scope.NoInherit }, true},
		{"-C 0-2,5", func(p *parsed) any { return p.opt.Scope.CPUs }, []int{0, 1, 2, 5}},
		{"-u 0,7", func(p *parsed) any { return p.opt.Scope.UIDs }, []uint32{0, 7}},
		{"-u root", func(p *parsed) any { return p.opt.Scope.UIDs }, []uint32{0}},
		{"-m 512", func(p *parsed) any { return p.opt.RingBytes }, 512 * 4096},
		{"-m 8M", func(p *parsed) any { return p.opt.RingBytes }, 8 << 20},
		{"-F 99", func(p *parsed) any { return p.limits.frequency }, uint64(99)},
		{"", func(p *parsed) any { return p.opt.Resolution }, uint16(100)},
		{"--time-resolution 1ns", func(p *parsed) any { return p.opt.Resolution }, uint16(1)},
		{"--time-resolution 1us", func(p *parsed) any { return p.opt.Resolution }, uint16(1000)},
		{"-z0", func(p *parsed) any { return p.opt.Level }, 0},
		{"-z", func(p *parsed) any { return p.opt.Level }, 1},
		{"-z3", func(p *parsed) any { return p.opt.Level }, 3},
		{"", func(p *parsed) any { return p.opt.KernelStacks && p.opt.UserStacks }, true},
		{"--no-stacks", func(p *parsed) any { return p.opt.KernelStacks || p.opt.UserStacks }, false},
		{"--call-graph none", func(p *parsed) any { return p.opt.KernelStacks || p.opt.UserStacks }, false},
		{"--call-graph dwarf,8192", func(p *parsed) any { return p.opt.UserStacks && !p.opt.FramePointers }, true},
		{"--call-graph fp", func(p *parsed) any { return p.opt.FramePointers }, true},
		{"-K", func(p *parsed) any { return p.opt.KernelStacks && !p.opt.UserStacks }, true},
		{"-U", func(p *parsed) any { return p.opt.UserStacks && !p.opt.KernelStacks }, true},
		{"-KU", func(p *parsed) any { return p.opt.UserStacks && p.opt.KernelStacks }, true},
		{"-c 100", func(p *parsed) any { return p.limits.every }, uint64(100)},
		{"-M 5", func(p *parsed) any { return p.opt.MaxHits }, uint64(5)},
		{"-D 250", func(p *parsed) any { return p.opt.Delay }, 250 * time.Millisecond},
		{"-D 2s", func(p *parsed) any { return p.opt.Delay }, 2 * time.Second},
		{"--comm a*,b --comm c", func(p *parsed) any { return p.opt.Scope.Comms }, []string{"a*", "b", "c"}},
		{"--exclude x", func(p *parsed) any { return p.opt.Scope.Except }, []string{"x"}},
		{"-a --comm a* --exclude ab", targetOf, "task name a*, not task name ab"},
		{"-a", targetOf, "system-wide"},
		{"ls", targetOf, "command ls and its children"},
		{"-a ls", targetOf, "system-wide"},
		{"-p 3,4 -C 1", targetOf, "process 3,4, CPU 1"},
		{"-t 7 -u 0,3 ls", targetOf, "thread 7, user 0,3"},
		{"-q -v", func(p *parsed) any { return p.verbose }, false},
		{"-vv", func(p *parsed) any { return p.verbose }, true},
		{"-l sched:*", func(p *parsed) any { return p.scope.followsCommand() }, false},
	} {
		p := parseArgs(t, test.args)
		if got := test.check(p); !reflect.DeepEqual(got, test.want) {
			t.Errorf("record %s: got %#v, want %#v", test.args, got, test.want)
		}
	}
}

// Usage errors are reported before anything is attached.
func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"--frobnicate":            "unknown flag: --frobnicate",
		"-p x":                    `process "x" is not a number`,
		"-t 1,":                   `thread "" is not a number`,
		"-p 1 -a":                 "-a and -p or -t exclude each other",
		"-C 3-1":                  `CPU list "3-1"`,
		"-C 4000":                 "-C 4000: CPU 4000 is not one of 0 to 1023",
		"-u nosuchuser":           "-u nosuchuser: no such user",
		"-u 1,2,3,4,5,6,7,8,9":    "-u 1,2,3,4,5,6,7,8,9: at most 8 users",
		"--filter x -e a:b":       "--filter x: must follow the -e it applies to",
		"--exec= -e a:b":          "must not be empty",
		"-m 8Q":                   `size "8Q"`,
		"-m 2G":                   "-m 2G: must be at most 1024 MiB for each CPU",
		"-c 10 -F 99":             "-c and -F exclude each other",
		"-c 4294967296":           "-c 4294967296: must be a number from 1 to 4294967295",
		"--max-rate 2000000000":   "--max-rate 2000000000: must be a number from 1 to 1000000000",
		"-D soon":                 "-D soon: must be a number of milliseconds from 0 to 2147483647, or a time",
		"--ready-fd 99":           "--ready-fd 99: not open",
		"--comm [a":               "--comm: ",
		"--exclude b,":            "--exclude: ",
		"--comm sixteen_letters_": "the kernel keeps 15 characters",
		"-G no/such/group":        "-G no/such/group: ",
		"--container nosuch":      "--container", // "nosuch: ", or where no cgroup2 is mounted ": "
		"--max-stack 200":         "--max-stack 200: must be a number from 1 to 127",
		"--max-stack 0":           "--max-stack 0: must be a number from 1 to 127",
		"--verify-stacks -1":      "--verify-stacks -1: must be a number from 1 to ",
		"--time-resolution 0":     "--time-resolution 0s: must be 1ns to 65µs",
		"--time-resolution 1s":    "--time-resolution 1s: must be 1ns to 65µs",
		"--call-graph lbr":        "fp or none",
		"-g --no-stacks":          "exclude each other",
		"--duration soon":         `duration "soon"`,
	} {
		code, stdout, stderr := runCommand(t, strings.Fields(args)...)
		if code != cli.ExitUsage || stdout != "" || !strings.Contains(stderr, want) || !strings.HasSuffix(stderr, "record: hint: see record --help\n") {
			t.Errorf("record %s: code %d, %q; want code %d and %q", args, code, stderr, cli.ExitUsage, want)
		}
	}
}

// An error about any option names an existing flag.
func TestFlagsOfOptions(t *testing.T) {
	p := parseArgs(t, "")
	for option, flag := range flagOf {
		err := p.inFlags(&capture.OptionError{Option: option, Reason: "is wrong"})
		if f := p.flags.Lookup(flag); f == nil || !strings.HasPrefix(err.Error(), "-") || !strings.HasSuffix(err.Error(), ": is wrong") {
			t.Errorf("%s: %v", option, err)
		}
	}
}

// runCommand calls run as main does.
func runCommand(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(context.Background(), cli.Env{Name: "record", Args: args, Stdout: &out, Stderr: &errs})
	return code, out.String(), errs.String()
}
