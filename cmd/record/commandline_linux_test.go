package main

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"trapline/cmd/internal/cli"
)

func parseArgs(args ...string) (c config, done bool, code int, stderr string) {
	var out, errs bytes.Buffer
	c, done, code = parse(cli.Env{Name: "record", Args: args, Stdout: &out, Stderr: &errs})
	return c, done, code, errs.String()
}

// spelled returns the events of a command line in their canonical spelling.
func spelled(c *config) any {
	events, err := c.events.parse()
	if err != nil {
		return err
	}
	var s []string
	for _, e := range events {
		s = append(s, e.String())
	}
	return strings.Join(s, " ")
}

// The spellings that perf's users have in their fingers.
func TestParse(t *testing.T) {
	for _, test := range []struct {
		args  string
		check func(c *config) any
		want  any
	}{
		{"-e sched:sched_switch -ag sleep 10", func(c *config) any { return c.command }, []string{"sleep", "10"}},
		{"-e sched:sched_switch -ag sleep 10", func(c *config) any { return c.all }, true},
		{"-e a:b -e c:d", spelled, "tracepoint:a:b tracepoint:c:d"},
		{"-e a:b,c:d --filter x>1 --filter y/2==1 -e e:f", spelled, "tracepoint:a:b /(x>1) && (y/2==1)/ tracepoint:c:d /(x>1) && (y/2==1)/ tracepoint:e:f"},
		{"-e a:b/x/ --filter y", spelled, "tracepoint:a:b /(x) && (y)/"},
		{"-e f -x libc -e g -m ext4 -e h --module vmlinux -e i", spelled, "uprobe:libc:f uprobe:libc:g kprobe:ext4:h kprobe:vmlinux:i"},
		{"-m 8M -m nf_tables -e f", func(c *config) any { return c.opt.RingBytes }, 8 << 20},
		{"-e a:b -- ls -l", func(c *config) any { return c.command }, []string{"ls", "-l"}},
		{"-e a:b ls -a", func(c *config) any { return c.all }, false},
		{"-p 12,34", func(c *config) any { return c.opt.Scope.PIDs }, []uint32{12, 34}},
		{"-t 5 -i", func(c *config) any { return c.opt.Scope.NoInherit }, true},
		{"-C 0-2,5", func(c *config) any { return c.opt.Scope.CPUs }, []int{0, 1, 2, 5}},
		{"-u 0,7", func(c *config) any { return c.opt.Scope.UIDs }, []uint32{0, 7}},
		{"-m 512", func(c *config) any { return c.opt.RingBytes }, 512 * 4096},
		{"-m 8M", func(c *config) any { return c.opt.RingBytes }, 8 << 20},
		{"-F 99", func(c *config) any { return c.hz }, uint64(99)},
		{"", func(c *config) any { return c.opt.Resolution }, uint16(100)},
		{"--time-resolution 1ns", func(c *config) any { return c.opt.Resolution }, uint16(1)},
		{"--time-resolution 1us", func(c *config) any { return c.opt.Resolution }, uint16(1000)},
		{"-z0", func(c *config) any { return c.level }, 0},
		{"-z", func(c *config) any { return c.level }, 1},
		{"-z3", func(c *config) any { return c.level }, 3},
		{"", func(c *config) any { return c.opt.KernelStacks && c.opt.UserStacks }, true},
		{"--no-stacks", func(c *config) any { return c.opt.KernelStacks || c.opt.UserStacks }, false},
		{"--call-graph none", func(c *config) any { return c.opt.KernelStacks || c.opt.UserStacks }, false},
		{"-K", func(c *config) any { return c.opt.KernelStacks && !c.opt.UserStacks }, true},
		{"-U", func(c *config) any { return c.opt.UserStacks && !c.opt.KernelStacks }, true},
		{"-c 100", func(c *config) any { return c.limits.every }, uint64(100)},
		{"-M 5", func(c *config) any { return c.opt.MaxHits }, uint64(5)},
		{"-D 250", func(c *config) any { return c.opt.Delay }, 250 * time.Millisecond},
		{"-D 2s", func(c *config) any { return c.opt.Delay }, 2 * time.Second},
		{"--comm a*,b --comm c", func(c *config) any { return c.opt.Scope.Comms }, []string{"a*", "b", "c"}},
		{"--exclude x", func(c *config) any { return c.opt.Scope.Except }, []string{"x"}},
		{"-a --comm a* --exclude ab", func(c *config) any { return c.target() }, "task name a*, not task name ab"},
		{"-a", func(c *config) any { return c.target() }, "system-wide"},
		{"ls", func(c *config) any { return c.target() }, "command ls and its children"},
		{"-a ls", func(c *config) any { return c.target() }, "system-wide"},
		{"-p 3,4 -C 1", func(c *config) any { return c.target() }, "process 3,4, CPU 1"},
	} {
		c, done, _, stderr := parseArgs(strings.Fields(test.args)...)
		if done {
			t.Errorf("record %s: refused: %s", test.args, stderr)
			continue
		}
		if got := test.check(&c); !reflect.DeepEqual(got, test.want) {
			t.Errorf("record %s: got %#v, want %#v", test.args, got, test.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"--frobnicate":            "unknown flag: --frobnicate",
		"-p x":                    `process "x" is not a number`,
		"-p 1 -a":                 "-a and -p or -t exclude each other",
		"-C 3-1":                  `CPU list "3-1"`,
		"-C 4000":                 "CPUs above 1023 cannot be chosen",
		"-u nosuchuser":           "-u nosuchuser: no such user",
		"-u 1,2,3,4,5,6,7,8,9":    "at most 8 users",
		"--filter x -e a:b":       "behind the -e",
		"-m 8Q":                   `size "8Q"`,
		"-m 2G":                   "more than 1G",
		"-c 10 -F 99":             "-c and -F exclude each other",
		"-c 4294967296":           "at most 4294967295",
		"--max-rate 2000000000":   "at most 1000000000",
		"-D soon":                 "-D soon: expected milliseconds",
		"--ready-fd 99":           "--ready-fd 99 is not open",
		"--comm [a":               "a bracket is not closed",
		"--comm sixteen_letters_": "the kernel keeps 15 characters",
		"-G no/such/group":        "-G no/such/group: no such control group",
		"--max-stack 200":         "--max-stack 200: must be 1 to 127",
		"--call-graph lbr":        "fp or none",
		"-g --no-stacks":          "exclude each other",
		"--duration soon":         `duration "soon"`,
	} {
		_, done, code, stderr := parseArgs(strings.Fields(args)...)
		if !done || code != cli.ExitUsage || !strings.Contains(stderr, want) {
			t.Errorf("record %s: done %t, code %d, %q; want code %d and %q", args, done, code, stderr, cli.ExitUsage, want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	got := shellQuote([]string{"record", "-e", "uprobe:libc:malloc size=arg0", "it's", "", "--"})
	want := `record -e 'uprobe:libc:malloc size=arg0' 'it'\''s' '' --`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
